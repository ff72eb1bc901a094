"""Conditions in a status: finding one, and writing those of a pod, whose times change where their status does."""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]

_OBSERVED_SINCE = 34


def find(status: Value, kind: str) -> Value | None:
    """The condition of this type, or None."""
    for c in status.get("conditions") or ():
        if c.get("type") == kind:
            found: Value = c
            return found
    return None


def observed(pod: Value, minor: int) -> Value:
    """What a condition of a pod says of the generation that it was set for (KEP-5067, on by default since 1.34).

    Controllers and the scheduler say so, the eviction subresource and a binding do not.
    """
    return {"observedGeneration": pod["metadata"].get("generation", 1)} if minor >= _OBSERVED_SINCE else {}


def with_conditions(status: Value, conditions: dict[str, Value], now: str) -> Value:
    """The status with these conditions in their places; times change where the status of a condition does."""
    known = {c["type"]: c for c in status.get("conditions") or ()}
    for kind, said in conditions.items():
        before = known.get(kind)
        same = before is not None and before["status"] == said["status"] and before.get("lastTransitionTime")
        time = before["lastTransitionTime"] if same and before is not None else now
        known[kind] = {"type": kind, "lastTransitionTime": time, **said}
    return {**status, "conditions": list(known.values())}
