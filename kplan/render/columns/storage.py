"""The columns of volumes, claims, classes and drivers.

Follows pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from kplan.render.columns.cell import AGE, NAME, Now, Value, columns, count, field, truth
from kplan.render.fields import NONE, UNSET, items, mapping, plain, text, texts
from kplan.workloads import dicts, get

_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")


def modes(found: list[str]) -> str:
    """Access modes in short: `RWO,ROX`, always in the same order."""
    return ",".join(short for mode, short in _MODES.items() if mode in found)


def phase(obj: Value, _: Now = None) -> str:
    """The phase of a volume or claim; Terminating for one that is being deleted."""
    return "Terminating" if get(obj, "metadata", "deletionTimestamp") else text(obj, "status", "phase")


def class_name(obj: Value, _: Now = None) -> str:
    """The storage class, which an old annotation may name too."""
    return text(obj, "metadata", "annotations", _BETA_CLASS) or text(obj, "spec", "storageClassName")


def claim(volume: Value, _: Now = None) -> str:
    """The claim that a volume is bound to, as `namespace/name`; "" for none."""
    ref = mapping(volume, "spec", "claimRef")
    return f"{text(ref, 'namespace')}/{text(ref, 'name')}" if ref else ""


def _claim_capacity(obj: Value, _: Now) -> str:
    return (text(obj, "status", "capacity", "storage") or "0") if get(obj, "spec", "volumeName") else ""


def _claim_modes(obj: Value, _: Now) -> str:
    return modes(texts(obj, "status", "accessModes")) if get(obj, "spec", "volumeName") else ""


def is_default_class(obj: Value) -> bool:
    """Whether claims that name no class get this one."""
    notes = mapping(obj, "metadata", "annotations")
    return any(notes.get(key) == "true" for key in _DEFAULT_CLASS)


def _class_title(obj: Value, _: Now) -> str:
    return text(obj, "metadata", "name") + (" (default)" if is_default_class(obj) else "")


def _audiences(obj: Value, _: Now) -> str:
    return ",".join(plain(r.get("audience")) for r in dicts(obj, "spec", "tokenRequests")) or UNSET


def _lifecycle(obj: Value, _: Now) -> str:
    return ",".join(texts(obj, "spec", "volumeLifecycleModes")) if items(obj, "spec", "volumeLifecycleModes") else NONE


_ATTRIBUTES_CLASS = ("VolumeAttributesClass", field("spec.volumeAttributesClassName", UNSET))
_VOLUME_MODE = ("*VolumeMode", field("spec.volumeMode", UNSET))

VOLUMES = columns(
    NAME,
    ("Capacity", field("spec.capacity.storage", "0")),
    ("Access Modes", lambda obj, _: modes(texts(obj, "spec", "accessModes"))),
    ("Reclaim Policy", "spec.persistentVolumeReclaimPolicy"),
    ("Status", phase),
    ("Claim", claim),
    ("StorageClass", class_name),
    _ATTRIBUTES_CLASS,
    ("Reason", "status.reason"),
    AGE,
    _VOLUME_MODE,
)
CLAIMS = columns(
    NAME,
    ("Status", phase),
    ("Volume", "spec.volumeName"),
    ("Capacity", _claim_capacity),
    ("Access Modes", _claim_modes),
    ("StorageClass", class_name),
    _ATTRIBUTES_CLASS,
    AGE,
    _VOLUME_MODE,
)
STORAGE_CLASSES = columns(
    ("Name", _class_title),
    ("Provisioner", "provisioner"),
    ("ReclaimPolicy", field("reclaimPolicy", "Delete")),
    ("VolumeBindingMode", field("volumeBindingMode", "Immediate")),
    ("AllowVolumeExpansion", truth("allowVolumeExpansion")),
    AGE,
)
ATTRIBUTES_CLASSES = columns(NAME, ("DriverName", "driverName"), AGE)
CSI_NODES = columns(NAME, ("Drivers", count("spec", "drivers")), AGE)
CSI_DRIVERS = columns(
    NAME,
    ("AttachRequired", field("spec.attachRequired", "true")),
    ("PodInfoOnMount", truth("spec.podInfoOnMount")),
    ("StorageCapacity", truth("spec.storageCapacity")),
    ("TokenRequests", _audiences),
    ("RequiresRepublish", truth("spec.requiresRepublish")),
    ("Modes", _lifecycle),
    AGE,
)
CSI_CAPACITIES = columns(NAME, ("StorageClassName", "storageClassName"), ("Capacity", field("capacity", UNSET)))
ATTACHMENTS = columns(
    NAME,
    ("Attacher", "spec.attacher"),
    ("PV", "spec.source.persistentVolumeName"),
    ("Node", "spec.nodeName"),
    ("Attached", truth("status.attached")),
    AGE,
)
