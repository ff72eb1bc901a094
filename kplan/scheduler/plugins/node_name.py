"""NodeName: a pod that names its node goes nowhere else."""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot

NAME = "NodeName"
REFUSAL = Rejection(("node(s) didn't match the requested node name",), final=True)


def filtering(pod: Pod, _: Snapshot, __: Args) -> Filtering | None:
    """Refuse every node but the one in `spec.nodeName`, if that is set."""
    wanted = pod.node_name
    if not wanted:
        return None

    def check(node: Node) -> Rejection | None:
        return REFUSAL if node.name != wanted else None

    return Filtering(check, static=True)
