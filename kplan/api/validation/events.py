"""Events of both groups. Follows pkg/apis/core/validation/events.go."""

from __future__ import annotations

from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "events.k8s.io"
LENGTH, NOTE_LENGTH = 128, 1024
MISMATCH = "does not match event.namespace"
UNSET = "needs to be unset"
# Fields of the new group that stay as they are, and what messages call them: the names of the old group.
_FIXED = {
    "regarding": "involvedObject",
    "reason": "reason",
    "reportingController": "reportingController",
    "reportingInstance": "reportingInstance",
    "action": "action",
    "type": "type",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
    "deprecatedSource": "source",
    "note": "message",
    "eventTime": "eventTime",
    "related": "related",
}


def _core_event(obj: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001 - a validator's signature
    involved = (obj.get("involvedObject") or {}).get("namespace") or ""
    _event(obj, involved, obj.get("reportingComponent") or "", "reportingComponent", errors)


def _event(obj: Value, involved: str, controller: str, controller_field: str, errors: Errors) -> None:
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    if obj.get("eventTime") is None:
        allowed = ("", "default") if not involved else (involved,)
        if namespace not in allowed:
            errors.invalid("involvedObject.namespace", involved, MISMATCH)
    else:
        if not involved and namespace not in ("default", "kube-system"):
            errors.invalid("involvedObject.namespace", involved, MISMATCH)
        if not controller:
            errors.required(controller_field)
        names.label_name(errors, controller_field, controller)
        for field in ("reportingInstance", "action", "reason"):
            _text(errors, field, obj.get(field) or "")
        if names.size(obj.get("message") or obj.get("note") or "") > NOTE_LENGTH:
            errors.invalid("message", "", f"can have at most {NOTE_LENGTH} characters")
    names.invalid(errors, "namespace", namespace, names.dns1123_subdomain(namespace))


def _text(errors: Errors, field: str, text: str) -> None:
    if not text:
        errors.required(field)
    elif names.size(text) > LENGTH:
        errors.invalid(field, "", f"can have at most {LENGTH} characters")


def _regarding_event(obj: Value, errors: Errors) -> None:
    regarding = (obj.get("regarding") or {}).get("namespace") or ""
    _event(obj, regarding, obj.get("reportingController") or "", "reportingController", errors)


def _new_event(obj: Value, errors: Errors, context: Context) -> None:
    _regarding_event(obj, errors)
    metadata.create(obj, errors, context)
    _series(obj.get("series"), errors)
    if obj.get("eventTime") is None:
        errors.required("eventTime")
    if obj.get("type") not in ("Normal", "Warning"):
        errors.invalid("type", "", f"has invalid value: {obj.get('type') or ''}")
    for field in ("deprecatedFirstTimestamp", "deprecatedLastTimestamp"):
        if obj.get(field) is not None:
            errors.invalid(_FIXED[field], "", UNSET)
    if obj.get("deprecatedCount"):
        errors.invalid("count", "", UNSET)
    if any((obj.get("deprecatedSource") or {}).values()):
        errors.invalid("source", "", UNSET)


def _series(series: Value | None, errors: Errors) -> None:
    if series is None:
        return
    if (series.get("count") or 0) < 2:
        errors.invalid("series.count", "", "should be at least 2")
    if series.get("lastObservedTime") is None:
        errors.required("series.lastObservedTime")


def _core_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    _core_event(new, errors, context)


def _new_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    """All but the series is fixed once an event of the new group is stored."""
    _regarding_event(new, errors)
    metadata.update(new, old, errors)
    if new.get("series") != old.get("series"):
        _series(new.get("series"), errors)
    for field, name in _FIXED.items():
        now, was = new.get(field), old.get(field)
        if now != was:
            errors.invalid(name, "" if now is None and isinstance(was, str) else now, names.IMMUTABLE)


CREATE = {("", "Event"): _core_event, (GROUP, "Event"): _new_event}
UPDATE = {("", "Event"): _core_update, (GROUP, "Event"): _new_update}
