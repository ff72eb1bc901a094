"""NodePorts: two pods cannot open the same host port on one node."""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot

NAME = "NodePorts"
REFUSAL = Rejection(("node(s) didn't have free ports for the requested pod ports",))


def filtering(pod: Pod, _: Snapshot, __: Args) -> Filtering | None:
    """Refuse nodes where one of the pod's host ports is taken."""
    wanted = pod.shape.ports
    if not wanted:
        return None

    def check(node: Node) -> Rejection | None:
        taken = node.ports
        return REFUSAL if taken and any(w.clashes(t) for w in wanted for t in taken) else None

    return Filtering(check)
