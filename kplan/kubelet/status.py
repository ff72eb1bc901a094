"""What a kubelet reports of a pod: phase, conditions and container states.

Follows pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase) and status/generate.go.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from kplan.controllers.conditions import with_conditions
from kplan.kubelet import restarts
from kplan.kubelet.outcomes import Outcome

Value = dict[str, Any]

_UNREADY = "ContainersNotReady"


def started(pod: Value, outcome: Outcome, address: str, now: str) -> Value:
    """The status of a pod whose containers were started."""
    names = [c["name"] for c in pod["spec"]["containers"]]
    again = restarts.again(pod, 1) if outcome.crashes else frozenset()
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
        "containerStatuses": [_running(c, outcome, again, now) for c in pod["spec"]["containers"]],
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


def restarted(pod: Value, code: int, again: Collection[str], now: str) -> Value:
    """The status of a pod whose containers have ended; those named in `again` are about to be started again.

    What ends well and starts again runs all the time, as far as anybody sees.
    """
    states = []
    for c, s in _containers(pod):
        if c["name"] not in again:
            states.append(s if "terminated" in (s.get("state") or {}) else ended(c, s, code, now))
        else:
            states.append(crashing(c, ended(c, s, code, now), 1) if code else s or blank(c))
    names = [s["name"] for s in states if not s.get("ready")]
    said = {"status": "False", "reason": _UNREADY, "message": f"containers with unready status: [{' '.join(names)}]"}
    status = {**(pod.get("status") or {}), "containerStatuses": states}
    return with_conditions(status, {"ContainersReady": said, "Ready": said}, now)


def crashing(container: Value, over: Value, times: int) -> Value:
    """The status of a container that waits to be started again, `times` more than when it ended as `over` says."""
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}
    count = over["restartCount"] + times
    return {**blank(container), "restartCount": count, "state": {"waiting": waiting}, "lastState": over["state"]}


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


def _running(container: Value, outcome: Outcome, again: Collection[str], now: str) -> Value:
    if outcome.crashes:
        over = ended(container, {}, 1, now)
        return {**crashing(container, over, 3), "lastState": {}} if container["name"] in again else over
    running = {"ready": outcome.ready, "started": True, "state": {"running": {"startedAt": now}}}
    return {**blank(container), **running}


def ended(container: Value, known: Value, code: int, now: str) -> Value:
    """The status of a container that has ended with a code; `known` is its status before."""
    began = ((known.get("state") or {}).get("running") or {}).get("startedAt") or now
    reason = "Completed" if code == 0 else "Error"
    state = {"terminated": {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": now}}
    return {**blank(container), "restartCount": known.get("restartCount") or 0, "state": state}
