"""The scheduler inside a simulated cluster: waiting pods are bound, or learn why not.

Follows pkg/scheduler/schedule_one.go (bindingCycle, handleSchedulingFailure) and preemption: a pod that needs room
gets a nominated node and waits until the victims are gone. A pod with claims that are to be bound keeps its node, but
is bound only once the PV controller has bound them (framework/plugins/volumebinding, PreBind).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from kplan.controllers import claimusers, pods
from kplan.controllers.conditions import observed
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.model import Key
from kplan.placement import Placement
from kplan.scheduler import profile as profiles
from kplan.scheduler import writes
from kplan.scheduler.pod import Pod
from kplan.scheduler.profile import Profile
from kplan.scheduler.run import Scheduler, in_queue_order
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.volumes import SELECTED_NODE
from kplan.store import Write, ref_of

Value = dict[str, Any]
Hint = Callable[[Value], bool]

BIND_TIMEOUT = 600.0  # seconds that a pod waits for its claims: bindTimeoutSeconds
_EXPECTED_NODE = 35  # the minor since which a pod that waits for its claims says which node it expects (KEP-5278)


class Binding(NamedTuple):
    """A pod that has a node and waits for its claims: since when, and the volume of each; empty if one is made."""

    node: str
    since: float
    volumes: Mapping[Key, str]


class Placing:
    """Watches for pods without a node, and places them when it is asked to."""

    def __init__(self, control: Control, using: Mapping[str, Profile] | None = None) -> None:
        self.control = control
        self._profiles = dict(using or {})
        self._waiting: dict[Key, bool] = {}  # whether there is a reason to try
        self._hints: dict[Hint, None] = {}  # what has happened since that may help those that wait
        self._binding: dict[Key, Binding] = {}
        self.placements: dict[Key, Placement] = {}  # the last word on each pod
        self._certain = True  # whether every placement so far followed from the input: no tie was broken

    def see(self, changes: Iterable[Write]) -> None:
        """Take note of waiting pods, and of what may help those that wait already."""
        for change in changes:
            if change.key.kind == "Pod" and not change.key.group:
                self._note(change)
            if self._waiting and change.key.kind == "PersistentVolumeClaim":
                users = (ref_of(pod).key for pod in claimusers.of(change.key, self.control))
                self._waiting.update((key, True) for key in users if key in self._waiting)
            helped = _helps(change) if self._waiting else None
            if helped is not None:
                self._hints[helped] = None

    def _note(self, change: Write) -> None:
        if change.new is None or not _waits(change.new):
            self._waiting.pop(change.key, None)
            self._binding.pop(change.key, None)
        elif change.old is None or _asked(change.old) != _asked(change.new):
            self._waiting[change.key] = True

    def run(self) -> bool:
        """Try every waiting pod that something may have helped since; whether anything was written."""
        store = self.control.store
        before = store.revision
        for key, binding in list(self._binding.items()):
            self._go_on(key, binding)
        hints, self._hints = tuple(self._hints), {}
        trying = {
            key
            for key, new in self._waiting.items()
            if key not in self._binding and (new or self._is_helped(key, hints))
        }
        if trying:
            self._waiting.update(dict.fromkeys(trying, False))
            self._try(trying)
        return store.revision != before

    def _try(self, trying: set[Key]) -> None:
        cluster = Snapshot(self.control.store, self.control.version, settled=False)
        for key, binding in self._binding.items():
            assumed = cluster.pending.get((key.namespace or "default", key.name))
            if assumed is not None and binding.node in cluster.by_name:
                cluster.add(assumed, cluster.by_name[binding.node])
        if not self._profiles:
            default = profiles.default(self.control.version)
            self._profiles = {default.name: default}
        scheduler = Scheduler(cluster, self._profiles)
        queue = in_queue_order(p for p in cluster.pending.values() if _key(p) in trying)
        queue = [p for p in queue if p.shape.scheduler in self._profiles]  # the others are somebody else's
        scheduler.expect(Counter(p.shape for p in queue))
        for pod in queue:
            placement, victims = scheduler.place(pod)
            self.placements[_key(pod)] = placement
            if placement.node is None:
                self._refuse(pod, placement, victims)
                continue
            self._certain = self._certain and placement.ties == 1
            wanted = writes.before_binding(pod, cluster)
            if wanted:
                self._wait(pod, placement.node, wanted)
            else:
                self._bind(self._current(pod), placement.node)

    def _is_helped(self, key: Key, hints: Iterable[Hint]) -> bool:
        value = self.control.get(key)
        return value is not None and any(helps(value) for helps in hints)

    def _bind(self, value: Value, node: str) -> None:
        status = {k: v for k, v in (value.get("status") or {}).items() if k != "nominatedNodeName"}
        placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": self.control.now}
        status = {**status, "conditions": [*_other_conditions(status), placed]}
        self.control.store.put({**writes.bound(value, node), "status": status})
        meta = value["metadata"]
        message = f"Successfully assigned {meta.get('namespace') or 'default'}/{meta['name']} to {node}"
        self.control.event(value, NORMAL, "Scheduled", message, certain=self._certain)

    def _wait(self, pod: Pod, node: str, wanted: list[tuple[Value, Value]]) -> None:
        """Reserve volumes, and ask for those that are to be made; the pod is bound when its claims are."""
        volumes = {}
        for claim, changed in wanted:
            volumes[ref_of(claim).key] = changed["metadata"]["name"] if changed["kind"] == "PersistentVolume" else ""
            self.control.update(changed)
        value = self._current(pod)
        self._binding[_key(pod)] = Binding(node, self.control.clock.now, volumes)
        if self.control.minor >= _EXPECTED_NODE:
            self.control.status(value, {**(value.get("status") or {}), "nominatedNodeName": node})

    def _go_on(self, key: Key, binding: Binding) -> None:
        """Bind a pod whose claims are bound by now; look for another node if they cannot be."""
        pod = self.control.get(key)
        if pod is None:
            del self._binding[key]
            return
        claims = [(self.control.get(claim), volume) for claim, volume in binding.volumes.items()]
        if all(claim is not None and writes.is_bound(claim) for claim, _ in claims):
            del self._binding[key]
            self._bind(pod, binding.node)
        elif not all(claim is not None and self._comes(claim, volume, binding.node) for claim, volume in claims):
            self._give_up(key)
        elif self.control.clock.now >= binding.since + BIND_TIMEOUT:
            self._give_up(key)
            why = 'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded'
            self._say_unschedulable(pod, "SchedulerError", why)

    def _comes(self, claim: Value, volume: str, node: str) -> bool:
        """Whether a claim is bound, or the volume that it waits for is on its way."""
        if writes.is_bound(claim):
            return True
        if not volume:
            return bool((claim["metadata"].get("annotations") or {}).get(SELECTED_NODE) == node)
        found = self.control.find("PersistentVolume", volume)
        return found is not None and writes.is_for(found, claim)

    def _give_up(self, key: Key) -> None:
        del self._binding[key]
        self._waiting[key] = True

    def _refuse(self, pod: Pod, placement: Placement, victims: tuple[Pod, ...]) -> None:
        value = self._current(pod)
        self._say_unschedulable(value, placement.reason, placement.message, placement.nominated)
        for victim in victims:
            self._evict(victim, value)

    def _say_unschedulable(self, value: Value, reason: str, message: str, nominated: str = "") -> None:
        status = value.get("status") or {}
        said: Value = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        said |= observed(value, self.control.minor)
        known = pods.condition(value, "PodScheduled") or {}
        time = known.get("lastTransitionTime") if known.get("status") == "False" else None
        said["lastTransitionTime"] = time or self.control.now
        expected = {"nominatedNodeName": nominated} if nominated else {}
        self.control.status(value, {**status, **expected, "conditions": [*_other_conditions(status), said]})
        if known.get("message") != message:
            self.control.event(value, WARNING, "FailedScheduling", message)

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
            **observed(value, self.control.minor),
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


_VOLUME_KINDS = frozenset(("PersistentVolume", "StorageClass", "CSINode", "CSIDriver", "CSIStorageCapacity"))


def _always(pod: Value) -> bool:  # noqa: ARG001 - one shape for all
    return True


def _uses_claims(pod: Value) -> bool:
    return bool(claimusers.names(pod))


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
