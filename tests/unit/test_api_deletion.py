"""Delete calls: grace periods, finalizers, ways of propagation, calls that come twice."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.api.deletion import deleted
from kplan.errors import KplanError
from tests.scenes import cluster, deployment, made, names, one, pod, rest

Value = dict[str, Any]

NOW = 1_767_225_600.0  # 2026-01-01T00:00:00Z
KEEP = "example.com/keep"


def stored(kind: str = "ConfigMap", api: str = "v1", **meta: Any) -> Value:
    return made(api, kind, "x", generation=1, **meta)


def bound(phase: str = "Running", node: str = "n1", period: int = 30, **meta: Any) -> Value:
    found = pod("x", tag="1", nodeName=node, terminationGracePeriodSeconds=period)
    found["metadata"] |= {"generation": 1, **meta}
    return {**found, "status": {"phase": phase}}


def fields(obj: Value | None) -> tuple[Any, ...]:
    assert obj is not None
    meta = obj["metadata"]
    keys = ("deletionTimestamp", "deletionGracePeriodSeconds", "finalizers", "generation")
    return tuple(meta.get(k) for k in keys)


AT_ONCE = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("obj", "grace"),
    [
        (stored(), None),
        (stored("Deployment", "apps/v1"), None),
        (bound(node=""), None),
        (bound("Failed"), None),
        (bound("Succeeded"), None),
        (bound(), 0),
        (bound(period=0), None),
    ],
)
def test_gone_at_once(obj: Value, grace: int | None) -> None:
    assert deleted(obj, NOW, grace=grace) is None


@pytest.mark.parametrize(
    ("obj", "propagation", "grace", "expected"),
    [
        (bound(), None, None, ("2026-01-01T00:00:30Z", 30, None, 2)),
        (bound(), None, 5, ("2026-01-01T00:00:05Z", 5, None, 2)),
        (bound(), None, -1, ("2026-01-01T00:00:01Z", 1, None, 2)),
        (bound(period=-1), None, None, ("2026-01-01T00:00:01Z", 1, None, 2)),
        (bound(finalizers=[KEEP]), None, 0, (AT_ONCE, 0, [KEEP], 2)),
        (bound(node="", finalizers=[KEEP]), None, None, (AT_ONCE, 0, [KEEP], 2)),
        (stored(finalizers=[KEEP]), None, None, (AT_ONCE, 0, [KEEP], 2)),
        (stored(), "Orphan", None, (AT_ONCE, 0, ["orphan"], 2)),
        (stored(), "Foreground", None, (AT_ONCE, 0, ["foregroundDeletion"], 2)),
        (stored(finalizers=["orphan", KEEP]), "Orphan", None, (AT_ONCE, 0, ["orphan", KEEP], 2)),
        (stored(finalizers=["orphan", KEEP]), None, None, (AT_ONCE, 0, ["orphan", KEEP], 2)),
        (stored(finalizers=["orphan", KEEP]), "Background", None, (AT_ONCE, 0, [KEEP], 2)),
        (stored("ReplicationController"), None, None, (AT_ONCE, 0, ["orphan"], 2)),
        (stored("Job", "batch/v1"), None, None, (AT_ONCE, 0, ["orphan"], 2)),
    ],
)
def test_held(obj: Value, propagation: str | None, grace: int | None, expected: tuple[Any, ...]) -> None:
    assert fields(deleted(obj, NOW, propagation, grace)) == expected


def again(obj: Value, propagation: str | None = None, grace: int | None = None, later: float = 10.0) -> Value | None:
    """What a second call makes of an object, some seconds later."""
    return deleted(obj, NOW + later, propagation, grace)


def first(obj: Value, propagation: str | None = None) -> Value:
    found = deleted(obj, NOW, propagation)
    assert found is not None
    return found


@pytest.mark.parametrize("grace", [None, 30, 60])
def test_running_grace_period_is_only_ever_cut(grace: int | None) -> None:
    going = first(bound())
    assert again(going, grace=grace) == going
    ended = {**going, "status": {"phase": "Failed"}}
    assert again(ended, grace=grace) == ended
    assert again(going, "Foreground", grace) == going  # finalizers stay as they are too


def test_shorter_grace_period_counts_from_the_first_call() -> None:
    going = first(bound())
    assert fields(again(going, grace=5)) == ("2026-01-01T00:00:05Z", 5, None, 2)
    assert again(going, grace=0) is None
    assert fields(again(first(bound(finalizers=[KEEP])), grace=0)) == (AT_ONCE, 0, [KEEP], 2)


@pytest.mark.parametrize(
    ("before", "after", "finalizers"),
    [
        ("Foreground", "Orphan", ["orphan"]),
        ("Orphan", "Foreground", ["foregroundDeletion"]),
        ("Foreground", None, ["foregroundDeletion"]),
        ("Foreground", "Background", None),
    ],
)
def test_propagation_may_change_while_it_is_deleted(
    before: str, after: str | None, finalizers: list[str] | None
) -> None:
    found = again(first(stored("Deployment", "apps/v1"), before), after)
    if finalizers is None:
        assert found is None
    else:
        assert fields(found) == (AT_ONCE, 0, finalizers, 2)


def test_answers() -> None:
    c = cluster(deployment())
    assert c.delete("Deployment", "nope").message == 'deployments.apps "nope" not found'
    assert c.delete("Deployment", "nope").status == 404
    assert c.delete("Sprocket", "x").status == 404
    with pytest.raises(KplanError, match="propagation"):
        c.delete("Deployment", "web", propagation="sideways")
    assert c.delete("Deployment", "web").status == 200
    assert names(c, "Deployment") == []


def test_second_call_that_changes_nothing_writes_nothing() -> None:
    c = cluster(pod("x"))
    c.delete("Pod", "x")
    before = one(c, "Pod", "x")
    c.delete("Pod", "x")
    assert one(c, "Pod", "x") == before


def test_last_finalizer_lets_go() -> None:
    c = cluster(made("v1", "ConfigMap", "x", finalizers=[KEEP]))
    c.delete("ConfigMap", "x")
    rest(c)
    assert names(c, "ConfigMap").count("x") == 1
    c.patch("ConfigMap", "x", {"metadata": {"finalizers": None}})
    assert "x" not in names(c, "ConfigMap")


def test_pod_with_a_finalizer_is_replaced_but_stays() -> None:
    web = deployment(replicas=1)
    web["spec"]["template"]["metadata"]["finalizers"] = [KEEP]
    c = cluster(web)
    held = names(c, "Pod")[0]
    c.delete("Pod", held)
    rest(c, kubelet=False)
    assert len(names(c, "Pod")) == 2
    c.patch("Pod", held, {"metadata": {"finalizers": None}})
    rest(c)
    assert held not in names(c, "Pod")
