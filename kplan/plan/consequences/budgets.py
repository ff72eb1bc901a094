"""PodDisruptionBudgets at their limit: evictions that are refused afterwards, and rollouts that go below a budget.

Rollouts do not ask budgets, only evictions do (kubernetes.io/docs/concepts/workloads/pods/disruptions).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kplan.hints import Any
from kplan.model import Action
from kplan.plan.cast import Act
from kplan.plan.consequences.scene import Scene, in_namespace, key_of
from kplan.plan.sides import Side, Workload, is_workload, of_budget, replicas
from kplan.plan.values import submap
from kplan.store import ref_of
from kplan.workloads import pod_template

Value = dict[str, Any]

_COUNTABLE = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """What an action means for budgets: its own, or those over the pods of a workload."""
    act = scene.act(action)
    if act is None or act.new is None:
        return
    namespace = in_namespace(act)
    if (action.ref.group, action.ref.kind) == ("policy", "PodDisruptionBudget"):
        room = allowed(act.new, scene.new.selected(namespace, of_budget(act.new)))
        if room == 0:
            yield f"no pod may be evicted then ({_rule(act.new)}): draining their nodes waits"
    elif is_workload(action.ref):
        pod = pod_template(act.new)
        have = pod.labels if pod is not None else {}
        for budget in scene.new.all("PodDisruptionBudget", namespace):
            if of_budget(budget)(have):
                yield from _over(scene, budget, namespace, act)


def _over(scene: Scene, budget: Value, namespace: str, act: Act) -> Iterator[str]:
    name = ref_of(budget).name
    covered = scene.new.selected(namespace, of_budget(budget))
    if allowed(budget, covered) == 0 and _allowed_before(scene.old, name, namespace) != 0 and act.verb != "keep":
        yield f"PodDisruptionBudget {name} allows no eviction then ({_rule(budget)})"
    low = _lowest(scene, covered)
    least = _least(budget, covered)
    if low is not None and least is not None and low < least:
        yield f"the rollout goes below PodDisruptionBudget {name}: {low} ready, {_rule(budget)}"


def _allowed_before(side: Side, name: str, namespace: str) -> int | None:
    budget = side.find("PodDisruptionBudget", name, namespace)
    return allowed(budget, side.selected(namespace, of_budget(budget))) if budget is not None else None


def allowed(budget: Value, covered: list[Workload]) -> int | None:
    """How many pods may be evicted while all are healthy; None if that cannot be told, or there are none."""
    least = _least(budget, covered)
    pods = sum(replicas(w.value) for w in covered)
    return max(0, pods - least) if least is not None and pods else None


def _least(budget: Value, covered: list[Workload]) -> int | None:
    """How many pods must stay healthy; shares are of what controllers ask for, and round up."""
    if any(w.ref.kind not in _COUNTABLE for w in covered):
        return None
    pods = sum(replicas(w.value) for w in covered)
    spec = submap(budget, "spec")
    if spec.get("maxUnavailable") is not None:
        most = _share(spec["maxUnavailable"], pods)
        return max(0, pods - most) if most is not None else None
    return _share(spec.get("minAvailable", 0), pods)


def _share(amount: Any, whole: int) -> int | None:
    if isinstance(amount, int):
        return amount
    if isinstance(amount, str) and amount.endswith("%") and amount[:-1].isdecimal():
        return math.ceil(whole * int(amount[:-1]) / 100)
    return None


def _rule(budget: Value) -> str:
    spec = submap(budget, "spec")
    field = "maxUnavailable" if spec.get("maxUnavailable") is not None else "minAvailable"
    return f"{field} {spec.get(field, 0)}"


def _lowest(scene: Scene, covered: list[Workload]) -> int | None:
    """The fewest ready pods at any rest, None if that is not known or a pod is missing from the start."""
    totals: list[int] | None = None
    for w in covered:
        course = scene.course(key_of(w))
        if course is None or not course.moments or course.moments[0] is None:
            return None
        ready = [m.ready if m is not None else 0 for m in course.moments]
        totals = ready if totals is None else [a + b for a, b in zip(totals, ready, strict=True)]
    return min(totals) if totals and min(totals) < totals[0] else None
