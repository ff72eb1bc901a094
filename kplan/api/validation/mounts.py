"""What a container sees of the pod's volumes: mounted as directories, or as block devices.

Follows pkg/apis/core/validation/validation.go (ValidateVolumeMounts, ValidateVolumeDevices). Faults of a sub-path, of
propagation and of recursive read-only mounts are reported without the index of the mount, as the server does.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.api.validation.field import Errors
from kplan.api.validation.paths import local_descending
from kplan.hints import Any

Value = dict[str, Any]

PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
RECURSIVE = ("Disabled", "Enabled", "IfPossible")


def volume_mounts(errors: Errors, field: str, container: Value, volumes: Mapping[str, Value]) -> None:
    """The mounts of a container; `volumes` are the valid volumes of its pod."""
    mounts = container.get("volumeMounts")
    if not mounts:
        return
    devices = {d.get("name") or "": d.get("devicePath") or "" for d in container.get("volumeDevices") or ()}
    device_paths, seen = set(devices.values()), set()
    for i, mount in enumerate(mounts):
        name, path = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            errors.required(f"{field}[{i}].name")
        if name not in volumes:
            errors.not_found(f"{field}[{i}].name", name)
        if not path:
            errors.required(f"{field}[{i}].mountPath")
        if path in seen:
            errors.invalid(f"{field}[{i}].mountPath", path, "must be unique")
        seen.add(path)
        if name in devices:
            errors.invalid(f"{field}[{i}].name", name, "must not already exist in volumeDevices")
        if path in device_paths:
            errors.invalid(f"{field}[{i}].mountPath", path, "must not already exist as a path in volumeDevices")
        _details(errors, field, i, mount, container)


def _details(errors: Errors, field: str, index: int, mount: Value, container: Value) -> None:
    sub_path, expression = mount.get("subPath") or "", mount.get("subPathExpr") or ""
    if sub_path:
        local_descending(errors, f"{field}.subPath", sub_path)
    if expression:
        if sub_path:
            where = f"{field}[{index}].subPathExpr"
            errors.invalid(where, expression, "subPathExpr and subPath are mutually exclusive")
        local_descending(errors, f"{field}.subPathExpr", expression)
    propagation = mount.get("mountPropagation")
    if propagation is not None:
        errors.one_of(f"{field}.mountPropagation", propagation, PROPAGATIONS)
        privileged = (container.get("securityContext") or {}).get("privileged")
        if propagation == "Bidirectional" and not privileged:
            errors.forbidden(
                f"{field}.mountPropagation",
                "Bidirectional mount propagation is available only to privileged containers",
            )
    if mount.get("recursiveReadOnly") is not None:
        _recursive(errors, f"{field}.recursiveReadOnly", mount)


def _recursive(errors: Errors, field: str, mount: Value) -> None:
    mode = mount["recursiveReadOnly"]
    errors.one_of(field, mode, RECURSIVE)
    if mode not in {"Enabled", "IfPossible"}:
        return
    if not mount.get("readOnly"):
        errors.forbidden(field, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in {None, "None"}:
        errors.forbidden(field, "may only be specified when mountPropagation is None or not specified")


def volume_devices(errors: Errors, field: str, container: Value, volumes: Mapping[str, Value]) -> None:
    """The block devices of a container; `volumes` are the valid volumes of its pod."""
    devices = container.get("volumeDevices")
    if not devices:
        return
    mounts = {m.get("name") or "": m.get("mountPath") or "" for m in container.get("volumeMounts") or ()}
    mount_paths = set(mounts.values())
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for i, device in enumerate(devices):
        name, path = device.get("name") or "", device.get("devicePath") or ""
        _device_name(errors, f"{field}[{i}].name", name, name in seen_names, volumes)
        if not path:
            errors.required(f"{field}[{i}].devicePath")
        if path in seen_paths:
            errors.invalid(f"{field}[{i}].devicePath", path, "must be unique")
        if ".." in path.split("/"):
            errors.invalid(f"{field}[{i}].devicePath", path, "can not contain backsteps ('..')")
        else:
            seen_paths.add(path)
        if name in mounts:
            errors.invalid(f"{field}[{i}].name", name, "must not already exist in volumeMounts")
        if path in mount_paths:
            errors.invalid(f"{field}[{i}].devicePath", path, "must not already exist as a path in volumeMounts")
        if name:
            seen_names.add(name)


def _device_name(errors: Errors, field: str, name: str, again: bool, volumes: Mapping[str, Value]) -> None:
    volume = volumes.get(name)
    if not name:
        errors.required(field)
    if again:
        errors.invalid(field, name, "must be unique")
    if volume is None:
        errors.not_found(field, name)
    elif volume.get("persistentVolumeClaim") is None and volume.get("ephemeral") is None:
        sentence = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        errors.invalid(field, name, sentence)
