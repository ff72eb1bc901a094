"""Taint eviction: pods leave a node whose NoExecute taint they do not tolerate, at once or when their time is over.

Follows pkg/controller/tainteviction/taint_eviction.go: the shortest tolerationSeconds of the tolerations in use counts,
from the moment the taint is seen. What is scheduled once is only ever cancelled, not put off.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.conditions import observed, with_conditions
from kplan.controllers.control import NORMAL, Control
from kplan.controllers.manager import Controller, itself
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

_EFFECT = "NoExecute"


def reconcile(key: Key, control: Control) -> None:
    """Evict one pod, or note when it has to go; one that is being deleted already is told of all the same."""
    pod = control.get(key)
    due = control.memory.get(control.current)
    if pod is None:
        _cancel(key, control)
        return
    if due is not None and control.clock.now >= due:
        del control.memory[control.current]
        _evict(pod, control)
        return
    node = control.find("Node", pod["spec"].get("nodeName") or "")
    if node is None:
        if due is not None:  # a node that is gone changes nothing
            control.wake(due - control.clock.now)
        return
    limit = _limit(pod, _taints(node))
    if limit is None:
        _cancel(key, control)
    elif limit == 0:
        _cancel(key, control)
        _evict(pod, control)
    else:
        due = control.memory.setdefault(control.current, control.clock.now + limit)
        control.wake(due - control.clock.now)


def _limit(pod: Value, taints: list[Value]) -> int | None:
    """Seconds that a pod may stay on a node with these taints, None without a limit.

    The first toleration that fits a taint is the one that counts for it.
    """
    limits: list[int] = []
    for taint in taints:
        used = next((t for t in pod["spec"].get("tolerations") or () if _tolerates(t, taint)), None)
        if used is None:
            return 0
        if used.get("tolerationSeconds") is not None:
            limits.append(max(0, int(used["tolerationSeconds"])))
    return min(limits, default=None)


def _cancel(key: Key, control: Control) -> None:
    """Nothing is scheduled for the pod any more; told if there was, even of a pod that is gone."""
    if control.memory.pop(control.current, None) is not None:
        _tell(key, "Cancelling deletion of Pod", control)


def _evict(pod: Value, control: Control) -> None:
    _tell(control.current[1], "Marking for deletion Pod", control)
    said = {
        "status": "True",
        "reason": "DeletionByTaintManager",
        "message": "Taint manager: deleting due to NoExecute taint",
        **observed(pod, control.minor),
    }
    pod = control.status(pod, with_conditions(pod.get("status") or {}, {"DisruptionTarget": said}, control.now))
    control.delete(pod)


def _tell(key: Key, what: str, control: Control) -> None:
    pod = {"kind": "Pod", "metadata": {"namespace": key.namespace, "name": key.name}}
    control.event(pod, NORMAL, "TaintManagerEviction", f"{what} {key.namespace}/{key.name}")


def _taints(node: Value) -> list[Value]:
    return [t for t in (node.get("spec") or {}).get("taints") or () if t.get("effect") == _EFFECT]


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
    """The pods of a node that is new or has other taints; when it goes, what was scheduled for them stays so."""
    before = _taints(write.old) if write.old is not None else None
    if write.new is None or before == _taints(write.new):
        return []
    found = [ref_of(p).key for p in control.store.all("Pod") if p["spec"].get("nodeName") == write.key.name]
    return found if before or _taints(write.new) else [k for k in found if ("tainteviction", k) in control.memory]


CONTROLLER = Controller("tainteviction", {"Pod": _of_pod, "Node": _of_node}, reconcile)
