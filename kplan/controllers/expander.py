"""The expander of volumes: a claim that asks for more than it has waits for the driver of its volume.

Follows pkg/controller/volume/expand/expand_controller.go: no plugin that could enlarge a volume is part of Kubernetes
any more, so all that it does is to say so. The driver itself is not simulated.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.control import NORMAL, Control
from kplan.controllers.manager import Controller
from kplan.model import Key
from kplan.scheduler.fields import size
from kplan.store import Write

Value = dict[str, Any]

_ASKED, _HAS = ("spec", "resources", "requests", "storage"), ("status", "capacity", "storage")


def reconcile(key: Key, control: Control) -> None:
    """Tell of one claim that it waits."""
    claim = control.get(key)
    if claim is None or size(claim, *_ASKED) <= size(claim, *_HAS):
        return
    if control.find("PersistentVolume", (claim.get("spec") or {}).get("volumeName") or "") is not None:
        message = "waiting for an external controller to expand this PVC"
        control.event(claim, NORMAL, "ExternalExpanding", message)


def _grown(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    """A bound claim that asks for more than before."""
    old, new = write.old, write.new
    if old is None or new is None or (new.get("status") or {}).get("phase") != "Bound":
        return []
    return [write.key] if size(new, *_ASKED) > size(old, *_ASKED) else []


CONTROLLER = Controller("persistentvolume-expander", {"PersistentVolumeClaim": _grown}, reconcile)
