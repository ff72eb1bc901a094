"""The pod garbage collector: pods of nodes that are gone.

Follows pkg/controller/podgc/gc_controller.go: a pod whose node does not exist is failed and deleted by force, after a
quarantine of 40 seconds and by the next of the rounds that come every 20 seconds.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import pods
from kplan.controllers.conditions import observed, with_conditions
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

QUARANTINE, ROUND = 40.0, 20.0


def reconcile(key: Key, control: Control) -> None:
    """Delete a pod whose node has been gone for long enough."""
    pod = control.get(key)
    name = pod["spec"].get("nodeName") if pod is not None else ""
    if pod is None or not name or control.find("Node", name) is not None:
        control.memory.pop(control.current, None)
        return
    since = control.memory.setdefault(control.current, control.clock.now)
    due = since + QUARANTINE + ROUND / 4  # somewhere within a round
    if control.clock.now < due:
        control.wake(due - control.clock.now)
        return
    control.memory.pop(control.current, None)
    if not pods.has_ended(pod):
        said = {
            "status": "True",
            "reason": "DeletionByPodGC",
            "message": "PodGC: node no longer exists",
            **observed(pod, control.minor),
        }
        status = with_conditions(pod.get("status") or {}, {"DisruptionTarget": said}, control.now)
        pod = control.status(pod, {**status, "phase": "Failed"})
    control.delete(pod, grace=0)


def _of_pod(write: Write, control: Control) -> list[Key]:
    """A pod that is bound to a node that is not there; without any node in the input nothing is known of them."""
    name = write.new["spec"].get("nodeName") if write.new is not None else ""
    if not name or (write.old is not None and write.old["spec"].get("nodeName") == name):
        return []
    if write.old is None and next(control.store.all("Node"), None) is None:
        return []
    return [] if control.find("Node", name) is not None else [write.key]


def _of_node(write: Write, control: Control) -> list[Key]:
    if write.old is not None and write.new is not None:
        return []
    return [ref_of(p).key for p in control.store.all("Pod") if p["spec"].get("nodeName") == write.key.name]


CONTROLLER = Controller("podgc", {"Pod": _of_pod, "Node": _of_node}, reconcile)
