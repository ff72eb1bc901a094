"""Protection of what is in use: a claim that a pod uses, and a volume that is bound, are deleted only afterwards.

Follows pkg/controller/volume/pvcprotection and pvprotection: the finalizer that admission puts on a new object goes
when it is being deleted and nobody uses it; objects that lack it get it.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import claimusers
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.controllers.metadata import with_finalizer, without_finalizer
from kplan.controllers.persistentvolumephases import BOUND
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]

CLAIM_FINALIZER = "kubernetes.io/pvc-protection"
VOLUME_FINALIZER = "kubernetes.io/pv-protection"


def reconcile_claim(key: Key, control: Control) -> None:
    """Let go of a claim that is being deleted once no pod with a node uses it."""
    claim = control.get(key)
    if claim is not None:
        used = any(pod["spec"].get("nodeName") for pod in claimusers.of(key, control))
        _protect(claim, CLAIM_FINALIZER, used, control)


def reconcile_volume(key: Key, control: Control) -> None:
    """Let go of a volume that is being deleted once it is not bound."""
    volume = control.get(key)
    if volume is not None:
        _protect(volume, VOLUME_FINALIZER, (volume.get("status") or {}).get("phase") == BOUND, control)


def _protect(obj: Value, finalizer: str, used: bool, control: Control) -> None:
    meta = obj["metadata"]
    leaving, protected = bool(meta.get("deletionTimestamp")), finalizer in (meta.get("finalizers") or ())
    if leaving and protected and not used:
        control.update(without_finalizer(obj, finalizer))
    elif not leaving and not protected:
        control.update(with_finalizer(obj, finalizer))


def _itself(finalizer: str, write: Write) -> list[Key]:
    """An object that is being deleted, or comes without its finalizer."""
    if write.new is None:
        return []
    meta = write.new["metadata"]
    return [write.key] if meta.get("deletionTimestamp") or finalizer not in (meta.get("finalizers") or ()) else []


def _of_claim(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    return _itself(CLAIM_FINALIZER, write)


def _of_volume(write: Write, control: Control) -> list[Key]:  # noqa: ARG001
    return _itself(VOLUME_FINALIZER, write)


def _of_pod(write: Write, control: Control) -> list[Key]:
    """The claims of a pod that is gone."""
    claimusers.see(write, control)
    return claimusers.keys(write.old) if write.new is None and write.old is not None else []


CLAIMS = Controller("pvc-protection", {"PersistentVolumeClaim": _of_claim, "Pod": _of_pod}, reconcile_claim)
VOLUMES = Controller("pv-protection", {"PersistentVolume": _of_volume}, reconcile_volume)
