"""The scheduler inside a simulated cluster: waiting pods are bound, or learn why not.

Follows pkg/scheduler/schedule_one.go (bindingCycle, handleSchedulingFailure) and preemption: a pod that needs room
gets a nominated node and waits until the victims are gone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kplan.controllers import pods
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.model import Key
from kplan.placement import Placement
from kplan.scheduler import profile as profiles
from kplan.scheduler import writes
from kplan.scheduler.pod import Pod
from kplan.scheduler.profile import Profile
from kplan.scheduler.run import Scheduler, in_queue_order
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Write, ref_of

Value = dict[str, Any]
Hint = Callable[[Value], bool]


class Placing:
    """Watches for pods without a node, and places them when it is asked to."""

    def __init__(self, control: Control, using: Mapping[str, Profile] | None = None) -> None:
        self.control = control
        self._profiles = dict(using or {})
        self._waiting: dict[Key, bool] = {}  # whether there is a reason to try
        self._hints: dict[Hint, None] = {}  # what has happened since that may help those that wait
        self._certain = True  # whether every placement so far followed from the input: no tie was broken

    def see(self, changes: Iterable[Write]) -> None:
        """Take note of waiting pods, and of what may help those that wait already."""
        for change in changes:
            if change.key.kind == "Pod" and not change.key.group:
                self._note(change)
            helped = _helps(change) if self._waiting else None
            if helped is not None:
                self._hints[helped] = None

    def _note(self, change: Write) -> None:
        if change.new is None or not _waits(change.new):
            self._waiting.pop(change.key, None)
        elif change.old is None or _asked(change.old) != _asked(change.new):
            self._waiting[change.key] = True

    def run(self) -> bool:
        """Try every waiting pod that something may have helped since; whether anything was written."""
        store = self.control.store
        before = store.revision
        hints, self._hints = tuple(self._hints), {}
        trying = {key for key, new in self._waiting.items() if new or self._is_helped(key, hints)}
        if not trying:
            return False
        self._waiting.update(dict.fromkeys(trying, False))
        cluster = Snapshot(store, self.control.version)
        if not self._profiles:
            default = profiles.default(self.control.version)
            self._profiles = {default.name: default}
        scheduler = Scheduler(cluster, self._profiles)
        queue = in_queue_order(p for p in cluster.pending.values() if _key(p) in trying)
        scheduler.expect(Counter(p.shape for p in queue))
        for pod in queue:
            placement, victims = scheduler.place(pod)
            if placement.node is not None:
                self._certain = self._certain and placement.ties == 1
                self._bind(pod, placement.node, cluster)
            else:
                self._refuse(pod, placement, victims)
        return store.revision != before

    def _is_helped(self, key: Key, hints: Iterable[Hint]) -> bool:
        value = self.control.get(key)
        return value is not None and any(helps(value) for helps in hints)

    def _bind(self, pod: Pod, node: str, cluster: Snapshot) -> None:
        value = self._current(pod)
        target = cluster.by_name[node]
        for changed in writes.claims(pod, target, cluster):
            self.control.store.put(changed)
        status = {k: v for k, v in (value.get("status") or {}).items() if k != "nominatedNodeName"}
        placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": self.control.now}
        status = {**status, "conditions": [*_other_conditions(status), placed]}
        self.control.store.put({**writes.bound(value, node), "status": status})
        message = f"Successfully assigned {pod.namespace}/{pod.name} to {node}"
        self.control.event(value, NORMAL, "Scheduled", message, certain=self._certain)

    def _refuse(self, pod: Pod, placement: Placement, victims: tuple[Pod, ...]) -> None:
        value = self._current(pod)
        status = value.get("status") or {}
        said: Value = {
            "type": "PodScheduled",
            "status": "False",
            "reason": placement.reason,
            "message": placement.message,
        }
        if self.control.minor >= 35:
            said["observedGeneration"] = value["metadata"].get("generation", 1)
        known = pods.condition(value, "PodScheduled") or {}
        time = known.get("lastTransitionTime") if known.get("status") == "False" else None
        said["lastTransitionTime"] = time or self.control.now
        nominated = {"nominatedNodeName": placement.nominated} if placement.nominated else {}
        self.control.status(value, {**status, **nominated, "conditions": [*_other_conditions(status), said]})
        if known.get("message") != placement.message:
            self.control.event(value, WARNING, "FailedScheduling", placement.message)
        for victim in victims:
            self._evict(victim, value)

    def _evict(self, victim: Pod, by: Value) -> None:
        value = self._current(victim)
        if pods.is_terminating(value):
            return
        status = value.get("status") or {}
        said = {
            "type": "DisruptionTarget",
            "status": "True",
            "reason": "PreemptionByScheduler",
            "message": "default-scheduler: preempting to accommodate a higher priority pod",
            "lastTransitionTime": self.control.now,
        }
        others = [c for c in status.get("conditions") or () if c["type"] != "DisruptionTarget"]
        value = self.control.status(value, {**status, "conditions": [*others, said]})
        self.control.delete(value)
        name = f"<uid Pod/{by['metadata']['name']}>"  # a real message has the uid, which nobody can know before
        self.control.event(value, NORMAL, "Preempted", f"Preempted by pod {name} on node {victim.node_name}")

    def _current(self, pod: Pod) -> Value:
        value = self.control.get(_key(pod))
        assert value is not None
        return value


def _helps(change: Write) -> Hint | None:
    """Which waiting pods a change may help, None for none: the queueing hints of the default plugins, coarsely."""
    kind, old, new = change.key.kind, change.old, change.new
    if kind == "Node":
        return _always if old is None or (new is not None and _machine(old) != _machine(new)) else None
    if kind in _VOLUME_KINDS:
        return _uses_claims
    if kind != "Pod":
        return None
    if old is not None and old["spec"].get("nodeName") and (new is None or pods.has_ended(new)):
        return _always  # room was made
    placed = new is not None and new["spec"].get("nodeName") and (old is None or not old["spec"].get("nodeName"))
    return _minds_others if placed else None


_VOLUME_KINDS = frozenset(("PersistentVolume", "PersistentVolumeClaim", "StorageClass", "CSINode", "CSIDriver"))


def _always(pod: Value) -> bool:  # noqa: ARG001 - one shape for all
    return True


def _uses_claims(pod: Value) -> bool:
    volumes = pod["spec"].get("volumes") or ()
    return any("persistentVolumeClaim" in v or "ephemeral" in v for v in volumes)


def _minds_others(pod: Value) -> bool:
    affinity = pod["spec"].get("affinity") or {}
    return bool(
        affinity.get("podAffinity") or affinity.get("podAntiAffinity") or pod["spec"].get("topologySpreadConstraints")
    )


def _machine(node: Value) -> tuple[Any, ...]:
    """What the scheduler looks at of a node."""
    status = node.get("status") or {}
    return node["metadata"].get("labels"), node.get("spec"), status.get("allocatable"), status.get("conditions")


def _asked(pod: Value) -> tuple[Any, ...]:
    """What of a waiting pod decides where it may go."""
    return pod["metadata"].get("labels"), pod["spec"]


def _key(pod: Pod) -> Key:
    return ref_of(pod.value).key


def _waits(pod: Value) -> bool:
    return not pod["spec"].get("nodeName") and not pods.has_ended(pod) and not pods.is_terminating(pod)


def _other_conditions(status: Value) -> list[Value]:
    return [c for c in status.get("conditions") or () if c["type"] != "PodScheduled"]
