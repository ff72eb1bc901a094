"""Which pods would be evicted: importance, budgets, the choice of the node, and when nobody is."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.model import Decision
from kplan.scheduler import budgets, cycle, profile
from kplan.scheduler.run import Scheduler
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store

Value = dict[str, Any]


def node(name: str, cpu: str = "4", **labels: str) -> Value:
    room = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels},
            "status": {"capacity": room}}  # fmt: skip


def pod(name: str, at: str = "", cpu: str = "1", priority: int = 0, app: str = "x", **more: Any) -> Value:
    container = {"name": "c", "image": "img", "resources": {"requests": {"cpu": cpu}}}
    spec = {"containers": [container], "priority": priority, **({"nodeName": at} if at else {})}
    meta = {"name": name, "namespace": "default", "labels": {"app": app}}
    status = {"startTime": more.pop("start")} if "start" in more else {}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**spec, **more}, "status": status}


def budget(app: str, **spec: Any) -> Value:
    return {"kind": "PodDisruptionBudget", "metadata": {"name": app, "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": app}}, **spec}}  # fmt: skip


def decide(*objects: Value, cpu: str = "2", priority: int = 10, **more: Any) -> Decision:
    cluster = Snapshot(Store(objects))
    before = [(n.name, [p.name for p in n.pods], dict(n.free), n.cpu) for n in cluster.nodes]
    found = cycle.decide(cluster.pod(pod("new", cpu=cpu, priority=priority, **more)), cluster, profile.default())
    assert before == [(n.name, [p.name for p in n.pods], dict(n.free), n.cpu) for n in cluster.nodes]
    return found


def test_the_fewest_and_least_important_go() -> None:
    found = decide(
        node("a"),
        pod("low", "a", priority=1),
        pod("old", "a", priority=2, start="2026-01-01T00:00:00Z"),
        pod("young", "a", priority=2, start="2026-01-02T00:00:00Z"),
        pod("high", "a", priority=10),
    )
    assert (found.nominated, found.victims) == ("a", ("young", "low"))
    assert found.message == "0/1 nodes are available: 1 Insufficient cpu."


@pytest.mark.parametrize(
    ("placed", "victims"),
    [
        pytest.param([("a", 5), ("b", 3)], ("p1",), id="the lowest of the highest priorities"),
        pytest.param([("a", 3), ("a", 3), ("b", 3)], ("p2",), id="the lowest sum, so the fewest"),
        pytest.param([("a", 3), ("b", 3)], ("p1",), id="the one that started last"),
    ],
)
def test_the_node_that_is_hurt_least(placed: list[tuple[str, int]], victims: tuple[str, ...]) -> None:
    per_node = {at: sum(x == at for x, _ in placed) for at, _ in placed}
    pods = [
        pod(f"p{i}", at, cpu=str(4 // per_node[at]), priority=priority, start=f"2026-01-0{i + 1}T00:00:00Z")
        for i, (at, priority) in enumerate(placed)
    ]
    assert decide(node("a"), node("b"), *pods, cpu="4").victims == victims


@pytest.mark.parametrize("later", ["a", "b"])
def test_equal_candidates_are_a_tie_and_the_last_to_come_is_named(later: str) -> None:
    earlier = "b" if later == "a" else "a"
    found = decide(node("a"), node("b"), pod("p", earlier, cpu="4"), pod("q", later, cpu="4"))
    assert (found.nominated, found.victims, found.certainty) == (later, ("q",), "tie")
    assert found.alternatives == (("p",),)


def test_a_budget_is_spared_if_another_node_will_do() -> None:
    pods = [pod("p", "a", cpu="4", app="db"), pod("q", "b", cpu="4", priority=5)]
    assert decide(node("a"), node("b"), *pods, budget("db", minAvailable=1)).victims == ("q",)
    assert decide(node("a"), *pods, budget("db", minAvailable=1)).victims == ("p",)


@pytest.mark.parametrize(
    ("spec", "status", "allowed"),
    [
        ({"minAvailable": 1}, {}, 1),
        ({"minAvailable": 3}, {}, 0),
        ({"minAvailable": "50%"}, {}, 0),
        ({"maxUnavailable": 1}, {}, 0),
        ({"minAvailable": "34%"}, {}, 0),
        ({"maxUnavailable": "50%"}, {}, 1),
        ({"minAvailable": 1}, {"observedGeneration": 1, "disruptionsAllowed": 7}, 7),
    ],
)
def test_how_many_evictions_a_budget_allows(spec: Value, status: Value, allowed: int) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "controller": True}
    pods = [pod("p", "a", app="db"), pod("q", "a", app="db"), pod("r", app="db")]
    for p in pods:
        p["metadata"]["ownerReferences"] = [owner]
    rs = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "rs", "namespace": "default"}}
    rs["spec"] = {"replicas": 3}
    objects = [node("a"), *pods, rs, {**budget("db", **spec), "status": status}]
    assert [b.allowed for b in budgets.read(Snapshot(Store(objects)))] == [allowed]


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        ({}, 1),
        ({"phase": "Running"}, 0),
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}, 1),
        ({"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}, 0),
    ],
)
def test_what_runs_is_healthy_if_it_says_so(status: Value, allowed: int) -> None:
    pods = [{**pod(name, "a", app="db"), "status": status} for name in "pq"]
    assert [b.allowed for b in budgets.read(Snapshot(Store([node("a"), *pods, budget("db", minAvailable=1)])))] == [
        allowed
    ]


def test_nobody_less_important_is_there() -> None:
    found = decide(node("a"), node("b", "1"), pod("p", "a", cpu="4", priority=10))
    assert found.message.endswith(
        "preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, "
        "1 Preemption is not helpful for scheduling."
    )


def test_the_reason_that_remains_when_all_are_gone() -> None:
    found = decide(node("a"), pod("p", "a", cpu="1"), pod("q", "a", cpu="3", priority=10))
    assert found.message.endswith("preemption: 0/1 nodes are available: 1 Insufficient cpu.")


def test_a_pod_that_may_not_preempt() -> None:
    found = decide(node("a"), pod("p", "a", cpu="4"), preemptionPolicy="Never")
    assert found.message.endswith("preemption: not eligible due to preemptionPolicy=Never.")


def test_a_pod_that_has_evicted_before_waits_for_its_victims() -> None:
    victim = pod("p", "a", cpu="4")
    victim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    victim["status"]["conditions"] = [{"type": "DisruptionTarget", "reason": "PreemptionByScheduler"}]
    waiting = pod("new", cpu="2", priority=10)
    waiting["status"]["nominatedNodeName"] = "a"
    cluster = Snapshot(Store([node("a"), victim, waiting]))
    found = cycle.decide(cluster.pending["default", "new"], cluster, profile.default())
    assert found.message.endswith("preemption: not eligible due to a terminating pod on the nominated node.")


def test_evicting_can_make_room_for_anti_affinity_and_ports() -> None:
    apart = {"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "web"}}}
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    found = decide(node("a", host="a"), pod("p", "a", app="web"), pod("q", "a"), cpu="1", affinity=rule)
    assert found.victims == ("p",)


def test_evicting_can_even_out_a_spread() -> None:
    rule = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "x"}}}  # fmt: skip
    nodes = [node("a", zone="z1"), node("b", "1", zone="z2")]
    found = decide(*nodes, pod("p", "a"), pod("q", "a"), topologySpreadConstraints=[rule])
    assert (found.nominated, found.victims) == ("a", ("p", "q"))


def test_what_follows_in_a_run() -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "controller": True}
    replaced = pod("low", "a", cpu="2")
    replaced["metadata"]["ownerReferences"] = [owner]
    objects = [node("a"), node("b", "2"), pod("b-full", "b", cpu="2", priority=50), replaced, pod("bare", "a", cpu="2")]
    cluster = Snapshot(Store([*objects, pod("new", cpu="4", priority=10)]))
    found = {
        p.name: p for p in Scheduler(cluster, {"default-scheduler": profile.default()}).run(cluster.pending.values())
    }
    assert (found["new"].node, set(found["new"].evicted)) == ("a", {"low", "bare"})
    assert found["bare"].message == "Preempted by pod default/new"
    assert (found["low"].node, found["low"].reason) == (None, "Unschedulable")
