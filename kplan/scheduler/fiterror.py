"""The sentence that says why a pod is Pending, as users see it in the PodScheduled condition.

Follows FitError of pkg/scheduler/framework/types.go: a histogram of reasons, sorted as texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kplan.scheduler.framework import Rejection

NO_NODES = "no nodes available to schedule pods"
GATED = "Scheduling is blocked due to non-empty scheduling gates"
CLAIMS = "no new claims to deallocate"
NOT_HELPFUL = "Preemption is not helpful for scheduling"


def of_pod(total: int, rejection: Rejection) -> str:
    """The text for a pod that was refused before any node was looked at."""
    return f"0/{total} nodes are available: {', '.join(rejection.reasons)}."


def of_nodes(total: int, rejections: Iterable[Rejection], *, absent: str = "") -> str:
    """The text for refused nodes; the nodes that are missing from `rejections` count with the reason `absent`."""
    counts: Counter[str] = Counter()
    seen = 0
    for r in rejections:
        seen += 1
        counts.update(r.reasons)
    if seen < total and absent:
        counts[absent] += total - seen
    text = f"0/{total} nodes are available:"
    if counts:
        text += " " + ", ".join(sorted(f"{n} {reason}" for reason, n in counts.items())) + "."
    return text


def with_tail(text: str, tail: str) -> str:
    """The text with what preemption had to say."""
    return f"{text} {tail}" if tail else text


def post_filter(minor: int, preemption: str) -> str:
    """What PostFilter had to say: since 1.34 DynamicResources speaks before preemption, which may be off."""
    said = [CLAIMS] if minor >= 34 else []
    if preemption:
        said.append(f"preemption: {preemption}")
    return ", ".join(said)
