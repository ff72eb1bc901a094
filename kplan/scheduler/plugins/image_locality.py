"""ImageLocality: prefer nodes that have large images of the pod already, if not only they have them."""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import MAX_SCORE, Marking
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot

NAME = "ImageLocality"
_LEAST, _MOST = 23 * 2**20, 1000 * 2**20  # bytes; the latter for each container


def scoring(pod: Pod, cluster: Snapshot, _: Args) -> Marking:
    """Mark nodes by the bytes of images that they need not pull, each weighted by how common it is."""
    sizes = {
        name: int(size * (count / len(cluster.nodes)))
        for name in pod.shape.images
        if name in cluster.images
        for size, count in (cluster.images[name],)
    }
    wanted = tuple(name for name in pod.shape.images if name in sizes)
    most = _MOST * pod.shape.containers

    def mark(node: Node) -> int:
        have = node.images
        if not have or not wanted:
            return 0
        total = sum(sizes[name] for name in wanted if name in have)
        return MAX_SCORE * (min(max(total, _LEAST), most) - _LEAST) // (most - _LEAST)

    return Marking(mark, static=True)
