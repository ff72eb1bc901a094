"""The status of a Deployment: counts, and whether its rollout makes progress.

Follows pkg/controller/deployment/sync.go (calculateStatus, checkPausedConditions), progress.go and
util/deployment_util.go (DeploymentComplete, DeploymentProgressing, DeploymentTimedOut).
"""

from __future__ import annotations

from typing import Any

from kplan.clock import seconds
from kplan.controllers.conditions import find
from kplan.controllers.control import Control
from kplan.controllers.deploymentconditions import with_condition, without_condition
from kplan.controllers.deploymentscale import unavailable
from kplan.controllers.deploymentsets import Sets, has_deadline, size

Value = dict[str, Any]

AVAILABLE, PROGRESSING, FAILURE = "Available", "Progressing", "ReplicaFailure"
COMPLETED, TIMED_OUT = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
_PAUSED = "DeploymentPaused"


def write_status(deployment: Value, sets: Sets, control: Control) -> Value:
    """Write the counts; nothing is said about progress."""
    return control.status(deployment, _counted(deployment, sets, control))


def write_rollout(deployment: Value, sets: Sets, control: Control) -> Value:
    """Write the counts, whether the rollout goes on, and the failure of a set if there is one."""
    status = _counted(deployment, sets, control)
    if has_deadline(deployment):
        known = find(status, PROGRESSING)
        done = known is not None and known.get("reason") == COMPLETED
        if not (done and status.get("replicas", 0) == status.get("updatedReplicas", 0)):
            status = _progress(deployment, status, sets, control)
    else:
        status = without_condition(status, PROGRESSING)
    failure = _failure(sets)
    if failure is not None:
        status = with_condition(status, control, FAILURE, *failure)
    else:
        status = without_condition(status, FAILURE)
    _watch_deadline(deployment, status, control)
    return control.status(deployment, status)


def note_pause(deployment: Value, control: Control) -> Value:
    """The Deployment after its condition says that it was paused or resumed."""
    if not has_deadline(deployment):
        return deployment
    status = deployment.get("status") or {}
    known = find(status, PROGRESSING)
    reason = known.get("reason") if known is not None else ""
    if reason == TIMED_OUT:
        return deployment
    paused = bool(deployment["spec"].get("paused"))
    if paused and reason != _PAUSED:
        status = with_condition(status, control, PROGRESSING, "Unknown", _PAUSED, "Deployment is paused")
    elif not paused and reason == _PAUSED:
        status = with_condition(status, control, PROGRESSING, "Unknown", "DeploymentResumed", "Deployment is resumed")
    return control.status(deployment, status)


def is_complete(deployment: Value, status: Value) -> bool:
    """Whether all wanted pods are of the new template and available, and no other is left."""
    wanted = size(deployment)
    counts = (status.get(k, 0) for k in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(n == wanted for n in counts) and status.get("observedGeneration", 0) >= _generation(deployment)


def _counted(deployment: Value, sets: Sets, control: Control) -> Value:
    old = deployment.get("status") or {}
    available = _sum(sets.all, "availableReplicas")
    counts = {
        "observedGeneration": _generation(deployment),
        "replicas": _sum(sets.all, "replicas"),
        "updatedReplicas": _sum((sets.new,) if sets.new is not None else (), "replicas"),
        "readyReplicas": _sum(sets.all, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(size, sets.all)) - available),
    }
    status: Value = {k: n for k, n in counts.items() if n}
    if control.minor >= 35 and all("terminatingReplicas" in (s.get("status") or {}) for s in sets.all):
        status["terminatingReplicas"] = _sum(sets.all, "terminatingReplicas")
    for kept in ("collisionCount", "conditions"):
        if kept in old:
            status[kept] = old[kept]
    if available >= size(deployment) - unavailable(deployment):
        said = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        said = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return with_condition(status, control, AVAILABLE, *said)


def _sum(sets: tuple[Value, ...], field: str) -> int:
    return sum((s.get("status") or {}).get(field) or 0 for s in sets)


def _progress(deployment: Value, status: Value, sets: Sets, control: Control) -> Value:
    what = (
        f'ReplicaSet "{sets.new["metadata"]["name"]}"' if sets.new else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    if is_complete(deployment, status):
        message = f"{what} has successfully progressed."
        return with_condition(status, control, PROGRESSING, "True", COMPLETED, message)
    if _is_progressing(deployment.get("status") or {}, status):
        known = find(status, PROGRESSING)
        status = without_condition(status, PROGRESSING)
        status = with_condition(status, control, PROGRESSING, "True", "ReplicaSetUpdated", f"{what} is progressing.")
        if known is not None and known["status"] == "True":
            status["conditions"][-1]["lastTransitionTime"] = known["lastTransitionTime"]
        return status
    if _is_late(deployment, status, control):
        message = f"{what} has timed out progressing."
        return with_condition(status, control, PROGRESSING, "False", TIMED_OUT, message)
    return status


def _is_progressing(old: Value, new: Value) -> bool:
    """Whether there are more new pods, fewer old ones, or more that are ready or available."""

    def count(status: Value, field: str) -> int:
        return int(status.get(field) or 0)

    fewer_old = count(new, "replicas") - count(new, "updatedReplicas") < count(old, "replicas") - count(
        old, "updatedReplicas"
    )
    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return fewer_old or any(count(new, f) > count(old, f) for f in more)


def _deadline(deployment: Value, status: Value) -> float | None:
    """When a rollout counts as stuck, in seconds since 1970; None if it cannot."""
    known = find(status, PROGRESSING)
    if known is None or known.get("reason") in (COMPLETED, TIMED_OUT, _PAUSED):
        return None
    return seconds(known["lastUpdateTime"]) + float(deployment["spec"]["progressDeadlineSeconds"])


def _is_late(deployment: Value, status: Value, control: Control) -> bool:
    known = find(status, PROGRESSING)
    if known is not None and known.get("reason") == TIMED_OUT:
        return True
    at = _deadline(deployment, status)
    return at is not None and control.clock.now > at


def _watch_deadline(deployment: Value, status: Value, control: Control) -> None:
    at = _deadline(deployment, status) if has_deadline(deployment) and not is_complete(deployment, status) else None
    if at is not None and not deployment["spec"].get("paused"):
        control.wake(at + 1 - control.clock.now)


def _failure(sets: Sets) -> tuple[str, str, str] | None:
    """Status, reason and message of the first set that fails: the new one, else an old one."""
    for s in (*((sets.new,) if sets.new is not None else ()), *sets.old):
        found = find(s.get("status") or {}, FAILURE)
        if found is not None:
            return found["status"], found.get("reason", ""), found.get("message", "")
    return None


def _generation(deployment: Value) -> int:
    return int(deployment["metadata"].get("generation") or 1)
