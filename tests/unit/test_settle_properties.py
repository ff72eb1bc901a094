"""What holds for any cluster at rest, whatever was done to it before: seeded random scenarios.

More of them: `KPLAN_SCENARIOS=2000 pytest tests/unit/test_settle_properties.py`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

import kplan
from kplan import labels
from kplan.store import owners_of
from tests.scenes import deployment, made, node, replica_set, rolling, template

Value = dict[str, Any]
Step = Callable[[kplan.Cluster, random.Random], None]

SCENARIOS = int(os.environ.get("KPLAN_SCENARIOS", "40"))
APPS = ("a", "b", "c")
BROKEN = ("never-ready", "crash")
WORKLOADS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
STRATEGIES = (rolling("25%", "25%"), rolling(1, 0), rolling(0, 1), rolling("100%", "50%"), {"type": "Recreate"})


def a_deployment(draw: random.Random, tag: str = "") -> Value:
    spec: Value = {"strategy": draw.choice(STRATEGIES), "paused": draw.random() < 0.15}
    spec |= {"minReadySeconds": draw.choice((0, 0, 4)), "revisionHistoryLimit": draw.choice((0, 1, 10))}
    spec["progressDeadlineSeconds"] = draw.choice((6, 600))
    tag = tag or draw.choice(("1", "2", "3", *BROKEN))
    return deployment(f"d-{draw.choice(APPS)}", draw.randrange(6), tag, **spec)


def a_replica_set(draw: random.Random) -> Value:
    return replica_set(f"r-{draw.choice(APPS)}", draw.randrange(5), app=f"{draw.choice('rd')}-{draw.choice(APPS)}")


def a_stateful_set(draw: random.Random) -> Value:
    name = f"s-{draw.choice(APPS)}"
    spec = {
        "serviceName": name,
        "replicas": draw.randrange(4),
        "selector": {"matchLabels": {"app": name}},
        "podManagementPolicy": "Parallel" if name == "s-a" else "OrderedReady",
        "template": template(name, draw.choice("12")),
    }
    return made("apps/v1", "StatefulSet", name, spec)


def a_daemon_set(draw: random.Random) -> Value:
    name = f"x-{draw.choice(APPS)}"
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template(name, draw.choice("12"))}
    return made("apps/v1", "DaemonSet", name, spec)


def a_service(draw: random.Random) -> Value:
    app = f"{draw.choice('drsx')}-{draw.choice(APPS)}"
    return made("v1", "Service", app, {"selector": {"app": app}, "ports": [{"port": 80}]})


def a_budget(draw: random.Random) -> Value:
    app = f"{draw.choice('ds')}-{draw.choice(APPS)}"
    limit = draw.choice(({"minAvailable": 1}, {"maxUnavailable": "50%"}, {"maxUnavailable": 0}))
    return made("policy/v1", "PodDisruptionBudget", app, {"selector": {"matchLabels": {"app": app}}, **limit})


MAKERS = (a_deployment, a_deployment, a_deployment, a_replica_set, a_stateful_set, a_daemon_set, a_service, a_budget)


def apply(c: kplan.Cluster, draw: random.Random) -> None:
    c.apply([draw.choice(MAKERS)(draw) for _ in range(draw.randrange(1, 4))], mode=draw.choice(("csa", "csa", "ssa")))


def scale(c: kplan.Cluster, draw: random.Random) -> None:
    found = [o for kind in WORKLOADS[:3] for o in c.objects(kind)]
    if found:
        one = draw.choice(found)
        c.patch(one["kind"], one["metadata"]["name"], {"spec": {"replicas": draw.randrange(6)}})


def delete(c: kplan.Cluster, draw: random.Random) -> None:
    found = [o for kind in (*WORKLOADS, "Service", "PodDisruptionBudget") for o in c.objects(kind)]
    if found:
        one = draw.choice(found)
        way = draw.choice((None, "Background", "Foreground", "Orphan"))
        c.delete(one["kind"], one["metadata"]["name"], propagation=way)


def on_a_pod(c: kplan.Cluster, draw: random.Random) -> None:
    found = c.objects("Pod")
    if not found:
        return
    name, way = draw.choice(found)["metadata"]["name"], draw.randrange(5)
    if way == 0:
        c.delete("Pod", name)
    elif way == 1:
        c.evict(name)
    elif way == 2 and not name.startswith("s-"):  # a name that a StatefulSet needs would stay taken
        c.patch("Pod", name, {"metadata": {"labels": {"app": f"{draw.choice('dr')}-{draw.choice(APPS)}"}}})
    elif way == 3:
        c.patch("Pod", name, {"metadata": {"ownerReferences": None}})
    else:
        c.patch("Pod", name, {"status": {"phase": "Failed"}}, subresource="status")


def on_a_node(c: kplan.Cluster, draw: random.Random) -> None:
    name, way = draw.choice(("n1", "n2", "n3")), draw.randrange(4)
    if way == 0:
        c.delete("Node", name)
    else:
        taints = [{"key": "flaky", "effect": "NoExecute"}] if way == 1 else []
        c.apply(node(name, *taints), mode="replace")


def settle(c: kplan.Cluster, draw: random.Random) -> None:
    c.settle(kubelet=draw.random() < 0.6)


STEPS: tuple[Step, ...] = (apply, apply, scale, delete, on_a_pod, on_a_node, settle, settle)


def healed(c: kplan.Cluster, draw: random.Random) -> None:
    """Nodes are back, and every Deployment has an image that works."""
    c.apply([node(n) for n in ("n1", "n2", "n3")], mode="replace")
    for d in c.objects("Deployment"):
        sound = template(d["metadata"]["name"], draw.choice("123"))
        c.patch("Deployment", d["metadata"]["name"], {"spec": {"paused": False, "template": sound}})


@pytest.mark.parametrize("seed", range(SCENARIOS))
def test_cluster_at_rest(seed: int) -> None:
    draw = random.Random(seed)
    c = kplan.Cluster([node("n1"), node("n2"), node("n3")])
    for _ in range(draw.randrange(3, 12)):
        draw.choice(STEPS)(c, draw)
        assert c.unsettled == ""
    healed(c, draw)
    c.settle()
    c.settle()  # what was scheduled for later
    assert c.unsettled == ""
    for check in (nothing_is_left_over, numbers_are_as_wanted, counts_are_those_of_pods, endpoints_are_ready_pods):
        check(c)
    before = c.objects()
    rests = c.settle()
    assert [r.changes for r in rests] == [()]
    assert c.objects() == before


def nothing_is_left_over(c: kplan.Cluster) -> None:
    uids = {o["metadata"].get("uid") for o in c.objects()}
    for o in c.objects():
        assert set(owners_of(o)) <= uids, f"{o['metadata']['name']} has an owner that is gone"
        assert "deletionTimestamp" not in o["metadata"], o["metadata"]
    nodes = {n["metadata"]["name"] for n in c.objects("Node")}
    for p in c.objects("Pod"):
        assert p["spec"].get("nodeName") in nodes, p["metadata"]["name"]


def alive(c: kplan.Cluster, owner: Value) -> list[Value]:
    """The pods of an owner that have not ended."""
    uid = owner["metadata"]["uid"]
    mine = (p for p in c.objects("Pod") if uid in owners_of(p))
    return [p for p in mine if p["status"]["phase"] not in ("Succeeded", "Failed")]


def is_ready(p: Value) -> bool:
    return any(x["type"] == "Ready" and x["status"] == "True" for x in p["status"].get("conditions") or ())


def numbers_are_as_wanted(c: kplan.Cluster) -> None:
    for kind in ("ReplicaSet", "StatefulSet"):
        for o in c.objects(kind):
            assert len(alive(c, o)) == o["spec"]["replicas"], o["metadata"]["name"]
    for d in c.objects("DaemonSet"):
        assert sorted(p["spec"]["nodeName"] for p in alive(c, d)) == ["n1", "n2", "n3"]
    for d in c.objects("Deployment"):
        sets = [s for s in c.objects("ReplicaSet") if d["metadata"]["uid"] in owners_of(s)]
        sizes = sorted(s["spec"]["replicas"] for s in sets)
        assert sizes == [0] * (len(sets) - 1) + [d["spec"]["replicas"]], d["metadata"]["name"]
        limit = d["spec"]["revisionHistoryLimit"]
        assert len(sets) <= limit + 1
        last = d["status"]["conditions"]
        assert {x["type"]: x["reason"] for x in last} == {
            "Available": "MinimumReplicasAvailable",
            "Progressing": "NewReplicaSetAvailable",
        }


def counts_are_those_of_pods(c: kplan.Cluster) -> None:
    for kind in ("ReplicaSet", "StatefulSet"):
        for o in c.objects(kind):
            mine, said = alive(c, o), o["status"]
            ready = sum(map(is_ready, mine))
            counts = (said.get("replicas", 0), said.get("readyReplicas", 0), said.get("availableReplicas", 0))
            assert counts == (len(mine), ready, ready), (o["metadata"]["name"], counts)
            assert said["observedGeneration"] == o["metadata"]["generation"]
    for d in c.objects("Deployment"):
        wanted, said = d["spec"]["replicas"], d["status"]
        fields = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        assert [said.get(f, 0) for f in fields] == [wanted] * 4
        assert "unavailableReplicas" not in said
        assert said["terminatingReplicas"] == 0
        assert said["observedGeneration"] == d["metadata"]["generation"]
    for d in c.objects("DaemonSet"):
        said = d["status"]
        assert (said["numberReady"], said["numberAvailable"], said["updatedNumberScheduled"]) == (3, 3, 3)
    for b in c.objects("PodDisruptionBudget"):
        chosen = [p for p in c.objects("Pod") if labels.matches(b["spec"]["selector"], p["metadata"].get("labels"))]
        assert b["status"]["currentHealthy"] == sum(is_ready(p) for p in chosen if p["status"]["phase"] == "Running")


def endpoints_are_ready_pods(c: kplan.Cluster) -> None:
    for s in c.objects("Service"):
        name, wanted = s["metadata"]["name"], s["spec"]["selector"]
        chosen = (p for p in c.objects("Pod") if labels.matches_map(wanted, p["metadata"].get("labels")))
        ready = {p["metadata"]["name"] for p in chosen if is_ready(p) and p["status"]["phase"] == "Running"}
        slices = (e for e in c.objects("EndpointSlice") if s["metadata"]["uid"] in owners_of(e))
        points = [x for e in slices for x in e.get("endpoints") or () if x["conditions"].get("ready")]
        assert {x["targetRef"]["name"] for x in points} == ready, name
