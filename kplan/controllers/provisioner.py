"""A stand-in for the external provisioners of all classes: it makes the volumes that claims ask for, and deletes them.

Follows sig-storage-lib-external-provisioner, which CSI drivers run beside themselves: a volume `pvc-<uid>` for a claim
with the annotation of the PV controller; for a class with WaitForFirstConsumer once a node is selected. A volume that
is released goes with its data if its policy is Delete. A control plane by itself has no provisioner: it runs where it
is asked for.
"""

from __future__ import annotations

from typing import Any

from kplan.api.request import Refused
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.manager import Controller, itself
from kplan.controllers.metadata import without_finalizer
from kplan.controllers.persistentvolumeclaims import BETA_PROVISIONER, PROVISIONER
from kplan.controllers.persistentvolumephases import RELEASED
from kplan.labels import Requirement
from kplan.model import Key
from kplan.scheduler import writes
from kplan.scheduler.fields import items, string_map, strings, text
from kplan.scheduler.terms import NodeTerm
from kplan.scheduler.volumes import SELECTED_NODE, read_claim

Value = dict[str, Any]

FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
_HONORS_POLICY = 31  # the minor since which the finalizer is set: HonorPVReclaimPolicy


def reconcile(key: Key, control: Control) -> None:
    """Make the volume that a claim asks for, or delete one that was released."""
    obj = control.get(key)
    if obj is None:
        return
    if key.kind == "PersistentVolumeClaim":
        _provision(obj, control)
    elif _is_to_go(obj):
        control.delete(obj)
        current = control.get(key)
        if current is not None:
            control.update(without_finalizer(current, FINALIZER))


def _provision(claim: Value, control: Control) -> None:
    notes = string_map(claim, "metadata", "annotations")
    driver = notes.get(PROVISIONER) or notes.get(BETA_PROVISIONER)
    kind = control.find("StorageClass", read_claim(claim).class_name)
    if not driver or kind is None or text(claim, "spec", "volumeName") or claim["metadata"].get("deletionTimestamp"):
        return
    node = notes.get(SELECTED_NODE, "")
    if kind.get("volumeBindingMode") == "WaitForFirstConsumer" and not node:
        return
    volume = _volume(claim, kind, driver, node, control)
    name = volume["metadata"]["name"]
    if control.get(Key("", "PersistentVolume", "", name)) is not None:
        return
    where = f"{claim['metadata'].get('namespace') or 'default'}/{claim['metadata']['name']}"
    control.event(claim, NORMAL, "Provisioning", f'External provisioner is provisioning volume for claim "{where}"')
    try:
        control.create(volume)
    except Refused as no:
        reason = f"Error creating provisioned PV object for claim {where}: {no.message}. Deleting the volume."
        control.event(claim, WARNING, "ProvisioningFailed", reason)
        control.retry()
        return
    control.event(claim, NORMAL, "ProvisioningSucceeded", f"Successfully provisioned volume {name}")


def _volume(claim: Value, kind: Value, driver: str, node: str, control: Control) -> Value:
    policy = text(kind, "reclaimPolicy") or "Delete"
    volume = writes.provisioned(claim, driver=driver, policy=policy, place=_place(driver, node, control))
    spec = {**volume["spec"], "storageClassName": text(kind, "metadata", "name")}
    if kind.get("mountOptions"):
        spec["mountOptions"] = kind["mountOptions"]
    meta = volume["metadata"]
    if policy == "Delete" and control.minor >= _HONORS_POLICY:
        meta = {**meta, "finalizers": [FINALIZER]}
    return {**volume, "metadata": meta, "spec": spec}


def _place(driver: str, node: str, control: Control) -> tuple[NodeTerm, ...] | None:
    """Where a volume made for a node can be used: what the driver calls its topology, None for everywhere."""
    known = control.find("CSINode", node) if node else None
    drivers = items(known, "spec", "drivers") if known is not None else []
    keys = next((strings(d, "topologyKeys") for d in drivers if d.get("name") == driver), ())
    if not keys:
        return None
    labels = string_map(control.find("Node", node) or {}, "metadata", "labels")
    return (NodeTerm(tuple(Requirement(k, "In", (labels.get(k, ""),)) for k in keys), ()),)


def _is_to_go(volume: Value) -> bool:
    """Whether a volume that a provisioner made has lost its claim, and is to be deleted with its data."""
    made = bool(string_map(volume, "metadata", "annotations").get(writes.PROVISIONED_BY))
    released = text(volume, "status", "phase") == RELEASED
    held = not volume["metadata"].get("deletionTimestamp") or FINALIZER in (volume["metadata"].get("finalizers") or ())
    return made and released and held and text(volume, "spec", "persistentVolumeReclaimPolicy") == "Delete"


CONTROLLER = Controller(
    "external-provisioner", {"PersistentVolumeClaim": itself, "PersistentVolume": itself}, reconcile
)
