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
from kplan.scheduler.volumes import BIND_COMPLETED, Claim, Volume

Value = dict[str, Any]

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"


def bound(pod: Value, node: str) -> Value:
    """The Pod after it was bound to a node."""
    return {**pod, "spec": {**mapping(pod, "spec"), "nodeName": node}}


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


def _bind(claim: Claim, volume: Volume, template: Value | None, cluster: Snapshot) -> list[Value]:
    stored = _stored(claim, cluster)
    if stored is not None and BIND_COMPLETED in string_map(stored, "metadata", "annotations"):
        return []
    old_volume = cluster.store.find("PersistentVolume", volume.name)
    new_volume = _claimed(old_volume, claim) if old_volume is not None else _made(volume, claim)
    old_claim = stored if stored is not None else _from_template(claim, template or {})
    return [new_volume, _completed(old_claim, new_volume)]


def _stored(claim: Claim, cluster: Snapshot) -> Value | None:
    """The object of a claim; one that names no namespace is in `default`."""
    for namespace in (claim.namespace, "" if claim.namespace == "default" else claim.namespace):
        found = cluster.store.find("PersistentVolumeClaim", claim.name, namespace)
        if found is not None:
            return found
    return None


def _claimed(volume: Value, claim: Claim) -> Value:
    ref = {
        "kind": "PersistentVolumeClaim",
        "namespace": claim.namespace,
        "name": claim.name,
        **({"uid": claim.uid} if claim.uid else {}),
        "apiVersion": "v1",
    }
    spec = {**mapping(volume, "spec"), "claimRef": ref}
    return {**volume, "spec": spec, "status": {**mapping(volume, "status"), "phase": "Bound"}}


def _made(volume: Volume, claim: Claim) -> Value:
    """The volume that a provisioner made."""
    spec: Value = {
        "capacity": {"storage": quantity.canonical(quantity.Quantity(volume.capacity * 10**9, quantity.BINARY))},
        "accessModes": sorted(volume.modes),
        "persistentVolumeReclaimPolicy": "Delete",
        "storageClassName": volume.class_name,
        "volumeMode": volume.volume_mode,
        "csi": {"driver": volume.driver, "volumeHandle": volume.handle},
    }
    if volume.affinity is not None:
        terms = [
            {"matchExpressions": [{"key": r.key, "operator": r.operator, "values": list(r.values)} for r in t]}
            for t in (term.expressions for term in volume.affinity)
        ]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
    meta = {"name": volume.name, "annotations": {PROVISIONED_BY: volume.driver}}
    return _claimed({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}, claim)


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


def _completed(value: Value, volume: Value) -> Value:
    notes = {**string_map(value, "metadata", "annotations"), BIND_COMPLETED: "yes", BOUND_BY_CONTROLLER: "yes"}
    of_volume = mapping(volume, "spec")
    return {
        **value,
        "metadata": {**mapping(value, "metadata"), "annotations": notes},
        "spec": {**mapping(value, "spec"), "volumeName": text(volume, "metadata", "name")},
        "status": {
            "phase": "Bound",
            "accessModes": of_volume.get("accessModes") or [],
            "capacity": mapping(of_volume, "capacity"),
        },
    }
