"""The condition of a PodDisruptionBudget that says whether a pod may be evicted.

Follows k8s.io/component-helpers/apps/poddisruptionbudget (UpdateDisruptionAllowedCondition) and
k8s.io/apimachinery/pkg/api/meta (SetStatusCondition).
"""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]

DISRUPTION_ALLOWED = "DisruptionAllowed"
SYNC_FAILED = "SyncFailed"


def with_condition(status: Value, now: str, failure: str | None = None) -> Value:
    """The status with the condition that goes with it; `failure` is why the controller could not work it out."""
    allowed = failure is None and status.get("disruptionsAllowed", 0) > 0
    reason = SYNC_FAILED if failure is not None else "SufficientPods" if allowed else "InsufficientPods"
    said = {
        "type": DISRUPTION_ALLOWED,
        "status": "True" if allowed else "False",
        "observedGeneration": status.get("observedGeneration", 0),
        "reason": reason,
        "message": failure or "",
    }
    if not said["observedGeneration"]:
        del said["observedGeneration"]
    conditions = list(status.get("conditions") or ())
    at = next((i for i, c in enumerate(conditions) if c.get("type") == DISRUPTION_ALLOWED), len(conditions))
    known = conditions[at] if at < len(conditions) else {}
    changed = known.get("lastTransitionTime") if known.get("status") == said["status"] else None
    conditions[at : at + 1] = [{**said, "lastTransitionTime": changed or now}]
    return {**status, "conditions": conditions}


def condition(status: Value) -> Value | None:
    """The condition, None where there is none."""
    found = (c for c in status.get("conditions") or () if c.get("type") == DISRUPTION_ALLOWED)
    return next(found, None)
