"""How many replicas one metric asks for, and what becomes of that within behavior and bounds: tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kplan.clock import START, seconds, stamp
from kplan.controllers.autoscaling import behavior, replicas
from kplan.controllers.autoscaling.behavior import Bounds, History, Sample
from kplan.controllers.autoscaling.replicas import Count, MetricError, Tolerance

Value = dict[str, Any]

NOW = seconds(START) + 3600


STATES = {"r": "ready", "u": "unready", "d": "deleting", "P": "Pending", "F": "Failed"}


def pod(
    name: str, request: str | None = "1", *, state: str = "ready", started: float = 1800, changed: float = 1790
) -> Value:
    """A pod that started and last changed its readiness so many seconds ago."""
    phase = state if state in ("Pending", "Failed") else "Running"
    ready = {"type": "Ready", "status": "True" if state in ("ready", "deleting") else "False"}
    ready["lastTransitionTime"] = stamp(NOW - changed)
    meta: Value = {"name": name, **({"deletionTimestamp": stamp(NOW)} if state == "deleting" else {})}
    container: Value = {"name": "c", **({"resources": {"requests": {"cpu": request}}} if request else {})}
    status = {"phase": phase, "startTime": stamp(NOW - started), "conditions": [ready]}
    return {"kind": "Pod", "metadata": meta, "spec": {"containers": [container]}, "status": status}


def pods(states: str, **fields: Any) -> list[Value]:
    """One pod for each letter of STATES."""
    return [pod(f"p{i}", state=STATES[s], **fields) for i, s in enumerate(states)]


def usage(*amounts: int | None) -> dict[str, int]:
    return {f"p{i}": n for i, n in enumerate(amounts) if n is not None}


# Cases in the manner of replica_calculator_test.go; amounts in thousandths, each pod requests 1000.
BY_UTILIZATION = {
    "scale up": (3, 30, "rrr", (300, 500, 700), Count(5, 500, 50)),
    "scale down": (3, 50, "rrr", (100, 300, 500), Count(2, 300, 30)),
    "within tolerance": (3, 100, "rrr", (1010, 1030, 1020), Count(3, 1020, 102)),
    "edge of tolerance": (3, 100, "rrr", (1100, 1100, 1100), Count(3, 1100, 110)),
    "beyond tolerance": (3, 100, "rrr", (1110, 1110, 1110), Count(4, 1110, 111)),
    "unready counts as nothing": (3, 30, "urr", (300, 500, 700), Count(4, 600, 60)),
    "unready takes scale up back": (3, 30, "uru", (400, 500, 700), Count(3, 500, 50)),
    "scale down by ready pods": (5, 50, "rrruu", (100, 300, 500, 250, 250), Count(2, 300, 30)),
    "pending counts as nothing": (3, 30, "Prr", (None, 500, 700), Count(4, 600, 60)),
    "failed is ignored": (3, 30, "Frr", (None, 500, 700), Count(4, 600, 60)),
    "deleting is ignored": (3, 30, "drr", (900, 500, 700), Count(4, 600, 60)),
    "missing is full on scale down": (4, 100, "rrrr", (600, 600, 600, None), Count(3, 600, 60)),
    "missing keeps scale down within tolerance": (4, 100, "rrrr", (860, 860, 860, None), Count(4, 860, 86)),
    "missing is nothing on scale up": (3, 50, "rrr", (1000, 1000, None), Count(4, 1000, 100)),
    "missing turns scale up round": (3, 50, "rrr", (1000, None, None), Count(3, 1000, 100)),
    "missing is at a target above 100%": (4, 120, "rrrr", (700, 700, None, None), Count(4, 700, 70)),
}


@pytest.mark.parametrize(
    ("current", "target", "states", "used", "expected"), BY_UTILIZATION.values(), ids=BY_UTILIZATION
)
def test_by_utilization(current: int, target: int, states: str, used: Any, expected: Count) -> None:
    assert replicas.by_utilization(current, target, usage(*used), pods(states), "cpu", now=NOW) == expected


BY_AVERAGE = {
    "scale up": (3, 15000, "rrr", (20000, 10000, 30000), Count(4, 20000)),
    "scale down": (3, 20000, "rrr", (12000, 12000, 12000), Count(2, 12000)),
    "within tolerance": (3, 20000, "rrr", (19000, 21000, 20000), Count(3, 20000)),
    "readiness does not matter": (3, 15000, "rur", (20000, 10000, 30000), Count(4, 20000)),
    "pending counts as nothing": (3, 15000, "Prr", (None, 50000, 10000), Count(4, 30000)),
    "missing is at the target on scale down": (3, 20000, "rrr", (8000, 8000, None), Count(2, 8000)),
    "missing is nothing on scale up": (3, 10000, "rrr", (40000, None, None), Count(4, 40000)),
    "missing turns scale up round": (4, 10000, "rrrr", (12000, None, None, None), Count(4, 12000)),
}


@pytest.mark.parametrize(("current", "target", "states", "used", "expected"), BY_AVERAGE.values(), ids=BY_AVERAGE)
def test_by_average(current: int, target: int, states: str, used: Any, expected: Count) -> None:
    assert replicas.by_average(current, target, usage(*used), pods(states), now=NOW) == expected


@pytest.mark.parametrize(
    ("started", "changed", "state", "starting"),
    [
        (60, 50, "ready", False),
        (60, 50, "unready", True),
        (1800, 1790, "unready", True),  # never ready beyond the first seconds
        (1800, 1000, "unready", False),  # was ready before
        (1800, 1790, "ready", False),
    ],
)
def test_cpu_of_starting_pods_is_not_believed(started: float, changed: float, state: str, starting: bool) -> None:
    one = pod("p0", state=state, started=started, changed=changed)
    assert replicas.group([one], usage(500), "cpu", NOW).unready == (["p0"] if starting else [])
    assert replicas.group([one], usage(500), "memory", NOW).unready == []


@pytest.mark.parametrize(
    ("current", "target", "used", "given", "expected"),
    [
        (3, 15000, 20000, pods("rrr"), 4),
        (3, 20000, 20100, pods("rrr"), 3),
        (3, 20000, 5000, pods("rrr"), 1),
        (3, 15000, 20000, pods("ruP"), 2),
        (0, 10000, 25000, [], 3),
        (0, 10000, 0, [], 0),
    ],
)
def test_by_value(current: int, target: int, used: int, given: list[Value], expected: int) -> None:
    assert replicas.by_value(current, target, used, given) == Count(expected, used)


@pytest.mark.parametrize(
    ("observed", "target", "used", "expected"),
    [
        (3, 10000, 40000, Count(4, 13334)),
        (3, 10000, 31000, Count(3, 10334)),
        (3, 10000, 12000, Count(2, 4000)),
        (0, 10000, 25000, Count(3, 0)),
    ],
)
def test_by_average_value(observed: int, target: int, used: int, expected: Count) -> None:
    assert replicas.by_average_value(observed, target, used) == expected


def test_tolerance_has_two_sides() -> None:
    loose_up = Tolerance(up=0.5, down=0.0)
    count = lambda n: replicas.by_average(3, 1000, usage(n, n, n), pods("rrr"), tolerance=loose_up).replicas  # noqa: E731
    assert [count(n) for n in (1500, 1510, 1000, 990, 660)] == [3, 5, 3, 3, 2]


def test_requests_of_containers_sidecars_and_whole_pods() -> None:
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "200m"}}}
    plain = pod("a", "100m")
    with_sidecar = {**plain, "spec": {**plain["spec"], "initContainers": [sidecar, {"name": "init"}]}}
    whole = {**plain, "spec": {**plain["spec"], "resources": {"requests": {"cpu": "3"}}}}
    assert replicas.requests_of([with_sidecar], "cpu") == {"a": 300}
    assert replicas.requests_of([with_sidecar], "cpu", "s") == {"a": 200}
    assert replicas.requests_of([whole], "cpu") == {"a": 3000}
    assert replicas.requests_of([whole], "cpu", "c") == {"a": 100}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replicas.by_average(3, 10, {}, []), "no pods returned by selector while calculating replica count"),
        (
            lambda: replicas.by_utilization(1, 10, usage(5), pods("u", started=60), "cpu", now=NOW),
            "did not receive metrics for targeted pods (pods might be unready)",
        ),
        (
            lambda: replicas.by_utilization(1, 10, usage(5), [pod("p0", None)], "cpu", now=NOW),
            "missing request for cpu in container c of Pod p0",
        ),
        (
            lambda: replicas.by_value(1, 10, 50, []),
            "unable to calculate ready pods: no pods returned by selector while calculating replica count",
        ),
        (
            lambda: replicas.by_utilization(1, 10, usage(5), [pod("p0", "0")], "cpu", now=NOW),
            "no metrics returned matched known pods",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_controller(call: Callable[[], Count], message: str) -> None:
    with pytest.raises(MetricError) as e:
        call()
    assert str(e.value) == message


def history(*recommended: tuple[int, float]) -> History:
    """Counts that were recommended so many seconds ago."""
    return History(tuple(Sample(n, NOW - ago) for n, ago in recommended))


@pytest.mark.parametrize(
    ("current", "asked", "bounds", "past", "count", "able", "limit", "limited", "waits"),
    [
        (3, 3, (1, 10), (), 3, "ReadyForNewScale", "DesiredWithinRange", False, False),
        (3, 5, (1, 10), (), 5, "ReadyForNewScale", "DesiredWithinRange", False, False),
        (3, 9, (1, 10), (), 6, "ReadyForNewScale", "ScaleUpLimit", True, False),
        (1, 9, (1, 10), (), 4, "ReadyForNewScale", "ScaleUpLimit", True, False),
        (3, 9, (1, 5), (), 5, "ReadyForNewScale", "TooManyReplicas", True, False),
        (3, 1, (2, 5), (), 2, "ReadyForNewScale", "TooFewReplicas", True, False),
        (5, 2, (1, 9), ((5, 200),), 5, "ScaleDownStabilized", "DesiredWithinRange", False, True),
        (5, 2, (1, 9), ((4, 200), (5, 301)), 4, "ScaleDownStabilized", "DesiredWithinRange", False, True),
        (5, 2, (1, 9), ((5, 301),), 2, "ReadyForNewScale", "DesiredWithinRange", False, False),
    ],
)
def test_without_behavior(
    current: int,
    asked: int,
    bounds: tuple[int, int],
    past: tuple[tuple[int, float], ...],
    count: int,
    able: str,
    limit: str,
    limited: bool,
    waits: bool,
) -> None:
    found = behavior.normalise(current, asked, Bounds(*bounds), None, history(*past), NOW)
    assert (found.replicas, found.able[0], found.limit[0], found.limited) == (count, able, limit, limited)
    assert found.waits is waits
    assert found.history.recommended[-1] == Sample(asked, NOW)


def rules(*policies: tuple[str, int, int], **fields: Any) -> Value:
    named = [{"type": t, "value": v, "periodSeconds": p} for t, v, p in policies]
    return {"selectPolicy": "Max", "policies": named, **fields}


UP = rules(("Pods", 4, 15), ("Percent", 100, 15), stabilizationWindowSeconds=0)
DOWN = rules(("Percent", 100, 15))


NOW_DOWN = {**DOWN, "stabilizationWindowSeconds": 0}
TWO_OR_HALF = rules(("Pods", 2, 60), ("Percent", 50, 60), stabilizationWindowSeconds=0)
QUARTER = rules(("Percent", 25, 60), stabilizationWindowSeconds=0)
UP_AFTER_60 = {**UP, "stabilizationWindowSeconds": 60}
FREE, UP_WAITS, DOWN_WAITS = "ReadyForNewScale", "ScaleUpStabilized", "ScaleDownStabilized"
RATE_UP, RATE_DOWN, IN_RANGE = "ScaleUpLimit", "ScaleDownLimit", "DesiredWithinRange"
BEHAVIORS: dict[str, Any] = {
    "up by pods": (3, 20, UP, DOWN, (), 7, FREE, RATE_UP),
    "up by percent": (10, 50, UP, DOWN, (), 20, FREE, RATE_UP),
    "the lesser change up": (10, 50, {**UP, "selectPolicy": "Min"}, DOWN, (), 14, FREE, RATE_UP),
    "no way up": (10, 50, {**UP, "selectPolicy": "Disabled"}, DOWN, (), 10, FREE, RATE_UP),
    "percent up rounds up": (10, 12, rules(("Percent", 1, 15)), DOWN, (), 11, FREE, RATE_UP),
    "bound up": (90, 200, UP, DOWN, (), 100, FREE, "TooManyReplicas"),
    "the greater change down": (10, 1, UP, TWO_OR_HALF, (), 5, FREE, RATE_DOWN),
    "the lesser change down": (10, 1, UP, {**TWO_OR_HALF, "selectPolicy": "Min"}, (), 8, FREE, RATE_DOWN),
    "percent down rounds down": (10, 1, UP, QUARTER, (), 7, FREE, RATE_DOWN),
    "no way down": (10, 1, UP, {**NOW_DOWN, "selectPolicy": "Disabled"}, (), 10, FREE, RATE_DOWN),
    "bound down": (10, 1, UP, NOW_DOWN, (), 2, FREE, "TooFewReplicas"),
    "down waits five minutes": (10, 4, UP, DOWN, ((8, 200),), 8, DOWN_WAITS, IN_RANGE),
    "old advice is no advice": (10, 4, UP, DOWN, ((8, 400),), 4, FREE, IN_RANGE),
    "up waits": (10, 13, UP_AFTER_60, DOWN, ((11, 30),), 11, UP_WAITS, IN_RANGE),
    "up waits but does not go down": (10, 13, UP_AFTER_60, DOWN, ((8, 30),), 10, UP_WAITS, IN_RANGE),
}


@pytest.mark.parametrize(
    ("current", "asked", "up", "down", "past", "count", "able", "limit"), BEHAVIORS.values(), ids=BEHAVIORS
)
def test_with_behavior(
    current: int, asked: int, up: Value, down: Value, past: Any, count: int, able: str, limit: str
) -> None:
    given = {"scaleUp": up, "scaleDown": down}
    found = behavior.normalise(current, asked, Bounds(2, 100), given, history(*past), NOW)
    assert (found.replicas, found.able[0], found.limit[0]) == (count, able, limit)


def test_rates_hold_over_their_period() -> None:
    given = {"scaleUp": rules(("Pods", 3, 60)), "scaleDown": rules(("Pods", 1, 60), stabilizationWindowSeconds=0)}
    past = behavior.scaled(History(), 4, 6, given, NOW - 30)
    assert past.ups == (Sample(2, NOW - 30),)
    assert behavior.up_limit(6, given["scaleUp"], past, NOW) == 7  # 4 + 3
    assert behavior.up_limit(6, given["scaleUp"], past, NOW + 40) == 9
    assert behavior.down_limit(6, given["scaleDown"], past, NOW) == 3  # 4 - 1
    found = behavior.normalise(7, 20, Bounds(1, 50), given, past, NOW)
    assert (found.replicas, found.limit[0], found.waits) == (8, "ScaleUpLimit", True)
    assert behavior.scaled(History(), 4, 6, None, NOW) == History()
