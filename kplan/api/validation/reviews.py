"""Questions to the server that it answers and does not store: who somebody is, and what somebody may do.

Follows pkg/apis/authorization/validation/validation.go. These kinds have no names, and the registry of stored objects
does not look at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kplan.api.validation.field import Errors

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]

GROUP = "authorization.k8s.io"
_ONE = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


def _attributes(spec: Value, errors: Errors) -> None:
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and other is not None:
        errors.invalid(
            "spec.nonResourceAttributes", other, "cannot be specified in combination with resourceAttributes"
        )
    elif resource is None and other is None:
        errors.invalid("spec.resourceAttributes", None, _ONE)


def _somebody(spec: Value, errors: Errors) -> None:
    if not spec.get("user") and not spec.get("groups"):
        errors.invalid("spec.user", "", "at least one of user or group must be specified")


def _no_metadata(obj: Value, errors: Errors, *allowed: str) -> None:
    rest = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in allowed and v}
    if rest:
        errors.invalid("metadata", obj["metadata"], "must be empty")


def _self_access(obj: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001 - a validator's signature
    _attributes(obj.get("spec") or {}, errors)
    _no_metadata(obj, errors)


def _access(obj: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001 - a validator's signature
    spec = obj.get("spec") or {}
    _attributes(spec, errors)
    _somebody(spec, errors)
    _no_metadata(obj, errors)


def _local_access(obj: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001 - a validator's signature
    spec = obj.get("spec") or {}
    _attributes(spec, errors)
    _somebody(spec, errors)
    _no_metadata(obj, errors, "namespace")
    resource, namespace = spec.get("resourceAttributes"), (obj.get("metadata") or {}).get("namespace") or ""
    if resource is not None and (resource.get("namespace") or "") != namespace:
        where = "spec.resourceAttributes.namespace"
        errors.invalid(where, resource.get("namespace") or "", "must match metadata.namespace")
    if spec.get("nonResourceAttributes") is not None:
        where = "spec.nonResourceAttributes"
        errors.invalid(where, spec["nonResourceAttributes"], "disallowed on this kind of request")


CREATE = {
    (GROUP, "SelfSubjectAccessReview"): _self_access,
    (GROUP, "SubjectAccessReview"): _access,
    (GROUP, "LocalSubjectAccessReview"): _local_access,
}
UPDATE: dict[tuple[str, str], Any] = {}
