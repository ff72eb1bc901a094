"""VolumeRestrictions: disks that only one pod, or only one writer, may use.

Follows pkg/scheduler/framework/plugins/volumerestrictions: inline GCE, EBS, iSCSI and RBD volumes on one node, and
ReadWriteOncePod claims in the whole cluster.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.scheduler.args import Args
from kplan.scheduler.fields import mapping, strings, text
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import DISKS, Pod, Shape
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.volumes import ONE_POD

NAME = "VolumeRestrictions"
DISK_CONFLICT = Rejection(("node(s) had no available disk",))
_IN_USE = "unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
IN_USE = Rejection((f"node(s) {_IN_USE}",))
Value = dict[str, Any]


def filtering(pod: Pod, cluster: Snapshot, _: Args) -> Filtering | Rejection | None:
    """Refuse a pod whose claim is not there, and nodes on which one of its disks is in use."""
    exclusive = set()
    for use in pod.shape.claims:
        if use.template is None:
            claim = cluster.volumes.claims.get((pod.namespace, use.name))
            if claim is None:
                return Rejection((f'persistentvolumeclaim "{use.name}" not found',), final=True)
            if ONE_POD in claim.modes:
                exclusive.add(use.name)
    disks = pod.shape.disks
    if not disks and not exclusive:
        return None
    users = _Users(pod.namespace, exclusive, cluster)

    def check(node: Node) -> Rejection | None:
        if disks and any(_conflict(d, e) for p in node.pods for e in p.shape.disks for d in disks):
            return DISK_CONFLICT
        return IN_USE if users.count else None

    return Filtering(check, update=users.update, concerns=users.concerns, idle=not disks and not users.count)


class _Users:
    """How many placed pods use one of the claims that only one pod may use."""

    def __init__(self, namespace: str, claims: set[str], cluster: Snapshot) -> None:
        self.namespace, self.claims, self.cluster = namespace, claims, cluster
        self.count = sum(self._uses(p.shape) for n in cluster.nodes for p in n.pods) if claims else 0

    def _uses(self, shape: Shape) -> int:
        if shape.namespace != self.namespace:
            return 0
        return sum(c.template is None and c.name in self.claims for c in shape.claims)

    def concerns(self, other: Shape) -> bool:
        """Whether pods of this shape use one of the claims."""
        return self._uses(other) > 0

    def update(self, pod: Pod, _: Node, sign: int) -> Iterable[Node]:
        change = sign * self._uses(pod.shape)
        self.count += change
        return self.cluster.nodes if change else ()


def _conflict(a: Value, b: Value) -> bool:
    """Whether two inline volumes are one disk that they cannot share."""
    for kind in DISKS:
        x, y = mapping(a, kind), mapping(b, kind)
        if x and y and _SAME[kind](x, y):
            return kind == "awsElasticBlockStore" or not (x.get("readOnly") is True and y.get("readOnly") is True)
    return False


def _same_rbd(x: Value, y: Value) -> bool:
    pool = (text(x, "pool") or "rbd") == (text(y, "pool") or "rbd")
    monitors = not set(strings(x, "monitors")).isdisjoint(strings(y, "monitors"))
    return pool and monitors and text(x, "image") == text(y, "image")


_SAME = {
    "gcePersistentDisk": lambda x, y: text(x, "pdName") == text(y, "pdName"),
    "awsElasticBlockStore": lambda x, y: text(x, "volumeID") == text(y, "volumeID"),
    "iscsi": lambda x, y: text(x, "iqn") == text(y, "iqn"),
    "rbd": _same_rbd,
}
