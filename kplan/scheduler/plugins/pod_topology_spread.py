"""PodTopologySpread: keep the pods of a group spread evenly over zones, nodes or other domains.

Follows pkg/scheduler/framework/plugins/podtopologyspread (filtering.go, scoring.go, common.go). Two of its quirks
are kept: an empty selector counts no pods, and hostname counts ignore the node inclusion policies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from kplan import labels
from kplan.scheduler.args import Args
from kplan.scheduler.framework import MAX_SCORE, Filtering, Rejection, Scaling
from kplan.scheduler.node import HOSTNAME, Node
from kplan.scheduler.plugins.node_affinity import required_match
from kplan.scheduler.pod import Pod, Shape, Spread
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import untolerated

NAME = "PodTopologySpread"
NO_LABEL = Rejection(("node(s) didn't match pod topology spread constraints (missing required label)",), final=True)
SKEWED = Rejection(("node(s) didn't match pod topology spread constraints",))


def filtering(pod: Pod, cluster: Snapshot, args: Args) -> Filtering | None:
    """Refuse nodes in domains that would have too many more pods than the emptiest."""
    constraints = _constraints(pod.shape, cluster, args, hard=True)
    if not constraints:
        return None
    rules = _Hard(pod.shape, constraints, cluster)
    return Filtering(rules.check, update=rules.update, concerns=rules.group.concerns, place=rules.place)


def scoring(pod: Pod, cluster: Snapshot, args: Args) -> Scaling | None:
    """Mark nodes in emptier domains higher."""
    constraints = _constraints(pod.shape, cluster, args, hard=False)
    if not constraints:
        return None
    wishes = _Soft(pod.shape, constraints, cluster, require_all=bool(pod.shape.spread) or not args.system_spread)
    return Scaling(wishes.signature, wishes.scale, update=wishes.update, concerns=wishes.group.concerns)


def _constraints(shape: Shape, cluster: Snapshot, args: Args, *, hard: bool) -> tuple[Spread, ...]:
    """The pod's own constraints of this kind; the profile's if the pod has none of either kind."""
    if shape.spread:
        return tuple(c for c in shape.spread if c.hard is hard)
    found = [c for c in args.default_spread if c.hard is hard]
    selector = cluster.spreading_selector(shape) if found else None
    return tuple(c._replace(selector=selector) for c in found) if selector else ()


class _Group:
    """Which pods count for which constraint, and which nodes."""

    def __init__(self, shape: Shape, constraints: tuple[Spread, ...]) -> None:
        self.shape, self.constraints = shape, constraints
        self.keys = tuple(c.topology_key for c in constraints)
        self._counted: dict[Shape, tuple[int, ...]] = {}
        self._included: dict[Node, tuple[bool, ...]] = {}

    def counted(self, other: Shape) -> tuple[int, ...]:
        """The indexes of the constraints that count a pod of this shape."""
        found = self._counted.get(other)
        if found is None:
            same = other.namespace == self.shape.namespace
            found = self._counted[other] = tuple(
                i for i, c in enumerate(self.constraints) if same and _selects(c, other)
            )
        return found

    def concerns(self, other: Shape) -> bool:
        """Whether any constraint counts a pod of this shape."""
        return bool(self.counted(other))

    def included(self, node: Node) -> tuple[bool, ...]:
        """For each constraint, whether its policies let the node count."""
        found = self._included.get(node)
        if found is None:
            matched = required_match(self.shape, node)
            clean = untolerated(node.taints, self.shape.tolerations) is None
            found = self._included[node] = tuple(
                (matched or not c.honor_affinity) and (clean or not c.honor_taints) for c in self.constraints
            )
        return found

    def on(self, node: Node) -> list[int]:
        """How many pods of a node each constraint counts."""
        counts = [0] * len(self.constraints)
        known = self._counted
        for p in node.pods:
            found = known.get(p.shape)
            for i in self.counted(p.shape) if found is None else found:
                counts[i] += not p.deleting
        return counts

    def complete(self, node: Node) -> bool:
        """Whether the node carries every topology key."""
        return all(k in node.labels for k in self.keys)


def _selects(c: Spread, shape: Shape) -> bool:
    return bool(c.selector) and labels.match_all(c.selector or (), shape.labels)


class _Hard:
    """The DoNotSchedule constraints of a pod, with the number of pods in every domain."""

    def __init__(self, shape: Shape, constraints: tuple[Spread, ...], cluster: Snapshot) -> None:
        self.group = _Group(shape, constraints)
        self.cluster = cluster
        self.counts: list[dict[str, int]] = [{} for _ in constraints]
        for node in cluster.nodes:
            if self.group.complete(node):
                self._count(node)
        self.levels = [Counter(counts.values()) for counts in self.counts]
        own = [c.selector is not None and labels.match_all(c.selector, shape.labels) for c in constraints]
        self.slack = [c.max_skew - mine for c, mine in zip(constraints, own, strict=True)]
        self.least = [min(counts.values(), default=0) for counts in self.counts]
        self.limits = [self._limit(i) for i in range(len(constraints))]

    def _count(self, node: Node) -> None:
        on = self.group.on(node)
        for i, included in enumerate(self.group.included(node)):
            if included:
                value, counts = node.labels[self.group.keys[i]], self.counts[i]
                counts[value] = counts.get(value, 0) + on[i]

    def _limit(self, i: int) -> int:
        """How many pods a domain may hold for one more to come."""
        few = len(self.counts[i]) < self.group.constraints[i].min_domains
        return self.slack[i] + (0 if few else self.least[i])

    def check(self, node: Node) -> Rejection | None:
        for i, key in enumerate(self.group.keys):
            value = node.labels.get(key)
            if value is None:
                return NO_LABEL
            if self.counts[i].get(value, 0) > self.limits[i]:
                return SKEWED
        return None

    def place(self, node: Node) -> tuple[str | None, ...]:
        """The node's domains: nodes with the same ones are judged alike."""
        return tuple(node.labels.get(k) for k in self.group.keys)

    def update(self, pod: Pod, node: Node, sign: int) -> Iterable[Node]:
        counted = () if pod.deleting else self.group.counted(pod.shape)
        if not counted or not self.group.complete(node):
            return ()
        changed: list[tuple[str, str]] = []
        included = self.group.included(node)
        for i in counted:
            if included[i]:
                key = self.group.keys[i]
                changed += [(key, value) for value in self._shift(i, node.labels[key], sign)]
        return chain.from_iterable(self.cluster.with_label(key, value) for key, value in changed)

    def _shift(self, i: int, value: str, sign: int) -> list[str]:
        """Change the count of one domain; all domains that become full or free."""
        counts, levels, limit = self.counts[i], self.levels[i], self.limits[i]
        old = counts[value]
        counts[value] = new = old + sign
        levels[old] -= 1
        levels[new] += 1
        if new < self.least[i] or (old == self.least[i] and not levels[old]):
            self.least[i] = new
            self.limits[i] = self._limit(i)
        flipped = [value] if (old > limit) != (new > self.limits[i]) else []
        if self.limits[i] != limit:
            flipped += [v for v, n in counts.items() if v != value and (n > limit) != (n > self.limits[i])]
        return flipped


Place = tuple[str | None, ...]
Signature = tuple[Place, tuple[int, ...]] | None


class _Soft:
    """The ScheduleAnyway constraints of a pod, with the number of pods on every node and in every domain.

    The signature of a node is its domains and the pods on it; None for a node that is left out for lack of a label.
    """

    def __init__(self, shape: Shape, constraints: tuple[Spread, ...], cluster: Snapshot, *, require_all: bool) -> None:
        self.group = _Group(shape, constraints)
        self.require_all = require_all
        self.on = [tuple(self.group.on(n)) for n in cluster.nodes]
        self.places = [self._place(n) for n in cluster.nodes]
        self.counts: list[dict[str, int]] = [{} for _ in constraints]
        for node in cluster.nodes:
            self._count(node, self.on[node.index])

    def _place(self, node: Node) -> Place | None:
        """The node's domain for each constraint; hostnames, all different, count as one."""
        if self.require_all and not self.group.complete(node):
            return None
        return tuple("" if k == HOSTNAME and k in node.labels else node.labels.get(k) for k in self.group.keys)

    def _count(self, node: Node, on: Sequence[int]) -> None:
        place = self.places[node.index]
        if place is None:
            return
        for i, included in enumerate(self.group.included(node)):
            if included:
                value, counts = place[i] or "", self.counts[i]
                counts[value] = counts.get(value, 0) + on[i]

    def update(self, pod: Pod, node: Node, sign: int) -> Iterable[Node]:
        counted = () if pod.deleting else self.group.counted(pod.shape)
        if not counted:
            return ()
        change = [sign if i in counted else 0 for i in range(len(self.group.keys))]
        self.on[node.index] = tuple(a + b for a, b in zip(self.on[node.index], change, strict=True))
        self._count(node, change)
        return (node,)

    def signature(self, node: Node) -> Signature:
        place = self.places[node.index]
        return None if place is None else (place, self.on[node.index])

    def scale(self, signatures: Mapping[Signature, int]) -> dict[Signature, int]:
        weights = self._weights(signatures)
        raw = {s: self._mark(*s, weights) for s in signatures if s is not None}
        least, most = min(raw.values(), default=0), max(raw.values(), default=0)
        marks: dict[Signature, int] = {None: 0}
        for s, n in raw.items():
            marks[s] = MAX_SCORE * (most + least - n) // most if most else MAX_SCORE
        return marks

    def _weights(self, signatures: Mapping[Signature, int]) -> list[float]:
        """The rarer the domains among the feasible nodes, the less a constraint weighs."""
        places = {s[0] for s in signatures if s is not None}
        nodes = sum(n for s, n in signatures.items() if s is not None)
        sizes = [
            nodes if key == HOSTNAME else len({place[i] or "" for place in places})
            for i, key in enumerate(self.group.keys)
        ]
        return [math.log(size + 2) for size in sizes]

    def _mark(self, place: Place, on: tuple[int, ...], weights: Sequence[float]) -> int:
        total = 0.0
        for i, key in enumerate(self.group.keys):
            value = place[i]
            if value is not None:
                count = on[i] if key == HOSTNAME else self.counts[i].get(value, 0)
                total += count * weights[i] + (self.group.constraints[i].max_skew - 1)
        below = math.floor(total)  # math.Round: half away from zero
        return below + (total - below >= 0.5)
