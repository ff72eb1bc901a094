"""How the scheduler asks its plugins about one pod: what each prepares, and how the answers are put together.

Follows pkg/scheduler/framework/runtime/framework.go and schedule_one.go. A plugin looks at the pod once (PreFilter,
PreScore) and returns what judges single nodes (Filter, Score, NormalizeScore), or None when it has nothing to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from kplan.scheduler.args import Args
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod, Shape
from kplan.scheduler.snapshot import Snapshot

MAX_SCORE = 100


class Rejection(NamedTuple):
    """Why a node, or the pod as a whole, is refused. `final` means that evicting pods cannot help."""

    reasons: tuple[str, ...]
    final: bool = False


class Filtering(NamedTuple):
    """A plugin's judgement of nodes for one pod.

    `nodes`, if set, are the only names worth looking at. `static` verdicts depend on the Node object alone; most
    depend on the pods on it too. A `check` that depends on other nodes as well comes with `update`, which is told of
    pods of the shapes that it `concerns`, as they come (+1) or go (-1), and returns the nodes whose verdict that may
    change; `idle` then says that nothing can be refused as things stand (PreFilter's Skip). Nodes with the same
    `place`, if that is set, are judged alike.
    """

    check: Callable[[Node], Rejection | None]
    nodes: frozenset[str] | None = None
    static: bool = False
    update: Callable[[Pod, Node, int], Iterable[Node]] | None = None
    concerns: Callable[[Shape], bool] | None = None
    place: Callable[[Node], Hashable] | None = None
    idle: bool = False


class Marking(NamedTuple):
    """A plugin's marks, 0 to 100, that depend on the marked node alone; `static` ones on the Node object alone."""

    mark: Callable[[Node], int]
    static: bool = False


class Scaling(NamedTuple):
    """A plugin's marks that are scaled by those of the other feasible nodes (Score and NormalizeScore).

    Nodes with the same `signature` get the same mark; `scale` takes the signatures of all feasible nodes, with the
    number of nodes behind each, and gives the marks, 0 to 100. `update` and `concerns` are as in Filtering, for the
    nodes whose signature may change; without them signatures depend on the Node object alone. `idle` says whether
    all marks are 0 as things stand (PreScore's Skip).
    """

    signature: Callable[[Node], Any]
    scale: Callable[[Mapping[Any, int]], Mapping[Any, int]]
    update: Callable[[Pod, Node, int], Iterable[Node]] | None = None
    concerns: Callable[[Shape], bool] | None = None
    idle: Callable[[], bool] | None = None


class FilterPlugin(Protocol):
    """A module that can refuse nodes."""

    NAME: str

    def filtering(self, pod: Pod, cluster: Snapshot, args: Args, /) -> Filtering | Rejection | None:
        """PreFilter: how to judge nodes, a refusal of the pod as a whole, or None when it can refuse nothing."""


class ScorePlugin(Protocol):
    """A module that can mark nodes."""

    NAME: str

    def scoring(self, pod: Pod, cluster: Snapshot, args: Args, /) -> Marking | Scaling | None:
        """PreScore: how to mark nodes, or None when all are alike to this plugin."""


class Filters(NamedTuple):
    """All that may refuse nodes for one pod, in the plugins' order, and the names that are worth looking at.

    `subset_by` names the plugins that gave the names.
    """

    judges: tuple[Filtering, ...]
    nodes: frozenset[str] | None = None
    subset_by: tuple[str, ...] = ()


def prefilter(
    pod: Pod, cluster: Snapshot, plugins: Iterable[FilterPlugin], args: Args, *, idle: bool = False
) -> Filters | Rejection:
    """Let every filter plugin look at the pod; a Rejection is the whole pod's. `idle` keeps idle filters too."""
    judges: list[Filtering] = []
    nodes: frozenset[str] | None = None
    subset_by: tuple[str, ...] = ()
    for plugin in plugins:
        found = plugin.filtering(pod, cluster, args)
        if isinstance(found, Rejection):
            return found
        if found is None or (found.idle and not idle):
            continue
        judges.append(found)
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
    for f in filters.judges:
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
        with _visited(filters, waiting, node):
            refusal = judge(filters, node)
        if refusal is not None:
            return refusal
    return judge(filters, node)


@contextmanager
def _visited(filters: Filters, pods: Sequence[Pod], node: Node) -> Iterator[None]:
    """Put pods on a node for a while."""
    before = list(node.pods)
    for p in pods:
        shift(filters, p, node, 1)
    try:
        yield
    finally:
        for p in pods:
            shift(filters, p, node, -1)
        node.pods[:] = before


def shift(filters: Filters, pod: Pod, node: Node, sign: int) -> None:
    """Put a pod on a node (+1) or take it off (-1) and tell the filters."""
    if sign > 0:
        node.add(pod)
    else:
        node.remove(pod)
    for f in filters.judges:
        if f.update is not None:
            f.update(pod, node, sign)


def score(
    pod: Pod, nodes: Sequence[Node], cluster: Snapshot, plugins: Iterable[tuple[ScorePlugin, int]], args: Args
) -> dict[str, list[int]]:
    """Plugin name -> weighted marks of the given nodes; plugins that sit out are not in it."""
    marks = {}
    for plugin, weight in plugins:
        found = plugin.scoring(pod, cluster, args)
        if isinstance(found, Marking):
            marks[plugin.NAME] = [weight * found.mark(n) for n in nodes]
        elif found is not None and not (found.idle and found.idle()):
            signatures = [found.signature(n) for n in nodes]
            scaled = found.scale(Counter(signatures))
            marks[plugin.NAME] = [weight * scaled[s] for s in signatures]
    return marks


def to_hundred(marks: Iterable[int], *, reverse: bool = False) -> dict[int, int]:
    """Scale marks so that the largest becomes 100, or with `reverse` 0 (helper.DefaultNormalizeScore)."""
    most = max(marks, default=0)
    if most == 0:
        return dict.fromkeys(marks, MAX_SCORE if reverse else 0)
    scaled = {n: MAX_SCORE * n // most for n in marks}
    return {n: MAX_SCORE - m for n, m in scaled.items()} if reverse else scaled
