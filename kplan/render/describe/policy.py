"""Autoscalers, disruption budgets, quotas, limits, namespaces and priority classes.

Layout of k8s.io/kubectl/pkg/describe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kplan.render import age
from kplan.render.columns.cell import selector_text
from kplan.render.describe import events
from kplan.render.describe.containers import amount
from kplan.render.describe.context import Context, Value, count_of, name_of, time_of
from kplan.render.describe.lines import Lines, head
from kplan.render.fields import UNKNOWN, UNSET, mapping, number, pairs, plain, text, texts
from kplan.workloads import dicts, get

_SCOPES: Mapping[str, str] = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before "
    "being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running "
    "pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality "
    "of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or "
    "guaranteed quality of service.",
}
_LIMITS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")
_LIMIT_FIELDS = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")


def autoscaler(out: Lines, obj: Value, context: Context) -> None:
    """A HorizontalPodAutoscaler."""
    spec = mapping(obj, "spec")
    head(out, obj, "name", "namespace", "labels", "annotations")
    out.add(0, "CreationTimestamp:", time_of(obj, "metadata", "creationTimestamp"))
    out.add(0, "Reference:", f"{text(spec, 'scaleTargetRef', 'kind')}/{text(spec, 'scaleTargetRef', 'name')}")
    out.add(0, "Metrics:", "( current / target )")
    statuses = dicts(obj, "status", "currentMetrics")
    for i, metric in enumerate(dicts(spec, "metrics")):
        out.add(1, *_metric(metric, statuses[i] if i < len(statuses) else {}))
    out.add(0, "Min replicas:", text(spec, "minReplicas") or UNSET)
    out.add(0, "Max replicas:", text(spec, "maxReplicas") or "0")
    _behavior(out, mapping(spec, "behavior"))
    counts = (
        f"{count_of(obj, 'status', 'currentReplicas')} current / {count_of(obj, 'status', 'desiredReplicas')} desired"
    )
    out.add(0, f"{text(spec, 'scaleTargetRef', 'kind')} pods:", counts)
    found = dicts(obj, "status", "conditions")
    if found:
        out.add(0, "Conditions:")
        out.add(1, "Type", "Status", "Reason", "Message")
        out.add(1, "----", "------", "------", "-------")
    for c in found:
        out.add(1, *(text(c, k) for k in ("type", "status", "reason", "message")))
    events.write(out, obj, context)


def _metric(spec: Value, status: Value) -> tuple[str, str]:
    """What a metric measures, and how it is and should be."""
    kind = text(spec, "type")
    key = kind[:1].lower() + kind[1:]
    target, current = mapping(spec, key, "target"), mapping(status, key, "current")
    average = target.get("averageValue") is not None
    value = "averageValue" if average or kind == "Pods" else "value"
    shown = f"{text(current, value) or UNKNOWN} / {text(target, value)}"
    name = text(spec, key, "metric", "name")
    of_what = " (target average value)" if average else " (target value)"
    match kind:
        case "Pods":
            return f'"{name}" on pods:', shown
        case "External":
            return f'"{name}"{of_what}:', shown
        case "Object":
            about = f"{text(spec, key, 'describedObject', 'kind')}/{text(spec, key, 'describedObject', 'name')}"
            return f'"{name}" on {about}{of_what}:', shown
        case "Resource" | "ContainerResource":
            title = f"resource {text(spec, key, 'name')}"
            title += f' of container "{text(spec, key, "container")}"' if kind == "ContainerResource" else ""
            if average:
                return f"{title} on pods:", shown
            return f"{title} on pods  (as a percentage of request):", _utilization(target, current)
    return f"<unknown metric type {kind}>", ""


def _utilization(target: Value, current: Value) -> str:
    now, wanted = current.get("averageUtilization"), target.get("averageUtilization")
    shown = UNKNOWN if now is None else f"{plain(now)}% ({text(current, 'averageValue')})"
    return f"{shown} / {'<auto>' if wanted is None else f'{plain(wanted)}%'}"


def _behavior(out: Lines, behavior: Value) -> None:
    if behavior:
        out.add(0, "Behavior:")
    for key, title in (("scaleUp", "Scale Up:"), ("scaleDown", "Scale Down:")):
        rules = mapping(behavior, key)
        if not rules:
            continue
        out.add(1, title)
        if rules.get("stabilizationWindowSeconds") is not None:
            out.add(2, f"Stabilization Window: {text(rules, 'stabilizationWindowSeconds')} seconds")
        if rules.get("policies"):
            out.add(2, f"Select Policy: {text(rules, 'selectPolicy') or 'Max'}")
            out.add(2, "Policies:")
        for p in dicts(rules, "policies"):
            period = f"Period: {text(p, 'periodSeconds')} seconds"
            out.add(3, f"- Type: {text(p, 'type')}", f"Value: {text(p, 'value')}", period)


def budget(out: Lines, obj: Value, context: Context) -> None:
    """A PodDisruptionBudget."""
    head(out, obj, "name", "namespace")
    for field, title in (("minAvailable", "Min available:"), ("maxUnavailable", "Max unavailable:")):
        if get(obj, "spec", field) is not None:
            out.add(0, title, text(obj, "spec", field))
    chosen = get(obj, "spec", "selector")
    out.add(0, "Selector:", UNSET if chosen is None else selector_text(chosen))
    out.add(0, "Status:")
    for title, field in (
        ("Allowed disruptions:", "disruptionsAllowed"),
        ("Current:", "currentHealthy"),
        ("Desired:", "desiredHealthy"),
        ("Total:", "expectedPods"),
    ):
        out.add(2, title, count_of(obj, "status", field))
    events.write(out, obj, context)


def quota(out: Lines, obj: Value, _: Context) -> None:
    """A ResourceQuota."""
    head(out, obj, "name", "namespace")
    _scopes(out, 0, obj)
    out.add(0, "Resource", "Used", "Hard")
    out.add(0, "--------", "----", "----")
    _usage(out, 0, obj)


def _scopes(out: Lines, level: int, obj: Value) -> None:
    scopes = sorted(texts(obj, "spec", "scopes"))
    if scopes:
        out.add(level, "Scopes:", ", ".join(scopes))
    for scope in scopes:
        if scope in _SCOPES:
            out.add(level, f" * {_SCOPES[scope]}")


def _usage(out: Lines, level: int, obj: Value) -> None:
    hard, used = mapping(obj, "status", "hard"), mapping(obj, "status", "used")
    for name in sorted(hard):
        out.add(level, name, amount(used.get(name, "0")), amount(hard[name]))


def limit_range(out: Lines, obj: Value, _: Context) -> None:
    """A LimitRange."""
    head(out, obj, "name", "namespace")
    out.add(0, *_LIMITS)
    out.add(0, "----", "--------", "---", "---", "---------------", "-------------", "-----------------------")
    _limits(out, "", obj)


def _limits(out: Lines, indent: str, obj: Value) -> None:
    for limit in dicts(obj, "spec", "limits"):
        parts = [mapping(limit, field) for field in _LIMIT_FIELDS]
        for name in sorted({n for part in parts for n in part}):
            values = (amount(part[name]) if name in part else "-" for part in parts)
            out.add(0, f"{indent}{text(limit, 'type')}", name, *values)


def namespace(out: Lines, obj: Value, context: Context) -> None:
    """A Namespace, with the quotas and limits in it."""
    head(out, obj, "name", "labels", "annotations")
    out.add(0, "Status:", text(obj, "status", "phase"))
    found = dicts(obj, "status", "conditions")
    if found:
        out.add(0, "Conditions:")
        out.add(1, "Type", "Status", "LastTransitionTime", "Reason", "Message")
        out.add(1, "----", "------", "------------------", "------", "-------")
    for c in found:
        time = age.rfc1123z(c.get("lastTransitionTime"))
        out.add(1, text(c, "type"), text(c, "status"), time, text(c, "reason"), text(c, "message"))
    out.add(0)
    _quotas(out, context.find("ResourceQuota", name_of(obj)))
    out.add(0)
    ranges = context.find("LimitRange", name_of(obj))
    if not ranges:
        out.add(0, "No LimitRange resource.")
        return
    out.add(0, "Resource Limits")
    out.add(0, *(f"{' ' * (i == 0)}{name}" for i, name in enumerate(_LIMITS)))
    out.add(0, " ----", "--------", "---", "---", "---------------", "-------------", "-----------------------")
    for one in ranges:
        _limits(out, " ", one)


def _quotas(out: Lines, quotas: Sequence[Value]) -> None:
    if not quotas:
        out.add(0, "No resource quota.")
        return
    out.add(0, "Resource Quotas")
    for one in sorted(quotas, key=name_of):
        out.add(1, "Name:", name_of(one))
        _scopes(out, 1, one)
        out.add(1, "Resource", "Used", "Hard")
        out.add(1, "--------", "---", "---")
        _usage(out, 1, one)


def priority_class(out: Lines, obj: Value, context: Context) -> None:
    """A PriorityClass."""
    head(out, obj, "name")
    out.add(0, "Value:", str(number(obj, "value")))
    out.add(0, "GlobalDefault:", "true" if obj.get("globalDefault") is True else "false")
    out.add(0, "PreemptionPolicy:", text(obj, "preemptionPolicy"))
    out.add(0, "Description:", text(obj, "description"))
    out.add(0, "Annotations:", pairs(mapping(obj, "metadata", "annotations")))
    events.write(out, obj, context)
