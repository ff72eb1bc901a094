"""What a kubelet reports of a pod: phase, conditions and container states.

Follows pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase) and status/generate.go.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.conditions import with_conditions
from kplan.kubelet.outcomes import Outcome

Value = dict[str, Any]

_UNREADY = "ContainersNotReady"


def started(pod: Value, outcome: Outcome, address: str, now: str) -> Value:
    """The status of a pod whose containers were started."""
    names = [c["name"] for c in pod["spec"]["containers"]]
    if outcome.ready:
        said: Value = {"status": "True"}
    else:
        said = {
            "status": "False",
            "reason": _UNREADY,
            "message": f"containers with unready status: [{' '.join(names)}]",
        }
    status = {
        **(pod.get("status") or {}),
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": now,
        "containerStatuses": [_running(c, outcome, now) for c in pod["spec"]["containers"]],
    }
    true = {"status": "True"}  # PodScheduled too: nobody else says so of a pod that came with its node
    conditions = {"PodScheduled": true, "Initialized": true, "ContainersReady": said, "Ready": said}
    return with_conditions(status, conditions, now)


def finished(pod: Value, code: int, now: str) -> Value:
    """The status of a pod whose containers have all ended with a code."""
    reason = "PodCompleted" if code == 0 else "PodFailed"
    states = [ended(c, s, code, now) for c, s in _containers(pod)]
    status = {
        **(pod.get("status") or {}),
        "phase": "Succeeded" if code == 0 else "Failed",
        "containerStatuses": states,
    }
    said = {"status": "False", "reason": reason}
    return with_conditions(status, {"ContainersReady": said, "Ready": said}, now)


def restarted(pod: Value, code: int, now: str) -> Value:
    """The status of a pod whose containers have ended and are about to be started again."""
    names = [c["name"] for c in pod["spec"]["containers"]]
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
    states = []
    for c, s in _containers(pod):
        last = ended(c, s, code, now)["state"]
        again = {"restartCount": (s.get("restartCount") or 0) + 1, "state": {"waiting": waiting}, "lastState": last}
        states.append({**blank(c), **again})
    said = {"status": "False", "reason": _UNREADY, "message": f"containers with unready status: [{' '.join(names)}]"}
    status = {**(pod.get("status") or {}), "containerStatuses": states}
    return with_conditions(status, {"ContainersReady": said, "Ready": said}, now)


def _containers(pod: Value) -> list[tuple[Value, Value]]:
    states = {s["name"]: s for s in (pod.get("status") or {}).get("containerStatuses") or ()}
    return [(c, states.get(c["name"], {})) for c in pod["spec"]["containers"]]


def blank(container: Value) -> Value:
    """The status of a container that has never run, without its state."""
    return {
        "name": container["name"],
        "ready": False,
        "restartCount": 0,
        "image": container.get("image", ""),
        "imageID": "",
        "started": False,
        "lastState": {},
    }


def _running(container: Value, outcome: Outcome, now: str) -> Value:
    if outcome.crashes:
        waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
        return {**blank(container), "restartCount": 3, "state": {"waiting": waiting}}
    running = {"ready": outcome.ready, "started": True, "state": {"running": {"startedAt": now}}}
    return {**blank(container), **running}


def ended(container: Value, known: Value, code: int, now: str) -> Value:
    """The status of a container that has ended with a code; `known` is its status before."""
    began = ((known.get("state") or {}).get("running") or {}).get("startedAt") or now
    reason = "Completed" if code == 0 else "Error"
    state = {"terminated": {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": now}}
    return {**blank(container), "restartCount": known.get("restartCount") or 0, "state": state}
