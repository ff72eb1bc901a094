"""Check kinds about PodDisruptionBudgets: `blocked-eviction` and `overlapping-budgets`.

The arithmetic is that of pkg/controller/disruption: a percentage of the pods is rounded up, and the API server's
eviction refuses a pod that more than one budget selects.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from kplan.hints import Any
from kplan.lint.site import Check, Place, Problem, Site
from kplan.model import Object
from kplan.workloads import get, slim_pod

_COUNTED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")


def blocked_eviction(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Budgets that never allow a disruption, whatever the state of the pods."""

    def check(site: Site) -> Iterable[Problem]:
        spec = site.object.value.get("spec")
        if not isinstance(spec, dict):
            return
        most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
        if most is not None and _share(most, 100) == 0:
            yield Problem(("spec", "maxUnavailable"), {"reason": f"maxUnavailable is {most}"})
        elif least == "100%":
            yield Problem(("spec", "minAvailable"), {"reason": "minAvailable is 100%"})
        elif least is not None:
            yield from _against_replicas(site, least)

    return check


def _against_replicas(site: Site, least: Any) -> Iterable[Problem]:
    selected = site.world.targets(site.object, "disruption")
    counts = [_replicas(site, o) for o in selected]
    if not counts or None in counts:
        return
    pods = sum(c for c in counts if c)
    needed = _share(least, pods)
    if pods and needed is not None and needed >= pods:
        reason = f"minAvailable {least} of {pods} {'pod' if pods == 1 else 'pods'} leaves none to spare"
        places = tuple(Place("these are the pods", o, ("spec", "replicas")) for o in selected[:3])
        yield Problem(("spec", "minAvailable"), {"reason": reason}, places)


def _replicas(site: Site, workload: Object) -> int | None:
    """How many pods a workload has at least; None if that cannot be said."""
    if workload.ref.kind not in _COUNTED:
        return None
    for autoscaler in site.world.sources(workload, "scale-target"):
        highest = get(autoscaler.value, "spec", "maxReplicas")
        return highest if isinstance(highest, int) else None
    count = get(workload.value, "spec", "replicas")
    if count is None:
        return 1
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _share(amount: Any, pods: int) -> int | None:
    """A number or percentage of the pods, rounded up; None for what is neither."""
    if isinstance(amount, int) and not isinstance(amount, bool):
        return amount
    if isinstance(amount, str) and amount.endswith("%") and amount[:-1].isdigit():
        return math.ceil(int(amount[:-1]) * pods / 100)
    return None


def overlapping_budgets(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Workloads and pods that more than one budget selects."""

    def check(site: Site) -> Iterable[Problem]:
        pod = site.pod or slim_pod(site.object)
        if pod is None:
            return
        budgets = site.world.sources(site.object, "disruption")
        if len(budgets) > 1:
            names = ", ".join(sorted(b.ref.name for b in budgets))
            places = tuple(Place(f"budget {b.ref.name}", b, ("spec", "selector")) for b in budgets)
            yield Problem((*pod.path, "metadata", "labels"), {"count": len(budgets), "budgets": names}, places)

    return check
