"""ControllerRevisions: what StatefulSets and DaemonSets remember of their earlier templates.

Follows pkg/controller/history/controller_history.go and the history parts of pkg/controller/statefulset and
pkg/controller/daemon. A revision holds the template as a patch; which one is the current one is a question of equal
templates.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.controllers.control import Control, reference
from kplan.controllers.hashes import revision_data
from kplan.errors import KplanError
from kplan.model import Key

Value = dict[str, Any]

POD_HASH = "controller-revision-hash"  # label of a pod: its revision
_SEMANTIC_SINCE = 35  # before, templates were compared as the bytes of their patches


def number(revision: Value) -> int:
    """The number that orders the revisions of one owner."""
    return int(revision.get("revision") or 0)


def ordered(revisions: Iterable[Value]) -> list[Value]:
    """Revisions from the oldest to the newest."""

    def age(r: Value) -> tuple[int, str, str]:
        return number(r), r["metadata"].get("creationTimestamp") or "", r["metadata"]["name"]

    return sorted(revisions, key=age)


def template_of(revision: Value) -> Value:
    """The pod template that a revision holds."""
    held = revision.get("data")
    for field in ("spec", "template"):
        held = held.get(field) if isinstance(held, dict) else None  # anything may be there, nobody checks it
    return {k: v for k, v in held.items() if k != "$patch"} if isinstance(held, dict) else {}


def equal_ones(revisions: Iterable[Value], template: Value, minor: int) -> list[Value]:
    """Those of the revisions that hold this template."""
    wanted = revision_data(template, minor)
    return [r for r in revisions if _holds(r, wanted, minor)]


def _holds(revision: Value, wanted: Value, minor: int) -> bool:
    if revision.get("data") == wanted:
        return True
    if minor < _SEMANTIC_SINCE:
        return False
    try:
        return revision_data(template_of(revision), minor) == wanted
    except KplanError:
        return False  # something else wrote it, and it holds no template


def make(owner: Value, name: str, label: tuple[str, str], revision: int, control: Control) -> Value:
    """A revision of the owner's template, not yet stored; `label` goes with the labels of the template."""
    meta = owner["metadata"]
    template = owner["spec"]["template"]
    given = (template.get("metadata") or {}).get("labels") or {}
    made: Value = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "labels": {**given, label[0]: label[1]},
            "ownerReferences": [reference(owner)],
        },
        "data": revision_data(template, control.minor),
        "revision": revision,
    }
    if meta.get("annotations"):
        made["metadata"]["annotations"] = meta["annotations"]
    return made


def renumber(revision: Value, to: int, control: Control) -> Value:
    """Give a revision another number."""
    return control.update({**revision, "revision": to})


def named(name: str, namespace: str, control: Control) -> Value | None:
    """The revision of this name, or None."""
    return control.get(Key("apps", "ControllerRevision", namespace, name))
