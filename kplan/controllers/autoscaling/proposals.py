"""What each metric of an autoscaler asks for, and its part of the status.

Follows pkg/controller/podautoscaler/horizontal.go (computeReplicasForMetric and the computeStatusFor… functions).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kplan import quantity
from kplan.controllers.autoscaling import replicas
from kplan.controllers.autoscaling.metrics import Metrics
from kplan.controllers.autoscaling.replicas import Count, MetricError, Tolerance
from kplan.controllers.selecting import go_text
from kplan.quantity import Quantity

Value = dict[str, Any]

_MILLI = 10**6  # thousandths in nano-units


class Target(NamedTuple):
    """What is scaled, as metrics see it: its replicas by spec and by status, and the pods that its selector finds.

    `now` is in seconds since 1970; `plural` gives the plural of a kind, for messages.
    """

    namespace: str
    wanted: int
    observed: int
    pods: Sequence[Value]
    tolerance: Tolerance
    now: float
    plural: Callable[[Value], str]


class Proposal(NamedTuple):
    """A count, the name of the metric that asks for it, and its entry in status.currentMetrics."""

    replicas: int
    metric: str
    status: Value


class Unavailable(Exception):  # noqa: N818 - an answer, not an error of kplan
    """A metric gives no count: `reason` and `message` for event and condition, `first` for the sum of all metrics."""

    def __init__(self, reason: str, message: str, first: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.first = first


def propose(spec: Value, target: Target, metrics: Metrics) -> Proposal:
    """What one entry of spec.metrics asks for. Raises Unavailable."""
    kind = spec.get("type")
    rule = _RULES.get(str(kind))
    if rule is None:
        message = f'unknown metric source type "{kind}"'
        raise Unavailable("InvalidMetricSourceType", message, message)
    return rule(spec, target, metrics)


def _resource(spec: Value, target: Target, metrics: Metrics) -> Proposal:
    own = spec["resource"]
    name = own["name"]
    try:
        count, title, current = _of_resource(name, "", own["target"], target, metrics)
    except MetricError as no:
        first = f"failed to get {name} resource metric value: {no}"
        raise Unavailable("FailedGetResourceMetric", str(no), first) from no
    title = title or f"{name} resource utilization (percentage of request)"
    return Proposal(count, title, {"type": "Resource", "resource": {"name": name, "current": current}})


def _container_resource(spec: Value, target: Target, metrics: Metrics) -> Proposal:
    own = spec["containerResource"]
    name, container = own["name"], own["container"]
    try:
        count, title, current = _of_resource(name, container, own["target"], target, metrics)
    except MetricError as no:
        first = f"failed to get {container} container metric value: {no}"
        raise Unavailable("FailedGetContainerResourceMetric", str(no), first) from no
    title = title or f"{name} container resource utilization (percentage of request)"
    status = {"name": name, "container": container, "current": current}
    return Proposal(count, title, {"type": "ContainerResource", "containerResource": status})


def _of_resource(name: str, container: str, goal: Value, target: Target, metrics: Metrics) -> tuple[int, str, Value]:
    """Count, name of the metric ("" for a utilization) and current values (computeStatusForResourceMetricGeneric)."""
    by_average = goal.get("averageValue") is not None
    percent = goal.get("averageUtilization")
    if not by_average and percent is None:
        what = "neither an average utilization target nor an average value (usage) target was set"
        raise MetricError(f"invalid resource metric source: {what}")
    try:
        try:
            measured = metrics.resource(name, target.pods, container)
        except MetricError as no:
            raise MetricError(f"unable to get metrics for resource {name}: {no}") from no
        if by_average:
            goal_milli = _milli(goal, "averageValue")
            count = replicas.by_average(
                target.wanted, goal_milli, measured, target.pods, name, tolerance=target.tolerance, now=target.now
            )
            return count.replicas, f"{name} resource", _average(count)
        count = replicas.by_utilization(
            target.wanted,
            int(percent or 0),
            measured,
            target.pods,
            name,
            container=container,
            tolerance=target.tolerance,
            now=target.now,
        )
    except MetricError as no:
        raise MetricError(f"failed to get {name} {'usage' if by_average else 'utilization'}: {no}") from no
    return count.replicas, "", {"averageUtilization": count.utilization, **_average(count)}


def _pods(spec: Value, target: Target, metrics: Metrics) -> Proposal:
    own = spec["pods"]
    name = own["metric"]["name"]
    try:
        try:
            measured = metrics.custom(name, target.pods)
        except MetricError as no:
            raise MetricError(f"unable to get metric {name}: {no}") from no
        goal = _milli(own["target"], "averageValue")
        count = replicas.by_average(
            target.wanted, goal, measured, target.pods, tolerance=target.tolerance, now=target.now
        )
    except MetricError as no:
        raise Unavailable("FailedGetPodsMetric", str(no), f"failed to get pods metric value: {no}") from no
    status = {"metric": own["metric"], "current": _average(count)}
    return Proposal(count.replicas, f"pods metric {name}", {"type": "Pods", "pods": status})


def _object(spec: Value, target: Target, metrics: Metrics) -> Proposal:
    own = spec["object"]
    name, described, goal = own["metric"]["name"], own["describedObject"], own["target"]
    by_value = goal.get("type") == "Value" and goal.get("value") is not None
    try:
        if not by_value and goal.get("averageValue") is None:
            raise MetricError(
                "invalid object metric source: neither a value target nor an average value target was set"
            )
        kind, who = described["kind"], described["name"]
        try:
            usage = metrics.of_object(target.namespace, kind, target.plural(described), who, name)
        except MetricError as no:
            raise MetricError(f"unable to get metric {name}: {kind} on {target.namespace} {who}/{no}") from no
        count = _shared(goal, by_value, usage, target)
    except MetricError as no:
        inner = str(no) if by_value else f"failed to get {name} object metric: {no}"
        raise Unavailable("FailedGetObjectMetric", str(no), f"failed to get object metric value: {inner}") from no
    current = {"value": _text(count.usage)} if by_value else _average(count)
    title = f"{kind} metric {name}" if by_value else f"external metric {name}({go_text(own['metric'].get('selector'))})"
    status = {"metric": own["metric"], "current": current, "describedObject": described}
    return Proposal(count.replicas, title, {"type": "Object", "object": status})


def _external(spec: Value, target: Target, metrics: Metrics) -> Proposal:
    own = spec["external"]
    name, goal = own["metric"]["name"], own["target"]
    by_value = goal.get("averageValue") is None
    selector = go_text(own["metric"].get("selector"))
    try:
        if by_value and goal.get("value") is None:
            what = "neither a value target nor an average value target was set"
            raise MetricError(f"invalid external metric source: {what}")
        try:
            usage = metrics.external(target.namespace, name)
        except MetricError as no:
            where = f"{target.namespace}/{name}/{selector}"
            raise MetricError(f"unable to get external metric {where}: {no}") from no
        count = _shared(goal, by_value, usage, target)
    except MetricError as no:
        inner = f"external metric {name}" if by_value else f"{name} external metric"
        first = f"failed to get {name} external metric value: failed to get {inner}: {no}"
        raise Unavailable("FailedGetExternalMetric", str(no), first) from no
    current = {"value": _text(count.usage)} if by_value else _average(count)
    status = {"metric": own["metric"], "current": current}
    return Proposal(count.replicas, f"external metric {name}({selector})", {"type": "External", "external": status})


def _shared(goal: Value, by_value: bool, usage: int, target: Target) -> Count:
    if by_value:
        return replicas.by_value(target.wanted, _milli(goal, "value"), usage, target.pods, tolerance=target.tolerance)
    return replicas.by_average_value(target.observed, _milli(goal, "averageValue"), usage, tolerance=target.tolerance)


def _milli(goal: Value, field: str) -> int:
    return quantity.parse(str(goal[field])).milli


def _average(count: Count) -> Value:
    return {"averageValue": _text(count.usage)}


def _text(milli: int) -> str:
    return str(Quantity(milli * _MILLI))


_RULES: Mapping[str, Callable[[Value, Target, Metrics], Proposal]] = {
    "Resource": _resource,
    "ContainerResource": _container_resource,
    "Pods": _pods,
    "Object": _object,
    "External": _external,
}
