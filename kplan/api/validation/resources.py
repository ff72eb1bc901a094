"""Claims and classes of dynamic resource allocation. Follows pkg/apis/resource/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, deviceparts, metadata, names, requirements
from kplan.api.validation.field import Errors
from kplan.api.validation.resourceslices import resource_slice, resource_slice_update
from kplan.hints import Any
from kplan.store import Store

Value = dict[str, Any]

GROUP = "resource.k8s.io"
MODES = ("All", "ExactCount")
MAX_REQUESTS = MAX_CONSTRAINTS = MAX_CONFIGS = 32
MAX_ALTERNATIVES = 8
DISTINCT_SINCE = 36  # the minor since which devices may be told to differ in an attribute
ADMIN_LABEL = "resource.kubernetes.io/admin-access"
UNKNOWN_REQUEST = (
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
)
ADMIN_DETAIL = (
    "admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace"
)


def _claim(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _spec(obj.get("spec") or {}, "spec", errors, context.minor)
    _admin_access(obj, obj.get("spec") or {}, "spec", errors, context.store)


def _template(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    template: Value = (obj.get("spec") or {}).get("metadata") or {}
    metadata.label_map(template.get("labels") or {}, errors, "spec.metadata.labels")
    metadata.annotation_map(template.get("annotations") or {}, errors, "spec.metadata.annotations")
    spec = (obj.get("spec") or {}).get("spec") or {}
    _spec(spec, "spec.spec", errors, context.minor)
    _admin_access(obj, spec, "spec", errors, context.store)  # the registry leaves a `spec` out


def _admin_access(obj: Value, spec: Value, at: str, errors: Errors, store: Store | None) -> None:
    """The registry asks this after the field errors, of the namespace's label."""
    if errors:
        return
    name = (obj.get("metadata") or {}).get("namespace") or ""
    namespace = store.find("Namespace", name) if store else None
    labels = ((namespace or {}).get("metadata") or {}).get("labels") or {}
    if labels.get(ADMIN_LABEL) == "true":
        return
    for i, request in enumerate((spec.get("devices") or {}).get("requests") or ()):
        if (request.get("exactly") or {}).get("adminAccess"):
            errors.forbidden(f"{at}.devices.requests[{i}].adminAccess", ADMIN_DETAIL)


def _spec(spec: Value, at: str, errors: Errors, minor: int) -> None:
    devices, at = spec.get("devices") or {}, f"{at}.devices"
    requests = devices.get("requests") or []
    known = _request_names(requests)
    if deviceparts.limited(errors, f"{at}.requests", requests, MAX_REQUESTS):
        for i, request in enumerate(requests):
            _request(request or {}, f"{at}.requests[{i}]", errors, minor)
        deviceparts.unique(
            errors, ((f"{at}.requests[{i}]", (r or {}).get("name") or "") for i, r in enumerate(requests))
        )
    constraints = devices.get("constraints") or []
    if deviceparts.limited(errors, f"{at}.constraints", constraints, MAX_CONSTRAINTS):
        for i, constraint in enumerate(constraints):
            _constraint(constraint or {}, f"{at}.constraints[{i}]", known, errors, minor)
    configs = devices.get("config") or []
    if deviceparts.limited(errors, f"{at}.config", configs, MAX_CONFIGS):
        for i, config in enumerate(configs):
            _references((config or {}).get("requests") or [], f"{at}.config[{i}].requests", known, errors)
            deviceparts.configuration(errors, f"{at}.config[{i}]", config or {})


def _request_names(requests: list[Value]) -> set[str]:
    known = set()
    for request in requests:
        name = (request or {}).get("name") or ""
        known.add(name)
        known |= {f"{name}/{s.get('name') or ''}" for s in (request or {}).get("firstAvailable") or () if s}
    return known


def _request(request: Value, at: str, errors: Errors, minor: int) -> None:
    name = request.get("name") or ""
    names.invalid(errors, f"{at}.name", name, names.dns1123_label(name))
    exactly, alternatives = request.get("exactly"), request.get("firstAvailable")
    given = (exactly is not None) + bool(alternatives)
    if given == 0:
        errors.required(at, "exactly one of `exactly` or `firstAvailable` is required")
    elif given > 1:
        errors.invalid(
            at, None, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set"
        )
    if exactly is not None:
        _wanted(exactly, f"{at}.exactly", errors, minor)
    items = alternatives or []
    if deviceparts.limited(errors, f"{at}.firstAvailable", items, MAX_ALTERNATIVES):
        for i, item in enumerate(items):
            own = (item or {}).get("name") or ""
            names.invalid(errors, f"{at}.firstAvailable[{i}].name", own, names.dns1123_label(own))
            _wanted(item or {}, f"{at}.firstAvailable[{i}]", errors, minor)
        fields = ((f"{at}.firstAvailable[{i}]", (s or {}).get("name") or "") for i, s in enumerate(items))
        deviceparts.unique(errors, fields)


def _wanted(wanted: Value, at: str, errors: Errors, minor: int) -> None:
    deviceparts.device_class(errors, f"{at}.deviceClassName", wanted.get("deviceClassName") or "")
    deviceparts.selectors(errors, f"{at}.selectors", wanted.get("selectors") or [], minor)
    mode, count = wanted.get("allocationMode") or "", wanted.get("count") or 0
    if mode == "All":
        if count:
            errors.invalid(f"{at}.count", count, "must not be specified when allocationMode is 'All'")
    elif mode == "ExactCount":
        if count <= 0:
            errors.invalid(f"{at}.count", count, deviceparts.GREATER)
    else:
        errors.not_supported(f"{at}.allocationMode", mode, MODES)
    for name in sorted((wanted.get("capacity") or {}).get("requests") or {}):
        deviceparts.qualified(errors, f"{at}.capacity.requests[{name}]", name)
    deviceparts.tolerations(errors, f"{at}.tolerations", wanted.get("tolerations") or [])


def _references(requests: list[str], field: str, known: set[str], errors: Errors) -> None:
    if not deviceparts.limited(errors, field, requests, MAX_REQUESTS):
        return
    for i, name in enumerate(requests):
        for part in (name or "").split("/"):
            names.invalid(errors, f"{field}[{i}]", part, names.dns1123_label(part))
        if name not in known:
            errors.invalid(f"{field}[{i}]", name or "", UNKNOWN_REQUEST)
    deviceparts.unique(errors, ((f"{field}[{i}]", name) for i, name in enumerate(requests)))


def _constraint(constraint: Value, at: str, known: set[str], errors: Errors, minor: int) -> None:
    _references(constraint.get("requests") or [], f"{at}.requests", known, errors)
    match, distinct = constraint.get("matchAttribute"), constraint.get("distinctAttribute")
    if match is not None:
        deviceparts.fully_qualified(errors, f"{at}.matchAttribute", match)
    elif distinct is not None:
        deviceparts.fully_qualified(errors, f"{at}.distinctAttribute", distinct)
    elif minor < DISTINCT_SINCE:
        errors.required(f"{at}.matchAttribute")
    else:
        detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
        errors.required(at, detail)


def _device_class(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _class_spec(obj.get("spec") or {}, errors, context.minor)


def _class_spec(spec: Value, errors: Errors, minor: int) -> None:
    deviceparts.selectors(errors, "spec.selectors", spec.get("selectors") or [], minor)
    configs = spec.get("config") or []
    if deviceparts.limited(errors, "spec.config", configs, MAX_CONFIGS):
        for i, config in enumerate(configs):
            deviceparts.configuration(errors, f"spec.config[{i}]", config or {})
    extended = spec.get("extendedResourceName")
    if extended is not None and not requirements.is_extended(extended):
        errors.invalid("spec.extendedResourceName", extended, "must be a valid extended resource name")


def _device_class_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    _class_spec(new.get("spec") or {}, errors, context.minor)


def _claim_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    _fixed(new, old, errors)
    _spec(new.get("spec") or {}, "spec", errors, context.minor)


def _template_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    _fixed(new, old, errors)
    _spec((new.get("spec") or {}).get("spec") or {}, "spec.spec", errors, context.minor)


def _fixed(new: Value, old: Value, errors: Errors) -> None:
    # As text, for a driver's own parameters tell 1 from true.
    import json  # slow to load

    if json.dumps(new.get("spec") or {}, sort_keys=True) != json.dumps(old.get("spec") or {}, sort_keys=True):
        errors.invalid("spec", new.get("spec"), names.IMMUTABLE)


CREATE = {
    (GROUP, "ResourceClaim"): _claim,
    (GROUP, "ResourceClaimTemplate"): _template,
    (GROUP, "ResourceSlice"): resource_slice,
    (GROUP, "DeviceClass"): _device_class,
}
UPDATE = {
    (GROUP, "ResourceClaim"): _claim_update,
    (GROUP, "ResourceClaimTemplate"): _template_update,
    (GROUP, "ResourceSlice"): resource_slice_update,
    (GROUP, "DeviceClass"): _device_class_update,
}
