"""The spec of a PersistentVolumeClaim, wherever one stands: alone, in a pod's volumes or in a StatefulSet.

Follows pkg/apis/core/validation/validation.go (ValidatePersistentVolumeClaimSpec and around).
"""

from __future__ import annotations

from kplan import quantity
from kplan.api.validation import metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
VOLUME_MODES = ("Block", "Filesystem")
ATTRIBUTES_CLASS_SINCE = 34


def claim_spec(
    errors: Errors, field: str, spec: Value, minor: int, *, any_selector_value: bool = False, any_group: bool = False
) -> None:
    """The spec of a claim. `any_selector_value` and `any_group` leave to a stored claim what it already has."""
    modes = spec.get("accessModes") or ()
    if not modes:
        errors.required(f"{field}.accessModes", "at least 1 access mode is required")
    metadata.label_selector(spec.get("selector"), errors, f"{field}.selector", any_value=any_selector_value)
    for mode in modes:
        errors.one_of(f"{field}.accessModes", mode, ACCESS_MODES)
    if "ReadWriteOncePod" in modes and any(m in ACCESS_MODES[:3] for m in modes):
        errors.forbidden(f"{field}.accessModes", "may not use ReadWriteOncePod with other access modes")
    _storage(errors, f"{field}.resources[storage]", spec)
    _class_name(errors, f"{field}.storageClassName", spec.get("storageClassName"))
    if spec.get("volumeMode") is not None:
        errors.one_of(f"{field}.volumeMode", spec["volumeMode"], VOLUME_MODES)
    _sources(errors, field, spec, any_group)
    if minor >= ATTRIBUTES_CLASS_SINCE:
        _class_name(errors, f"{field}.volumeAttributesClassName", spec.get("volumeAttributesClassName"))


def _storage(errors: Errors, field: str, spec: Value) -> None:
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        errors.required(field)
        return
    amount = quantity.parse(storage)
    if amount.nanos <= 0:
        errors.invalid(field, str(amount), names.POSITIVE)


def _class_name(errors: Errors, field: str, name: str | None) -> None:
    if name:
        names.invalid(errors, field, name, names.dns1123_subdomain(name))


def _sources(errors: Errors, field: str, spec: Value, any_group: bool) -> None:
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None:
        _source(errors, f"{field}.dataSource", source, any_group)
    if reference is None:
        return
    _source(errors, f"{field}.dataSourceRef", reference, any_group)
    namespace = reference.get("namespace")
    if namespace:
        wrong = names.dns1123_label(namespace)
        names.invalid(errors, f"{field}.dataSourceRef.namespace", namespace, wrong)
    if source is None:
        return
    # The server shows the path of the field where it means its value; a path has nothing to show.
    if namespace:
        errors.invalid(field, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(n) != reference.get(n) for n in ("apiGroup", "kind", "name")):
        errors.invalid(field, {}, "must match dataSourceRef")


def _source(errors: Errors, field: str, source: Value, any_group: bool) -> None:
    for name in ("name", "kind"):
        if not source.get(name):
            errors.required(f"{field}.{name}")
    group, kind = source.get("apiGroup") or "", source.get("kind") or ""
    if not group and kind != "PersistentVolumeClaim":
        errors.invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")
    if group and not any_group:
        names.invalid(errors, f"{field}.apiGroup", group, names.dns1123_subdomain(group))
