"""The fast path: the scheduler's answer for many pods of one shape, in time for what changed only.

A board sorts all nodes into classes for one shape: nodes of a class are judged alike and get the same marks. When a
pod comes or goes, only its own node can change class by what looks at single nodes; the plugins that look further
say themselves which nodes may. Judging and marking is done by the same plugins as in the plain path (cycle.py), once
a class instead of once a node.
"""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import Any, NamedTuple

from kplan.scheduler.framework import Filtering, Marking, Rejection, Scaling, prefilter
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod, Shape
from kplan.scheduler.profile import Profile
from kplan.scheduler.snapshot import Snapshot

_REFUSED = -1
_MOST_PLACES = 64  # with more places than this, a filter that judges by place is asked node by node


class Best(NamedTuple):
    """The first of the best nodes, how many are as good, and how many are feasible."""

    node: Node
    ties: int
    feasible: int


def suits(pod: Pod, cluster: Snapshot) -> bool:
    """Whether the fast path knows all that matters to this pod: no volumes, nobody nominated, no node named."""
    shape = pod.shape
    return not (shape.claims or shape.disks or shape.gates or pod.node_name or cluster.nominated)


def board(pod: Pod, cluster: Snapshot, profile: Profile) -> Board | None:
    """A board for pods of this pod's shape; None when PreFilter refuses the pod or confines it to named nodes."""
    filters = prefilter(pod, cluster, profile.filters, profile.args, idle=True)
    if isinstance(filters, Rejection) or filters.nodes is not None:
        return None
    scorings = [(plugin.scoring(pod, cluster, profile.args), weight) for plugin, weight in profile.scores]
    return Board(
        cluster,
        filters.judges,
        [(s, weight) for s, weight in scorings if isinstance(s, Marking)],
        [(s, weight) for s, weight in scorings if isinstance(s, Scaling)],
    )


class Board:
    """The classes of nodes for one shape; `best` brings them up to date first."""

    def __init__(
        self,
        cluster: Snapshot,
        filters: tuple[Filtering, ...],
        markings: list[tuple[Marking, int]],
        scalings: list[tuple[Scaling, int]],
    ) -> None:
        nodes = cluster.nodes
        self.cluster = cluster
        self.checks = [f.check for f in filters if not f.static and f.update is None]
        self.by_place = [f for f in filters if _few_places(f, nodes)]
        self.by_node = [f for f in filters if f.update is not None and not _few_places(f, nodes)]
        self.marks = [m.mark for m, weight in markings if weight == 1 and not m.static]
        self.weighted = [(m.mark, weight) for m, weight in markings if weight != 1 and not m.static]
        self.scalings = [(s, weight) for s, weight in scalings if _varies(s, nodes)]
        self._static = [_static(n, filters, markings) for n in nodes]
        self._places = [tuple(f.place(n) for f in self.by_place if f.place is not None) for n in nodes]
        self._seen = len(cluster.log)
        self._listeners: dict[Shape, _Listeners | None] = {}
        self._blocked = [self._is_blocked(n) for n in nodes]
        # A class is the sum of the fixed marks, and unless only that differs also the places and the signatures.
        self._simple = self._is_simple()
        self._keys: list[Any] = [_REFUSED] * len(nodes)
        self._classes: dict[Any, Members] = {}
        self._feasible = 0
        for n in nodes:
            self._classify(n)

    def best(self) -> Best | None:
        """Where the next pod of this shape goes; None if nowhere."""
        self._catch_up()
        if self._simple:
            return self._simple_best()
        classes = self._open_classes()
        totals = self._totals(classes)
        most = max(totals.values(), default=_REFUSED)
        if most == _REFUSED:
            return None
        top = [classes[key] for key, total in totals.items() if total == most]
        feasible = sum(map(len, classes.values()))
        return Best(self.cluster.nodes[min(m.first() for m in top)], sum(map(len, top)), feasible)

    def _simple_best(self) -> Best | None:
        if not self._classes:
            return None
        top = self._classes[max(self._classes)]
        return Best(self.cluster.nodes[top.first()], len(top), self._feasible)

    def _is_simple(self) -> bool:
        """Whether only the fixed marks differ, so that the sum of them is the class."""
        return not self.by_place and all(s.idle is not None and s.idle() for s, _ in self.scalings)

    def _open_classes(self) -> dict[Any, Members]:
        """The classes in places where the pod may go."""
        if not self.by_place:
            return self._classes
        nodes, verdicts = self.cluster.nodes, {}
        for key, members in self._classes.items():
            if key[1] not in verdicts:
                node = nodes[members.first()]
                verdicts[key[1]] = all(f.check(node) is None for f in self.by_place)
        return {key: members for key, members in self._classes.items() if verdicts[key[1]]}

    def _totals(self, classes: dict[Any, Members]) -> dict[Any, int]:
        """The totals of the classes, with the marks that depend on which nodes are feasible."""
        totals = {key: key[0] for key in classes}
        for i, (s, weight) in enumerate(self.scalings):
            if len(classes) < 2 or (s.idle is not None and s.idle()):
                continue
            counts: Counter[Any] = Counter()
            for key, members in classes.items():
                counts[key[2][i]] += len(members)
            marks = s.scale(counts)
            for key in classes:
                totals[key] += weight * marks[key[2][i]]
        return totals

    def _catch_up(self) -> None:
        """Look again at the nodes about which what happened since may have changed a mind."""
        log = self.cluster.log
        if self._seen == len(log):
            return
        news = log[self._seen :]
        self._seen = len(log)
        touched = {node for _, node, _ in news}
        doubtful: set[Node] = set()
        listeners = self._listeners
        heard = False
        for pod, node, sign in news:
            who = listeners[pod.shape] if pod.shape in listeners else self._listening(pod.shape)
            if who is None:
                continue
            heard = True
            for f in who.by_place:
                f(pod, node, sign)
            for f in who.by_node:
                doubtful.update(f(pod, node, sign))
            for s in who.scalings:
                touched.update(s(pod, node, sign))
        for node in doubtful:
            self._blocked[node.index] = self._is_blocked(node)
        if heard and self._simple != self._is_simple():
            self._simple = not self._simple
            touched.update(self.cluster.nodes)
        for node in touched | doubtful if doubtful else touched:
            self._classify(node)

    def _listening(self, shape: Shape) -> _Listeners | None:
        """Who must hear of pods of this shape; None for nobody."""
        found = _Listeners(
            _updates(self.by_place, shape),
            _updates(self.by_node, shape),
            _updates([s for s, _ in self.scalings], shape),
        )
        self._listeners[shape] = found if any(found) else None
        return self._listeners[shape]

    def _classify(self, node: Node) -> None:
        """Put a node into the class that it belongs to now."""
        i = node.index
        key: Any = _REFUSED if self._blocked[i] else self._total(node)
        if not self._simple and key != _REFUSED:
            key = (key, self._places[i], tuple([s.signature(node) for s, _ in self.scalings]))
        old = self._keys[i]
        if key == old:
            return
        self._keys[i] = key
        if old != _REFUSED:
            members = self._classes[old]
            members.discard(i)
            self._feasible -= 1
            if not members:
                del self._classes[old]
        if key != _REFUSED:
            self._feasible += 1
            if key in self._classes:
                self._classes[key].add(i)
            else:
                self._classes[key] = Members(i)

    def _total(self, node: Node) -> int:
        """The sum of the fixed marks, or _REFUSED if a filter that looks at this node alone refuses it."""
        total = self._static[node.index]
        if total == _REFUSED:
            return total
        for check in self.checks:
            if check(node) is not None:
                return _REFUSED
        for mark in self.marks:
            total += mark(node)
        for mark, weight in self.weighted:
            total += weight * mark(node)
        return total

    def _is_blocked(self, node: Node) -> bool:
        """Whether a filter that looks further than this node, and not by place, refuses it."""
        return any(f.check(node) is not None for f in self.by_node)


class _Listeners(NamedTuple):
    """The `update` functions that must hear of pods of one shape."""

    by_place: list[Any]
    by_node: list[Any]
    scalings: list[Any]


class Members(set[int]):
    """The indexes of the nodes of a class, with the first at hand."""

    __slots__ = ("_heap",)

    def __init__(self, index: int) -> None:
        super().__init__((index,))
        self._heap = [index]

    def add(self, index: int) -> None:
        set.add(self, index)
        heappush(self._heap, index)

    def first(self) -> int:
        """The smallest index; those that have left are dropped when they come up."""
        while self._heap[0] not in self:
            heappop(self._heap)
        return self._heap[0]


def _updates(plugins: list[Filtering] | list[Scaling], shape: Shape) -> list[Any]:
    return [p.update for p in plugins if p.update is not None and (p.concerns is None or p.concerns(shape))]


def _static(node: Node, filters: tuple[Filtering, ...], markings: list[tuple[Marking, int]]) -> int:
    """What never changes about a node: the sum of such marks, or that it is refused."""
    if any(f.check(node) is not None for f in filters if f.static):
        return _REFUSED
    return sum(weight * m.mark(node) for m, weight in markings if m.static)


def _few_places(f: Filtering, nodes: list[Node]) -> bool:
    return f.place is not None and len({f.place(n) for n in nodes}) <= _MOST_PLACES


def _varies(scaling: Scaling, nodes: list[Node]) -> bool:
    """Whether a node's mark can differ from another's; one that never does cannot decide anything."""
    return scaling.update is not None or len({scaling.signature(n) for n in nodes}) > 1
