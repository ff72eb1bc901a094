"""How many replicas one metric asks for.

Follows pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go. Amounts are in thousandths, as
Quantity.MilliValue gives them. Every function here is pure; MetricError carries the controller's text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kplan import quantity
from kplan.clock import seconds
from kplan.controllers import pods as status

Value = dict[str, Any]
Measured = Mapping[str, int]  # name of a pod -> amount

CPU_INITIALIZATION = 300.0  # seconds after its start in which a pod may use much (cpuInitializationPeriod)
INITIAL_READINESS = 30.0  # seconds after its start in which readiness may still change (delayOfInitialReadinessStatus)
_NO_PODS = "no pods returned by selector while calculating replica count"
_NO_METRICS = "did not receive metrics for targeted pods (pods might be unready)"


class MetricError(Exception):
    """A metric cannot be had or used; the text is that of the controller."""


class Tolerance(NamedTuple):
    """How far the ratio of usage and target may be from 1 before anything is done."""

    up: float = 0.1
    down: float = 0.1

    def holds(self, ratio: float) -> bool:
        """Whether a ratio is near enough."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


_DEFAULT = Tolerance()


class Count(NamedTuple):
    """The replicas that a metric asks for, the usage that it shows (per pod, in thousandths) and its percentage."""

    replicas: int
    usage: int
    utilization: int = 0


class Groups(NamedTuple):
    """The pods of a target by what their metrics are worth."""

    ready: int
    unready: list[str]
    missing: list[str]
    ignored: list[str]


def by_utilization(
    current: int,
    target: int,
    measured: Measured,
    pods: Sequence[Value],
    resource: str,
    *,
    container: str = "",
    tolerance: Tolerance = _DEFAULT,
    now: float = 0.0,
) -> Count:
    """Replicas for a `target` percentage of what the pods request (GetResourceReplicas)."""
    groups, counted = _grouped(measured, pods, resource, now)
    requests = requests_of(pods, resource, container)
    ratio, utilization, usage = _utilization(counted, requests, target)
    scale_up_with_unready = bool(groups.unready) and ratio > 1.0
    if not scale_up_with_unready and not groups.missing:
        n = current if tolerance.holds(ratio) else math.ceil(ratio * groups.ready)
        return Count(n, usage, utilization)
    if groups.missing and ratio != 1.0:
        share = max(100, target)
        for name in groups.missing:
            counted[name] = requests[name] * share // 100 if ratio < 1.0 else 0
    if scale_up_with_unready:
        counted.update(dict.fromkeys(groups.unready, 0))
    again, _, _ = _utilization(counted, requests, target)
    return Count(_careful(current, ratio, again, len(counted), tolerance), usage, utilization)


def by_average(
    current: int,
    target: int,
    measured: Measured,
    pods: Sequence[Value],
    resource: str = "",
    *,
    tolerance: Tolerance = _DEFAULT,
    now: float = 0.0,
) -> Count:
    """Replicas for a `target` amount per pod, of a resource or another metric (calcPlainMetricReplicas)."""
    groups, counted = _grouped(measured, pods, resource, now)
    ratio, usage = _average(counted, target)
    scale_up_with_unready = bool(groups.unready) and ratio > 1.0
    if not scale_up_with_unready and not groups.missing:
        n = current if tolerance.holds(ratio) else math.ceil(ratio * groups.ready)
        return Count(n, usage)
    counted.update(dict.fromkeys(groups.missing, target if ratio < 1.0 else 0))
    if scale_up_with_unready:
        counted.update(dict.fromkeys(groups.unready, 0))
    again, _ = _average(counted, target)
    return Count(_careful(current, ratio, again, len(counted), tolerance), usage)


def by_value(current: int, target: int, usage: int, pods: Sequence[Value], *, tolerance: Tolerance = _DEFAULT) -> Count:
    """Replicas for one `target` amount for all pods together (getUsageRatioReplicaCount)."""
    ratio = usage / target
    if not current:
        return Count(math.ceil(ratio), usage)
    if tolerance.holds(ratio):
        return Count(current, usage)
    if not pods:
        raise MetricError(f"unable to calculate ready pods: {_NO_PODS}")
    ready = sum(status.phase(p) == "Running" and status.is_ready(p) for p in pods)
    return Count(math.ceil(ratio * ready), usage)


def by_average_value(observed: int, target: int, usage: int, *, tolerance: Tolerance = _DEFAULT) -> Count:
    """Replicas for one amount that is shared by `observed` pods, `target` for each (Get…PerPodMetricReplicas)."""
    if not observed:
        return Count(math.ceil(usage / target), 0)
    within = tolerance.holds(usage / (target * observed))
    return Count(observed if within else math.ceil(usage / target), math.ceil(usage / observed))


def _careful(current: int, before: float, after: float, counted: int, tolerance: Tolerance) -> int:
    """The count by a ratio that takes guesses for pods without metrics: never against the ratio that was measured."""
    if tolerance.holds(after) or (before < 1.0 < after) or (after < 1.0 < before):
        return current
    n = math.ceil(after * counted)
    if (after < 1.0 and n > current) or (after > 1.0 and n < current):
        return current
    return n


def _utilization(measured: Measured, requests: Mapping[str, int], target: int) -> tuple[float, int, int]:
    """The ratio to the target, the percentage and the amount per pod (GetResourceUtilizationRatio)."""
    known = [name for name in measured if name in requests]
    asked = sum(requests[name] for name in known)
    if not asked:
        raise MetricError("no metrics returned matched known pods")
    used = sum(measured[name] for name in known)
    percent = used * 100 // asked
    return percent / target, percent, used // len(known)


def _average(measured: Measured, target: int) -> tuple[float, int]:
    usage = sum(measured.values()) // len(measured)
    return usage / target, usage


def _grouped(measured: Measured, pods: Sequence[Value], resource: str, now: float) -> tuple[Groups, dict[str, int]]:
    """The groups, and the metrics without those of pods that are ignored or unready."""
    if not pods:
        raise MetricError(_NO_PODS)
    groups = group(pods, measured, resource, now)
    out = {*groups.ignored, *groups.unready}
    counted = {name: n for name, n in measured.items() if name not in out}
    if not counted:
        raise MetricError(_NO_METRICS)
    return groups, counted


def group(pods: Iterable[Value], measured: Measured, resource: str, now: float) -> Groups:
    """Sort pods by what their metrics are worth (groupPods); `now` is in seconds since 1970."""
    groups = Groups(0, [], [], [])
    ready = 0
    for pod in pods:
        name = str(pod["metadata"]["name"])
        if status.is_terminating(pod) or status.phase(pod) == "Failed":
            groups.ignored.append(name)
        elif status.phase(pod) == "Pending":
            groups.unready.append(name)
        elif name not in measured:
            groups.missing.append(name)
        elif resource == "cpu" and _is_starting(pod, now):
            groups.unready.append(name)
        else:
            ready += 1
    return groups._replace(ready=ready)


def _is_starting(pod: Value, now: float) -> bool:
    """Whether the cpu that a pod uses may be that of its start."""
    ready, started = status.condition(pod, "Ready"), (pod.get("status") or {}).get("startTime")
    if ready is None or not started:
        return True
    since = seconds(started)
    if since + CPU_INITIALIZATION > now:
        return bool(ready.get("status") == "False")
    changed = ready.get("lastTransitionTime")
    return bool(ready.get("status") == "False") and since + INITIAL_READINESS > (seconds(changed) if changed else 0.0)


def requests_of(pods: Iterable[Value], resource: str, container: str = "") -> dict[str, int]:
    """What each pod, or one container of it, requests of a resource; every container must say it.

    What a pod requests as a whole stands for its containers (KEP-2837).
    """
    found = {}
    for pod in pods:
        name = str(pod["metadata"]["name"])
        whole = _request(pod["spec"], resource)
        if whole is not None and not container:
            found[name] = whole
            continue
        sidecars = [c for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
        total = 0
        for c in [*(pod["spec"].get("containers") or ()), *sidecars]:
            if container and c.get("name") != container:
                continue
            own = _request(c, resource)
            if own is None:
                raise MetricError(f"missing request for {resource} in container {c.get('name')} of Pod {name}")
            total += own
        found[name] = total
    return found


def _request(holder: Value, resource: str) -> int | None:
    text = ((holder.get("resources") or {}).get("requests") or {}).get(resource)
    return quantity.parse(str(text)).milli if text is not None else None
