"""PriorityClass. Follows pkg/apis/scheduling/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "scheduling.k8s.io"
HIGHEST = 1_000_000_000
SYSTEM_PREFIX = "system-"
SYSTEM_CLASSES = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
POLICIES = ("PreemptLowerPriority", "Never")


def _priority_class(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    name, value = (obj.get("metadata") or {}).get("name") or "", obj.get("value") or 0
    if name.startswith(SYSTEM_PREFIX):
        if SYSTEM_CLASSES.get(name) != value:
            detail = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only"
            errors.forbidden("metadata.name", detail)
    elif value > HIGHEST:
        errors.forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}")
    policy = obj.get("preemptionPolicy")
    if policy == "":
        errors.required("preemptionPolicy")
    elif policy is not None and policy not in POLICIES:
        errors.not_supported("preemptionPolicy", policy, POLICIES, keep_order=True)


def _priority_class_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    if (new.get("value") or 0) != (old.get("value") or 0):
        errors.forbidden("value", "may not be changed in an update.")
    if new.get("preemptionPolicy") != old.get("preemptionPolicy"):
        errors.invalid("preemptionPolicy", new.get("preemptionPolicy"), names.IMMUTABLE)


CREATE = {(GROUP, "PriorityClass"): _priority_class}
UPDATE = {(GROUP, "PriorityClass"): _priority_class_update}
