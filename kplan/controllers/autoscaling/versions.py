"""Autoscalers of autoscaling/v1 as those of v2, and a status of v2 as one of v1.

Follows pkg/apis/autoscaling/v1/conversion.go; what v1 can only say in annotations is not written.
"""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]

V1 = "autoscaling/v1"
_DEFAULT_UTILIZATION = 80


def as_v2(hpa: Value, conditions: list[Value]) -> tuple[Value, Value]:
    """Spec and status in the form of v2; `conditions` are those of an autoscaler that has no place for them."""
    spec, status = hpa["spec"], hpa.get("status") or {}
    if hpa["apiVersion"] != V1:
        return spec, status
    percent = spec.get("targetCPUUtilizationPercentage", _DEFAULT_UTILIZATION)
    target = {"type": "Utilization", "averageUtilization": percent}
    metrics = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    names = ("lastScaleTime", "currentReplicas", "desiredReplicas")
    kept = {name: status[name] for name in names if name in status}
    return {**spec, "metrics": metrics}, {**kept, "conditions": conditions}


def status_in(hpa: Value, status: Value) -> Value:
    """A status of v2 in the version of an autoscaler."""
    if hpa["apiVersion"] != V1:
        return status
    out = {"currentReplicas": 0, **{k: v for k, v in status.items() if k not in ("currentMetrics", "conditions")}}
    for metric in status.get("currentMetrics") or ():
        own = metric.get("resource") or {}
        if own.get("name") == "cpu" and "averageUtilization" in own["current"]:
            out["currentCPUUtilizationPercentage"] = own["current"]["averageUtilization"]
    return out
