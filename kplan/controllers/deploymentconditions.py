"""Conditions of a Deployment: a condition that changes moves to the end of the list.

Follows pkg/controller/deployment/util/deployment_util.go (SetDeploymentCondition).
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.conditions import find
from kplan.controllers.control import Control

Value = dict[str, Any]


def with_condition(status: Value, control: Control, kind: str, value: str, reason: str, message: str) -> Value:
    """The status with a condition; one of the same status and reason stays as it is."""
    known = find(status, kind)
    if known is not None and known["status"] == value and known.get("reason") == reason:
        return status
    made = {
        "type": kind,
        "status": value,
        "lastUpdateTime": control.now,
        "lastTransitionTime": known["lastTransitionTime"] if known and known["status"] == value else control.now,
        "reason": reason,
        "message": message,
    }
    return {**status, "conditions": [*_others(status, kind), made]}


def without_condition(status: Value, kind: str) -> Value:
    """The status without a condition."""
    others = _others(status, kind)
    rest = {k: v for k, v in status.items() if k != "conditions"}
    return {**rest, "conditions": others} if others else rest


def _others(status: Value, kind: str) -> list[Value]:
    return [c for c in status.get("conditions") or () if c["type"] != kind]
