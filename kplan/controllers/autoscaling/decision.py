"""One sync of an autoscaler as a pure function: what to set, what to say, and its status.

Follows pkg/controller/podautoscaler/horizontal.go (reconcileAutoscaler, computeReplicasForMetrics, setStatus).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.clock import seconds
from kplan.controllers.autoscaling import behavior
from kplan.controllers.autoscaling.behavior import Bounds, History, Sample
from kplan.controllers.autoscaling.metrics import Metrics
from kplan.controllers.autoscaling.proposals import Proposal, Target, Unavailable, propose
from kplan.controllers.control import NORMAL, WARNING

Value = dict[str, Any]
Said = tuple[str, str, str]  # type, reason and message of an event

ABLE, ACTIVE, LIMITED = "AbleToScale", "ScalingActive", "ScalingLimited"
_GOT_SCALE = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")
_DISABLED = ("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")


class Decision(NamedTuple):
    """What a sync comes to: the count to set (None: leave it), the new status, events, and the history from now on.

    `waits` says that time alone will change the count.
    """

    replicas: int | None
    status: Value
    events: tuple[Said, ...]
    history: History
    waits: bool = False


class Blocked(NamedTuple):
    """Why the pods of a target cannot be told: reason and message of the condition, and the event."""

    reason: str
    message: str
    event: Said


def without_scale(status: Value, message: str, history: History, now: str) -> Decision:
    """The target or its scale cannot be had."""
    said = f"the HPA controller was unable to get the target's current scale: {message}"
    new = {"desiredReplicas": 0, "currentMetrics": None, **status}
    new["conditions"] = with_condition(status.get("conditions") or [], ABLE, "False", ("FailedGetScale", said), now)
    return Decision(None, new, ((WARNING, "FailedGetScale", message),), history)


def decide(
    spec: Value, status: Value, target: Target, metrics: Metrics, history: History, now: str, blocked: Blocked | None
) -> Decision:
    """One sync of an autoscaling/v2 `spec` that said `status` before; `now` is the time as objects carry it."""
    sync = _Sync(spec, status, target, history, now)
    sync.condition(ABLE, True, _GOT_SCALE)
    current, bounds = target.wanted, sync.bounds
    if not current and bounds.least:
        sync.condition(ACTIVE, False, _DISABLED)
        return sync.leave(current, None)
    if current > bounds.most:
        return sync.rescale(bounds.most, "Current number of replicas above Spec.MaxReplicas")
    if current < bounds.least:
        return sync.rescale(bounds.least, "Current number of replicas below Spec.MinReplicas")
    asked = sync.by_metrics(metrics, blocked)
    if asked is None:
        return sync.leave(int(status.get("desiredReplicas") or 0), sync.statuses)
    verdict = behavior.normalise(current, asked.replicas, bounds, spec.get("behavior"), sync.history, seconds(now))
    sync.history, sync.waits = verdict.history, verdict.waits
    sync.condition(ABLE, True, verdict.able)
    sync.condition(LIMITED, verdict.limited, verdict.limit)
    if verdict.replicas == current:
        return sync.leave(current, sync.statuses)
    reason = ""
    if asked.replicas > current:
        reason = f"{asked.metric} above target"
    elif asked.replicas < current:
        reason = "All metrics below target"
    return sync.rescale(verdict.replicas, reason)


class _Sync:
    """The state of one sync: conditions and events so far."""

    def __init__(self, spec: Value, status: Value, target: Target, history: History, now: str) -> None:
        self.spec = spec
        self.target = target
        self.now = now
        least = spec.get("minReplicas")
        self.bounds = Bounds(1 if least is None else int(least), int(spec.get("maxReplicas") or 0))
        first = (Sample(target.wanted, seconds(now)),)
        self.history = history if history.recommended else history._replace(recommended=first)
        self.waits = False
        self.statuses: list[Value] | None = None
        self._before = status
        self._conditions: list[Value] = list(status.get("conditions") or ())
        self._events: list[Said] = []

    def condition(self, kind: str, state: bool, what: tuple[str, str]) -> None:
        """Set a condition to a state, with reason and message."""
        self._conditions = with_condition(self._conditions, kind, str(state), what, self.now)

    def leave(self, desired: int, statuses: list[Value] | None) -> Decision:
        """The count stays."""
        status = self._status(desired, statuses, self._before.get("lastScaleTime"))
        return Decision(None, status, tuple(self._events), self.history, self.waits)

    def rescale(self, count: int, reason: str) -> Decision:
        """The count is set."""
        said = f"the HPA controller was able to update the target scale to {count}"
        self.condition(ABLE, True, ("SucceededRescale", said))
        self._events.append((NORMAL, "SuccessfulRescale", f"New size: {count}; reason: {reason}"))
        history = behavior.scaled(self.history, self.target.wanted, count, self.spec.get("behavior"), seconds(self.now))
        return Decision(count, self._status(count, self.statuses, self.now), tuple(self._events), history, self.waits)

    def by_metrics(self, metrics: Metrics, blocked: Blocked | None) -> Proposal | None:
        """The highest count that a metric asks for; None, with the reason said, if it cannot be told."""
        if blocked is not None:
            self._events.append(blocked.event)
            self.condition(ACTIVE, False, (blocked.reason, blocked.message))
            self._give_up(blocked.event[2])
            return None
        specs = self.spec.get("metrics") or []
        self.statuses = [{"type": ""} for _ in specs]
        best: Proposal | None = None
        failed: list[Unavailable] = []
        for i, one in enumerate(specs):
            try:
                found = propose(one, self.target, metrics)
            except Unavailable as no:
                self._events.append((WARNING, no.reason, no.message))
                failed.append(no)
                continue
            self.statuses[i] = found.status
            if best is None or not best.replicas or found.replicas > best.replicas:
                best = found
        if best is None or (failed and best.replicas < self.target.wanted):
            first = failed[0] if failed else Unavailable("", "", "")
            message = f"the HPA was unable to compute the replica count: {first.message}"
            self.condition(ACTIVE, False, (first.reason, message))
            total = f"{len(failed)} invalid out of {len(specs)}"
            self._give_up(f"invalid metrics ({total}), first error is: {first.first}")
            return None
        found_text = f"the HPA was able to successfully calculate a replica count from {best.metric}"
        self.condition(ACTIVE, True, ("ValidMetricFound", found_text))
        return best

    def _give_up(self, error: str) -> None:
        self._events.append((WARNING, "FailedComputeMetricsReplicas", error))

    def _status(self, desired: int, statuses: list[Value] | None, scaled_at: str | None) -> Value:
        return {
            **({"lastScaleTime": scaled_at} if scaled_at else {}),
            **({"currentReplicas": self.target.wanted} if self.target.wanted else {}),
            "desiredReplicas": desired,
            "currentMetrics": statuses,
            "conditions": self._conditions,
        }


def with_condition(conditions: list[Value], kind: str, state: str, what: tuple[str, str], now: str) -> list[Value]:
    """Conditions with one set; it keeps its place, and its time while its status stays (setConditionInList)."""
    reason, message = what
    new = {"type": kind, "status": state, "lastTransitionTime": now, "reason": reason, "message": message}
    for i, known in enumerate(conditions):
        if known.get("type") == kind:
            if known.get("status") == state:
                new["lastTransitionTime"] = known.get("lastTransitionTime", now)
            return [*conditions[:i], new, *conditions[i + 1 :]]
    return [*conditions, new]
