"""What the PersistentVolume controller does for a volume: its phase, and what becomes of it when its claim has gone.

Follows pkg/controller/volume/persistentvolume/pv_controller.go (syncVolume, reclaimVolume, recycleVolumeOperation,
deleteVolumeOperation). The pod that empties a volume is taken to succeed at once.
"""

from __future__ import annotations

import re
from typing import Any

from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.model import Key
from kplan.scheduler import writes

Value = dict[str, Any]

AVAILABLE, BOUND, RELEASED, FAILED = "Available", "Bound", "Released", "Failed"
_TRANSITION_TIME = 29  # the minor since which the time of the last change of phase is kept
_DELETABLE_PATH = re.compile(r"/tmp/.+")  # noqa: S108 - what the controller may delete, nothing is opened
_RECYCLABLE = ("hostPath", "nfs")
_PLUGINS = ("csi", "hostPath", "local", "nfs")  # what kube-controller-manager knows besides


def sync(volume: Value, control: Control) -> Value | None:
    """Look at one volume; returns the claim that is to be looked at next, if there is one to be bound to it."""
    ref = (volume.get("spec") or {}).get("claimRef")
    claim = _claim_of(ref, control) if ref else None
    if not ref or (not ref.get("uid") and not _is_bound_without_uid(volume, claim)):
        set_phase(volume, AVAILABLE, control)
        return None
    if claim is None or (claim["metadata"].get("uid") or "") != (ref.get("uid") or ""):
        _release(volume, control)
        return None
    wanted = (claim.get("spec") or {}).get("volumeName")
    if not wanted:
        return claim if _can_be_bound(volume, claim, control) else None
    if wanted == volume["metadata"]["name"]:
        set_phase(volume, BOUND, control)
    elif _was_provisioned(volume) and _policy(volume) == "Delete":
        _release(volume, control)
    else:
        _unbind(volume, control)
    return None


def set_phase(volume: Value, phase: str, control: Control, message: str = "") -> Value:
    """The volume in this phase; nothing happens if it is in it already."""
    old = volume.get("status") or {}
    if old.get("phase") == phase:
        return volume
    status = {k: v for k, v in old.items() if k != "message"} | {"phase": phase}
    if control.minor >= _TRANSITION_TIME:
        status["lastPhaseTransitionTime"] = control.now
    return control.status(volume, {**status, "message": message} if message else status)


def _claim_of(ref: Value, control: Control) -> Value | None:
    """The claim that a volume refers to; one that names no namespace is in `default`."""
    namespace, name = str(ref.get("namespace", "")), str(ref.get("name", ""))
    found = control.get(Key("", "PersistentVolumeClaim", namespace, name))
    if found is None and namespace == "default":
        return control.get(Key("", "PersistentVolumeClaim", "", name))
    return found


def _is_bound_without_uid(volume: Value, claim: Value | None) -> bool:
    """Whether the claim of a volume is bound to it, and has no uid that could be named: an object from a file."""
    return claim is not None and not claim["metadata"].get("uid") and _volume_of(claim) == volume["metadata"]["name"]


def _volume_of(claim: Value) -> str:
    return str((claim.get("spec") or {}).get("volumeName") or "")


def _can_be_bound(volume: Value, claim: Value, control: Control) -> bool:
    """Whether both are of one mode; says so if not."""
    modes = [str((o.get("spec") or {}).get("volumeMode") or "Filesystem") for o in (volume, claim)]
    if modes[0] == modes[1]:
        return True
    what, why = "Cannot bind PersistentVolume", "due to incompatible volumeMode."
    name = claim["metadata"]["name"]
    of_volume = f'{what} to requested PersistentVolumeClaim "{name}" {why}'
    control.event(volume, WARNING, "VolumeMismatch", of_volume)
    of_claim = f'{what} "{volume["metadata"]["name"]}" to requested PersistentVolumeClaim {why}'
    control.event(claim, WARNING, "VolumeMismatch", of_claim)
    return False


def _unbind(volume: Value, control: Control) -> None:
    """Free a volume; one that was reserved by hand stays reserved."""
    meta, spec = volume["metadata"], dict(volume["spec"])
    notes = dict(meta.get("annotations") or {})
    if notes.pop(writes.BOUND_BY_CONTROLLER, None) is None:
        spec["claimRef"] = {k: v for k, v in spec["claimRef"].items() if k != "uid"}
    else:
        del spec["claimRef"]
        meta = {k: v for k, v in meta.items() if k != "annotations"} | ({"annotations": notes} if notes else {})
    set_phase(control.update({**volume, "metadata": meta, "spec": spec}), AVAILABLE, control)


def _release(volume: Value, control: Control) -> None:
    """The claim has gone: keep, delete or empty the volume, as its policy says."""
    if (volume.get("status") or {}).get("phase") not in (RELEASED, FAILED):
        volume = set_phase(volume, RELEASED, control)
    policy = _policy(volume)
    if policy == "Delete":
        _delete(volume, control)
    elif policy == "Recycle":
        _recycle(volume, control)
    elif policy != "Retain":
        what = "Volume has unrecognized PersistentVolumeReclaimPolicy"
        _fail(volume, "VolumeUnknownReclaimPolicy", what, control)


def _delete(volume: Value, control: Control) -> None:
    if volume["metadata"].get("deletionTimestamp") or _was_provisioned(volume):
        return  # on its way, or for its own provisioner to delete
    path = ((volume["spec"].get("hostPath")) or {}).get("path")
    if path is not None and _DELETABLE_PATH.search(path):
        control.delete(volume)
        return
    if path is not None:
        why = f"host_path deleter only supports /tmp/.+ but received provided {path}"
    else:
        known = any(plugin in volume["spec"] for plugin in _PLUGINS)
        matched = "no deletable volume plugin matched" if known else "no volume plugin matched"
        why = f'error getting deleter volume plugin for volume "{volume["metadata"]["name"]}": {matched}'
    _fail(volume, "VolumeFailedDelete", why, control)


def _recycle(volume: Value, control: Control) -> None:
    if not any(plugin in volume["spec"] for plugin in _RECYCLABLE):
        _fail(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!", control)
        return
    control.event(volume, NORMAL, "VolumeRecycled", "Volume recycled")
    _unbind(volume, control)


def _fail(volume: Value, reason: str, message: str, control: Control) -> None:
    if (volume.get("status") or {}).get("phase") != FAILED:
        control.event(set_phase(volume, FAILED, control, message), WARNING, reason, message)


def _policy(volume: Value) -> str:
    return str(volume["spec"].get("persistentVolumeReclaimPolicy") or "Retain")


def _was_provisioned(volume: Value) -> bool:
    """Whether a provisioner made the volume; none is part of kube-controller-manager any more."""
    return bool((volume["metadata"].get("annotations") or {}).get(writes.PROVISIONED_BY))
