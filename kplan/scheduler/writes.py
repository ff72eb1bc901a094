"""What a decision changes in the stored objects: the bound pod, and the claims and volumes that go with it.

Follows the PreBind and Bind of pkg/scheduler/framework/plugins (volumebinding, defaultbinder) and what the PV
controller (pkg/controller/volume/persistentvolume) then writes.
"""

from __future__ import annotations

from typing import Any

from kplan import quantity
from kplan.scheduler.fields import mapping, string_map, text
from kplan.scheduler.node import Node
from kplan.scheduler.plugins import volume_binding
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import NodeTerm
from kplan.scheduler.volumes import BIND_COMPLETED, SELECTED_NODE, Claim, Volume, volume_name

Value = dict[str, Any]

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"


def bound(pod: Value, node: str) -> Value:
    """The Pod after it was bound to a node."""
    return {**pod, "spec": {**mapping(pod, "spec"), "nodeName": node}}


def before_binding(pod: Pod, cluster: Snapshot) -> list[tuple[Value, Value]]:
    """What the scheduler writes before it binds a pod that has a node now, as pairs of a claim and what is written.

    That is the claim's volume, reserved for it; or the claim itself with the node for which a volume is to be made.
    """
    out: list[tuple[Value, Value]] = []
    for use in pod.shape.claims:
        claim = cluster.volumes.claim(pod.namespace, pod.name, use)
        stored = _stored(claim, cluster) if claim is not None else None
        if claim is None or stored is None or is_bound(stored):
            continue
        volume = cluster.store.find("PersistentVolume", claim.volume)
        if volume is not None:
            out.append((stored, reserved(volume, stored)))
        else:
            out.append((stored, _noted(stored, {SELECTED_NODE: pod.node_name})))
    return out


def claims(pod: Pod, node: Node, cluster: Snapshot) -> list[Value]:
    """The claims and volumes of a pod that goes to a node, bound to each other, where they were not before.

    The snapshot counts the volumes as taken from now on.
    """
    volume_binding.reserve(pod, node, cluster)
    out: list[Value] = []
    for use in pod.shape.claims:
        claim = cluster.volumes.claim(pod.namespace, pod.name, use)
        if claim is not None and claim.bound and claim.volume in cluster.volumes.volumes:
            out += _bind(claim, cluster.volumes.volumes[claim.volume], use.template, cluster)
    return out


def is_bound(claim: Value) -> bool:
    """Whether the PV controller has bound a claim to a volume for good."""
    return bool(text(claim, "spec", "volumeName")) and BIND_COMPLETED in string_map(claim, "metadata", "annotations")


def is_for(volume: Value, claim: Value) -> bool:
    """Whether a volume is bound to this claim, or reserved for it by name."""
    ref, meta = mapping(volume, "spec", "claimRef"), mapping(claim, "metadata")
    if not ref or text(ref, "name") != text(meta, "name"):
        return False
    same = (text(ref, "namespace") or "default") == (text(meta, "namespace") or "default")
    return same and text(ref, "uid") in ("", text(meta, "uid"))


def reserved(volume: Value, claim: Value) -> Value:
    """The volume with a reference to the claim; a mark says so where nobody had reserved it before."""
    meta = mapping(claim, "metadata")
    ref = {
        "kind": "PersistentVolumeClaim",
        "namespace": text(meta, "namespace") or "default",
        "name": text(meta, "name"),
        **({"uid": meta["uid"]} if meta.get("uid") else {}),
        "apiVersion": "v1",
    }
    new = volume if is_for(volume, claim) else _noted(volume, {BOUND_BY_CONTROLLER: "yes"})
    known = mapping(volume, "spec", "claimRef")
    if all(known.get(k) == v for k, v in ref.items()):
        return new
    return {**new, "spec": {**mapping(volume, "spec"), "claimRef": ref}}


def completed(claim: Value, volume: Value) -> Value:
    """The claim with the name of its volume, and the marks that the binding is complete and who chose the volume."""
    name, spec = text(volume, "metadata", "name"), mapping(claim, "spec")
    if text(spec, "volumeName") == name:
        return _noted(claim, {BIND_COMPLETED: "yes"})
    new = _noted(claim, {BIND_COMPLETED: "yes", BOUND_BY_CONTROLLER: "yes"})
    return {**new, "spec": {**spec, "volumeName": name}}


def provisioned(claim: Value, *, driver: str, policy: str, place: tuple[NodeTerm, ...] | None = None) -> Value:
    """The volume that a provisioner makes for a claim, with a reference to it: named after the uid of the claim.

    `place` is where the volume can be used, None for everywhere. The driver of a real one is the provisioner itself.
    """
    meta, spec = mapping(claim, "metadata"), mapping(claim, "spec")
    name = volume_name(text(meta, "namespace") or "default", text(meta, "name"), text(meta, "uid"))
    made: Value = {
        "capacity": {"storage": mapping(spec, "resources", "requests").get("storage", "0")},
        "accessModes": spec.get("accessModes") or [],
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": text(spec, "storageClassName"),
        "volumeMode": text(spec, "volumeMode") or "Filesystem",
        "csi": {"driver": driver, "volumeHandle": name},
    }
    if text(spec, "volumeAttributesClassName"):
        made["volumeAttributesClassName"] = spec["volumeAttributesClassName"]
    if place is not None:
        made["nodeAffinity"] = {"required": {"nodeSelectorTerms": [_term(t) for t in place]}}
    metadata = {"name": name, "annotations": {PROVISIONED_BY: driver}}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": made}
    # the provisioner names the claim itself, so that nobody else marks the volume
    return {**volume, "spec": reserved(volume, claim)["spec"]}


def _bind(claim: Claim, volume: Volume, template: Value | None, cluster: Snapshot) -> list[Value]:
    stored = _stored(claim, cluster)
    if stored is not None and BIND_COMPLETED in string_map(stored, "metadata", "annotations"):
        return []
    old_claim = stored if stored is not None else _from_template(claim, template or {})
    old_volume = cluster.store.find("PersistentVolume", volume.name)
    new_volume = reserved(old_volume, old_claim) if old_volume is not None else _made(volume, old_claim)
    new_volume = {**new_volume, "status": {**mapping(new_volume, "status"), "phase": "Bound"}}
    of_volume = mapping(new_volume, "spec")
    status = {
        "phase": "Bound",
        "accessModes": of_volume.get("accessModes") or [],
        "capacity": mapping(of_volume, "capacity"),
    }
    return [new_volume, {**completed(old_claim, new_volume), "status": status}]


def _stored(claim: Claim, cluster: Snapshot) -> Value | None:
    """The object of a claim; one that names no namespace is in `default`."""
    for namespace in (claim.namespace, "" if claim.namespace == "default" else claim.namespace):
        found = cluster.store.find("PersistentVolumeClaim", claim.name, namespace)
        if found is not None:
            return found
    return None


def _made(volume: Volume, claim: Value) -> Value:
    """The volume that a provisioner made, as the snapshot knows it."""
    made = provisioned(claim, driver=volume.driver, policy="Delete", place=volume.affinity)
    spec = {
        **made["spec"],
        "capacity": {"storage": quantity.canonical(quantity.Quantity(volume.capacity * 10**9, quantity.BINARY))},
        "accessModes": sorted(volume.modes),
        "storageClassName": volume.class_name,
    }
    return {**made, "metadata": {**made["metadata"], "name": volume.name}, "spec": spec}


def _term(term: NodeTerm) -> Value:
    terms = [{"key": r.key, "operator": r.operator, "values": list(r.values)} for r in term.expressions]
    return {"matchExpressions": terms}


def _from_template(claim: Claim, template: Value) -> Value:
    """The claim of a generic ephemeral volume, which belongs to its pod."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": claim.owner, "controller": True, "blockOwnerDeletion": True}
    meta = {**mapping(template, "metadata"), "name": claim.name, "namespace": claim.namespace}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {**meta, "ownerReferences": [owner]},
        "spec": mapping(template, "spec"),
    }


def _noted(value: Value, notes: dict[str, str]) -> Value:
    """The object with these annotations; itself if it has them."""
    known = string_map(value, "metadata", "annotations")
    if all(known.get(k) == v for k, v in notes.items()):
        return value
    return {**value, "metadata": {**mapping(value, "metadata"), "annotations": {**known, **notes}}}
