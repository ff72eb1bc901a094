"""Why one pod is not ready: what its status says, and the warnings about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kplan.controllers import pods
from kplan.workloads import dicts, get

Value = dict[str, Any]
Said = tuple[str, str]

_ON_THE_WAY = frozenset(("", "ContainerCreating", "PodInitializing"))
_SCHEDULING = frozenset(("FailedScheduling", "Preempted"))
DEFAULT_SCHEDULER = "default-scheduler"


def reasons(pod: Value, warnings: list[Said], is_node: Callable[[str], bool]) -> list[Said]:
    """Reasons and sentences; `warnings` are those about the pod, `is_node` knows the nodes of the cluster."""
    if pods.has_ended(pod):
        return [_end(pod)] if pods.phase(pod) == "Failed" else []
    found: list[Said] = []
    if pods.is_terminating(pod):
        held = ", ".join(pod["metadata"].get("finalizers") or ())
        found.append(("Terminating", f"it is being deleted{f' and held by {held}' if held else ''}"))
    node = pod["spec"].get("nodeName") or ""
    if not node:
        return [*found, unplaced(pod), *(w for w in warnings if w[0] not in _SCHEDULING)]
    if not is_node(node):
        return [*found, ("NodeNotFound", f"node {node} is not there")]
    found += _init(pod)
    found += [said for c in dicts(pod, "status", "containerStatuses") if (said := _container(c)) is not None]
    found += warnings
    return found or [_rest(pod)]


def unplaced(pod: Value) -> Said:
    """Why a pod has no node."""
    said = pods.condition(pod, "PodScheduled")
    scheduler = pod["spec"].get("schedulerName") or DEFAULT_SCHEDULER
    if scheduler != DEFAULT_SCHEDULER:
        return "Unscheduled", f"scheduler {scheduler} is not simulated"
    if said is not None and said.get("status") != "True":
        gates = ", ".join(str(g.get("name")) for g in dicts(pod, "spec", "schedulingGates"))
        message = said.get("message") or (f"it waits for {gates} to be lifted" if gates else "it has no node")
        return str(said.get("reason") or "Unscheduled"), str(message)
    return "Unscheduled", "it has no node"


def _init(pod: Value) -> Iterator[Said]:
    """The init container that holds up the others."""
    initialized = pods.condition(pod, "Initialized")
    if initialized is not None and initialized.get("status") == "True":
        return
    for c in dicts(pod, "status", "initContainerStatuses"):
        if get(c, "state", "terminated", "exitCode") == 0 or c.get("started") is True:
            continue
        said = _waiting(c) or _ended(c)
        yield said or ("Init", f"init container {c.get('name')} has not finished")
        return


def _container(c: Value) -> Said | None:
    if c.get("ready") is True:
        return None
    if isinstance(get(c, "state", "running"), dict):
        return "Unready", f"container {c.get('name')} runs and does not become ready"
    return _waiting(c) or _ended(c)


def _waiting(c: Value) -> Said | None:
    reason, message = str(get(c, "state", "waiting", "reason") or ""), str(get(c, "state", "waiting", "message") or "")
    if reason in _ON_THE_WAY:
        return None
    code = get(c, "lastState", "terminated", "exitCode")
    last = f", it ended with {code}" if code is not None else ""
    return reason, f"container {c.get('name')}: {message or 'it waits'}{last}"


def _ended(c: Value) -> Said | None:
    end = get(c, "state", "terminated")
    if not isinstance(end, dict):
        return None
    return str(end.get("reason") or "Ended"), f"container {c.get('name')} ended with {end.get('exitCode')}"


def _end(pod: Value) -> Said:
    """Why a pod failed."""
    status = pod.get("status") or {}
    if status.get("reason") or status.get("message"):
        return str(status.get("reason") or "Failed"), str(status.get("message") or "it failed")
    ends = (_ended(c) for kind in ("initContainerStatuses", "containerStatuses") for c in dicts(status, kind))
    failed = [e for e in ends if e is not None and not e[1].endswith(" with 0")]
    return failed[0] if failed else ("Failed", "it failed")


def _rest(pod: Value) -> Said:
    """What is left to say of a pod on a node: its first condition that is not true."""
    for kind in ("PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"):
        said = pods.condition(pod, kind)
        if said is not None and said.get("status") != "True":
            return str(said.get("reason") or kind), str(said.get("message") or f"its condition {kind} is not true")
    return pods.phase(pod), "its containers were not started" if pods.phase(pod) == "Pending" else "it is not ready"
