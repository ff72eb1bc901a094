"""The sources of PersistentVolumes: those of pods, and those that differ because a secret needs its namespace.

Follows pkg/apis/core/validation/validation.go (validateRBDPersistentVolumeSource and its siblings).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.api.validation import names, volumesources
from kplan.api.validation.field import Errors
from kplan.api.validation.paths import no_backsteps
from kplan.api.validation.volumesources import needs, secret_name
from kplan.hints import Any

Value = dict[str, Any]
Check = Callable[[Errors, str, Value], None]

CSI_SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
)


def _cinder(errors: Errors, field: str, source: Value) -> None:
    needs(errors, field, source, "volumeID")
    secret_name(errors, field, source, "namespace")


def _glusterfs(errors: Errors, field: str, source: Value) -> None:
    needs(errors, field, source, "endpoints", "path")
    namespace = source.get("endpointsNamespace")
    if namespace is None:
        return
    if not namespace:
        detail = "if the endpointnamespace is set, it must be a valid namespace name"
        errors.invalid(f"{field}.endpointsNamespace", namespace, detail)
    else:
        names.invalid(errors, f"{field}.endpointsNamespace", namespace, names.dns1123_label(namespace))


def _iscsi(errors: Errors, field: str, source: Value) -> None:
    needs(errors, field, source, "targetPortal", "iqn")
    if source.get("iqn"):
        volumesources.iscsi_name(errors, f"{field}.iqn", source["iqn"])
    volumesources.iscsi_rest(errors, field, source)
    secret_name(errors, field, source)
    if source.get("initiatorName") is not None:
        volumesources.iscsi_name(errors, f"{field}.initiatorname", source["initiatorName"])


def _azure_file(errors: Errors, field: str, source: Value) -> None:
    needs(errors, field, source, "secretName", "shareName")
    if source.get("secretNamespace") == "":
        errors.required(f"{field}.secretNamespace")


def _storageos(errors: Errors, field: str, source: Value) -> None:
    volumesources.storageos_names(errors, field, source)
    secret_name(errors, field, source, "namespace")


def _local(errors: Errors, field: str, source: Value) -> None:
    path = source.get("path") or ""
    if not path:
        errors.required(f"{field}.path")
        return
    no_backsteps(errors, f"{field}.path", path)


def _csi(errors: Errors, field: str, source: Value) -> None:
    volumesources.csi_driver_name(errors, f"{field}.driver", source.get("driver") or "")
    needs(errors, field, source, "volumeHandle")
    for name in CSI_SECRETS:
        reference = source.get(name)
        if reference is not None:
            _csi_secret(errors, f"{field}.{name}", reference)


def _csi_secret(errors: Errors, field: str, reference: Value) -> None:
    for part, check in (("name", names.dns1123_subdomain), ("namespace", names.dns1123_label)):
        value = reference.get(part) or ""
        if not value:
            errors.required(f"{field}.{part}")
        else:
            names.invalid(errors, f"{field}.{part}", value, check(value))


def _shared(name: str, field: str = "") -> tuple[str, Check]:
    return field or name, volumesources.SOURCES[name]


# The field of a source, in the server's order -> (the field that messages name, its check).
SOURCES: Mapping[str, tuple[str, Check]] = {
    "hostPath": _shared("hostPath"),
    "gcePersistentDisk": _shared("gcePersistentDisk", "persistentDisk"),
    "awsElasticBlockStore": _shared("awsElasticBlockStore"),
    "glusterfs": ("glusterfs", _glusterfs),
    "flocker": _shared("flocker"),
    "nfs": _shared("nfs"),
    "rbd": _shared("rbd"),
    "quobyte": _shared("quobyte"),
    "cephfs": _shared("cephfs"),
    "iscsi": ("iscsi", _iscsi),
    "cinder": ("cinder", _cinder),
    "fc": _shared("fc"),
    "flexVolume": _shared("flexVolume"),
    "azureFile": ("azureFile", _azure_file),
    "vsphereVolume": _shared("vsphereVolume"),
    "photonPersistentDisk": _shared("photonPersistentDisk"),
    "portworxVolume": _shared("portworxVolume"),
    "azureDisk": _shared("azureDisk"),
    "scaleIO": _shared("scaleIO"),
    "local": ("local", _local),
    "storageos": ("storageos", _storageos),
    "csi": ("csi", _csi),
}
