"""The ConfigMaps and Secrets that a pod takes its configuration from, and what is said of one that is not there.

Follows pkg/kubelet/configmap and pkg/kubelet/secret.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers.control import Control
from kplan.model import Key

Value = dict[str, Any]

CONFIG_MAP, SECRET = "ConfigMap", "Secret"
ROOT_CA = "kube-root-ca.crt"  # in every namespace: a controller of its own sees to it


class Problem(NamedTuple):
    """Why something cannot start, and the objects whose change may help."""

    message: str
    waits_for: tuple[Key, ...] = ()


class Source(NamedTuple):
    """A ConfigMap or Secret that was looked up; `keys` are the keys that it has, None if it is not there."""

    key: Key
    keys: frozenset[str] | None

    @property
    def missing(self) -> Problem:
        """What is said if the object is not there."""
        return Problem(f'{self.key.kind.lower()} "{self.key.name}" not found', (self.key,))


def find(kind: str, name: str, pod: Value, control: Control, *, files: bool = False) -> Source:
    """Look up a ConfigMap or Secret in the namespace of a pod; files may be binary, variables may not."""
    key = Key("", kind, pod["metadata"].get("namespace") or "", name)
    found = control.get(key)
    if found is None:
        return Source(key, frozenset(("ca.crt",)) if (kind, name) == (CONFIG_MAP, ROOT_CA) else None)
    fields = ("data", "binaryData") if files else ("data",)
    return Source(key, frozenset(k for field in fields for k in found.get(field) or ()))
