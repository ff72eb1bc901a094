"""What is noted each time the cluster comes to rest: the writes since the last rest, and the counts of all sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from kplan.model import Key
from kplan.store import Store, Write, is_native

Value = dict[str, Any]
Counts = tuple[int, ...]
Delta = Mapping[Key, "Counts | None"]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"),
    "ReplicaSet": ("spec.replicas", "replicas", "readyReplicas", "availableReplicas"),
    "StatefulSet": (
        "spec.replicas",
        "replicas",
        "readyReplicas",
        "availableReplicas",
        "currentReplicas",
        "updatedReplicas",
    ),
    "DaemonSet": (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "numberMisscheduled",
    ),
    "Job": ("active", "ready", "succeeded", "failed", "terminating"),
    "PodDisruptionBudget": ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"),
}
_SHORT = {"PodDisruptionBudget": "pdb"}


class Rest:
    """A moment at which all controllers and the scheduler had come to rest.

    `kubelet` is the action that came before (`start NAME`, `gone NAME`, `exit NAME`), None where there was none.
    `changes` are the writes since the rest before, a line each. `at` is the time in seconds since 1970.
    """

    __slots__ = ("_deltas", "_index", "at", "changes", "kubelet")

    def __init__(
        self, kubelet: str | None, changes: tuple[str, ...], at: float, deltas: Sequence[Delta], index: int
    ) -> None:
        self.kubelet = kubelet
        self.changes = changes
        self.at = at
        self._deltas = deltas
        self._index = index

    @property
    def changed(self) -> Delta:
        """The counts (see FIELDS) that are new since the rest before, by object; None for one that is gone."""
        return self._deltas[self._index]

    @property
    def sets(self) -> dict[str, list[int]]:
        """The counts of every workload and budget: `deployment/NAME` -> numbers from its spec and status.

        The names are those of oracle recordings; where workloads live in several namespaces it is
        `deployment/NAMESPACE/NAME`.
        """
        merged: dict[Key, Counts | None] = {}
        for delta in self._deltas[: self._index + 1]:
            merged.update(delta)
        alive = {k: v for k, v in merged.items() if v is not None}
        several = len({k.namespace for k in alive}) > 1
        named = {}
        for key, counts in alive.items():
            name = f"{key.namespace}/{key.name}" if several else key.name
            named[f"{_SHORT.get(key.kind, key.kind.lower())}/{name}"] = list(counts)
        return dict(sorted(named.items()))

    def __repr__(self) -> str:
        return f"Rest({self.kubelet!r}, {self.changes!r}, {self.sets!r})"


def delta(writes: Iterable[Write], store: Store) -> dict[Key, Counts | None]:
    """The counts of what these writes touched, None for what is gone."""
    found: dict[Key, Counts | None] = {}
    for write in writes:
        fields = FIELDS.get(write.key.kind)
        if fields is not None and is_native(write.key.group, write.key.kind):
            value = store.get(write.key)
            found[write.key] = _counts(value, fields) if value is not None else None
    return found


def _counts(value: Value, fields: tuple[str, ...]) -> Counts:
    status, spec = value.get("status") or {}, value.get("spec") or {}
    return tuple(
        int(spec.get("replicas", 1) if field == "spec.replicas" else status.get(field) or 0) for field in fields
    )


def lines(writes: Iterable[Write]) -> tuple[str, ...]:
    """The writes as a reader wants them: created, scaled, terminating, gone, bound, adopted, finished.

    Nothing is said of namespaces themselves, which are where the rest takes place: as in oracle recordings.
    """
    return tuple(line for write in writes if write.key.kind != "Namespace" for line in _line(write))


def _line(write: Write) -> list[str]:
    kind, name = write.key.kind.lower(), write.key.name
    if write.old is None:
        assert write.new is not None
        replicas = (write.new.get("spec") or {}).get("replicas") if isinstance(write.new.get("spec"), dict) else None
        return [f"create {kind} {name}" + (f" spec.replicas={replicas}" if replicas is not None else "")]
    if write.new is None:
        return [f"gone {kind} {name}"]
    if _only_reports(write.old, write.new):
        return []
    updates = _UPDATES if is_native(write.key.group, write.key.kind) else _UPDATES_OF_ALL
    return [line for make in updates for line in make(f"{kind} {name}", write.old, write.new)]


_STATUS_COUNTS = frozenset(("Job", "PersistentVolume", "PersistentVolumeClaim"))


def _only_reports(old: Value, new: Value) -> bool:
    """Whether only a status has changed of an object of which no line tells that: most writes are such."""
    if new["kind"] in _STATUS_COUNTS or old.get("spec") is not new.get("spec"):
        return False
    before, after = old["metadata"], new["metadata"]
    return all(before.get(f) is after.get(f) for f in ("deletionTimestamp", "ownerReferences"))


def _scaled(what: str, old: Value, new: Value) -> list[str]:
    before, after = (o["spec"].get("replicas") if isinstance(o.get("spec"), dict) else None for o in (old, new))
    return [f"scale {what} {before}->{after}"] if before != after else []


def _terminating(what: str, old: Value, new: Value) -> list[str]:
    if old["metadata"].get("deletionTimestamp") or not new["metadata"].get("deletionTimestamp"):
        return []
    held = new["metadata"].get("finalizers")
    return [f"terminating {what}" + (f" finalizers={held}" if held else "")]


def _owners(what: str, old: Value, new: Value) -> list[str]:
    before, after = _refs(old), _refs(new)
    return [f"owners {what} {before}->{after}"] if before != after else []


def _refs(obj: Value) -> list[str]:
    return [f"{r['kind']}/{r['name']}" for r in obj["metadata"].get("ownerReferences") or ()]


def _phases(what: str, old: Value, new: Value) -> list[str]:
    if not what.startswith(("persistentvolume ", "persistentvolumeclaim ")):
        return []
    before, after = ((o.get("status") or {}).get("phase") for o in (old, new))
    return [f"phase {what} {before}->{after}"] if before != after else []


def _bound(what: str, old: Value, new: Value) -> list[str]:
    if not what.startswith("pod ") or old["spec"].get("nodeName") == new["spec"].get("nodeName"):
        return []
    return [f"bind {what} {new['spec'].get('nodeName')}"]


def _conditions(what: str, old: Value, new: Value) -> list[str]:
    if not what.startswith("job "):
        return []
    before, after = (_true(o) for o in (old, new))
    return [f"conditions {what} {before}->{after}"] if before != after else []


def _true(obj: Value) -> list[str]:
    return [c["type"] for c in (obj.get("status") or {}).get("conditions") or () if c["status"] == "True"]


_Update = Callable[[str, Value, Value], list[str]]
_UPDATES_OF_ALL: tuple[_Update, ...] = (_scaled, _terminating, _owners)
_UPDATES: tuple[_Update, ...] = (*_UPDATES_OF_ALL, _phases, _bound, _conditions)
