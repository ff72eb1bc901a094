"""Which workload at the top each object of a cluster belongs to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from kplan.controllers.control import controller_of
from kplan.model import Key
from kplan.store import Store, ref_of

Value = dict[str, Any]

# the kinds whose objects make pods, as a reader lists them
KINDS = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
)
_GROUPS = {"Pod": "", "ReplicationController": "", "Job": "batch", "CronJob": "batch"}


def of_builtin(kind: str, store: Store) -> list[Value]:
    """The objects of a kind that makes pods, or of Pods; custom kinds of the same name are left out."""
    group = _GROUPS.get(kind, "apps")
    return [o for o in store.all(kind) if ref_of(o).group == group]


class Owners:
    """The top of each chain of controllers, and what is under it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._under: dict[Key, list[Value]] = defaultdict(list)
        for kind in ("Pod", *KINDS):
            for o in of_builtin(kind, store):
                top = self.top(o)
                if top is not o:
                    self._under[ref_of(top).key].append(o)

    def top(self, obj: Value) -> Value:
        """The object that no other one controls, up from this one; itself if nobody does."""
        seen = 0
        while (above := self._above(obj)) is not None and seen < len(KINDS):
            obj, seen = above, seen + 1
        return obj

    def _above(self, obj: Value) -> Value | None:
        ref = controller_of(obj)
        if ref is None:
            return None
        namespace = str(obj["metadata"].get("namespace") or "")
        for place in (namespace, ""):
            found = self._store.find(str(ref.get("kind")), str(ref.get("name")), place)
            if found is not None and found["metadata"].get("uid") == ref.get("uid"):
                return found
        return None

    def under(self, top: Value, kinds: Iterable[str]) -> list[Value]:
        """What a workload at the top made, directly or not."""
        wanted = frozenset(kinds)
        return [o for o in self._under.get(ref_of(top).key, ()) if o["kind"] in wanted]

    def workloads(self) -> list[Value]:
        """The workloads that nothing made, then the pods that nothing made."""
        return [o for kind in (*KINDS, "Pod") for o in of_builtin(kind, self._store) if self.top(o) is o]
