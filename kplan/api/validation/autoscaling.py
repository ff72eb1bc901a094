"""HorizontalPodAutoscalers.

Follows pkg/apis/autoscaling/validation/validation.go and, for autoscaling/v1, whose objects the server turns into the
newer form first, pkg/apis/autoscaling/v1/conversion.go.
"""

from __future__ import annotations

from kplan import quantity
from kplan.api.validation import metadata, names
from kplan.api.validation.field import Errors
from kplan.api.validation.requirements import container_resource_name, non_negative
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kplan.api.validation import Context

Value = dict[str, Any]

SOURCES = {
    "Object": "object",
    "External": "external",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
TARGETS = ("Utilization", "Value", "AverageValue")
SELECT_POLICIES = ("Disabled", "Max", "Min")
POLICY_TYPES = ("Percent", "Pods")
MAX_PERIOD, MAX_WINDOW = 1800, 3600

_NO_TARGET = "must set either a target raw value or a target utilization"
_TWO_TARGETS = "may not set both a target raw value and a target utilization"


def create_autoscaler(obj: Value, errors: Errors, context: Context) -> None:
    """A new HorizontalPodAutoscaler."""
    metadata.create(obj, errors, context)
    _spec(errors, _converted(obj), None)


def update_autoscaler(new: Value, old: Value, errors: Errors, _context: Context) -> None:
    """A changed HorizontalPodAutoscaler; references that were accepted before may stay as they are."""
    metadata.update(new, old, errors)
    _spec(errors, _converted(new), _converted(old))


def _converted(obj: Value) -> Value:
    """The spec in the form of autoscaling/v2. Metrics and behavior that v1 carries in annotations are not looked at."""
    spec = obj.get("spec") or {}
    if obj.get("apiVersion") != "autoscaling/v1" or spec.get("targetCPUUtilizationPercentage") is None:
        return spec
    target = {"type": "Utilization", "averageUtilization": spec["targetCPUUtilizationPercentage"]}
    return {**spec, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]}


def _spec(errors: Errors, spec: Value, old: Value | None) -> None:
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    lowest = 0 if old is not None and old.get("minReplicas") == 0 else 1
    if low is not None and low < lowest:
        errors.invalid("spec.minReplicas", low, f"must be greater than or equal to {lowest}")
    if not high:
        errors.required("spec.maxReplicas", "must be set and greater than 0")
    elif high < 0:
        errors.invalid("spec.maxReplicas", high, "must be greater than or equal to 1")
    if low is not None and high < low:
        errors.invalid("spec.maxReplicas", high, "must be greater than or equal to `minReplicas`")
    _target(errors, spec.get("scaleTargetRef") or {}, old)
    metrics = spec.get("metrics") or ()
    check_version = not _has_bad_object(old)
    for i, metric in enumerate(metrics):
        _metric(errors, f"spec.metrics[{i}]", metric, check_version=check_version)
    if low == 0 and not any(m.get("type") in {"Object", "External"} for m in metrics):
        sentence = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.forbidden("spec.metrics", sentence)
    for name in ("scaleUp", "scaleDown"):
        rules = (spec.get("behavior") or {}).get(name)
        if rules is not None:
            _scaling_rules(errors, f"spec.behavior.{name}", rules)


def _target(errors: Errors, target: Value, old: Value | None) -> None:
    before = (old or {}).get("scaleTargetRef") or {}
    same = old is not None and all(target.get(n) == before.get(n) for n in ("apiVersion", "kind"))
    needs_group = target.get("kind") != "ReplicationController"
    _reference(errors, "spec.scaleTargetRef", target, check_version=not same, needs_group=needs_group)


def _has_bad_object(spec: Value | None) -> bool:
    """Whether a stored metric describes an object of an API version that is none."""
    metrics = (spec or {}).get("metrics") or ()
    objects = (m.get("object") or {} for m in metrics if m.get("type") == "Object")
    return any(_version_fault((o.get("describedObject") or {}).get("apiVersion") or "", False) for o in objects)


def _reference(errors: Errors, field: str, ref: Value, *, check_version: bool, needs_group: bool = False) -> None:
    for name in ("kind", "name"):
        value = ref.get(name)
        if not value:
            errors.required(f"{field}.{name}")
        else:
            names.invalid(errors, f"{field}.{name}", value, names.path_segment(value))
    version = ref.get("apiVersion") or ""
    fault = _version_fault(version, needs_group) if check_version else ""
    if fault:
        errors.invalid(f"{field}.apiVersion", version, fault)


def _version_fault(version: str, needs_group: bool) -> str:
    slashes = version.count("/")
    if slashes > 1:
        return f"unexpected GroupVersion string: {version}"
    has_group = slashes == 1 and not version.startswith("/")
    return "apiVersion must specify API group" if needs_group and not has_group else ""


def _metric(errors: Errors, path: str, metric: Value, *, check_version: bool) -> None:
    kind = metric.get("type") or ""
    types = sorted(SOURCES)
    if not kind:
        errors.required(f"{path}.type", "must specify a metric source type")
    errors.one_of(f"{path}.type", kind, types)
    present = [name for name in SOURCES.values() if metric.get(name) is not None]
    if present:
        _source(errors, f"{path}.{present[0]}", present[0], metric[present[0]], check_version)
    expected = SOURCES.get(kind)
    if expected is None:
        errors.one_of(f"{path}.type", kind, types)
    elif expected not in present:
        errors.required(f"{path}.{expected}", "must populate information for the given metric source")
    if len(present) != 1:
        for name in sorted(set(present) - {expected}):
            errors.forbidden(f"{path}.{name}", "must populate the given metric source only")


def _source(errors: Errors, path: str, kind: str, source: Value, check_version: bool) -> None:
    target = source.get("target") or {}
    value, average = target.get("value"), target.get("averageValue")
    if kind == "object":
        reference = source.get("describedObject") or {}
        _reference(errors, f"{path}.describedObject", reference, check_version=check_version)
    if kind in {"object", "external", "pods"}:
        _identifier(errors, f"{path}.metric.name", (source.get("metric") or {}).get("name") or "")
    else:
        _resource(errors, path, source, is_container=kind == "containerResource")
    _metric_target(errors, f"{path}.target", target)
    where = f"{path}.target.averageValue"
    if kind in {"resource", "containerResource"}:
        utilization = target.get("averageUtilization")
        if utilization is None and average is None:
            errors.required(f"{path}.target.averageUtilization", _NO_TARGET)
        if utilization is not None and average is not None:
            errors.forbidden(where, _TWO_TARGETS)
    elif kind == "pods":
        if average is None:
            errors.required(where, "must specify a positive target averageValue")
    elif value is None and average is None:
        rest = "or averageValue" if kind == "object" else "for metric or a per-pod target"
        errors.required(where, f"must set either a target value {rest}")
    elif kind == "external" and value is not None and average is not None:
        sentence = "may not set both a target value for metric and a per-pod target"
        errors.forbidden(f"{path}.target.value", sentence)


def _identifier(errors: Errors, field: str, name: str) -> None:
    if not name:
        errors.required(field, "must specify a metric name")
    else:
        names.invalid(errors, field, name, names.path_segment(name))


def _resource(errors: Errors, path: str, source: Value, *, is_container: bool) -> None:
    name, container = source.get("name") or "", source.get("container") or ""
    if not name:
        errors.required(f"{path}.name", "must specify a resource name")
    elif is_container:
        container_resource_name(errors, f"{path}.name", name)
    if is_container and not container:
        errors.required(f"{path}.container", "must specify a container")
    elif is_container:
        names.invalid(errors, f"{path}.container", container, names.dns1123_label(container))


def _metric_target(errors: Errors, path: str, target: Value) -> None:
    kind, utilization = target.get("type") or "", target.get("averageUtilization")
    if not kind:
        errors.required(f"{path}.type", "must specify a metric target type")
    if kind not in TARGETS:
        errors.invalid(f"{path}.type", kind, "must be either Utilization, Value, or AverageValue")
    for name in ("value", "averageValue"):
        amount = target.get(name)
        if amount is not None and quantity.parse(amount).nanos <= 0:
            errors.invalid(f"{path}.{name}", amount, "must be positive")
    if utilization is not None and utilization < 1:
        errors.invalid(f"{path}.averageUtilization", utilization, "must be greater than 0")


def _scaling_rules(errors: Errors, path: str, rules: Value) -> None:
    window, policy = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None and window < 0:
        errors.invalid(f"{path}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    if window is not None and window > MAX_WINDOW:
        sentence = f"must be less than or equal to {MAX_WINDOW}"
        errors.invalid(f"{path}.stabilizationWindowSeconds", window, sentence)
    if policy is not None:
        errors.one_of(f"{path}.selectPolicy", policy, SELECT_POLICIES)
    policies = rules.get("policies") or ()
    if not policies:
        errors.required(f"{path}.policies", "must specify at least one Policy")
    for i, rule in enumerate(policies):
        _scaling_policy(errors, f"{path}.policies[{i}]", rule)
    if rules.get("tolerance") is not None:
        non_negative(errors, f"{path}.tolerance", quantity.parse(rules["tolerance"]))


def _scaling_policy(errors: Errors, path: str, policy: Value) -> None:
    errors.one_of(f"{path}.type", policy.get("type") or "", POLICY_TYPES)
    period = policy.get("periodSeconds") or 0
    for name in ("value", "periodSeconds"):
        number = policy.get(name) or 0
        if number <= 0:
            errors.invalid(f"{path}.{name}", number, names.POSITIVE)
    if period > MAX_PERIOD:
        errors.invalid(f"{path}.periodSeconds", period, f"must be less than or equal to {MAX_PERIOD}")


CREATE = {("autoscaling", "HorizontalPodAutoscaler"): create_autoscaler}
UPDATE = {("autoscaling", "HorizontalPodAutoscaler"): update_autoscaler}
