"""How the scheduler asks its plugins about one pod: what each prepares, and how the answers are put together.

Follows pkg/scheduler/framework/runtime/framework.go and schedule_one.go. A plugin looks at the pod once (PreFilter,
PreScore) and returns what judges single nodes (Filter, Score, NormalizeScore), or None when it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol

from kplan.scheduler.args import Args
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot

MAX_SCORE = 100


class Rejection(NamedTuple):
    """Why a node, or the pod as a whole, is refused. `final` means that evicting pods cannot help."""

    reasons: tuple[str, ...]
    final: bool = False


class Filtering(NamedTuple):
    """A plugin's judgement of nodes for one pod.

    `nodes`, if set, are the only names worth looking at. A `check` that depends on more than the node itself comes
    with `update`, which is told of every pod that comes (+1) or goes (-1) and returns the nodes whose verdict that
    may change; `idle` then says that nothing can be refused as things stand (PreFilter's Skip).
    """

    check: Callable[[Node], Rejection | None]
    nodes: frozenset[str] | None = None
    update: Callable[[Pod, Node, int], Collection[Node]] | None = None
    idle: bool = False


class Scoring(NamedTuple):
    """A plugin's marks for the feasible nodes of one pod.

    `raw` marks one node; `normalise` turns the marks of the given nodes into 0..100 (None: they are already).
    Where marks depend on more than the node itself, `prepare` is told the feasible nodes before each round and
    `update` of every pod that comes or goes; `idle` then says whether all marks are 0 as things stand.
    """

    raw: Callable[[Node], int]
    normalise: Callable[[Sequence[Node], list[int]], list[int]] | None = None
    prepare: Callable[[Sequence[Node]], None] | None = None
    update: Callable[[Pod, Node, int], object] | None = None
    idle: Callable[[], bool] | None = None


class FilterPlugin(Protocol):
    """A module that can refuse nodes."""

    NAME: str

    def filtering(self, pod: Pod, cluster: Snapshot, args: Args, /) -> Filtering | Rejection | None:
        """PreFilter: how to judge nodes, a refusal of the pod as a whole, or None when it can refuse nothing."""


class ScorePlugin(Protocol):
    """A module that can mark nodes."""

    NAME: str

    def scoring(self, pod: Pod, cluster: Snapshot, args: Args, /) -> Scoring | None:
        """PreScore: how to mark nodes, or None when all are alike to this plugin."""


class Filters(NamedTuple):
    """All that may refuse nodes for one pod, in the plugins' order, and the names that are worth looking at.

    `subset_by` names the plugins that gave the names.
    """

    judges: tuple[tuple[str, Filtering], ...]
    nodes: frozenset[str] | None = None
    subset_by: tuple[str, ...] = ()


def prefilter(pod: Pod, cluster: Snapshot, plugins: Iterable[FilterPlugin], args: Args) -> Filters | Rejection:
    """Let every filter plugin look at the pod; a Rejection is the whole pod's."""
    judges: list[tuple[str, Filtering]] = []
    nodes: frozenset[str] | None = None
    subset_by: tuple[str, ...] = ()
    for plugin in plugins:
        found = plugin.filtering(pod, cluster, args)
        if isinstance(found, Rejection):
            return found
        if found is None or found.idle:
            continue
        judges.append((plugin.NAME, found))
        if found.nodes is not None:
            subset_by += (plugin.NAME,)
            nodes = found.nodes if nodes is None else nodes & found.nodes
            if not nodes:
                return Rejection((_no_node(subset_by),), True)
    return Filters(tuple(judges), nodes, subset_by)


def _no_node(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return f"node(s) didn't satisfy plugin {names[0]}"
    return f"node(s) didn't satisfy plugin(s) [{' '.join(names)}] simultaneously"


def judge(filters: Filters, node: Node) -> Rejection | None:
    """The first refusal of a node, or None if every filter lets the pod on it."""
    for _, f in filters.judges:
        refusal = f.check(node)
        if refusal is not None:
            return refusal
    return None


def judge_with_nominated(filters: Filters, cluster: Snapshot, pod: Pod, node: Node) -> Rejection | None:
    """`judge`, counting pods that wait for this node and are at least as important as ours.

    The pod must fit both with and without them, because nobody knows whether they will come.
    """
    waiting = [
        p
        for p in cluster.nominated.get(node.name, ())
        if p is not pod and p.id != pod.id and p.shape.priority >= pod.shape.priority
    ]
    if waiting:
        with move(filters, waiting, node, 1):
            refusal = judge(filters, node)
        if refusal is not None:
            return refusal
    return judge(filters, node)


class move:  # noqa: N801 - reads as a verb: `with move(...)`
    """Pods that are, for a while, on a node (+1) or off it (-1); all is put back at the end."""

    def __init__(self, filters: Filters, pods: Sequence[Pod], node: Node, sign: int) -> None:
        self.filters, self.pods, self.node, self.sign = filters, pods, node, sign
        self.before = list(node.pods)

    def __enter__(self) -> None:
        for p in self.pods:
            shift(self.filters, p, self.node, self.sign)

    def __exit__(self, *_: object) -> None:
        for p in self.pods:
            shift(self.filters, p, self.node, -self.sign)
        self.node.pods[:] = self.before


def shift(filters: Filters, pod: Pod, node: Node, sign: int) -> None:
    """Put a pod on a node (+1) or take it off (-1) and tell the filters."""
    if sign > 0:
        node.add(pod)
    else:
        node.remove(pod)
    for _, f in filters.judges:
        if f.update is not None:
            f.update(pod, node, sign)


def score(
    pod: Pod, nodes: Sequence[Node], cluster: Snapshot, plugins: Iterable[tuple[ScorePlugin, int]], args: Args
) -> dict[str, list[int]]:
    """Plugin name -> weighted marks of the given nodes; plugins that sit out are not in it."""
    marks = {}
    for plugin, weight in plugins:
        found = plugin.scoring(pod, cluster, args)
        if found is not None and not (found.idle and found.idle()):
            marks[plugin.NAME] = [weight * n for n in marks_of(found, nodes)]
    return marks


def marks_of(scoring: Scoring, nodes: Sequence[Node]) -> list[int]:
    """One plugin's marks, 0..100, of the feasible nodes."""
    if scoring.prepare is not None:
        scoring.prepare(nodes)
    raw = [scoring.raw(n) for n in nodes]
    return raw if scoring.normalise is None else scoring.normalise(nodes, raw)


def to_hundred(marks: list[int], *, reverse: bool = False) -> list[int]:
    """Scale marks so that the largest becomes 100, or with `reverse` 0 (helper.DefaultNormalizeScore)."""
    most = max(marks, default=0)
    if most == 0:
        return [MAX_SCORE] * len(marks) if reverse else marks
    scaled = [MAX_SCORE * n // most for n in marks]
    return [MAX_SCORE - n for n in scaled] if reverse else scaled
