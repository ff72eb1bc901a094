"""ResourceSlices: the devices that a driver offers. Follows pkg/apis/resource/validation/validation.go."""

from __future__ import annotations

from kplan import quantity
from kplan.api.validation import Context, affinity, deviceparts, metadata, names
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.hints import Any
from kplan.quantity import Quantity

Value = dict[str, Any]

MAX_DEVICES, MAX_PLAIN_DEVICES = 128, 64
MAX_COUNTER_SETS, MAX_COUNTERS, MAX_TAINTS, MAX_CONDITIONS = 8, 32, 16, 4
TRUE_OR_UNSET = "must be either unset or set to true"
PER_DEVICE = (
    "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the "
    "ResourceSlice spec"
)
ONE_NODE_FIELD = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
ONE_DEVICE_FIELD = (
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to "
    "true in the ResourceSlice spec"
)
DUE_DETAIL = "{0} are required to use {1}"


def resource_slice(obj: Value, errors: Errors, context: Context) -> None:
    """A new ResourceSlice."""
    metadata.create(obj, errors, context)
    _spec(obj.get("spec") or {}, errors)


def resource_slice_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    """A changed ResourceSlice: driver, pool and node stay."""
    metadata.update(new, old, errors)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    _spec(spec, errors)
    pool, pool_before = ((s.get("pool") or {}).get("name") for s in (spec, before))
    if pool != pool_before:
        errors.invalid("spec.pool.name", pool or "", names.IMMUTABLE)
    for field in ("driver", "nodeName"):
        if spec.get(field) != before.get(field):
            errors.invalid(f"spec.{field}", spec.get(field), names.IMMUTABLE)


def _spec(spec: Value, errors: Errors) -> None:
    deviceparts.driver_name(errors, "spec.driver", spec.get("driver") or "")
    pool = spec.get("pool") or {}
    deviceparts.pool_name(errors, "spec.pool.name", pool.get("name") or "")
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        errors.invalid("spec.pool.resourceSliceCount", count, deviceparts.GREATER)
    if generation < 0:
        errors.invalid("spec.pool.generation", generation, "must be greater than or equal to zero")
    _nodes(spec, errors)
    devices = spec.get("devices") or []
    if deviceparts.limited(errors, "spec.devices", devices, MAX_DEVICES):
        for i, device in enumerate(devices):
            _device(device or {}, f"spec.devices[{i}]", bool(spec.get("perDeviceNodeSelection")), errors)
        fields = ((f"spec.devices[{i}]", (d or {}).get("name") or "") for i, d in enumerate(devices))
        deviceparts.unique(errors, fields)
    sets = spec.get("sharedCounters") or []
    if deviceparts.limited(errors, "spec.sharedCounters", sets, MAX_COUNTER_SETS):
        for i, counters in enumerate(sets):
            _counters(counters or {}, f"spec.sharedCounters[{i}]", "name", errors)
        fields = ((f"spec.sharedCounters[{i}]", (c or {}).get("name") or "") for i, c in enumerate(sets))
        deviceparts.unique(errors, fields)


def _nodes(spec: Value, errors: Errors) -> None:
    given = []
    name, selector = spec.get("nodeName"), spec.get("nodeSelector")
    if name:
        given.append("nodeName")
        names.invalid(errors, "spec.nodeName", name, names.dns1123_subdomain(name))
    elif name is not None:
        errors.invalid("spec.nodeName", name, "must be either unset or set to a non-empty string")
    if selector is not None:
        given.append("nodeSelector")
        affinity.node_selector(errors, "spec.nodeSelector", selector)
        terms = selector.get("nodeSelectorTerms")
        if len(terms or ()) != 1:
            detail = "must have exactly one node selector term"
            shown = terms and [internal(term or {}, "NodeSelectorTerm") for term in terms]
            errors.invalid("spec.nodeSelector.nodeSelectorTerms", shown, detail)
    for field in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(field):
            given.append(field)
        elif spec.get(field) is not None:
            errors.invalid(f"spec.{field}", False, TRUE_OR_UNSET)
    if not given:
        errors.required("spec", ONE_NODE_FIELD)
    elif len(given) > 1:
        shown = "{" + ", ".join(f"`{g}`" for g in given) + "}"
        errors.invalid("spec", shown, f"{ONE_NODE_FIELD}, but multiple fields are set")


def _device(device: Value, at: str, per_device: bool, errors: Errors) -> None:
    name = device.get("name") or ""
    names.invalid(errors, f"{at}.name", name, names.dns1123_label(name))
    for key, attribute in sorted((device.get("attributes") or {}).items()):
        deviceparts.qualified(errors, f"{at}.attributes[{key}]", key)
        _attribute(attribute or {}, f"{at}.attributes[{key}]", errors)
    shared = bool(device.get("allowMultipleAllocations"))
    for key, capacity in sorted((device.get("capacity") or {}).items()):
        deviceparts.qualified(errors, f"{at}.capacity[{key}]", key)
        _capacity(capacity or {}, f"{at}.capacity[{key}]", shared, errors)
    taints = device.get("taints") or []
    if deviceparts.limited(errors, f"{at}.taints", taints, MAX_TAINTS):
        for i, taint in enumerate(taints):
            _taint(taint or {}, f"{at}.taints[{i}]", errors)
    consumed = device.get("consumesCounters") or []
    for i, counters in enumerate(consumed):
        _counters(counters or {}, f"{at}.consumesCounters[{i}]", "counterSet", errors)
    fields = ((f"{at}.consumesCounters[{i}]", (c or {}).get("counterSet") or "") for i, c in enumerate(consumed))
    deviceparts.unique(errors, fields)
    _device_nodes(device, at, per_device, errors)
    _conditions(device, at, errors)


def _device_nodes(device: Value, at: str, per_device: bool, errors: Errors) -> None:
    name, selector, everywhere = device.get("nodeName"), device.get("nodeSelector"), device.get("allNodes")
    if not per_device:
        if name is not None or selector is not None or everywhere is not None:
            errors.invalid(at, None, PER_DEVICE)
        return
    given = []
    if name:
        given.append("nodeName")
        names.invalid(errors, f"{at}.nodeName", name, names.dns1123_subdomain(name))
    elif name is not None:
        errors.invalid(f"{at}.nodeName", name, "must not be empty")
    if selector is not None:
        given.append("nodeSelector")
        affinity.node_selector(errors, f"{at}.nodeSelector", selector)
    if everywhere:
        given.append("allNodes")
    elif everywhere is not None:
        errors.invalid(f"{at}.allNodes", False, TRUE_OR_UNSET)
    if not given:
        errors.required(at, ONE_DEVICE_FIELD)
    elif len(given) > 1:
        shown = "{" + ", ".join(f"`{g}`" for g in given) + "}"
        errors.invalid(at, shown, ONE_DEVICE_FIELD)


def _conditions(device: Value, at: str, errors: Errors) -> None:
    pair = ("bindingConditions", "bindingFailureConditions")
    for field in pair:
        items = device.get(field) or []
        if deviceparts.limited(errors, f"{at}.{field}", items, MAX_CONDITIONS):
            for i, item in enumerate(items):
                names.label_name(errors, f"{at}.{field}[{i}]", item or "")
            deviceparts.unique(errors, ((f"{at}.{field}[{i}]", c) for i, c in enumerate(items)))
    for field, other in (pair, pair[::-1]):
        if not device.get(field) and device.get(other):
            errors.invalid(f"{at}.{field}", device.get(field), DUE_DETAIL.format(field, other))


def _attribute(attribute: Value, at: str, errors: Errors) -> None:
    given = [f for f in ("int", "bool", "string", "version") if attribute.get(f) is not None]
    if len(given) != 1:
        errors.invalid(at, "", "exactly one value must be specified")
        return
    text, version = attribute.get("string"), attribute.get("version")
    if text is not None and names.size(text) > deviceparts.VALUE_BYTES:
        errors.too_long(f"{at}.string", deviceparts.VALUE_BYTES)
    if version is not None:
        if not deviceparts.is_semver(version):
            errors.invalid(f"{at}.version", version, "must be a string compatible with semver.org spec 2.0.0")
        if names.size(version) > deviceparts.VALUE_BYTES:
            errors.too_long(f"{at}.version", deviceparts.VALUE_BYTES)


def _amount(value: Any) -> Quantity:
    return quantity.parse(str(value if value is not None else "0"))


def _capacity(capacity: Value, at: str, shared: bool, errors: Errors) -> None:
    policy = capacity.get("requestPolicy")
    if policy is None:
        return
    at, whole = f"{at}.requestPolicy", _amount(capacity.get("value"))
    if not shared:
        errors.forbidden(at, "allowMultipleAllocations must be true")
        return
    default, values, bounds = policy.get("default"), policy.get("validValues"), policy.get("validRange")
    if values and bounds is not None:
        errors.forbidden(
            at, "exactly one policy can be specified, cannot specify `validValues` and `validRange` at the same time"
        )
        return
    if default is None and (values or bounds is not None):
        which = "validRange" if bounds is not None else "validValues"
        errors.required(f"{at}.default", f"required when {which} is defined")
        return
    if values:
        _valid_values(_amount(default), [_amount(v) for v in values], whole, f"{at}.validValues", errors)
    elif bounds is not None:
        _valid_range(_amount(default), bounds, whole, f"{at}.validRange", errors)
    elif default is not None and _amount(default).nanos > whole.nanos:
        detail = f"default is larger than capacity value: {whole}"
        errors.invalid(f"{at}.default", str(_amount(default)), detail)


def _valid_values(default: Quantity, values: list[Quantity], whole: Quantity, at: str, errors: Errors) -> None:
    seen: set[int] = set()
    for i, value in enumerate(values):
        if i and value.nanos < values[i - 1].nanos:
            errors.invalid(f"{at}[{i}]", str(value), "values must be sorted in ascending order")
        if value.nanos > whole.nanos:
            errors.invalid(f"{at}[{i}]", str(value), f"option is larger than capacity value: {whole}")
        if value.nanos in seen:
            errors.duplicate(f"{at}[{i}]", str(value))
        seen.add(value.nanos)
    if default.nanos not in seen:
        errors.invalid(at, str(default), "default value is not valid according to the requestPolicy")


def _valid_range(default: Quantity, bounds: Value, whole: Quantity, at: str, errors: Errors) -> None:
    if bounds.get("min") is None:
        errors.required(f"{at}.min", "required when validRange is defined")
        return
    low = _amount(bounds["min"])
    if low.nanos > whole.nanos:
        errors.invalid(f"{at}.min", str(low), f"min is larger than capacity value: {whole}")
    if default.nanos < low.nanos:
        errors.invalid(f"{at}.min", str(default), f"default is less than min: {low}")
    step = _amount(bounds["step"]) if bounds.get("step") is not None else None
    if bounds.get("max") is not None:
        _upper(default, low, _amount(bounds["max"]), whole, at, errors)
    if step is None:
        return
    checked = [default] + ([_amount(bounds["max"])] if bounds.get("max") is not None else [])
    if low.nanos + step.nanos > whole.nanos:
        errors.invalid(f"{at}.step", str(step), f"one step {_sum(low, step)} is larger than capacity value: {whole}")
    for value in checked:
        if step.nanos and (value.nanos - low.nanos) % step.nanos:
            detail = f"value is not a multiple of a given step ({step}) from ({low})"
            errors.invalid(f"{at}.step", str(value), detail)


def _sum(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.nanos + b.nanos, a.format)


def _upper(default: Quantity, low: Quantity, high: Quantity, whole: Quantity, at: str, errors: Errors) -> None:
    field = f"{at}.max"
    if low.nanos > high.nanos:
        errors.invalid(field, str(low), f"min is larger than max: {high}")
    if high.nanos > whole.nanos:
        errors.invalid(field, str(high), f"max is larger than capacity value: {whole}")
    if default.nanos > high.nanos:
        errors.invalid(field, str(default), f"default is more than max: {high}")


def _taint(taint: Value, at: str, errors: Errors) -> None:
    names.label_name(errors, f"{at}.key", taint.get("key") or "")
    value, effect = taint.get("value") or "", taint.get("effect") or ""
    if value:
        names.invalid(errors, f"{at}.value", value, names.label_value(value))
    if not effect:
        errors.required(f"{at}.effect")
    elif effect not in deviceparts.EFFECTS:
        errors.not_supported(f"{at}.effect", effect, deviceparts.EFFECTS)


def _counters(counters: Value, at: str, name_field: str, errors: Errors) -> None:
    name, own = counters.get(name_field) or "", counters.get("counters") or {}
    if not name:
        errors.required(f"{at}.{name_field}")
    else:
        names.invalid(errors, f"{at}.{name_field}", name, names.dns1123_label(name))
    if not own:
        errors.required(f"{at}.counters")
    elif len(own) > MAX_COUNTERS:
        errors.too_many(f"{at}.counters", len(own), MAX_COUNTERS)
    for key in sorted(own):
        names.invalid(errors, f"{at}.counters[{key}]", key, names.dns1123_label(key))
