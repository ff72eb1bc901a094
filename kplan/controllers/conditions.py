"""Conditions in a status: finding one, and writing those of a pod, whose times change where their status does."""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]


def find(status: Value, kind: str) -> Value | None:
    """The condition of this type, or None."""
    for c in status.get("conditions") or ():
        if c.get("type") == kind:
            found: Value = c
            return found
    return None


def with_conditions(status: Value, conditions: dict[str, Value], now: str) -> Value:
    """The status with these conditions in their places; times change where the status of a condition does."""
    known = {c["type"]: c for c in status.get("conditions") or ()}
    for kind, said in conditions.items():
        before = known.get(kind)
        same = before is not None and before["status"] == said["status"] and before.get("lastTransitionTime")
        time = before["lastTransitionTime"] if same and before is not None else now
        known[kind] = {"type": kind, "lastTransitionTime": time, **said}
    return {**status, "conditions": list(known.values())}
