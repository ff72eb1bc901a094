"""One scheduling cycle: where a pod goes, or why it does not.

Follows pkg/scheduler/schedule_one.go. Every node is looked at: the real scheduler stops early in clusters of 100
nodes and more, and breaks ties by chance. Both are said in the decision's certainty.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.model import Decision
from kplan.placement import CERTAINTIES
from kplan.scheduler import fiterror, preemption
from kplan.scheduler.framework import Filters, Rejection, judge_with_nominated, prefilter, score
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.profile import Profile
from kplan.scheduler.snapshot import Snapshot

DETERMINISTIC, TIE, SAMPLED, UNSUPPORTED = CERTAINTIES
UNSCHEDULABLE, GATED = "Unschedulable", "SchedulingGated"
_ALL_VISITED_BELOW = 100


def decide(pod: Pod, cluster: Snapshot, profile: Profile) -> Decision:
    """The scheduler's answer for one pod; the snapshot is as it was afterwards."""
    return attempt(pod, cluster, profile)[0]


def attempt(pod: Pod, cluster: Snapshot, profile: Profile) -> tuple[Decision, tuple[Pod, ...]]:
    """`decide`, and the pods that would have to go."""
    notes = notes_of(pod, profile)
    if pod.shape.gates:
        return _pending(fiterror.GATED, notes, reason=GATED), ()
    if not cluster.nodes:
        return _pending(fiterror.NO_NODES, notes), ()
    filters = prefilter(pod, cluster, profile.filters, profile.args)
    if isinstance(filters, Rejection):
        return _pending(_refused(pod, filters, cluster, profile), notes), ()
    feasible, rejections = _filter(pod, cluster, filters)
    if not feasible:
        return _post_filter(pod, filters, rejections, cluster, profile)
    return _choose(pod, feasible, rejections, cluster, profile), ()


def notes_of(pod: Pod, profile: Profile) -> tuple[str, ...]:
    """What is not simulated, of the pod and of the profile."""
    return pod.shape.unsupported + profile.unsupported


def depends_on_shape_only(pod: Pod) -> bool:
    """Whether another pod of the same shape would get the same answer."""
    return not (pod.shape.claims or pod.nominated or pod.node_name)


def _filter(pod: Pod, cluster: Snapshot, filters: Filters) -> tuple[list[Node], dict[str, Rejection]]:
    """The nodes that the pod fits on, and why it does not fit on the others."""
    nominated = cluster.by_name.get(pod.nominated)
    if nominated is not None and judge_with_nominated(filters, cluster, pod, nominated) is None:
        return [nominated], {}
    feasible: list[Node] = []
    rejections: dict[str, Rejection] = {}
    elsewhere = Rejection((f"node(s) didn't satisfy plugin(s) [{' '.join(filters.subset_by)}]",), final=True)
    for node in cluster.nodes:
        if filters.nodes is not None and node.name not in filters.nodes:
            rejections[node.name] = elsewhere
            continue
        refusal = judge_with_nominated(filters, cluster, pod, node)
        if refusal is None:
            feasible.append(node)
        else:
            rejections[node.name] = refusal
    return feasible, rejections


def _choose(
    pod: Pod, feasible: list[Node], rejections: Mapping[str, Rejection], cluster: Snapshot, profile: Profile
) -> Decision:
    """The best of the feasible nodes; the first in visiting order among equals."""
    notes = notes_of(pod, profile)
    refused = {name: r.reasons for name, r in rejections.items()}
    if len(feasible) == 1:
        name = feasible[0].name
        return Decision(name, (name,), rejections=refused, certainty=certainty(notes, 1, False), notes=notes)
    marks = score(pod, feasible, cluster, profile.scores, profile.args)
    totals = [sum(column) for column in zip(*marks.values(), strict=True)] or [0] * len(feasible)
    best = max(totals)
    tied = tuple(n.name for n, total in zip(feasible, totals, strict=True) if total == best)
    sampled = is_sampled(len(feasible), cluster, profile)
    return Decision(
        tied[0],
        tied,
        {n.name: total for n, total in zip(feasible, totals, strict=True)},
        {n.name: {plugin: marks[plugin][i] for plugin in marks} for i, n in enumerate(feasible)},
        refused,
        certainty=certainty(notes, len(tied), sampled),
        notes=notes,
    )


def is_sampled(feasible: int, cluster: Snapshot, profile: Profile) -> bool:
    """Whether the real scheduler would have marked only some of the feasible nodes."""
    return feasible > nodes_to_find(len(cluster.nodes), profile.percentage)


def nodes_to_find(nodes: int, percentage: int) -> int:
    """After how many feasible nodes the real scheduler stops looking (numFeasibleNodesToFind)."""
    if nodes < _ALL_VISITED_BELOW or percentage >= 100:
        return nodes
    share = percentage or max(5, 50 - nodes // 125)
    return max(100, nodes * share // 100)


def certainty(notes: tuple[str, ...], tied: int, sampled: bool) -> str:
    """How far a decision can be trusted."""
    if notes:
        return UNSUPPORTED
    if sampled:
        return SAMPLED
    return TIE if tied > 1 else DETERMINISTIC


def _pending(message: str, notes: tuple[str, ...], *, reason: str = UNSCHEDULABLE) -> Decision:
    return Decision(reason=reason, message=message, certainty=certainty(notes, 1, False), notes=notes)


def _refused(pod: Pod, rejection: Rejection, cluster: Snapshot, profile: Profile) -> str:
    """The message for a pod that was refused as a whole."""
    text = fiterror.of_pod(len(cluster.nodes), rejection)
    if cluster.minor >= 34:
        # DynamicResources finds none of its own state then and ends PostFilter with this error
        return fiterror.with_tail(text, "not found")
    if not profile.preempts:
        return text
    everywhere = {n.name: Rejection((), final=True) for n in cluster.nodes}
    outcome = preemption.preempt(pod, Filters(()), everywhere, cluster, profile.args)
    return fiterror.with_tail(text, fiterror.post_filter(cluster.minor, outcome.message))


def _post_filter(
    pod: Pod, filters: Filters, rejections: Mapping[str, Rejection], cluster: Snapshot, profile: Profile
) -> tuple[Decision, tuple[Pod, ...]]:
    """No node fits: say why, and which pods could be evicted."""
    text, notes = fiterror.of_nodes(len(cluster.nodes), rejections.values()), notes_of(pod, profile)
    outcome = preemption.Outcome()
    if profile.preempts:
        outcome = preemption.preempt(pod, filters, rejections, cluster, profile.args)
    if not outcome.best:
        text = fiterror.with_tail(text, fiterror.post_filter(cluster.minor, outcome.message))
    names = [tuple(p.name for p in c.victims) for c in outcome.best]
    decision = Decision(
        rejections={name: r.reasons for name, r in rejections.items()},
        reason=UNSCHEDULABLE,
        message=text,
        victims=names[0] if names else (),
        alternatives=tuple(names[1:]),
        nominated=outcome.best[0].node.name if outcome.best else "",
        certainty=certainty(notes, len(names), False),
        notes=notes,
    )
    return decision, outcome.best[0].victims if outcome.best else ()
