"""LimitRange and ResourceQuota. Follows pkg/apis/core/validation/validation.go and pkg/apis/core/helper/helpers.go."""

from __future__ import annotations

from collections.abc import Mapping

from kplan import quantity
from kplan.api.validation import Context, metadata, names, requirements
from kplan.api.validation.field import Errors
from kplan.hints import Any
from kplan.quantity import Quantity

Value = dict[str, Any]
Amounts = Mapping[str, Quantity]

LIMIT_TYPES = frozenset(("Pod", "Container", "PersistentVolumeClaim"))
POD_COMPUTE = frozenset(("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"))
QUOTA_RESOURCES = POD_COMPUTE | frozenset(
    "ephemeral-storage requests.storage requests.ephemeral-storage limits.ephemeral-storage pods resourcequotas "
    "services replicationcontrollers secrets persistentvolumeclaims configmaps services.nodeports "
    "services.loadbalancers".split()
)
POD_RESOURCES = POD_COMPUTE | {"pods"}
# scope -> the resources it can narrow
SCOPES: Mapping[str, frozenset[str]] = {
    "Terminating": POD_RESOURCES,
    "NotTerminating": POD_RESOURCES,
    "BestEffort": frozenset(("pods",)),
    "NotBestEffort": POD_RESOURCES,
    "PriorityClass": POD_RESOURCES,
    "CrossNamespacePodAffinity": POD_RESOURCES,
    "VolumeAttributesClass": frozenset(("persistentvolumeclaims", "requests.storage")),
}
CONFLICTS = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
EXISTS_ONLY = frozenset(SCOPES) - {"PriorityClass", "VolumeAttributesClass"}
ONE = quantity.parse("1")


def _limit_range(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    seen: set[str] = set()
    for i, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        at, type_ = f"spec.limits[{i}]", (item or {}).get("type") or ""
        _limit_type(errors, f"{at}.type", type_)
        if type_ in seen:
            errors.duplicate(f"{at}.type", type_)
        seen.add(type_)
        _limit_item(item or {}, type_, at, errors)


def _limit_type(errors: Errors, field: str, type_: str) -> None:
    problems = names.qualified_name(type_)
    names.invalid(errors, field, type_, problems)
    if not problems and "/" not in type_ and type_ not in LIMIT_TYPES:
        errors.invalid(field, type_, "must be a standard limit type or fully qualified")


def _limit_item(item: Value, type_: str, at: str, errors: Errors) -> None:
    lists: dict[str, Amounts] = {}
    for field in ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio"):
        own = item.get(field) or {}
        if type_ == "Pod" and field.startswith("default"):
            if own:
                errors.forbidden(f"{at}.{field}", "may not be specified when `type` is 'Pod'")
            continue
        if type_ == "PersistentVolumeClaim" and field == "maxLimitRequestRatio":
            _needs_storage(item, at, errors)
        for name in sorted(own):
            _limit_resource(errors, f"{at}.{field}[{name}]", name, type_)
        lists[field] = {k: quantity.parse(str(v)) for k, v in own.items()}
    for name in sorted(set().union(*lists.values())):
        _bounds(name, {f: amounts[name] for f, amounts in lists.items() if name in amounts}, at, errors)


def _needs_storage(item: Value, at: str, errors: Errors) -> None:
    if not any("storage" in (item.get(f) or {}) for f in ("min", "max")):
        detail = "either minimum or maximum storage value is required, but neither was provided"
        errors.required(f"{at}.limits", detail)


def _limit_resource(errors: Errors, field: str, name: str, type_: str) -> None:
    if type_ in ("Pod", "Container"):
        requirements.container_resource_name(errors, field, name)
    else:
        requirements.resource_name(errors, field, name)


# (field that is judged, value shown, smaller, its name, larger, its name)
ORDER = (
    ("min", "min", "min", "min value", "max", "max value"),
    ("defaultRequest", "defaultRequest", "min", "min value", "defaultRequest", "default request value"),
    ("defaultRequest", "defaultRequest", "defaultRequest", "default request value", "max", "max value"),
    ("defaultRequest", "defaultRequest", "defaultRequest", "default request value", "default", "default limit value"),
    ("default", "min", "min", "min value", "default", "default value"),
    ("default", "max", "default", "default value", "max", "max value"),
)


def _bounds(name: str, given: Mapping[str, Quantity], at: str, errors: Errors) -> None:
    for field, shown, small, small_name, large, large_name in ORDER:
        if small in given and large in given and given[small].nanos > given[large].nanos:
            detail = f"{small_name} {given[small]} is greater than {large_name} {given[large]}"
            errors.invalid(f"{at}.{field}[{name}]", str(given[shown]), detail)
    _ratio(name, given, at, errors)
    default, request = given.get("default"), given.get("defaultRequest")
    if default and request and default.nanos != request.nanos and not requirements.can_overcommit(name):
        detail = f"default value {default} must equal to defaultRequest value {request} in {name}"
        errors.invalid(f"{at}.defaultRequest[{name}]", str(request), detail)


def _ratio(name: str, given: Mapping[str, Quantity], at: str, errors: Errors) -> None:
    ratio = given.get("maxLimitRequestRatio")
    if ratio is None:
        return
    field = f"{at}.maxLimitRequestRatio[{name}]"
    if ratio.nanos < ONE.nanos:
        errors.invalid(field, str(ratio), f"ratio {ratio} is less than 1")
    low, high = given.get("min"), given.get("max")
    if low is None or high is None:
        return
    limit = high.milli / low.milli if low.milli else float("inf") if high.milli > 0 else float("nan")
    if ratio.milli / 1000 > limit:
        errors.invalid(field, str(ratio), f"ratio {ratio} is greater than max/min = {limit:f}")


def _limit_range_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    _limit_range(new, errors, context)


def _resource_quota(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _quota_spec(obj.get("spec") or {}, errors)


def _quota_spec(spec: Value, errors: Errors) -> None:
    hard = spec.get("hard") or {}
    for name in sorted(hard):
        field = f"spec.hard[{name}]"
        requirements.resource_name(errors, field, name)
        if "/" not in name and not _is_quota_resource(name):
            errors.invalid(field, name, "must be a standard resource for quota")
        requirements.quantity_value(errors, field, name, quantity.parse(str(hard[name])))
    _scopes(spec, sorted(hard), errors)
    if spec.get("scopeSelector") is not None:
        _scope_selector(spec, sorted(hard), errors)


def _is_quota_resource(name: str) -> bool:
    return name in QUOTA_RESOURCES or name.startswith(("hugepages-", "requests.hugepages-"))


def _unfit(scope: str, hard: list[str]) -> int:
    """How many limited resources a scope has nothing to say about."""
    fit = SCOPES.get(scope)
    return 0 if fit is None else sum(1 for name in hard if _is_quota_resource(name) and name not in fit)


def _scopes(spec: Value, hard: list[str], errors: Errors) -> None:
    scopes = spec.get("scopes") or []
    for scope in scopes:
        if scope not in SCOPES:
            errors.invalid("spec.scopes", scopes, "unsupported scope")
        for _ in range(_unfit(scope, hard)):
            errors.invalid("spec.scopes", scopes, "unsupported scope applied to resource")
    for pair in CONFLICTS:
        if set(pair) <= set(scopes):
            errors.invalid("spec.scopes", scopes, "conflicting scopes")


def _scope_selector(spec: Value, hard: list[str], errors: Errors) -> None:
    at = "spec.scopeSelector.matchExpressions"
    expressions = spec["scopeSelector"].get("matchExpressions") or []
    for e in expressions:
        scope, operator, values = e.get("scopeName") or "", e.get("operator") or "", e.get("values")
        if scope not in SCOPES:
            errors.invalid(f"{at}.scopeName", scope, "unsupported scope")
        for _ in range(_unfit(scope, hard)):
            errors.invalid(at, _go_selector(expressions), "unsupported scope applied to resource")
        if scope in EXISTS_ONLY and operator != "Exists":
            detail = (
                "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or "
                "ResourceQuotaScopeCrossNamespacePodAffinity"
            )
            errors.invalid(f"{at}.operator", operator, detail)
        if operator in ("In", "NotIn"):
            if not values:
                detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
                errors.required(f"{at}.values", detail)
        elif operator not in ("Exists", "DoesNotExist"):
            errors.invalid(f"{at}.operator", operator, "not a valid selector operator")
        elif values:
            detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
            errors.invalid(f"{at}.values", values, detail)
    used = {e.get("scopeName") for e in expressions}
    for pair in CONFLICTS:
        if set(pair) <= used:
            errors.invalid(at, spec.get("scopes"), "conflicting scopes")


def _go_selector(expressions: list[Value]) -> Value:
    fields = (("ScopeName", "scopeName", ""), ("Operator", "operator", ""), ("Values", "values", None))
    return {"MatchExpressions": [{go: e.get(key) or empty for go, key, empty in fields} for e in expressions]}


def _resource_quota_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    _quota_spec(new.get("spec") or {}, errors)
    before, after = ((o.get("spec") or {}).get("scopes") for o in (old, new))
    if set(before or ()) != set(after or ()):
        errors.invalid("spec.scopes", after, names.IMMUTABLE)


CREATE = {("", "LimitRange"): _limit_range, ("", "ResourceQuota"): _resource_quota}
UPDATE = {("", "LimitRange"): _limit_range_update, ("", "ResourceQuota"): _resource_quota_update}
