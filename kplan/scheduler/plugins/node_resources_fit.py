"""NodeResourcesFit: does the pod fit, and how full would the node be.

Scores follow pkg/scheduler/framework/plugins/noderesources (least_allocated.go, most_allocated.go,
requested_to_capacity_ratio.go): whole numbers, divisions cut off.
"""

from __future__ import annotations

from collections.abc import Callable

from kplan.scheduler.args import LEAST, MOST, Args
from kplan.scheduler.framework import MAX_SCORE, Filtering, Marking, Rejection
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.requests import CPU, MEMORY, is_extended, is_scalar
from kplan.scheduler.snapshot import Snapshot

NAME = "NodeResourcesFit"
TOO_MANY_PODS = "Too many pods"


def filtering(pod: Pod, _: Snapshot, args: Args) -> Filtering:
    """Refuse nodes where any resource falls short; all that fall short are named."""
    wanted = tuple((name, n) for name, n in pod.shape.requests.real.items() if n > 0 and not _ignored(name, args))

    def check(node: Node) -> Rejection | None:
        if len(node.pods) < node.max_pods:
            free = node.free
            for name, n in wanted:
                if n > free.get(name, 0):
                    break
            else:
                return None
        return _refusal(wanted, node)

    return Filtering(check)


def _ignored(name: str, args: Args) -> bool:
    if not is_extended(name):
        return False
    return name in args.ignored_resources or name.split("/")[0] in args.ignored_groups


def _refusal(wanted: tuple[tuple[str, int], ...], node: Node) -> Rejection:
    reasons = [TOO_MANY_PODS] if len(node.pods) >= node.max_pods else []
    final = False
    for name, n in wanted:
        if n > node.free.get(name, 0):
            reasons.append(f"Insufficient {name}")
            final = final or n > node.allocatable.get(name, 0)
    return Rejection(tuple(reasons), final)


def scoring(pod: Pod, _: Snapshot, args: Args) -> Marking:
    """Mark nodes by how much of the weighted resources would be in use."""
    strategy = _STRATEGIES.get(args.strategy, _ratio)(args)
    asked = pod.shape.requests.scored
    resources = tuple(
        (name, weight, asked.get(name, 0))
        for name, weight in args.fit_resources
        if asked.get(name, 0) or not is_scalar(name)
    )
    if args.strategy == LEAST and resources == (
        (CPU, 1, asked.get(CPU, 0)),
        (MEMORY, 1, asked.get(MEMORY, 0)),
    ):
        return Marking(_least_allocated(asked.get(CPU, 0), asked.get(MEMORY, 0)))

    def mark(node: Node) -> int:
        uses = []
        for name, weight, n in resources:
            capacity = node.allocatable.get(name, 0)
            if capacity:
                uses.append((weight, n + taken(node, name), capacity))
        return strategy(uses)

    return Marking(mark)


def taken(node: Node, name: str) -> int:
    """What the pods of a node count for in scores: containers that name no cpu or memory count a little."""
    if name == CPU:
        return node.cpu
    return node.memory if name == MEMORY else node.requested.get(name, 0)


def _least_allocated(cpu: int, memory: int) -> Callable[[Node], int]:
    """LeastAllocated over cpu and memory of equal weight, which is nearly every profile."""

    def mark(node: Node) -> int:
        all_cpu, all_memory = node.all_cpu, node.all_memory
        free_cpu, free_memory = all_cpu - cpu - node.cpu, all_memory - memory - node.memory
        total = free_cpu * MAX_SCORE // all_cpu if free_cpu > 0 else 0
        if free_memory > 0:
            total += free_memory * MAX_SCORE // all_memory
        return total // 2 if all_cpu and all_memory else total

    return mark


Uses = list[tuple[int, int, int]]  # (weight, requested, capacity)


def _least(_: Args) -> Callable[[Uses], int]:
    return lambda uses: _mean([(w, (cap - used) * MAX_SCORE // cap if used <= cap else 0) for w, used, cap in uses])


def _most(_: Args) -> Callable[[Uses], int]:
    return lambda uses: _mean([(w, min(used, cap) * MAX_SCORE // cap) for w, used, cap in uses])


def _mean(marks: list[tuple[int, int]]) -> int:
    weights = sum(w for w, _ in marks)
    return sum(w * n for w, n in marks) // weights if weights else 0


def _ratio(args: Args) -> Callable[[Uses], int]:
    shape = tuple((utilization, score * MAX_SCORE // 10) for utilization, score in args.ratio)

    def strategy(uses: Uses) -> int:
        total = weights = 0
        for weight, used, capacity in uses:
            utilization = used * MAX_SCORE // capacity if used <= capacity else MAX_SCORE
            mark = _on_line(shape, utilization)
            if mark > 0:
                total += mark * weight
                weights += weight
        # math.Round: half away from zero, and nothing here is negative
        return (2 * total + weights) // (2 * weights) if weights else 0

    return strategy


def _on_line(shape: tuple[tuple[int, int], ...], at: int) -> int:
    """The value at a point of a piecewise linear function, which is flat outside its points."""
    for i, (x, y) in enumerate(shape):
        if at <= x:
            if i == 0:
                return y
            x0, y0 = shape[i - 1]
            step = (y - y0) * (at - x0)
            return y0 + (abs(step) // (x - x0)) * (1 if step >= 0 else -1)
    return shape[-1][1] if shape else 0


_STRATEGIES: dict[str, Callable[[Args], Callable[[Uses], int]]] = {LEAST: _least, MOST: _most}
