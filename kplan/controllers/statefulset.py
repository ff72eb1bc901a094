"""StatefulSet: numbered pods that are made, updated and taken down in order, each with claims of its own.

Follows pkg/controller/statefulset (stateful_set.go, stateful_set_control.go), without the gate
MaxUnavailableStatefulSet, which is off by default.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, NamedTuple, TypeVar

from kplan.api.request import Refused
from kplan.controllers import pods, statefulsetclaims, statefulsetpods
from kplan.controllers.claims import claim
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller, itself
from kplan.controllers.podroutes import of_controlled, selects
from kplan.controllers.slowstart import side_by_side
from kplan.controllers.statefulsethistory import History, history_of, revision_of, truncate
from kplan.controllers.statefulsetordinals import is_member, ordinal, size, wanted
from kplan.model import Key

Value = dict[str, Any]
T = TypeVar("T")


class _Turn(Enum):
    """What one pod means for the rest of the sync: go on, stop where order matters, or something failed."""

    GO = 0
    STOP = 1
    FAILED = 2


class _Sync(NamedTuple):
    """What all steps of one sync need. `ordered` is podManagementPolicy OrderedReady."""

    owner: Value
    history: History
    control: Control
    ordered: bool
    min_ready: int

    def is_available(self, pod: Value) -> bool:
        return statefulsetpods.runs_ready(pod) and pods.is_available(pod, self.min_ready, self.control.clock.now)

    def is_well(self, pod: Value) -> bool:
        return self.is_available(pod) and not pods.is_terminating(pod)


def reconcile(key: Key, control: Control) -> None:
    """One sync of one StatefulSet."""
    owner = control.get(key)
    if owner is None:
        return
    try:
        history = history_of(owner, control)
    except Refused:
        control.retry()
        return
    own = claim(owner, "Pod", control, lambda p: _belongs(owner, p))
    min_ready = int(owner["spec"].get("minReadySeconds") or 0)
    ordered = owner["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    before = control.store.revision
    if not owner["metadata"].get("deletionTimestamp"):
        _manage(_Sync(owner, history, control, ordered, min_ready), own)
    if control.store.revision != before:
        own = [p for p in control.owned(owner, "Pod") if _belongs(owner, p)]
    control.status(owner, _status(owner, own, history, min_ready, control))
    truncate(owner, own, history, control)
    wait = pods.until_available(own, min_ready, control.clock.now)
    if wait is not None:
        control.wake(wait)


def _belongs(owner: Value, pod: Value) -> bool:
    return selects(owner, pod) and is_member(owner, pod)


def _manage(sync: _Sync, own: list[Value]) -> None:
    """Bring the pods of the set one step nearer to what it asks for."""
    numbers = wanted(sync.owner)
    present = {ordinal(p): p for p in own if ordinal(p) in numbers}
    condemned = sorted((p for p in own if ordinal(p) not in numbers), key=ordinal, reverse=True)
    if _ends(numbers, lambda i: _tend(sync, i, present.get(i)), sync.ordered):
        return
    if _ends(condemned, lambda p: _hand_over_claims(sync, p), sync.ordered):
        return
    unwell = next((p for p in reversed(condemned) if not sync.is_well(p)), None)
    if _ends(condemned, lambda p: _condemn(sync, p, unwell), sync.ordered):
        return
    if (sync.owner["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
        _update(sync, present)


def _ends(items: Sequence[T], turn: Callable[[T], _Turn], ordered: bool) -> bool:
    """Whether the sync ends with these items, taken one by one or in batches that double.

    In order, the first that has to be waited for ends it; else only a failure does, at the end of its batch.
    """
    if ordered:
        return any(turn(item) is not _Turn.GO for item in items)
    done, batch = 0, 1
    while done < len(items):
        if _Turn.FAILED in [turn(item) for item in side_by_side(items[done : done + batch])]:
            return True
        done += batch
        batch = min(2 * batch, pods.MOST_AT_ONCE)
    return False


def _tend(sync: _Sync, index: int, pod: Value | None) -> _Turn:
    """See to one wanted pod: replace it, create it, wait for it or put it right."""
    owner, control = sync.owner, sync.control
    if pod is None:
        return _create(sync, index)
    if pods.has_ended(pod):
        if not pods.is_terminating(pod):
            statefulsetpods.delete(owner, pod, control)
        return _Turn.STOP
    if pods.phase(pod) == "Pending":
        if statefulsetclaims.create_missing(owner, pod["metadata"]["name"], control):
            return _failed(control)
        statefulsetclaims.settle_owners(owner, pod, control)
    if sync.ordered and not sync.is_well(pod):
        return _Turn.STOP
    return _Turn.GO if statefulsetpods.mend(owner, pod, control) else _failed(control)


def _create(sync: _Sync, index: int) -> _Turn:
    name = f"{sync.owner['metadata']['name']}-{index}"
    if statefulsetclaims.are_stale(sync.owner, name, sync.control):
        sync.control.retry()
        return _Turn.STOP
    if not statefulsetpods.create(sync.owner, index, sync.history, sync.control):
        return _failed(sync.control)
    return _Turn.STOP if sync.ordered else _Turn.GO


def _failed(control: Control) -> _Turn:
    control.retry()
    return _Turn.FAILED


def _hand_over_claims(sync: _Sync, pod: Value) -> _Turn:
    statefulsetclaims.settle_owners(sync.owner, pod, sync.control)
    return _Turn.GO


def _condemn(sync: _Sync, pod: Value, unwell: Value | None) -> _Turn:
    """Delete a pod that is not wanted; in order only one that is well, or the lowest of those that are not."""
    if pods.is_terminating(pod):
        return _Turn.STOP
    if sync.ordered and not sync.is_available(pod) and pod is not unwell:
        return _Turn.STOP
    statefulsetpods.delete(sync.owner, pod, sync.control)
    return _Turn.STOP


def _update(sync: _Sync, present: dict[int, Value]) -> None:
    """Delete the highest pod that is not of the update revision, unless one above it has to be waited for."""
    goal = sync.history.update["metadata"]["name"]
    for index in reversed(wanted(sync.owner)[statefulsetpods.partition(sync.owner) :]):
        pod = present.get(index)
        if pod is not None and revision_of(pod) != goal and not pods.is_terminating(pod):
            statefulsetpods.delete(sync.owner, pod, sync.control)
            return
        if pod is None or not sync.is_well(pod):
            return


def _status(owner: Value, own: list[Value], history: History, min_ready: int, control: Control) -> Value:
    """The status; the update is over once all pods are of the update revision and ready."""
    current, update = history.names
    ready = [p for p in own if statefulsetpods.runs_ready(p)]
    staying = [revision_of(p) for p in own if not pods.is_terminating(p)]
    counts = {
        "readyReplicas": len(ready),
        "currentReplicas": staying.count(current),
        "updatedReplicas": staying.count(update),
    }
    rolling = (owner["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
    if rolling and {counts["updatedReplicas"], counts["readyReplicas"], len(own)} == {size(owner)}:
        counts["currentReplicas"], current = counts["updatedReplicas"], update
    return {
        "observedGeneration": owner["metadata"].get("generation", 1),
        "replicas": len(own),
        **{k: n for k, n in counts.items() if n},
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": history.collisions,
        "availableReplicas": sum(pods.is_available(p, min_ready, control.clock.now) for p in ready),
    }


CONTROLLER = Controller(
    "statefulset", {"StatefulSet": itself, "Pod": of_controlled("apps", "StatefulSet", _belongs)}, reconcile
)
