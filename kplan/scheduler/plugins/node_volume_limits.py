"""NodeVolumeLimits: a node can have only so many volumes of a CSI driver attached.

Follows pkg/scheduler/framework/plugins/nodevolumelimits/csi.go; limits are those of the CSINode.
"""

from __future__ import annotations

from collections import Counter

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.volumes import Volumes

NAME = "NodeVolumeLimits"
REFUSAL = Rejection(("node(s) exceed max volume count",))
Handle = tuple[str, str]


def filtering(pod: Pod, cluster: Snapshot, _: Args) -> Filtering | None:
    """Refuse nodes that would hold more volumes of a driver than they can."""
    volumes = cluster.volumes
    wanted = _handles(pod, volumes) if volumes.limits else set()
    if not wanted:
        return None

    def check(node: Node) -> Rejection | None:
        limits = volumes.limits.get(node.name)
        if not limits:
            return None
        used = set(volumes.attached.get(node.name, ())).union(*(_handles(p, volumes) for p in node.pods))
        new = Counter(driver for driver, _ in wanted - used)
        old = Counter(driver for driver, _ in used)
        return REFUSAL if any(old[d] + n > limits[d] for d, n in new.items() if d in limits) else None

    return Filtering(check)


def _handles(pod: Pod, volumes: Volumes) -> set[Handle]:
    """The volumes of a pod as (driver, handle); one that is still to be made is known by its claim."""
    found = set()
    for use in pod.shape.claims:
        claim = volumes.claim(pod.namespace, pod.name, use)
        if claim is None:
            continue
        volume = volumes.volumes.get(claim.volume)
        if volume is not None:
            if volume.driver:
                found.add((volume.driver, volume.handle))
        elif not claim.volume and claim.class_name in volumes.classes:
            found.add((volumes.classes[claim.class_name].provisioner, "/".join(claim.id)))
    return found
