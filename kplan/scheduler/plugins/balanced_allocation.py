"""NodeResourcesBalancedAllocation: prefer nodes on which the resources are used up evenly.

Since 1.36 a node is marked by how much the pod improves its balance, before by the balance that results.
"""

from __future__ import annotations

import math

from kplan.scheduler.args import Args
from kplan.scheduler.framework import MAX_SCORE, Scoring
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.requests import is_scalar
from kplan.scheduler.snapshot import Snapshot

NAME = "NodeResourcesBalancedAllocation"


def scoring(pod: Pod, _: Snapshot, args: Args) -> Scoring | None:
    """Mark nodes by the spread of the used fractions; a pod that asks for nothing is not marked."""
    asked = pod.shape.requests.real
    resources = tuple(
        (name, asked.get(name, 0)) for name in args.balanced_resources if asked.get(name, 0) or not is_scalar(name)
    )
    if not any(n for _, n in resources):
        return None
    improvement = args.minor >= 36

    def raw(node: Node) -> int:
        allocatable, requested = node.allocatable, node.requested
        before, after = [], []
        for name, n in resources:
            capacity = allocatable.get(name, 0)
            if capacity:
                used = requested.get(name, 0)
                before.append(used / capacity if used < capacity else 1.0)
                after.append((used + n) / capacity if used + n < capacity else 1.0)
        if not improvement:
            return balance(after)
        return 50 + (50 + balance(after) - balance(before)) // 2

    return Scoring(raw)


def balance(fractions: list[float]) -> int:
    """100 for equal fractions, less by their standard deviation."""
    count = len(fractions)
    if count == 2:
        deviation = abs((fractions[0] - fractions[1]) / 2)
    elif count > 2:
        total = 0.0
        for f in fractions:
            total += f
        mean, squares = total / count, 0.0
        for f in fractions:
            squares += (f - mean) * (f - mean)
        deviation = math.sqrt(squares / count)
    else:
        deviation = 0.0
    return int((1 - deviation) * MAX_SCORE)
