"""The PersistentVolume controller: claims and volumes find each other, and volumes are reclaimed.

Follows pkg/controller/volume/persistentvolume/pv_controller_base.go: a changed claim or volume is looked at, and every
15 seconds all of them are; that is when a claim finds a volume that came after it. persistentvolumeclaims.py looks at
claims, persistentvolumephases.py at volumes.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import claimusers, persistentvolumeclaims, persistentvolumephases
from kplan.controllers.control import Control, Timer
from kplan.controllers.manager import Controller
from kplan.controllers.pods import condition
from kplan.model import Key
from kplan.scheduler import writes
from kplan.store import Write, ref_of

Value = dict[str, Any]

NAME = "persistentvolume-binder"
RESYNC = 15.0  # --pvclaimbinder-sync-period
CLAIM, VOLUME = "PersistentVolumeClaim", "PersistentVolume"
_AGAIN = "Again"  # the kind of what stands in the queue for a claim about which nothing has changed
# What stands for all claims: those that wait are to be looked at soon, or now.
_SOON, _NOW = Key("", _AGAIN, "", "all-soon"), Key("", _AGAIN, "", "all-now")


def reconcile(key: Key, control: Control) -> None:
    """Look at one claim or volume, or at all claims that wait for one."""
    if key == _SOON:
        if (NAME, _NOW) not in control.timers and any(map(_waits, control.store.all(CLAIM))):
            control.timers[NAME, _NOW] = Timer(control.clock.now + RESYNC, NAME, _NOW)
    elif key == _NOW:
        for claim in [c for c in control.store.all(CLAIM) if _waits(c)]:
            persistentvolumeclaims.sync(claim, control, again=True)
    elif (found := control.get(_claim_key(key) if key.kind == _AGAIN else key)) is None:
        return
    elif key.kind == VOLUME:
        unbound = persistentvolumephases.sync(found, control)
        if unbound is not None:
            persistentvolumeclaims.sync(unbound, control)
    else:
        persistentvolumeclaims.sync(found, control, again=key.kind == _AGAIN)


def _claim_key(key: Key) -> Key:
    return Key("", CLAIM, key.namespace, key.name)


def _waits(claim: Value) -> bool:
    return (claim.get("status") or {}).get("phase") != "Bound"


def _of_claim(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    """The claim itself; when it has gone, its volume."""
    if write.new is not None:
        return [write.key]
    assert write.old is not None
    volume = (write.old.get("spec") or {}).get("volumeName")
    return [Key("", VOLUME, "", volume)] if volume else []


def _of_volume(write: Write, control: Control) -> list[Key]:  # noqa: ARG001
    """The volume itself, and whoever waits for one; when it has gone, the claim that it was for."""
    if write.new is not None:
        return [write.key, _SOON]
    assert write.old is not None
    ref = (write.old.get("spec") or {}).get("claimRef") or {}
    return [Key("", CLAIM, ref.get("namespace", ""), ref.get("name", ""))] if ref else []


def _of_class(write: Write, control: Control) -> list[Key]:  # noqa: ARG001
    return [_SOON] if write.new is not None else []


def _of_pod(write: Write, control: Control) -> list[Key]:
    """The claims of a pod that the scheduler has looked at for the first time: see `persistentvolumeclaims`."""
    claimusers.see(write, control)
    if write.new is None or not write.new["spec"].get("volumes") or condition(write.new, "PodScheduled") is None:
        return []
    if write.old is not None and condition(write.old, "PodScheduled") is not None:
        return []
    claims = (control.get(key) for key in claimusers.keys(write.new))
    unbound = (ref_of(c).key for c in claims if c is not None and not writes.is_bound(c))
    return [Key("", _AGAIN, key.namespace, key.name) for key in unbound]


_WATCHES = {CLAIM: _of_claim, VOLUME: _of_volume, "StorageClass": _of_class, "Pod": _of_pod}
CONTROLLER = Controller(NAME, _WATCHES, reconcile)
