"""What the PersistentVolume controller does for a claim: bind it, have a volume made, or say what it waits for.

Follows pkg/controller/volume/persistentvolume/pv_controller.go (syncUnboundClaim, syncBoundClaim, bind,
provisionClaim). A binding is four writes to the API server, the look of the scheduler at a new pod is one: a pod that
came right after its claim is first told that the claim is not bound.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers import claimusers
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.persistentvolumephases import set_phase
from kplan.controllers.pods import condition, has_ended, is_active
from kplan.model import Key
from kplan.scheduler import writes
from kplan.scheduler.pod import DEFAULT_SCHEDULER
from kplan.scheduler.volumes import (
    BETA_CLASS,
    BIND_COMPLETED,
    SELECTED_NODE,
    Claim,
    Volume,
    controller_match,
    default_class,
    read_claim,
    read_volume,
)
from kplan.store import ref_of

Value = dict[str, Any]

PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
# Names of plugins that once were part of Kubernetes, and the CSI drivers that serve them now (csi-translation-lib).
MIGRATED = {
    "kubernetes.io/aws-ebs": "ebs.csi.aws.com",
    "kubernetes.io/azure-disk": "disk.csi.azure.com",
    "kubernetes.io/azure-file": "file.csi.azure.com",
    "kubernetes.io/cinder": "cinder.csi.openstack.org",
    "kubernetes.io/gce-pd": "pd.csi.storage.gke.io",
    "kubernetes.io/portworx-volume": "pxd.portworx.com",
    "kubernetes.io/vsphere-volume": "csi.vsphere.vmware.com",
}
_IN_TREE = "kubernetes.io/"
_HOST_PATH = "kubernetes.io/host-path"
_NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
_NO_CONSUMER = "waiting for first consumer to be created before binding"


class _Known(NamedTuple):
    """A volume as it was read, and the object that it was read from."""

    value: Value
    volume: Volume


def sync(claim: Value, control: Control, *, again: bool = False) -> None:
    """Look at one claim. With `again` nothing has changed about it: what was said before is not repeated."""
    if BIND_COMPLETED in _notes(claim):
        _keep(claim, control)
    elif (claim.get("spec") or {}).get("volumeName"):
        _bind_to_wanted(claim, control, again)
    else:
        _find(claim, control, again)


def _find(claim: Value, control: Control, again: bool) -> None:
    """Somebody wants any volume."""
    read = read_claim(claim)
    kind = control.find("StorageClass", read.class_name) if read.class_name else None
    delayed = kind is not None and kind.get("volumeBindingMode") == "WaitForFirstConsumer"
    volume = _match(read, control, delayed)
    if volume is not None:
        if delayed or not _is_scheduler_first(claim, control):
            bind(volume, claim, control)
    elif not _has_class(claim) and (name := default_class(control.store.all("StorageClass"))):
        control.update({**claim, "spec": {**claim["spec"], "storageClassName": name}})
    elif delayed and SELECTED_NODE not in _notes(claim):
        _say(claim, NORMAL, *_awaited(claim, control), control, again)
    elif read.class_name:
        _provision(claim, read.class_name, kind, control, again)
    else:
        _say(claim, NORMAL, "FailedBinding", _NO_CLASS, control, again)
        _set_status(claim, "Pending", None, control)


def _match(claim: Claim, control: Control, delayed: bool) -> Value | None:
    """The object of the volume that suits a claim best."""
    known = control.remembered("persistentvolumeclaims", dict[str, _Known])
    found = []
    for value in control.store.all("PersistentVolume"):
        name = value["metadata"]["name"]
        if name not in known or known[name].value is not value:
            is_free = (value.get("status") or {}).get("phase") == "Available"
            known[name] = _Known(value, read_volume(value)._replace(available=is_free))
        found.append(known[name].volume)
    best = controller_match(found, claim, delayed=delayed)
    return known[best.name].value if best is not None else None


def _is_scheduler_first(claim: Value, control: Control) -> bool:
    """Whether a pod waits that came together with the claim, and that the scheduler has not looked at yet."""
    key = ref_of(claim).key
    for pod in claimusers.of(key, control):
        new = is_active(pod) and not pod["spec"].get("nodeName") and condition(pod, "PodScheduled") is None
        ours = (pod["spec"].get("schedulerName") or DEFAULT_SCHEDULER) == DEFAULT_SCHEDULER
        after = control.store.born(ref_of(pod).key) - control.store.born(key)
        if new and ours and 0 < after <= len(claimusers.names(pod)):
            return True
    return False


def _awaited(claim: Value, control: Control) -> tuple[str, str]:
    """What a claim of a class with WaitForFirstConsumer waits for: a pod, or the scheduler.

    A pod that came after the claim was not there yet when the claim was looked at.
    """
    key = ref_of(claim).key
    born = control.store.born(key)
    names = [
        pod["metadata"]["name"]
        for pod in claimusers.of(key, control)
        if not pod["spec"].get("nodeName") and not has_ended(pod) and control.store.born(ref_of(pod).key) < born
    ]
    if not names:
        return "WaitForFirstConsumer", _NO_CONSUMER
    which = f"pods {','.join(names)}" if len(names) > 1 else f"pod {names[0]}"
    return "WaitForPodScheduled", f"waiting for {which} to be scheduled"


def _provision(claim: Value, name: str, kind: Value | None, control: Control, again: bool) -> None:
    """Ask the provisioner of a class for a volume; it sees the annotation and makes one."""
    if kind is None:
        _say(claim, WARNING, "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found', control, again)
        return
    provisioner = str(kind.get("provisioner", ""))
    if provisioner.startswith(_IN_TREE) and provisioner not in MIGRATED:
        reason = f"no volume plugin matched name: {provisioner}"
        if provisioner == _HOST_PATH:
            reason = f'Failed to create provisioner: provisioning in volume plugin "{_HOST_PATH}" is disabled'
        _say(claim, WARNING, "ProvisioningFailed", reason, control, again)
        return
    driver = MIGRATED.get(provisioner, provisioner)
    message = (
        f"Waiting for a volume to be created either by the external provisioner '{driver}' or manually by the system "
        "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
        "registered."
    )
    if _notes(claim).get(PROVISIONER) != driver:
        notes = {**_notes(claim), BETA_PROVISIONER: driver, PROVISIONER: driver}
        claim = control.update({**claim, "metadata": {**claim["metadata"], "annotations": notes}})
        again = False
    _say(claim, NORMAL, "ExternalProvisioning", message, control, again)


def _bind_to_wanted(claim: Value, control: Control, again: bool) -> None:
    """Somebody wants this very volume."""
    name = claim["spec"]["volumeName"]
    volume = control.get(Key("", "PersistentVolume", "", name))
    wrong, mismatch = "", ""
    if volume is not None and not (volume.get("spec") or {}).get("claimRef"):
        mismatch = _mismatch(read_claim(claim), read_volume(volume))
        wrong = f'Cannot bind to requested volume "{name}": {mismatch}'
    elif volume is not None and not writes.is_for(volume, claim):
        wrong = f'volume "{name}" already bound to a different claim.'
    if volume is not None and not mismatch and not wrong.startswith("volume"):
        if not _is_scheduler_first(claim, control):
            bind(volume, claim, control)
        return
    if volume is not None:
        _say(claim, WARNING, "VolumeMismatch" if mismatch else "FailedBinding", wrong, control, again)
    _set_status(claim, "Pending", None, control)


def _mismatch(claim: Claim, volume: Volume) -> str:
    """Why a claim cannot have the volume that it names; empty if it can."""
    if volume.deleting:
        return f'the volume is marked for deletion "{volume.name}"'
    if volume.capacity < claim.request:
        return "requested PV is too small"
    if volume.class_name != claim.class_name:
        return "storageClassName does not match"
    if volume.attributes != claim.attributes:
        return "volumeAttributesClassName does not match"
    if volume.volume_mode != claim.volume_mode:
        return "incompatible volumeMode"
    return "" if claim.modes <= volume.modes else "incompatible accessMode"


def _keep(claim: Value, control: Control) -> None:
    """A claim that was bound before: its volume must still be there and be its own."""
    name = (claim.get("spec") or {}).get("volumeName")
    volume = control.get(Key("", "PersistentVolume", "", name)) if name else None
    if not name:
        lost = ("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
    elif volume is None:
        lost = ("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
    elif not (volume.get("spec") or {}).get("claimRef") or writes.is_for(volume, claim):
        bind(volume, claim, control)
        return
    else:
        lost = ("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
    if (claim.get("status") or {}).get("phase") != "Lost":
        _set_status(claim, "Lost", None, control)
        control.event(claim, WARNING, *lost)


def bind(volume: Value, claim: Value, control: Control) -> None:
    """Bind a claim and a volume to each other; what is done already is not done again."""
    volume = control.update(writes.reserved(volume, claim))
    volume = set_phase(volume, "Bound", control)
    claim = control.update(writes.completed(claim, volume))
    _set_status(claim, "Bound", volume, control)


def _set_status(claim: Value, phase: str, volume: Value | None, control: Control) -> None:
    """The phase of a claim, and what it gets from its volume."""
    old = claim.get("status") or {}
    status = {k: v for k, v in old.items() if k not in ("accessModes", "capacity", "currentVolumeAttributesClassName")}
    status["phase"] = phase
    if volume is not None:
        spec = volume.get("spec") or {}
        status["accessModes"] = spec.get("accessModes") or []
        # a bound claim that grows has its own capacity
        status["capacity"] = old.get("capacity") if old.get("phase") == phase else spec.get("capacity") or {}
        if spec.get("volumeAttributesClassName"):
            status["currentVolumeAttributesClassName"] = spec["volumeAttributesClassName"]
    control.status(claim, status)


def _say(claim: Value, kind: str, reason: str, message: str, control: Control, again: bool) -> None:
    if not again:
        control.event(claim, kind, reason, message)


def _has_class(claim: Value) -> bool:
    """Whether a claim names a class, be it the empty one."""
    return BETA_CLASS in _notes(claim) or (claim.get("spec") or {}).get("storageClassName") is not None


def _notes(claim: Value) -> dict[str, str]:
    return claim["metadata"].get("annotations") or {}
