"""`Cluster`: a set of stored objects, and the questions that can be asked of it.

Taken as what is stored: defaults are filled in, nothing is refused, status is kept, and a pod with `spec.nodeName`
counts as placed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan import release
from kplan.store import Store, ref_of

Value = dict[str, Any]


class Cluster:
    """A Kubernetes cluster as data; `version` is the release it runs, such as "1.36"."""

    def __init__(self, objects: Iterable[Value] = (), *, version: str = release.DEFAULT) -> None:
        from kplan.api.defaults import default

        self.version = release.parse(version)
        self.store = Store(default(o, self.version) for o in objects)

    def get(self, document: Value) -> Value | None:
        """The stored object with the identity of this document, or None."""
        return self.store.get(ref_of(document).key)

    def objects(self, kind: str | None = None, namespace: str | None = None) -> list[Value]:
        """The stored objects, of one kind or namespace if given, in the order in which they came."""
        return list(self.store.all(kind, namespace))
