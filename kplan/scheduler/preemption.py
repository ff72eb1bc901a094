"""Preemption: which less important pods would have to go so that a pod fits, and from which node.

Follows pkg/scheduler/framework/preemption and plugins/defaultpreemption. Where the scheduler starts at a random
node, this starts at the first; where it leaves equals to chance, this takes the pods that came last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kplan.scheduler import budgets, fiterror
from kplan.scheduler.args import Args
from kplan.scheduler.budgets import Budget
from kplan.scheduler.fields import items, text
from kplan.scheduler.framework import Filters, Rejection, judge_with_nominated, shift
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.store import ref_of

NEVER = "not eligible due to preemptionPolicy=Never."
TERMINATING = "not eligible due to a terminating pod on the nominated node."
NO_VICTIMS = Rejection(("No preemption victims found for incoming pod",))


class Candidate(NamedTuple):
    """A node, the pods that would be evicted from it (most important first), and how many break a budget."""

    node: Node
    victims: tuple[Pod, ...]
    violations: int


class Outcome(NamedTuple):
    """What preemption comes to: the best candidates, which are equally good, or why there is none."""

    best: tuple[Candidate, ...] = ()
    message: str = ""


def preempt(pod: Pod, filters: Filters, rejections: Mapping[str, Rejection], cluster: Snapshot, args: Args) -> Outcome:
    """Look for pods to evict. `rejections` holds, by node, why the pod does not fit now."""
    refusal = _not_eligible(pod, rejections, cluster)
    if refusal:
        return Outcome(message=refusal)
    helpful = [n for n in cluster.nodes if n.name in rejections and not rejections[n.name].final]
    wanted = min(max(len(helpful) * args.candidate_percentage // 100, args.candidate_absolute), len(helpful))
    allowed = budgets.read(cluster) if helpful else []
    candidates: list[Candidate] = []
    failed: list[Rejection] = []
    for node in helpful:
        found = _victims(pod, node, filters, cluster, allowed)
        if isinstance(found, Rejection):
            failed.append(found)
            continue
        candidates.append(found)
        if len(candidates) >= wanted and any(not c.violations for c in candidates):
            break
    if candidates:
        return Outcome(_best(candidates, cluster))
    return Outcome(message=fiterror.of_nodes(len(cluster.nodes), failed, absent=fiterror.NOT_HELPFUL))


def _not_eligible(pod: Pod, rejections: Mapping[str, Rejection], cluster: Snapshot) -> str:
    if not pod.shape.preempts:
        return NEVER
    node = cluster.by_name.get(pod.nominated)
    rejection = rejections.get(pod.nominated)
    if node is None or (rejection is not None and rejection.final):
        return ""
    waits = any(p.shape.priority < pod.shape.priority and _is_being_preempted(p) for p in node.pods)
    return TERMINATING if waits else ""


def _is_being_preempted(pod: Pod) -> bool:
    return pod.deleting and any(
        text(c, "type") == "DisruptionTarget" and text(c, "reason") == "PreemptionByScheduler"
        for c in items(pod.value, "status", "conditions")
    )


def _victims(
    pod: Pod, node: Node, filters: Filters, cluster: Snapshot, allowed: Sequence[Budget]
) -> Candidate | Rejection:
    """The fewest and least important pods of a node that must go; everything is put back afterwards."""
    pool = [p for p in node.pods if p.shape.priority < pod.shape.priority]
    if not pool:
        return NO_VICTIMS
    before = list(node.pods)
    gone = sorted(pool, key=_importance)
    for p in gone:
        shift(filters, p, node, -1)
    out = list(gone)
    try:
        refusal = judge_with_nominated(filters, cluster, pod, node)
        if refusal is not None:
            return refusal
        violating = _violating(gone, allowed)
        for p in (*(p for p in gone if p in violating), *(p for p in gone if p not in violating)):
            shift(filters, p, node, 1)
            if judge_with_nominated(filters, cluster, pod, node) is None:
                out.remove(p)
            else:
                shift(filters, p, node, -1)
        # nothing to evict: it fits beside them, which only a nominated pod could have hidden
        return Candidate(node, tuple(out), sum(p in violating for p in out)) if out else NO_VICTIMS
    finally:
        for p in out:
            shift(filters, p, node, 1)
        node.pods[:] = before


def _importance(pod: Pod) -> tuple[int, str]:
    """Sorts the most important first: higher priority, then the longer running; no start time means just now."""
    return -pod.shape.priority, pod.start or "~"


def _violating(pods: Sequence[Pod], allowed: Sequence[Budget]) -> list[Pod]:
    """Those of the pods, in this order, for whose eviction a budget has no room left."""
    left = [b.allowed for b in allowed]
    found = []
    for pod in pods:
        over = False
        for i, budget in enumerate(allowed):
            if budget.covers(pod):
                left[i] -= 1
                over = over or left[i] < 0
        if over:
            found.append(pod)
    return found


def _best(candidates: Sequence[Candidate], cluster: Snapshot) -> tuple[Candidate, ...]:
    """The candidates that hurt least, first those whose pods came last: where no time tells, they started last."""
    cost = min(map(_cost, candidates))
    cheapest = [c for c in candidates if _cost(c) == cost]
    latest = max(map(_earliest_start, cheapest))
    equal = [c for c in cheapest if _earliest_start(c) == latest]
    return tuple(sorted(equal, key=lambda c: _eldest(c, cluster), reverse=True))


def _cost(c: Candidate) -> tuple[int, int, int, int]:
    """Budgets broken, highest priority evicted, sum of priorities (shifted so that more pods cost more), count."""
    priorities = [p.shape.priority for p in c.victims]
    return c.violations, max(priorities, default=0), sum(n + 2**31 for n in priorities), len(priorities)


def _earliest_start(c: Candidate) -> str:
    """When the longest-running of the most important victims started."""
    return min((p.start or "~" for p in _most_important(c)), default="~")


def _eldest(c: Candidate, cluster: Snapshot) -> int:
    """When the first of the most important victims came."""
    return min((cluster.store.born(ref_of(p.value).key) for p in _most_important(c)), default=0)


def _most_important(c: Candidate) -> list[Pod]:
    top = max((p.shape.priority for p in c.victims), default=0)
    return [p for p in c.victims if p.shape.priority == top]
