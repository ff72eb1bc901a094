"""NodeUnschedulable: a cordoned node takes only pods that tolerate its being cordoned."""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import UNSCHEDULABLE

NAME = "NodeUnschedulable"
REFUSAL = Rejection(("node(s) were unschedulable",), final=True)


def filtering(pod: Pod, _: Snapshot, __: Args) -> Filtering | None:
    """Refuse cordoned nodes, unless the pod tolerates the taint that stands for it."""
    if any(t.tolerates(UNSCHEDULABLE) for t in pod.shape.tolerations):
        return None

    def check(node: Node) -> Rejection | None:
        return REFUSAL if node.unschedulable else None

    return Filtering(check, static=True)
