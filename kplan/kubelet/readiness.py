"""The conditions of a pod that follow from its containers, and the gates that hold its readiness back.

Follows pkg/kubelet/status/generate.go. Somebody else sets the condition of a gate (KEP-580); the kubelet looks again
as soon as one has changed.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import pods
from kplan.controllers.conditions import with_conditions
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]

TRUE: Value = {"status": "True"}


def with_readiness(pod: Value, status: Value, now: str) -> Value:
    """The status with its conditions PodScheduled, Initialized, ContainersReady and Ready, as its containers stand."""
    spec = pod["spec"]
    states = {s["name"]: s for k in ("initContainerStatuses", "containerStatuses") for s in status.get(k) or ()}
    init = spec.get("initContainers") or ()
    to_come = [c["name"] for c in init if not _is_done(c, states.get(c["name"], {}))]
    sidecars = [c for c in init if c.get("restartPolicy") == "Always"]
    unready = [c["name"] for c in (*sidecars, *spec["containers"]) if not states.get(c["name"], {}).get("ready")]
    initialized, ready = TRUE, TRUE
    if to_come:
        initialized = _false("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(to_come)}]")
    if unready:
        ready = _false("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    conditions = {"Initialized": initialized, "ContainersReady": ready, "Ready": ready}
    if not unready:
        conditions["Ready"] = _gated(pod, status)
    return with_conditions(_scheduled(status, now), conditions, now)


def _scheduled(status: Value, now: str) -> Value:
    """The status of a pod that has a node; one that was made with it has not met the scheduler."""
    known = list(status.get("conditions") or ())
    if any(c["type"] == "PodScheduled" for c in known):
        return with_conditions(status, {"PodScheduled": TRUE}, now)
    return {**status, "conditions": [{"type": "PodScheduled", "lastTransitionTime": now, **TRUE}, *known]}


def _is_done(container: Value, state: Value) -> bool:
    """Whether an init container lets the next one start: it has ended well, or as a sidecar has started."""
    if container.get("restartPolicy") == "Always":
        return bool(state.get("started"))
    return ((state.get("state") or {}).get("terminated") or {}).get("exitCode") == 0


def _gated(pod: Value, status: Value) -> Value:
    """The Ready condition of a pod whose containers are ready: every gate needs a condition that is True."""
    said = []
    known = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    for gate in pod["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in known:
            said.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif known[kind] != "True":
            said.append(f'the status of pod readiness gate "{kind}" is not "True", but {known[kind]}')
    return _false("ReadinessGatesNotReady", ", ".join(said)) if said else TRUE


def _false(reason: str, message: str) -> Value:
    return {"status": "False", "reason": reason, "message": message}


def reconcile(key: Key, control: Control) -> None:
    """Look at the gates of a pod again."""
    pod = control.get(key)
    if pod is None or pods.is_terminating(pod) or pods.phase(pod) != "Running":
        return
    ready = pods.condition(pod, "ContainersReady")
    if ready is not None and ready["status"] == "True":
        status = pod["status"]
        control.status(pod, with_conditions(status, {"Ready": _gated(pod, status)}, control.now))


def _of_pod(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    return [write.key] if write.new is not None and write.new["spec"].get("readinessGates") else []


CONTROLLER = Controller("kubelet-readiness", {"Pod": _of_pod}, reconcile)
