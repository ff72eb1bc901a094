"""The kinds of storage.k8s.io. Follows pkg/apis/storage/validation/validation.go."""

from __future__ import annotations

from kplan import quantity
from kplan.api.validation import Context, metadata, names
from kplan.api.validation.field import Errors
from kplan.api.validation.volumes import volume_spec
from kplan.api.validation.volumesources import csi_driver_name
from kplan.hints import Any

Value = dict[str, Any]

GROUP = "storage.k8s.io"
MAX_PARAMETERS, MAX_PARAMETER_BYTES = 512, 256 * 1024
RECLAIM, BINDING = ("Delete", "Retain"), ("Immediate", "WaitForFirstConsumer")
FS_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
LIFECYCLES = ("Persistent", "Ephemeral")
MIN_EXPIRATION, MAX_EXPIRATION = 600, 1 << 32
MIN_UPDATE_SECONDS = 10
NODE_ID_BYTES, DRIVER_NAME_BYTES = 256, 63


def _storage_class(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _provisioner(obj.get("provisioner") or "", "provisioner", errors)
    _parameters(obj.get("parameters") or {}, errors)
    reclaim, binding = obj.get("reclaimPolicy"), obj.get("volumeBindingMode")
    if reclaim:
        errors.one_of("reclaimPolicy", reclaim, RECLAIM)
    if binding is None:
        errors.required("volumeBindingMode")
    else:
        errors.one_of("volumeBindingMode", binding, BINDING)
    _topologies(obj.get("allowedTopologies") or [], errors)


def _provisioner(name: str, field: str, errors: Errors) -> None:
    if not name:
        errors.required(field, name)
        return
    names.invalid(errors, field, name.lower(), names.qualified_name(name.lower()))


def _parameters(parameters: Value, errors: Errors, *, needed: bool = False) -> None:
    if len(parameters) > MAX_PARAMETERS:
        errors.too_long("parameters", MAX_PARAMETERS)
        return
    for key in sorted(parameters):
        if not key:
            errors.invalid("parameters", key, "field can not be empty.")
    if sum(names.size(k) + names.size(v or "") for k, v in parameters.items()) > MAX_PARAMETER_BYTES:
        errors.too_long("parameters", MAX_PARAMETER_BYTES)
    if needed and not parameters:
        errors.required("parameters", "must contain at least one key/value pair")


def _topologies(terms: list[Value], errors: Errors) -> None:
    # The server starts with as many empty terms as there are terms, so an empty one is a duplicate of each.
    seen: list[dict[str, frozenset[str]]] = [{} for _ in terms]
    for i, term in enumerate(terms):
        at, found = f"allowedTopologies[{i}]", dict[str, frozenset[str]]()
        for n, expression in enumerate((term or {}).get("matchLabelExpressions") or ()):
            field, key = f"{at}.matchLabelExpressions[{n}]", expression.get("key") or ""
            values = _topology_values(expression.get("values") or [], f"{field}.values", errors)
            names.label_name(errors, f"{field}.key", key)
            if key in found:
                errors.duplicate(f"{field}.key", key)
            found[key] = values
        for _ in range(seen.count(found)):
            errors.duplicate(f"{at}.matchLabelExpressions", "")
        seen.append(found)


def _topology_values(values: list[str], field: str, errors: Errors) -> frozenset[str]:
    if not values:
        errors.required(field)
    for i, value in enumerate(values):
        if value in values[:i]:
            errors.duplicate(f"{field}[{i}]", value)
    return frozenset(values)


def _storage_class_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    for field in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if (new.get(field) or None) != (old.get(field) or None):
            errors.invalid(field, _shown(new.get(field)), names.IMMUTABLE)


def _shown(value: Any) -> Any:
    """Go prints maps by sorted keys."""
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def _attributes_class(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _provisioner(obj.get("driverName") or "", "driverName", errors)
    _parameters(obj.get("parameters") or {}, errors, needed=True)


def _attributes_class_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    for field in ("driverName", "parameters"):
        if (new.get(field) or None) != (old.get(field) or None):
            errors.forbidden(field, f"updates to {field} are forbidden.")


def _csi_driver(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    name = (obj.get("metadata") or {}).get("name") or ""
    if names.size(name) > DRIVER_NAME_BYTES and not names.dns1123_subdomain(name):
        errors.too_long("name", DRIVER_NAME_BYTES)
    _csi_driver_spec(obj.get("spec") or {}, errors)


def _csi_driver_spec(spec: Value, errors: Errors) -> None:
    for field, name in (
        ("attachRequired", "attachedRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
        ("seLinuxMount", "seLinuxMount"),
    ):
        if spec.get(field) is None:
            errors.required(f"spec.{name}")
    policy = spec.get("fsGroupPolicy")
    if policy is None:
        errors.required("spec.fsGroupPolicy")
    else:
        errors.one_of("spec.fsGroupPolicy", policy, FS_GROUP_POLICIES)
    _token_requests(spec.get("tokenRequests") or [], errors)
    if spec.get("serviceAccountTokenInSecrets") is not None and not spec.get("tokenRequests"):
        detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        errors.invalid("spec.serviceAccountTokenInSecrets", spec["serviceAccountTokenInSecrets"], detail)
    for mode in spec.get("volumeLifecycleModes") or ():
        errors.one_of("spec.volumeLifecycleModes", mode or "", LIFECYCLES)
    seconds = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if seconds is not None and seconds < MIN_UPDATE_SECONDS:
        field = "spec.nodeAllocatableUpdatePeriodSeconds"
        errors.invalid(field, seconds, f"must be greater than or equal to {MIN_UPDATE_SECONDS} seconds")


def _token_requests(requests: list[Value], errors: Errors) -> None:
    seen: set[str] = set()
    for i, request in enumerate(requests):
        at, audience, seconds = (
            f"spec.tokenRequests[{i}]",
            request.get("audience") or "",
            request.get("expirationSeconds"),
        )
        if audience in seen:
            errors.duplicate(f"{at}.audience", audience)
            continue
        seen.add(audience)
        if seconds is None:
            continue
        if seconds < MIN_EXPIRATION:
            errors.invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        if seconds > MAX_EXPIRATION:
            errors.invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def _csi_driver_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    metadata.update(new, old, errors)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    _csi_driver_spec(spec, errors)
    for field, name in (("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")):
        if spec.get(field) != before.get(field):
            errors.invalid(f"spec.{name}", spec.get(field), names.IMMUTABLE)


def _csi_node(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _drivers((obj.get("spec") or {}).get("drivers") or [], errors)


def _drivers(drivers: list[Value], errors: Errors) -> None:
    seen: set[str] = set()
    for i, driver in enumerate(drivers):
        at, name = f"spec.drivers[{i}]", (driver or {}).get("name") or ""
        csi_driver_name(errors, f"{at}.name", name)
        node = driver.get("nodeID") or ""
        if not node:
            errors.required(f"{at}.nodeID", node)
        elif names.size(node) > NODE_ID_BYTES:
            detail = f"must be {NODE_ID_BYTES} characters or less"
            errors.invalid(f"{at}.nodeID", node, detail)
        count = (driver.get("allocatable") or {}).get("count")
        if count is not None and count < 0:
            errors.invalid(f"{at}.allocatable.count", count, names.NEGATIVE)
        _topology_keys(driver.get("topologyKeys") or [], at, errors)
        if name in seen:
            errors.duplicate(f"{at}.name", name)
        seen.add(name)


def _topology_keys(keys: list[str], at: str, errors: Errors) -> None:
    seen: set[str] = set()
    for key in keys:
        if not key:
            errors.required(at, key)
        if key in seen:
            errors.duplicate(at, key)
        seen.add(key)
        names.invalid(errors, at, key, names.qualified_name(key or ""))


def _csi_node_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _csi_node(new, errors, context)
    drivers = {d.get("name"): d for d in (new.get("spec") or {}).get("drivers") or ()}
    for driver in (old.get("spec") or {}).get("drivers") or ():
        changed = drivers.get(driver.get("name"))
        if changed is not None and changed != driver and not _only_count(changed, driver):
            errors.invalid("spec.drivers", changed, names.IMMUTABLE)


def _only_count(new: Value, old: Value) -> bool:
    return {k: v for k, v in new.items() if k != "allocatable"} == {k: v for k, v in old.items() if k != "allocatable"}


def _capacity(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _capacity_body(obj, errors)


def _capacity_body(obj: Value, errors: Errors) -> None:
    metadata.label_selector(obj.get("nodeTopology"), errors, "nodeTopology")
    for message in names.dns1123_subdomain(obj.get("storageClassName") or ""):
        errors.invalid("storageClassName", obj.get("storageClassName") or "", message)
    capacity = obj.get("capacity")
    if capacity is not None and quantity.parse(str(capacity)).nanos < 0:
        errors.invalid("capacity", str(quantity.parse(str(capacity))), names.NEGATIVE)


def _capacity_update(new: Value, old: Value, errors: Errors, context: Context) -> None:  # noqa: ARG001
    _capacity_body(new, errors)
    metadata.update(new, old, errors)
    for field in ("nodeTopology", "storageClassName"):
        if (new.get(field) or None) != (old.get(field) or None):
            errors.invalid(field, new.get(field), names.IMMUTABLE)


def _attachment(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    spec: Value = obj.get("spec") or {}
    attacher = spec.get("attacher") or ""
    if not attacher:
        errors.required("spec.attacher")
    csi_driver_name(errors, "spec.attacher", attacher)
    source = spec.get("source") or {}
    volume, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if volume is None and inline is None:
        errors.required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    elif volume is not None and inline is not None:
        detail = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
        errors.forbidden("spec.source", detail)
    elif volume is not None and not volume:
        errors.required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
    elif inline is not None:
        volume_spec(inline, errors, "spec.source.inlineVolumeSpec", inline=True)
    if volume is not None:
        names.invalid(errors, "spec.source.persistentVolumeName", volume, names.dns1123_subdomain(volume))
    node = spec.get("nodeName") or ""
    names.invalid(errors, "spec.nodeName", node, names.dns1123_subdomain(node))


def _attachment_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _attachment(new, errors, context)
    if new.get("spec") != old.get("spec"):
        errors.invalid("spec", new.get("spec"), names.IMMUTABLE)


CREATE = {
    (GROUP, "StorageClass"): _storage_class,
    (GROUP, "VolumeAttributesClass"): _attributes_class,
    (GROUP, "CSIDriver"): _csi_driver,
    (GROUP, "CSINode"): _csi_node,
    (GROUP, "CSIStorageCapacity"): _capacity,
    (GROUP, "VolumeAttachment"): _attachment,
}
UPDATE = {
    (GROUP, "StorageClass"): _storage_class_update,
    (GROUP, "VolumeAttributesClass"): _attributes_class_update,
    (GROUP, "CSIDriver"): _csi_driver_update,
    (GROUP, "CSINode"): _csi_node_update,
    (GROUP, "CSIStorageCapacity"): _capacity_update,
    (GROUP, "VolumeAttachment"): _attachment_update,
}
