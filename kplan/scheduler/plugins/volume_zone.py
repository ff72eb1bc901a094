"""VolumeZone: a volume that is labelled with a zone or region can be used only there.

Follows pkg/scheduler/framework/plugins/volumezone/volume_zone.go.
"""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import REGION, ZONE, Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.volumes import Claim, Volumes

NAME = "VolumeZone"
REFUSAL = Rejection(("node(s) had no available volume zone",), final=True)

# a PV's label -> the label of nodes that stands for it too
_SAME_AS = {
    ZONE: ZONE,
    REGION: REGION,
    "failure-domain.beta.kubernetes.io/zone": ZONE,
    "failure-domain.beta.kubernetes.io/region": REGION,
}
Topology = tuple[str, frozenset[str]]


def filtering(pod: Pod, cluster: Snapshot, _: Args) -> Filtering | Rejection | None:
    """Refuse nodes outside the zones and regions of the pod's volumes."""
    topologies: list[Topology] = []
    for use in pod.shape.claims:
        claim = cluster.volumes.claims.get((pod.namespace, use.name)) if use.template is None else None
        if claim is None:
            continue
        found = _topologies(claim, cluster.volumes)
        if isinstance(found, str):
            return Rejection((found,), final=True)
        topologies += found
    if not topologies:
        return None

    def check(node: Node) -> Rejection | None:
        have = node.labels
        if have.keys().isdisjoint(_SAME_AS):
            return None
        return None if all(have.get(k, have.get(_SAME_AS[k])) in values for k, values in topologies) else REFUSAL

    return Filtering(check)


def _topologies(claim: Claim, volumes: Volumes) -> list[Topology] | str:
    """The zones and regions of the volume of a claim, or why there is none."""
    if not claim.volume:
        return _unbound(claim, volumes)
    volume = volumes.volumes.get(claim.volume)
    if volume is None:
        return f'persistentvolume "{claim.volume}" not found'
    return [(k, frozenset(v.split("__"))) for k, v in volume.labels.items() if k in _SAME_AS]


def _unbound(claim: Claim, volumes: Volumes) -> list[Topology] | str:
    if not claim.class_name:
        return "PersistentVolumeClaim had no pv name and storageClass name"
    kind = volumes.classes.get(claim.class_name)
    if kind is None:
        return f'storageclass.storage.k8s.io "{claim.class_name}" not found'
    return [] if kind.delayed else "PersistentVolume had no name"
