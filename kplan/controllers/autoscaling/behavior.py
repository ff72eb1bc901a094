"""From the count that metrics ask for to the one that is set: stabilization, rates and bounds.

Follows pkg/controller/podautoscaler/horizontal.go (normalizeDesiredReplicas and normalizeDesiredReplicasWithBehaviors)
and KEP-853. Times are in seconds since 1970, windows and periods in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Value = dict[str, Any]

DOWNSCALE_WINDOW = 300.0  # --horizontal-pod-autoscaler-downscale-stabilization
_MAX_INT32 = 2**31 - 1
_LEAST_UP_LIMIT = 4
_FASTER_UP = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
_FASTER_DOWN = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
_TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_IN_RANGE = ("DesiredWithinRange", "the desired count is within the acceptable range")
_READY = ("ReadyForNewScale", "recommended size matches current size")
_UP_STABILIZED = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
_DOWN_STABILIZED = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)


class Sample(NamedTuple):
    """A count and when it was recommended, or by how much a target was scaled and when."""

    replicas: int
    at: float


class Bounds(NamedTuple):
    """The limits of an autoscaler."""

    least: int
    most: int


class History(NamedTuple):
    """What an autoscaler has recommended, and by how much it has scaled up and down."""

    recommended: tuple[Sample, ...] = ()
    ups: tuple[Sample, ...] = ()
    downs: tuple[Sample, ...] = ()


class Verdict(NamedTuple):
    """The count to set, reason and message of AbleToScale and ScalingLimited, and the history with this recommendation.

    `waits` says that time alone will change the count.
    """

    replicas: int
    able: tuple[str, str]
    limited: bool
    limit: tuple[str, str]
    history: History
    waits: bool


def normalise(
    current: int, asked: int, bounds: Bounds, behavior: Mapping[str, Any] | None, history: History, now: float
) -> Verdict:
    """What becomes of the count that metrics ask for."""
    if behavior is None:
        return _by_default(current, asked, bounds, history, now)
    up, down = behavior.get("scaleUp") or {}, behavior.get("scaleDown") or {}
    windows = float(up.get("stabilizationWindowSeconds") or 0), _down_window(down)
    stable = _stabilized(current, asked, windows, history.recommended, now)
    able = _READY
    if stable != asked:
        able = _UP_STABILIZED if asked >= current else _DOWN_STABILIZED
    count, limit = _limited(current, stable, bounds, up, down, history, now)
    kept = tuple(s for s in history.recommended if s.at >= now - max(windows))
    noted = history._replace(recommended=(*kept, Sample(asked, now)))
    by_rate = limit in (_FASTER_UP, _FASTER_DOWN) and bool(history.ups or history.downs)
    return Verdict(count, able, count != stable, limit, noted, stable != asked or by_rate)


def scaled(history: History, before: int, after: int, behavior: Mapping[str, Any] | None, now: float) -> History:
    """The history after a target was scaled; it is kept for rates, which only a behavior has (storeScaleEvent)."""
    if behavior is None or before == after:
        return history
    side = "scaleUp" if after > before else "scaleDown"
    periods = [float(p["periodSeconds"]) for p in (behavior.get(side) or {}).get("policies") or ()]
    kept = history.ups if after > before else history.downs
    events = (*(s for s in kept if s.at >= now - max(periods, default=0.0)), Sample(abs(after - before), now))
    return history._replace(ups=events) if after > before else history._replace(downs=events)


def _down_window(rules: Mapping[str, Any]) -> float:
    given = rules.get("stabilizationWindowSeconds")
    return DOWNSCALE_WINDOW if given is None else float(given)


def _by_default(current: int, asked: int, bounds: Bounds, history: History, now: float) -> Verdict:
    """No behavior: down by the highest of five minutes, up to twice the count at a time."""
    recent = tuple(s for s in history.recommended if s.at >= now - DOWNSCALE_WINDOW)
    stable = max([asked, *(s.replicas for s in recent)])
    limit = max(2 * current, _LEAST_UP_LIMIT)
    most, possible = (limit, _FASTER_UP) if bounds.most > limit else (bounds.most, _TOO_MANY)
    count, reason = stable, _IN_RANGE
    if stable < bounds.least:
        count, reason = bounds.least, _TOO_FEW
    elif stable > most:
        count, reason = most, possible
    noted = history._replace(recommended=(*recent, Sample(asked, now)))
    able = _READY if stable == asked else _DOWN_STABILIZED
    return Verdict(count, able, count != stable, reason, noted, stable != asked)


def _stabilized(current: int, asked: int, windows: tuple[float, float], samples: Iterable[Sample], now: float) -> int:
    """The current count moved as little as needed to be between the least and the most that was recommended."""
    up = down = asked
    for sample in samples:
        if sample.at > now - windows[0]:
            up = min(up, sample.replicas)
        if sample.at > now - windows[1]:
            down = max(down, sample.replicas)
    return min(max(current, up), down)


def _limited(
    current: int,
    wanted: int,
    bounds: Bounds,
    up: Mapping[str, Any],
    down: Mapping[str, Any],
    history: History,
    now: float,
) -> tuple[int, tuple[str, str]]:
    """The count within the rates and the bounds, and what limits it (convertDesiredReplicasWithBehaviorRate)."""
    if wanted > current:
        rate = max(up_limit(current, up, history, now), current)
        most, possible = (rate, _FASTER_UP) if bounds.most > rate else (bounds.most, _TOO_MANY)
        if wanted > most:
            return most, possible
    elif wanted < current:
        rate = min(down_limit(current, down, history, now), current)
        least, possible = (rate, _FASTER_DOWN) if bounds.least < rate else (bounds.least, _TOO_FEW)
        if wanted < least:
            return least, possible
    return wanted, _IN_RANGE


def up_limit(current: int, rules: Mapping[str, Any], history: History, now: float) -> int:
    """The highest count that the scale-up policies allow now."""
    select = rules.get("selectPolicy") or "Max"
    if select == "Disabled":
        return current
    proposals = [
        start + value if by_pods else math.ceil(start * (1 + value / 100))
        for start, value, by_pods in _policies(current, rules, history, now)
    ]
    return min(proposals, default=_MAX_INT32) if select == "Min" else max(proposals, default=-_MAX_INT32 - 1)


def down_limit(current: int, rules: Mapping[str, Any], history: History, now: float) -> int:
    """The lowest count that the scale-down policies allow now."""
    select = rules.get("selectPolicy") or "Max"
    if select == "Disabled":
        return current
    proposals = [
        start - value if by_pods else int(start * (1 - value / 100))
        for start, value, by_pods in _policies(current, rules, history, now)
    ]
    return max(proposals, default=-_MAX_INT32 - 1) if select == "Min" else min(proposals, default=_MAX_INT32)


def _policies(current: int, rules: Mapping[str, Any], history: History, now: float) -> Iterator[tuple[int, int, bool]]:
    """For each policy the count at the start of its period, its value, and whether that is in pods."""
    for policy in rules.get("policies") or ():
        yield _at_start(current, policy, history, now), int(policy["value"]), policy["type"] == "Pods"


def _at_start(current: int, policy: Mapping[str, Any], history: History, now: float) -> int:
    """The count at the start of the period of a policy."""
    since = now - float(policy["periodSeconds"])
    return current - _within(history.ups, since) + _within(history.downs, since)


def _within(events: Sequence[Sample], since: float) -> int:
    return sum(e.replicas for e in events if e.at > since)
