"""Taints that evict: at once, later, not at all, called off; and pods of nodes that are gone."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from tests.scenes import cluster, deployment, do, leaving, made, names, node, one, pod, rest, told

Value = dict[str, Any]

REASON = "TaintManagerEviction"
MARKED, CANCELLED = "Marking for deletion Pod default/x", "Cancelling deletion of Pod default/x"


def taint(key: str = "flaky", value: str = "", effect: str = "NoExecute") -> Value:
    return {"key": key, "effect": effect} | ({"value": value} if value else {})


def tolerates(key: str = "flaky", seconds: int | None = None, **fields: Any) -> Value:
    limit = {} if seconds is None else {"tolerationSeconds": seconds}
    return {"key": key, "operator": "Exists", "effect": "NoExecute"} | limit | fields


def tainted(c: kplan.Cluster, *taints: Value, kubelet: bool = True) -> list[Any]:
    """Give the node these taints and no others."""
    for answer in c.apply(node("n1", *taints), mode="replace"):
        assert answer.accepted, answer.message
    return rest(c, kubelet)


def with_pod(*tolerations: Value) -> kplan.Cluster:
    return cluster(pod("x", tolerations=list(tolerations)))


@pytest.mark.parametrize(
    ("tolerations", "taints", "seconds"),
    [
        ([], [taint()], 0),
        ([], [taint(effect="NoSchedule")], None),
        ([], [taint(effect="PreferNoSchedule")], None),
        ([tolerates()], [taint()], None),
        ([tolerates(seconds=4)], [taint()], 4),
        ([tolerates(seconds=0)], [taint()], 0),
        ([tolerates(seconds=-3)], [taint()], 0),
        ([tolerates("other")], [taint()], 0),
        ([tolerates(effect="NoSchedule")], [taint()], 0),
        ([{"operator": "Exists"}], [taint()], None),
        ([{"key": "flaky", "value": "a", "effect": "NoExecute"}], [taint(value="a")], None),
        ([{"key": "flaky", "value": "a", "effect": "NoExecute"}], [taint(value="b")], 0),
        # the shortest of those in use
        ([tolerates("a", 6), tolerates("b", 4)], [taint("a"), taint("b")], 4),
        ([tolerates("a", 6), tolerates("b")], [taint("a"), taint("b")], 6),
        ([tolerates("a", 6)], [taint("a"), taint("b")], 0),
        ([tolerates("a", 6), tolerates("b", 4)], [taint("a")], 6),
        # the first that fits a taint is the one in use
        ([tolerates(), tolerates(seconds=4)], [taint()], None),
        ([tolerates(seconds=4), tolerates()], [taint()], 4),
    ],
)
def test_when_a_pod_has_to_go(tolerations: list[Value], taints: list[Value], seconds: int | None) -> None:
    c = with_pod(*tolerations)
    start = c.clock.now
    rests = tainted(c, *taints, kubelet=False)
    if seconds is None:
        assert leaving(c) == told(c, REASON) == []
        return
    assert leaving(c) == ["x"]
    assert told(c, REASON) == [MARKED]
    assert seconds <= rests[-1].at - start <= seconds + 3
    why = [x for x in one(c, "Pod", "x")["status"]["conditions"] if x["type"] == "DisruptionTarget"]
    assert [(x["status"], x["reason"], x["message"]) for x in why] == [
        ("True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint")
    ]


def evicted_by(how: str, version: str) -> Value:
    """The condition DisruptionTarget of a pod that has to go and is held."""
    c = kplan.Cluster([node()], version=version)
    c.settle()
    large = {"containers": [{"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "60"}}}]}
    do(c, made("v1", "Pod", "x", large, finalizers=["example.com/held"]))
    if how == "taint":
        c.apply(node("n1", taint()), mode="replace")
    elif how == "node gone":
        c.delete("Node", "n1")
    else:
        c.apply(made("v1", "Pod", "y", {**large, "priorityClassName": "system-node-critical"}))
    rest(c)
    said = one(c, "Pod", "x")["status"]["conditions"]
    return next(x for x in said if x["type"] == "DisruptionTarget")


@pytest.mark.parametrize("how", ["taint", "node gone", "preemption"])
def test_why_a_pod_goes_is_said_for_its_generation(how: str) -> None:
    assert evicted_by(how, "1.36")["observedGeneration"] == 1
    assert "observedGeneration" not in evicted_by(how, "1.33")


def test_pods_of_a_deployment_move() -> None:
    c = cluster(deployment(replicas=2))
    do(c, node("n2"))
    tainted(c, taint())
    assert {p["spec"]["nodeName"] for p in c.objects("Pod")} == {"n2"}
    assert len(names(c, "Pod")) == 2


LATE = 500  # seconds: further ahead than a cluster waits


def test_taint_that_goes_in_time() -> None:
    c = with_pod(tolerates(seconds=LATE))
    tainted(c, taint())
    assert told(c, REASON) == []
    tainted(c)
    assert told(c, REASON) == [CANCELLED]
    tainted(c)
    assert told(c, REASON) == []


def test_second_taint_cancels_what_was_scheduled_and_evicts() -> None:
    c = with_pod(tolerates("a", LATE))
    tainted(c, taint("a"))
    tainted(c, taint("a"), taint("b"), kubelet=False)
    assert told(c, REASON) == [CANCELLED, MARKED]


def test_change_to_a_taint_that_is_tolerated_for_ever_cancels() -> None:
    c = with_pod(tolerates("a", LATE), tolerates("b"))
    tainted(c, taint("a"))
    tainted(c, taint("b"))
    assert told(c, REASON) == [CANCELLED]
    assert leaving(c) == []


def test_what_is_scheduled_is_neither_put_off_nor_brought_forward() -> None:
    c = with_pod(tolerates("a", LATE), tolerates("b", 1))
    tainted(c, taint("a"))
    tainted(c, taint("a"), taint("b"))
    assert leaving(c) == told(c, REASON) == []


def test_pod_that_goes_in_time_by_itself_is_told_of() -> None:
    c = with_pod(tolerates(seconds=LATE))
    tainted(c, taint())
    c.delete("Pod", "x")
    rest(c)
    assert names(c, "Pod") == []
    assert told(c, REASON) == [CANCELLED]


def test_pod_that_is_bound_to_a_tainted_node() -> None:
    c = cluster()
    tainted(c, taint())
    do(c, pod("x", nodeName="n1"))
    assert names(c, "Pod") == []
    assert told(c, REASON) == [MARKED]


def test_toleration_that_is_added_in_time() -> None:
    c = with_pod(tolerates(seconds=LATE))
    tainted(c, taint())
    spec = one(c, "Pod", "x")["spec"]
    more = [*spec["tolerations"], tolerates("other")]
    assert c.patch("Pod", "x", {"spec": {"tolerations": more}}).accepted
    rest(c)
    assert leaving(c) == told(c, REASON) == []


def test_node_that_goes_calls_nothing_off() -> None:
    c = with_pod(tolerates(seconds=30))
    for _ in c.apply(node("n1", taint()), mode="replace"):
        c.delete("Node", "n1")
    rests = rest(c)
    assert names(c, "Pod") == []
    assert CANCELLED not in told(c, REASON)
    assert rests[-1].at - rests[0].at > 25


@pytest.mark.parametrize("back", [True, False])
def test_pods_of_a_node_that_is_gone(back: bool) -> None:
    c = cluster(pod("x"), nodes=2)
    home = one(c, "Pod", "x")["spec"]["nodeName"]
    c.delete("Node", home)
    if back:
        c.apply(node(home))
    rests = rest(c)
    assert (names(c, "Pod") == ["x"]) is back
    if not back:
        assert 40 <= rests[-1].at - rests[0].at <= 60


def test_pods_are_kept_where_nothing_is_known_of_nodes() -> None:
    known = cluster(deployment())
    c = kplan.Cluster(o for o in known.objects() if o["kind"] != "Node")
    rest(c)
    assert names(c, "Pod") == names(known, "Pod")
