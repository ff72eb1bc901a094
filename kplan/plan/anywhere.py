"""Room for every pod: what stands in for the scheduler where nothing is known of the nodes.

Nothing can be said then about where a pod goes or whether it fits, so every pod is bound and all else goes its way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.controllers import pods
from kplan.controllers.control import Control
from kplan.model import Key
from kplan.placing import Placing
from kplan.plan import standins
from kplan.plan.values import items, submap
from kplan.scheduler import writes
from kplan.store import Write

Value = dict[str, Any]

NODE = "any"


def node(name: str = NODE) -> Value:
    """A Node without limits that matter."""
    room = {"cpu": "1M", "memory": "1Pi", "ephemeral-storage": "1Pi", "pods": "1M"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    status = {"capacity": room, "allocatable": room, "conditions": [ready]}
    meta = {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {}, "status": status}


class Anywhere(Placing):
    """Binds each waiting pod to the one node that is there, or to the one that the pod names."""

    def __init__(self, control: Control) -> None:
        super().__init__(control)
        self._fresh: dict[Key, None] = {}

    def see(self, changes: Iterable[Write]) -> None:
        """Take note of waiting pods."""
        for change in changes:
            if change.key.kind == "Pod" and not change.key.group and change.new is not None:
                self._fresh[change.key] = None

    def run(self) -> bool:
        """Bind what waits; whether there was anything."""
        fresh, self._fresh = self._fresh, {}
        return sum(self._bind_one(pod) for key in fresh if (pod := self.control.get(key)) is not None) > 0

    def _bind_one(self, pod: Value) -> bool:
        spec, status = pod["spec"], pod.get("status") or {}
        if spec.get("nodeName") or spec.get("schedulingGates") or pods.is_terminating(pod) or pods.has_ended(pod):
            return False
        self._provide(pod)
        others = [c for c in status.get("conditions") or () if c.get("type") != "PodScheduled"]
        placed = {"type": "PodScheduled", "status": "True", "lastTransitionTime": self.control.now}
        status = {**status, "conditions": [*others, placed]}
        self.control.store.put({**writes.bound(pod, _target(pod)), "status": status})
        return True

    def _provide(self, pod: Value) -> None:
        """Somebody makes the volumes of the claims that wait for this pod."""
        meta = pod["metadata"]
        for volume in items(pod, "spec", "volumes"):
            name = submap(volume, "persistentVolumeClaim").get("claimName")
            if "ephemeral" in volume:
                name = f"{meta['name']}-{volume.get('name')}"
            claim = self.control.find("PersistentVolumeClaim", str(name or ""), meta.get("namespace", ""))
            if claim is None or submap(claim, "spec").get("volumeName"):
                continue
            kind = self.control.find("StorageClass", str(submap(claim, "spec").get("storageClassName") or "")) or {}
            for value in standins.bound(claim, str(kind.get("reclaimPolicy") or "Delete")):
                self.control.store.put(value)


def _target(pod: Value) -> str:
    """The node that a DaemonSet's pod is made for, by its affinity; any other goes to the one there is."""
    terms = items(
        pod, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"
    )
    for term in terms:
        for field in items(term, "matchFields"):
            names = field.get("values")
            if field.get("key") == "metadata.name" and isinstance(names, list) and len(names) == 1:
                return str(names[0])
    return NODE


def needed(values: list[Value]) -> list[Value]:
    """The nodes to add: the one for all, and every node that a pod here says it is on."""
    named = {str(name) for v in values if v.get("kind") == "Pod" if (name := (v.get("spec") or {}).get("nodeName"))}
    return [node(), *(node(name) for name in sorted(named - {NODE}))]
