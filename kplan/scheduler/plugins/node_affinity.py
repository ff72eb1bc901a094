"""NodeAffinity: node selectors, required and preferred node affinity, and what the profile adds to them."""

from __future__ import annotations

from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Rejection, Scaling, to_hundred
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod, Shape
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import NodeTerm

NAME = "NodeAffinity"
REFUSAL = Rejection(("node(s) didn't match Pod's node affinity/selector",), final=True)
ENFORCED = Rejection(("node(s) didn't match scheduler-enforced node affinity",), final=True)
CONFLICT = Rejection(("pod affinity terms conflict",), final=True)


def required_match(shape: Shape, node: Node) -> bool:
    """Whether a node satisfies the nodeSelector and the required node affinity of a pod."""
    have = node.labels
    for key, value in shape.node_selector.items():
        if have.get(key) != value:
            return False
    terms = shape.node_required
    return terms is None or any(t.matches(node.name, have) for t in terms)


def filtering(pod: Pod, _: Snapshot, args: Args) -> Filtering | Rejection | None:
    """Refuse nodes that the pod's selector, its required affinity or the profile's excludes."""
    shape, added = pod.shape, args.added_required
    if added is None and not shape.node_selector and shape.node_required is None:
        return None
    nodes = _pinned(shape.node_required)
    if nodes is not None and not nodes:
        return CONFLICT

    def check(node: Node) -> Rejection | None:
        if added is not None and not any(t.matches(node.name, node.labels) for t in added):
            return ENFORCED
        return None if required_match(shape, node) else REFUSAL

    return Filtering(check, nodes, static=True)


def _pinned(terms: tuple[NodeTerm, ...] | None) -> frozenset[str] | None:
    """The only nodes that can match, when every alternative names nodes."""
    names: frozenset[str] = frozenset()
    for term in terms or ():
        if term.pinned is None:
            return None
        names |= term.pinned
    return names if terms else None


def scoring(pod: Pod, _: Snapshot, args: Args) -> Scaling | None:
    """The sum of the weights of the preferred terms that match."""
    wishes = args.added_preferred + pod.shape.node_preferred
    if not wishes:
        return None

    def granted(node: Node) -> int:
        return sum(t.weight for t in wishes if t.matches(node.name, node.labels))

    return Scaling(granted, to_hundred)
