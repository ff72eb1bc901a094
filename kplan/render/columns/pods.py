"""The columns of Pods: the STATUS that people know is worked out from phase, conditions and containers.

Follows pkg/printers/internalversion/printers.go (printPod).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from kplan.render import age
from kplan.render.columns.cell import (
    AGE,
    NAME,
    Now,
    Value,
    columns,
    container_images,
    container_names,
    field,
    labels,
)
from kplan.render.fields import NONE, condition, items, number, text
from kplan.workloads import dicts, get


class Summary(NamedTuple):
    """What a line about a pod says. `restarted` is when a container last ended and came back."""

    ready: int
    containers: int
    status: str
    restarts: int
    restarted: datetime | None


class _Count(NamedTuple):
    ready: int = 0
    restarts: int = 0
    restarted: datetime | None = None

    def plus(self, status: Value, ready: bool) -> _Count:
        ended = age.read(get(status, "lastState", "terminated", "finishedAt"))
        last = max(filter(None, (self.restarted, ended)), default=None)
        return _Count(self.ready + ready, self.restarts + number(status, "restartCount"), last)


def summary(pod: Value) -> Summary:
    """The STATUS, READY and RESTARTS of a pod."""
    sidecars = {text(c, "name") for c in dicts(pod, "spec", "initContainers") if c.get("restartPolicy") == "Always"}
    status = text(pod, "status", "reason") or text(pod, "status", "phase")
    if (condition(pod, "PodScheduled") or {}).get("reason") == "SchedulingGated":
        status = "SchedulingGated"
    failing, all_inits, sidecar_count = _initialisation(pod, sidecars)
    if failing is None or _is_true(pod, "Initialized"):
        status, count = _main(pod, failing or status, sidecar_count)
    else:
        status, count = failing, all_inits
    return Summary(
        count.ready,
        len(items(pod, "spec", "containers")) + len(sidecars),
        _deleted(pod) or status,
        count.restarts,
        count.restarted,
    )


def _initialisation(pod: Value, sidecars: Iterable[str]) -> tuple[str | None, _Count, _Count]:
    """The status while init containers run (None once they are through), counts of all of them and of sidecars."""
    every, lasting = _Count(), _Count()
    total = len(items(pod, "spec", "initContainers"))
    for i, s in enumerate(dicts(pod, "status", "initContainerStatuses")):
        is_sidecar = text(s, "name") in sidecars
        through = get(s, "state", "terminated", "exitCode") == 0
        started = is_sidecar and s.get("started") is True
        ready = started and not through and s.get("ready") is True
        every = every.plus(s, ready)
        lasting = lasting.plus(s, ready) if is_sidecar else lasting
        if not through and not started:
            return f"Init:{_why_not(s) or f'{i}/{total}'}", every, lasting
    return None, every, lasting


def _why_not(status: Value) -> str:
    """Why an init container is not through; "" while it simply runs or waits for its turn."""
    if get(status, "state", "terminated") is not None:
        return _ended(status)
    reason = text(status, "state", "waiting", "reason")
    return "" if reason == "PodInitializing" else reason


def _ended(status: Value) -> str:
    """How a container ended: its reason, its signal or its exit code."""
    end = get(status, "state", "terminated")
    if text(end, "reason"):
        return text(end, "reason")
    signal = number(end, "signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{number(end, 'exitCode')}"


def _main(pod: Value, status: str, count: _Count) -> tuple[str, _Count]:
    """The status that the main containers give, and the counts with them; of several the first one counts."""
    running = False
    for s in reversed(dicts(pod, "status", "containerStatuses")):
        ready = False
        if text(s, "state", "waiting", "reason"):
            status = text(s, "state", "waiting", "reason")
        elif get(s, "state", "terminated") is not None:
            status = _ended(s)
        elif s.get("ready") is True and get(s, "state", "running") is not None:
            ready = running = True
        count = count.plus(s, ready)
    if status == "Completed" and running:
        status = "Running" if _is_true(pod, "Ready") else "NotReady"
    return status, count


def _deleted(pod: Value) -> str:
    """The status of a pod that is being deleted; "" for any other."""
    if not get(pod, "metadata", "deletionTimestamp"):
        return ""
    if get(pod, "status", "reason") == "NodeLost":
        return "Unknown"
    return "" if get(pod, "status", "phase") in ("Succeeded", "Failed") else "Terminating"


def _is_true(pod: Value, kind: str) -> bool:
    return (condition(pod, kind) or {}).get("status") == "True"


def _ready(pod: Value, _: Now) -> str:
    s = summary(pod)
    return f"{s.ready}/{s.containers}"


def _status(pod: Value, _: Now) -> str:
    return summary(pod).status


def _restarts(pod: Value, now: Now) -> str:
    s = summary(pod)
    if not s.restarts or s.restarted is None or now is None:
        return str(s.restarts)
    return f"{s.restarts} ({age.human((now - s.restarted).total_seconds())} ago)"


def _ip(pod: Value, _: Now) -> str:
    return text(pod, "status", "podIPs", 0, "ip") or text(pod, "status", "podIP") or NONE


def _gates(pod: Value, _: Now) -> str:
    gates = [text(g, "conditionType") for g in dicts(pod, "spec", "readinessGates")]
    return f"{sum(_is_true(pod, g) for g in gates)}/{len(gates)}" if gates else NONE


PODS = columns(
    NAME,
    ("Ready", _ready),
    ("Status", _status),
    ("Restarts", _restarts),
    AGE,
    ("*IP", _ip),
    ("*Node", field("spec.nodeName", NONE)),
    ("*Nominated Node", field("status.nominatedNodeName", NONE)),
    ("*Readiness Gates", _gates),
)
POD_TEMPLATES = columns(
    NAME,
    ("Containers", container_names("template", "spec")),
    ("Images", container_images("template", "spec")),
    ("Pod Labels", labels("template", "metadata", "labels")),
)
