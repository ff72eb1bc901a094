"""PersistentVolumes and PersistentVolumeClaims. Follows pkg/apis/core/validation/validation.go."""

from __future__ import annotations

import posixpath

from kplan import quantity
from kplan.api.validation import Context, affinity, metadata, names
from kplan.api.validation.claims import ACCESS_MODES, VOLUME_MODES, claim_spec
from kplan.api.validation.field import Errors
from kplan.api.validation.persistentsources import SOURCES
from kplan.api.validation.podvolumes import ISCSI_LENGTH, ISCSI_NAME_BYTES
from kplan.hints import Any

Value = dict[str, Any]

RECLAIM = ("Delete", "Recycle", "Retain")
SINGLE = "ReadWriteOncePod"
POSITIVE = "must be greater than zero"
CLAIM_FIXED = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)


def _volume(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    spec = obj.get("spec") or {}
    _volume_spec(spec, errors)
    _iscsi_length(spec.get("iscsi") or {}, (obj.get("metadata") or {}).get("name") or "", errors)


def _iscsi_length(source: Value, name: str, errors: Errors) -> None:
    portal = source.get("targetPortal") or ""
    if source.get("initiatorName") is not None and names.size(f"{name}:{portal}") > ISCSI_NAME_BYTES:
        errors.invalid("spec.iscsi.targetportal", portal, ISCSI_LENGTH)


def _volume_spec(spec: Value, errors: Errors) -> None:
    _access_modes(spec.get("accessModes") or [], errors)
    _capacity(spec.get("capacity"), errors)
    reclaim = spec.get("persistentVolumeReclaimPolicy")
    if reclaim:
        errors.one_of("spec.persistentVolumeReclaimPolicy", reclaim, RECLAIM)
    node_affinity = spec.get("nodeAffinity")
    if node_affinity is not None:
        _node_affinity(node_affinity, errors)
    _source(spec, errors)
    path = (spec.get("hostPath") or {}).get("path")
    if path and posixpath.normpath(path) == "/" and reclaim == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        errors.forbidden("spec.persistentVolumeReclaimPolicy", detail)
    _classes(spec, errors)


def _access_modes(modes: list[str], errors: Errors) -> None:
    if not modes:
        errors.required("spec.accessModes")
    for mode in modes:
        errors.one_of("spec.accessModes", mode or "", ACCESS_MODES)
    known = {m for m in modes if m in ACCESS_MODES}
    if SINGLE in known and len(known) > 1:
        errors.forbidden("spec.accessModes", "may not use ReadWriteOncePod with other access modes")


def _capacity(given: Value | None, errors: Errors) -> None:
    capacity = given or {}
    if not capacity:
        errors.required("spec.capacity")
    if set(capacity) != {"storage"}:
        shown = {k: str(quantity.parse(str(v))) for k, v in sorted(capacity.items())}
        errors.not_supported("spec.capacity", None if given is None else shown, ["storage"])
    for name, value in sorted(capacity.items()):
        amount = quantity.parse(str(value))
        if amount.nanos < 0:
            errors.invalid(f"spec.capacity[{name}]", amount.value, "must be a valid resource quantity")
        if amount.nanos <= 0:
            errors.invalid(f"spec.capacity[{name}]", str(amount), POSITIVE)


def _node_affinity(value: Value, errors: Errors) -> None:
    required = value.get("required")
    if required is None:
        errors.required("spec.nodeAffinity.required", "must specify required node constraints")
    else:
        affinity.node_selector(errors, "spec.nodeAffinity.required", required)


def _source(spec: Value, errors: Errors) -> None:
    found = [name for name in SOURCES if spec.get(name) is not None]
    for i, name in enumerate(found):
        field, check = SOURCES[name]
        if i:
            errors.forbidden(f"spec.{field}", "may not specify more than 1 volume type")
        else:
            check(errors, f"spec.{field}", spec[name])
            if name == "local" and spec.get("nodeAffinity") is None:
                errors.required("spec.nodeAffinity", "Local volume requires node affinity")
    if not found:
        errors.required("spec", "must specify a volume type")


def _classes(spec: Value, errors: Errors) -> None:
    name = spec.get("storageClassName")
    if name:
        names.invalid(errors, "spec.storageClassName", name, names.dns1123_subdomain(name))
    if spec.get("volumeMode") is not None:
        errors.one_of("spec.volumeMode", spec["volumeMode"], VOLUME_MODES)
    attributes = spec.get("volumeAttributesClassName")
    if attributes is None:
        return
    if not attributes:
        errors.required("spec.volumeAttributesClassName", "an empty string is disallowed")
    else:
        names.invalid(errors, "spec.volumeAttributesClassName", attributes, names.dns1123_subdomain(attributes))
    if spec.get("csi") is None:
        errors.required("spec.csi", "has to be specified when using volumeAttributesClassName")


def _volume_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    _volume(new, errors, context)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if _sources(spec, before) != _sources(before, before):
        field = "spec.persistentvolumesource"
        errors.forbidden(field, "spec.persistentvolumesource is immutable after creation")
    if spec.get("volumeMode") != before.get("volumeMode"):
        errors.invalid("volumeMode", spec.get("volumeMode"), names.IMMUTABLE)
    was = before.get("nodeAffinity")
    if was is not None and spec.get("nodeAffinity") != was:
        detail = "field is immutable, except for updating from beta label to GA"
        errors.invalid("nodeAffinity", spec.get("nodeAffinity"), detail)
    if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        errors.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


def _sources(spec: Value, old: Value) -> Value:
    """The source of a volume; the secret for expansion may be added later, so an added one does not count."""
    out = {name: spec[name] for name in SOURCES if spec.get(name) is not None}
    before = old.get("csi")
    if out.get("csi") and before is not None:
        late = [n for n in ("controllerExpandSecretRef", "nodeExpandSecretRef") if before.get(n) is None]
        out["csi"] = {k: v for k, v in out["csi"].items() if k not in late}
    return out


def _claim(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    claim_spec(errors, "spec", obj.get("spec") or {}, context.minor)


def _claim_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    spec, before = dict(new.get("spec") or {}), dict(old.get("spec") or {})
    had_group = any((before.get(name) or {}).get("apiGroup") is not None for name in ("dataSource", "dataSourceRef"))
    claim_spec(errors, "spec", spec, context.minor, any_group=had_group)
    bound = (old.get("status") or {}).get("phase") == "Bound"
    if not before.get("volumeName") and spec.get("volumeName"):
        spec.pop("volumeName")
    if before.get("storageClassName") is None and spec.get("storageClassName") is not None:
        spec.pop("storageClassName")
    free = ("resources", "volumeAttributesClassName") if bound else ()
    if _kept(spec, free) != _kept(before, free):
        errors.forbidden("spec", CLAIM_FIXED)
    else:
        _size(spec, before, old, errors)
    if bound and before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        errors.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")
    if spec.get("volumeMode") != before.get("volumeMode"):
        errors.invalid("volumeMode", spec.get("volumeMode"), names.IMMUTABLE)


def _kept(spec: Value, free: tuple[str, ...]) -> Value:
    out = {k: v for k, v in spec.items() if k not in free}
    if "resources" in free and spec.get("resources"):
        requests = {k: v for k, v in (spec["resources"].get("requests") or {}).items() if k != "storage"}
        out["resources"] = {**spec["resources"], "requests": requests}
    return out


def _size(spec: Value, before: Value, old: Value, errors: Errors) -> None:
    sizes = [((s.get("resources") or {}).get("requests") or {}).get("storage") for s in (spec, before)]
    if None in sizes:
        return
    new_size, old_size = (quantity.parse(str(s)).nanos for s in sizes)
    if new_size >= old_size:
        return
    held = ((old.get("status") or {}).get("capacity") or {}).get("storage")
    field = "spec.resources.requests.storage"
    if held is None or new_size <= quantity.parse(str(held)).nanos:
        errors.forbidden(field, "field can not be less than status.capacity")


CREATE = {("", "PersistentVolume"): _volume, ("", "PersistentVolumeClaim"): _claim}
UPDATE = {("", "PersistentVolume"): _volume_update, ("", "PersistentVolumeClaim"): _claim_update}
