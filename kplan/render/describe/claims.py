"""The part of a description that a PersistentVolumeClaim and an ephemeral volume share."""

from __future__ import annotations

from kplan.render.columns.storage import class_name, modes
from kplan.render.describe.containers import amount
from kplan.render.describe.context import Context, Value, lasting, name_of, namespace_of
from kplan.render.describe.lines import Lines, go_list, labels, notes
from kplan.render.fields import mapping, text, texts
from kplan.workloads import get


def claim(out: Lines, obj: Value, *, stored: bool = False, context: Context | None = None) -> None:
    """A claim; one that is `stored` has a name, a status and finalizers."""
    if stored:
        out.add(0, "Name:", name_of(obj))
        out.add(0, "Namespace:", namespace_of(obj))
    out.add(0, "StorageClass:", class_name(obj))
    if stored:
        deleted = get(obj, "metadata", "deletionTimestamp") is not None
        status = lasting(obj, context or Context()) if deleted else text(obj, "status", "phase")
        out.add(0, "Status:", status)
    out.add(0, "Volume:", text(obj, "spec", "volumeName"))
    labels(out, 0, "Labels:", mapping(obj, "metadata", "labels"))
    notes(out, 0, "Annotations:", mapping(obj, "metadata", "annotations"))
    if stored:
        out.add(0, "Finalizers:", go_list(texts(obj, "metadata", "finalizers")))
    bound = bool(get(obj, "spec", "volumeName"))
    out.add(0, "Capacity:", amount(get(obj, "status", "capacity", "storage") or "0") if bound else "")
    out.add(0, "Access Modes:", modes(texts(obj, "status", "accessModes")) if bound else "")
    if get(obj, "spec", "volumeMode"):
        out.add(0, "VolumeMode:", text(obj, "spec", "volumeMode"))
    origin = mapping(obj, "spec", "dataSource")
    if origin:
        out.add(0, "DataSource:")
        for key, title in (("apiGroup", "APIGroup:"), ("kind", "Kind:"), ("name", "Name:")):
            if key != "apiGroup" or origin.get(key):
                out.add(1, title, text(origin, key))
