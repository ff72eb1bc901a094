"""Volumes, claims and their classes. Layout of k8s.io/kubectl/pkg/describe."""

from __future__ import annotations

from kplan.render import age
from kplan.render.columns import storage
from kplan.render.columns.storage import class_name, is_default_class, modes
from kplan.render.columns.workloads import yes_no
from kplan.render.describe import events
from kplan.render.describe.claims import claim
from kplan.render.describe.containers import amount
from kplan.render.describe.context import Context, Value, lasting, name_of, namespace_of
from kplan.render.describe.lines import Lines, go_list, head
from kplan.render.describe.volumes import source
from kplan.render.fields import NONE, mapping, pairs, plain, text, texts
from kplan.workloads import dicts, get


def persistent_volume_claim(out: Lines, obj: Value, context: Context) -> None:
    """A PersistentVolumeClaim, with the pods that mount it."""
    claim(out, obj, stored=True, context=context)
    pods = context.find("Pod", namespace_of(obj))
    out.several(0, "Used By:", (name_of(p) for p in pods if name_of(obj) in _claims(p)))
    found = dicts(obj, "status", "conditions")
    if found:
        out.add(0, "Conditions:")
        out.add(1, "Type", "Status", "LastProbeTime", "LastTransitionTime", "Reason", "Message")
        out.add(1, "----", "------", "-----------------", "------------------", "------", "-------")
    for c in found:
        times = (age.rfc1123z(c.get(k)) for k in ("lastProbeTime", "lastTransitionTime"))
        out.add(1, f"{text(c, 'type')} ", f"{text(c, 'status')} ", *times, text(c, "reason"), text(c, "message"))
    events.write(out, obj, context)


def _claims(pod: Value) -> set[str]:
    """The claims that a pod mounts; one of an ephemeral volume has the pod's name before the volume's."""
    found = set()
    for volume in dicts(pod, "spec", "volumes"):
        found.add(text(volume, "persistentVolumeClaim", "claimName"))
        if volume.get("ephemeral"):
            found.add(f"{name_of(pod)}-{text(volume, 'name')}")
    return found - {""}


def persistent_volume(out: Lines, obj: Value, context: Context) -> None:
    """A PersistentVolume."""
    spec = mapping(obj, "spec")
    head(out, obj, "name", "labels", "annotations")
    out.add(0, "Finalizers:", go_list(texts(obj, "metadata", "finalizers")))
    out.add(0, "StorageClass:", class_name(obj))
    deleted = get(obj, "metadata", "deletionTimestamp") is not None
    out.add(0, "Status:", lasting(obj, context) if deleted else text(obj, "status", "phase"))
    out.add(0, "Claim:", storage.claim(obj))
    out.add(0, "Reclaim Policy:", text(spec, "persistentVolumeReclaimPolicy"))
    out.add(0, "Access Modes:", modes(texts(spec, "accessModes")))
    if spec.get("volumeMode"):
        out.add(0, "VolumeMode:", text(spec, "volumeMode"))
    out.add(0, "Capacity:", amount(get(spec, "capacity", "storage") or "0"))
    _affinity(out, mapping(spec, "nodeAffinity"))
    out.add(0, "Message:", text(obj, "status", "message"))
    out.add(0, "Source:")
    kinds = ("nodeAffinity", "claimRef", "capacity")
    source(out, {k: v for k, v in spec.items() if k not in kinds})
    events.write(out, obj, context)


def _affinity(out: Lines, affinity: Value) -> None:
    terms = dicts(affinity, "required", "nodeSelectorTerms")
    if not affinity:
        out.add(0, "Node Affinity:", NONE)
        return
    out.add(0, "Node Affinity:")
    out.add(1, "Required Terms:", *([] if terms else [NONE]))
    for i, term in enumerate(terms):
        expressions = [_expression(e) for e in dicts(term, "matchExpressions")]
        out.several(2, f"Term {i}:", expressions)


def _expression(e: Value) -> str:
    written = f"{text(e, 'key')} {text(e, 'operator').lower()}"
    return f"{written} [{', '.join(texts(e, 'values'))}]" if e.get("values") else written


def storage_class(out: Lines, obj: Value, context: Context) -> None:
    """A StorageClass."""
    head(out, obj, "name")
    out.add(0, "IsDefaultClass:", "Yes" if is_default_class(obj) else "No")
    out.add(0, "Annotations:", pairs(mapping(obj, "metadata", "annotations")))
    out.add(0, "Provisioner:", text(obj, "provisioner"))
    out.add(0, "Parameters:", pairs(mapping(obj, "parameters")))
    out.add(0, "AllowVolumeExpansion:", yes_no("allowVolumeExpansion")(obj, None))
    options = texts(obj, "mountOptions")
    out.add(0, "MountOptions:", *([] if options else [NONE]))
    for option in options:
        out.add(1, option)
    out.add(0, "ReclaimPolicy:", text(obj, "reclaimPolicy"))
    out.add(0, "VolumeBindingMode:", text(obj, "volumeBindingMode"))
    if obj.get("allowedTopologies"):
        out.add(0, "AllowedTopologies:")
        for i, term in enumerate(dicts(obj, "allowedTopologies")):
            wanted = dicts(term, "matchLabelExpressions")
            out.several(1, f"Term {i}:", (f"{text(e, 'key')} in [{', '.join(texts(e, 'values'))}]" for e in wanted))
    events.write(out, obj, context)


def attributes_class(out: Lines, obj: Value, context: Context) -> None:
    """A VolumeAttributesClass."""
    head(out, obj, "name")
    out.add(0, "Annotations:", pairs(mapping(obj, "metadata", "annotations")))
    out.add(0, "DriverName:", text(obj, "driverName"))
    out.add(0, "Parameters:", pairs(mapping(obj, "parameters")))
    events.write(out, obj, context)


def csi_node(out: Lines, obj: Value, context: Context) -> None:
    """A CSINode: which drivers a node has, and how many volumes it takes."""
    head(out, obj, "name", "labels", "annotations")
    out.add(0, "CreationTimestamp:", age.rfc1123z(get(obj, "metadata", "creationTimestamp")))
    out.add(0, "Spec:")
    drivers = dicts(obj, "spec", "drivers")
    if drivers:
        out.add(1, "Drivers:")
    for driver in drivers:
        out.add(2, f"{text(driver, 'name')}:")
        out.add(3, "Node ID:", text(driver, "nodeID"))
        if get(driver, "allocatable", "count") is not None:
            out.add(3, "Allocatables:")
            out.add(4, "Count:", plain(get(driver, "allocatable", "count")))
        out.add(3, "Topology Keys:", go_list(texts(driver, "topologyKeys")))
    events.write(out, obj, context)
