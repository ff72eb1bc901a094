"""Taint eviction: pods leave a node whose NoExecute taint they do not tolerate, at once or when their time is over.

Follows pkg/controller/tainteviction/taint_eviction.go: the shortest tolerationSeconds of the tolerations in use counts,
from the moment the taint is seen.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.conditions import with_conditions
from kplan.controllers.control import NORMAL, Control
from kplan.controllers.manager import Controller, itself
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

_EFFECT = "NoExecute"


def reconcile(key: Key, control: Control) -> None:
    """Evict one pod, or note when it has to go; one that is being deleted already is told of all the same."""
    pod = control.get(key)
    node = control.find("Node", pod["spec"].get("nodeName") or "") if pod is not None else None
    taints = _taints(node) if node is not None else []
    if pod is None or not taints:
        if control.memory.pop(control.current, None) is not None and pod is not None:
            _tell(pod, "Cancelling deletion of Pod", control)
        return
    used = [_tolerations(pod, taint) for taint in taints]
    if not all(used):
        _evict(pod, control)
        return
    limits = [t["tolerationSeconds"] for some in used for t in some if t.get("tolerationSeconds") is not None]
    if not limits:
        control.memory.pop(control.current, None)
        return
    began, least = control.memory.get(control.current) or (control.clock.now, max(0, min(limits)))
    control.memory[control.current] = (began, least)
    if control.clock.now >= began + least:
        _evict(pod, control)
    else:
        control.wake(began + least - control.clock.now)


def _evict(pod: Value, control: Control) -> None:
    control.memory.pop(control.current, None)
    _tell(pod, "Marking for deletion Pod", control)
    said = {
        "status": "True",
        "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
    }
    pod = control.status(pod, with_conditions(pod.get("status") or {}, {"DisruptionTarget": said}, control.now))
    control.delete(pod)


def _tell(pod: Value, what: str, control: Control) -> None:
    meta = pod["metadata"]
    control.event(pod, NORMAL, "TaintManagerEviction", f"{what} {meta['namespace']}/{meta['name']}")


def _taints(node: Value) -> list[Value]:
    return [t for t in (node.get("spec") or {}).get("taints") or () if t.get("effect") == _EFFECT]


def _tolerations(pod: Value, taint: Value) -> list[Value]:
    return [t for t in pod["spec"].get("tolerations") or () if _tolerates(t, taint)]


def _tolerates(toleration: Value, taint: Value) -> bool:
    if toleration.get("effect") not in (None, "", _EFFECT):
        return False
    key, operator = toleration.get("key") or "", toleration.get("operator") or "Equal"
    if key and key != taint.get("key"):
        return False
    if operator == "Exists":
        return True
    return operator == "Equal" and (toleration.get("value") or "") == (taint.get("value") or "")


def _of_pod(write: Write, control: Control) -> list[Key]:
    """A pod that was bound to a tainted node, or is not there any more."""
    if write.new is None or not write.new["spec"].get("nodeName"):
        return itself(write, control) if ("tainteviction", write.key) in control.memory else []
    same = write.old is not None and write.old["spec"] == write.new["spec"]
    node = None if same else control.find("Node", write.new["spec"]["nodeName"])
    return [write.key] if node is not None and _taints(node) else []


def _of_node(write: Write, control: Control) -> list[Key]:
    if (_taints(write.old) if write.old is not None else []) == (_taints(write.new) if write.new is not None else []):
        return []
    return [ref_of(p).key for p in control.store.all("Pod") if p["spec"].get("nodeName") == write.key.name]


CONTROLLER = Controller("tainteviction", {"Pod": _of_pod, "Node": _of_node}, reconcile)
