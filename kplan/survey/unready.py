"""What is not ready in a cluster at rest, and why: as pods, claims, conditions and events tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Any

from kplan.controllers import pods
from kplan.events import Event
from kplan.results import Reason, Unready, Workload
from kplan.store import Store, ref_of
from kplan.survey import podreasons
from kplan.survey.owners import KINDS, Owners
from kplan.workloads import dicts

Value = dict[str, Any]
Said = tuple[str, str]  # reason and message

# conditions that tell what is wrong, and the status in which they do
_BAD = {"ReplicaFailure": "True", "Progressing": "False", "Failed": "True", "FailureTarget": "True"}
_LATE = "ProgressDeadlineExceeded"  # that time has passed is no reason by itself
_ERROR = "Error: "  # how a kubelet's event starts that repeats the reason of a waiting container
_CLAIM = "PersistentVolumeClaim"


def unready(
    workloads: Iterable[tuple[Value, Workload]],
    owners: Owners,
    store: Store,
    events: Iterable[Event],
    acting: Container[str],
) -> list[Unready]:
    """The workloads that are not ready, each with its reasons, then the claims without a volume.

    `acting` are the kinds whose controllers are simulated.
    """
    told = _Told(events)
    out = []
    for value, row in workloads:
        if not row.is_ready:
            reasons = _of_workload(value, row, owners, store, told, acting)
            out.append(Unready(row.kind, row.namespace, row.name, row.ready, row.wanted, reasons))
    for claim in store.all(_CLAIM):
        phase = (claim.get("status") or {}).get("phase") or "Pending"
        if phase != "Bound":
            ref, found = ref_of(claim), _Collected()
            found.add(told.about(claim, warnings=False) or [(phase, "no volume was bound to it")], claim)
            out.append(Unready(_CLAIM, ref.namespace, ref.name, 0, 1, found.reasons()))
    return out


class _Told:
    """The events of a cluster by the object that they are about: the last of each reason."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._about: dict[tuple[str, str], dict[str, Event]] = defaultdict(dict)
        for e in events:
            self._about[e.object, e.namespace][e.reason] = e

    def about(self, obj: Value, *, warnings: bool = True) -> list[Said]:
        """Reason and message of the warnings about an object, or of all events."""
        ref = ref_of(obj)
        found = self._about.get((f"{ref.kind}/{ref.name}", ref.namespace), {})
        return [(e.reason, e.message) for e in found.values() if e.type == "Warning" or not warnings]


class _Collected:
    """Reasons, each with the objects that share it."""

    def __init__(self) -> None:
        self._objects: dict[Said, dict[str, None]] = {}

    def add(self, said: Iterable[Said], obj: Value) -> None:
        """Note what is said of an object; a sentence that is part of a known one tells nothing new."""
        for reason, message in said:
            told = message.removeprefix(_ERROR)
            known = (k for k in self._objects if told and told in k[1])
            objects = self._objects.setdefault(next(known, (reason, message)), {})
            objects[f"{obj['kind']}/{obj['metadata']['name']}"] = None

    def __bool__(self) -> bool:
        return bool(self._objects)

    def reasons(self) -> tuple[Reason, ...]:
        """All of them, in the order in which they were found."""
        return tuple(Reason(r, m, tuple(objects)) for (r, m), objects in self._objects.items())


def _of_workload(
    value: Value, row: Workload, owners: Owners, store: Store, told: _Told, acting: Container[str]
) -> tuple[Reason, ...]:
    found = _Collected()
    its_pods = [value] if row.kind == "Pod" else owners.under(value, ("Pod",))
    for pod in its_pods:
        if not pods.is_ready(pod):
            found.add(podreasons.reasons(pod, told.about(pod), lambda n: store.find("Node", n) is not None), pod)
    if row.kind == "Pod":
        return found.reasons()
    for part in (*owners.under(value, KINDS), value):
        found.add(told.about(part), part)
        found.add(_conditions(part), part)
    if not found:
        found.add([_guess(value, row, len(its_pods), acting)], value)
    return found.reasons()


def _conditions(obj: Value) -> list[Said]:
    return [
        (str(c.get("reason") or c["type"]), str(c.get("message") or ""))
        for c in dicts(obj, "status", "conditions")
        if _BAD.get(str(c.get("type"))) == c.get("status") and c.get("reason") != _LATE
    ]


def _guess(value: Value, row: Workload, existing: int, acting: Container[str]) -> Said:
    """Why a workload is not ready of which nothing was told."""
    if row.kind not in acting:
        return "NotSimulated", f"the controller of {row.kind}s is not simulated"
    if (value.get("spec") or {}).get("paused"):
        return "Paused", "it is paused"
    if row.kind == "Job":
        return "Running", f"{existing} of its pods have neither succeeded nor failed"
    return "Incomplete", f"{existing} of {row.wanted} pods are there"
