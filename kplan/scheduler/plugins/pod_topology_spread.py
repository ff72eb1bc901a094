"""PodTopologySpread: keep the pods of a group spread evenly over zones, nodes or other domains.

Follows pkg/scheduler/framework/plugins/podtopologyspread (filtering.go, scoring.go, common.go). Two of its quirks
are kept: an empty selector counts no pods, and hostname counts ignore the node inclusion policies.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

from kplan import labels
from kplan.scheduler.args import Args
from kplan.scheduler.framework import MAX_SCORE, Filtering, Rejection, Scoring
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
    return Filtering(rules.check, update=rules.update)


def scoring(pod: Pod, cluster: Snapshot, args: Args) -> Scoring | None:
    """Mark nodes in emptier domains higher."""
    constraints = _constraints(pod.shape, cluster, args, hard=False)
    if not constraints:
        return None
    wishes = _Soft(pod.shape, constraints, cluster, require_all=bool(pod.shape.spread) or not args.system_spread)
    return Scoring(wishes.raw, wishes.normalise, wishes.prepare, wishes.update)


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
        for p in node.pods:
            if not p.deleting:
                for i in self.counted(p.shape):
                    counts[i] += 1
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

    def update(self, pod: Pod, node: Node, sign: int) -> Collection[Node]:
        counted = () if pod.deleting else self.group.counted(pod.shape)
        if not counted or not self.group.complete(node):
            return ()
        changed: list[Node] = []
        included = self.group.included(node)
        for i in counted:
            if included[i]:
                changed += self._shift(i, node.labels[self.group.keys[i]], sign)
        return changed

    def _shift(self, i: int, value: str, sign: int) -> list[Node]:
        """Change the count of one domain; the nodes of all domains that become full or free."""
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
        key = self.group.keys[i]
        return [n for v in flipped for n in self.cluster.with_label(key, v)]


class _Soft:
    """The ScheduleAnyway constraints of a pod, with the number of pods on every node and in every domain."""

    def __init__(self, shape: Shape, constraints: tuple[Spread, ...], cluster: Snapshot, *, require_all: bool) -> None:
        self.group = _Group(shape, constraints)
        self.require_all = require_all
        self.on = [self.group.on(n) for n in cluster.nodes]
        self.counts: list[dict[str, int]] = [{} for _ in constraints]
        for node in cluster.nodes:
            self._count(node, self.on[node.index])
        self.ignored: set[Node] = set()
        self.weights: list[float] = []

    def _count(self, node: Node, on: Sequence[int]) -> None:
        if self.require_all and not self.group.complete(node):
            return
        for i, included in enumerate(self.group.included(node)):
            if included:
                value, counts = node.labels.get(self.group.keys[i], ""), self.counts[i]
                counts[value] = counts.get(value, 0) + on[i]

    def update(self, pod: Pod, node: Node, sign: int) -> None:
        counted = () if pod.deleting else self.group.counted(pod.shape)
        if counted:
            change = [sign if i in counted else 0 for i in range(len(self.group.keys))]
            self.on[node.index] = [a + b for a, b in zip(self.on[node.index], change, strict=True)]
            self._count(node, change)

    def prepare(self, nodes: Sequence[Node]) -> None:
        """The rarer the domains among the feasible nodes, the less a constraint weighs."""
        self.ignored = {n for n in nodes if not self.group.complete(n)} if self.require_all else set()
        rest = [n for n in nodes if n not in self.ignored] if self.ignored else nodes
        self.weights = [
            math.log((len(rest) if key == HOSTNAME else len({n.labels.get(key, "") for n in rest})) + 2)
            for key in self.group.keys
        ]

    def raw(self, node: Node) -> int:
        if node in self.ignored:
            return 0
        total, on = 0.0, self.on[node.index]
        for i, key in enumerate(self.group.keys):
            value = node.labels.get(key)
            if value is not None:
                count = on[i] if key == HOSTNAME else self.counts[i].get(value, 0)
                total += count * self.weights[i] + (self.group.constraints[i].max_skew - 1)
        below = math.floor(total)
        return below + (total - below >= 0.5)

    def normalise(self, nodes: Sequence[Node], raw: list[int]) -> list[int]:
        ignored = self.ignored
        scored = [n for node, n in zip(nodes, raw, strict=True) if node not in ignored] if ignored else raw
        least, most = min(scored, default=0), max(scored, default=0)
        if most == 0:
            return [0 if node in ignored else MAX_SCORE for node in nodes]
        top = most + least
        marks = [MAX_SCORE * (top - n) // most for n in raw]
        return [0 if node in ignored else m for node, m in zip(nodes, marks, strict=True)] if ignored else marks
