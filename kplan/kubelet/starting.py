"""How far a pod gets when a kubelet starts it: volumes, init containers one after the other, then all containers.

Follows pkg/kubelet/kuberuntime/kuberuntime_manager.go (computePodActions, SyncPod) and kubelet_pods.go (getPhase). Init
containers are taken to end with 0, sidecars to run; a script or the tags of examples say otherwise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers.control import WARNING, Control
from kplan.kubelet import containers, mounts, probes
from kplan.kubelet.outcomes import RUNS, Outcome, Script, of_image
from kplan.kubelet.readiness import with_readiness
from kplan.kubelet.restarts import starts_again
from kplan.kubelet.sources import Problem
from kplan.kubelet.status import blank, crashing, ended, started
from kplan.model import Key

Value = dict[str, Any]
Told = tuple[str, str, str]

_CRASHES = 3  # restarts that are on record of a container that falls over again and again


class Begun(NamedTuple):
    """How far a pod got: its status, the events about it, and the objects that it waits for."""

    status: Value
    events: tuple[Told, ...] = ()
    waits_for: frozenset[Key] = frozenset()

    @property
    def stopped(self) -> bool:
        """Whether containers have still to be started."""
        return bool(self.status["phase"] == "Pending")


def begin(pod: Value, outcome: Outcome, address: str, script: Script | None, control: Control) -> Begun:
    """Start a pod, or go on where it stopped before; `address` is the one that it gets on the pod network."""
    unmounted = mounts.problems(pod, control)
    if unmounted:
        events = tuple((WARNING, "FailedMount", p.message) for p in unmounted)
        return Begun(_unmounted(pod, control.now), events, _keys(unmounted))
    run = _Run(pod, outcome, script, control)
    unpulled = containers.pull_secrets(pod, control)
    if unpulled is not None:
        run.events.append((WARNING, "FailedToRetrieveImagePullSecret", unpulled.message))
    init = [run.initialise(c) for c in pod["spec"].get("initContainers") or ()]
    base = started(pod, outcome, address, control.now)
    status = {**base, "containerStatuses": run.containers(base["containerStatuses"], address)}
    if init:
        status["initContainerStatuses"] = init
    status["phase"] = run.phase(status["containerStatuses"])
    status["startTime"] = (pod.get("status") or {}).get("startTime") or control.now
    return Begun(with_readiness(pod, status, control.now), tuple(run.events), _keys(run.problems))


class _Run:
    """One attempt to start the containers of a pod."""

    def __init__(self, pod: Value, outcome: Outcome, script: Script | None, control: Control) -> None:
        self.pod = pod
        self.outcome = outcome
        self.script = script
        self.control = control
        self.events: list[Told] = []
        self.problems: list[Problem] = []
        self.halted = False  # an init container has not come to its end: nothing after it starts
        self.failed = False
        self._known = _states(pod)

    def initialise(self, container: Value) -> Value:
        """The status of an init container; what comes after one that does not end waits."""
        known = self._known.get(container["name"], {}).get("state") or {}
        if "running" in known or (known.get("terminated") or {}).get("exitCode") == 0:
            return self._known[container["name"]]
        if self.halted:
            return _waiting(container, "PodInitializing")
        wrong = self._wrong_with(container)
        if wrong is not None:
            self.halted = True
            return wrong
        fares = of_image(str(container.get("image") or ""), self.script) or RUNS
        now = self.control.now
        if container.get("restartPolicy") == "Always" and not fares.crashes:
            running = {"ready": fares.ready, "started": True, "state": {"running": {"startedAt": now}}}
            return {**blank(container), **running}
        if fares.crashes or fares.exit_code:
            return self._fallen(container, fares.exit_code or 1)
        if not fares.ready:
            self.halted = True
            return {**blank(container), "started": True, "state": {"running": {"startedAt": now}}}
        return {**ended(container, {}, 0, now), "ready": True}

    def _fallen(self, container: Value, code: int) -> Value:
        self.halted = True
        over = ended(container, {}, code, self.control.now)
        if starts_again(container, self.pod, code):
            return crashing(container, over, _CRASHES)
        self.failed = True
        return over

    def containers(self, running: list[Value], address: str) -> list[Value]:
        """The statuses of the containers; `running` is what they are if nothing is in the way."""
        found = []
        for container, state in zip(self.pod["spec"]["containers"], running, strict=True):
            known = self._known.get(container["name"], {})
            if self.halted:
                found.append(_waiting(container, "PodInitializing"))
            elif "running" in (known.get("state") or {}):
                found.append(known)
            else:
                found.append(self._wrong_with(container) or self._probed(container, state, address))
        return found

    def _wrong_with(self, container: Value) -> Value | None:
        """The status of a container that cannot be made, None if it can."""
        problem = containers.problem(container, self.pod, self.control)
        if problem is None:
            return None
        self.problems.append(problem)
        self.events.append((WARNING, "Failed", f"Error: {problem.message}"))
        return _waiting(container, "CreateContainerConfigError", problem.message)

    def _probed(self, container: Value, state: Value, address: str) -> Value:
        failing = self.outcome.failing_probe
        if not probes.fails(container, failing):
            return state
        self.events += probes.events(container, failing, address)
        if failing == probes.READINESS:
            return {**state, "ready": False}
        return crashing(container, ended(container, {}, 137, self.control.now), _CRASHES)

    def phase(self, states: list[Value]) -> str:
        """Pending while a container has never been started."""
        if self.failed:
            return "Failed"
        never = any("waiting" in s["state"] and not s["restartCount"] for s in states)
        return "Pending" if self.halted or never else "Running"


def with_sidecars_ended(pod: Value, status: Value, now: str) -> Value:
    """The status of a pod that has ended: its sidecars are stopped after the containers that they serve."""
    states = {s["name"]: s for s in status.get("initContainerStatuses") or ()}
    if status["phase"] not in ("Succeeded", "Failed") or not states:
        return status
    over = []
    for c in pod["spec"].get("initContainers") or ():
        state = states.get(c["name"], blank(c))
        over.append(ended(c, state, 0, now) if "running" in (state.get("state") or {}) else state)
    return {**status, "initContainerStatuses": over}


def _unmounted(pod: Value, now: str) -> Value:
    """The status of a pod that waits for its volumes: it has no address yet."""
    init = pod["spec"].get("initContainers") or ()
    reason = "PodInitializing" if init else "ContainerCreating"
    status = {
        **(pod.get("status") or {}),
        "phase": "Pending",
        "startTime": (pod.get("status") or {}).get("startTime") or now,
        "containerStatuses": [_waiting(c, reason) for c in pod["spec"]["containers"]],
    }
    if init:
        status["initContainerStatuses"] = [_waiting(c, reason) for c in init]
    return with_readiness(pod, status, now)


def _waiting(container: Value, reason: str, message: str = "") -> Value:
    waiting = {"reason": reason, **({"message": message} if message else {})}
    return {**blank(container), "state": {"waiting": waiting}}


def _states(pod: Value) -> dict[str, Value]:
    status = pod.get("status") or {}
    return {s["name"]: s for k in ("initContainerStatuses", "containerStatuses") for s in status.get(k) or ()}


def _keys(problems: list[Problem]) -> frozenset[Key]:
    return frozenset(key for p in problems for key in p.waits_for)
