"""TaintToleration: keep pods off nodes whose taints they do not tolerate, and rather off those that prefer it."""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection, Scaling, to_hundred
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import PREFER_NO_SCHEDULE, untolerated

NAME = "TaintToleration"
HIDDEN = Rejection(("node(s) had untolerated taint(s)",), final=True)


def filtering(pod: Pod, _: Snapshot, args: Args) -> Filtering:
    """Refuse a node with a NoSchedule or NoExecute taint that the pod does not tolerate."""
    allowed = pod.shape.tolerations

    def check(node: Node) -> Rejection | None:
        taint = untolerated(node.taints, allowed) if node.taints else None
        if taint is None:
            return None
        if args.minor >= 35:  # since then keys and values are kept from whoever may only read the pod
            return HIDDEN
        return Rejection((f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}",), final=True)

    return Filtering(check, static=True)


def scoring(pod: Pod, _: Snapshot, __: Args) -> Scaling:
    """The fewer PreferNoSchedule taints are not tolerated, the better."""
    allowed = [t for t in pod.shape.tolerations if t.effect in ("", PREFER_NO_SCHEDULE)]

    def unwanted(node: Node) -> int:
        soft = [t for t in node.taints if t.effect == PREFER_NO_SCHEDULE]
        return sum(not any(a.tolerates(t) for a in allowed) for t in soft)

    return Scaling(unwanted, lambda counts: to_hundred(counts, reverse=True))
