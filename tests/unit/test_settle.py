"""Bringing a cluster to rest: the virtual clock, what is told, what never ends."""

from __future__ import annotations

from typing import Any

import pytest

import kplan

Value = dict[str, Any]


def node(name: str, cpu: str = "4") -> Value:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "110"}},
    }


def deployment(name: str = "web", replicas: int = 2, image: str = "registry.example/web:1", **spec: Any) -> Value:
    container = {"name": "c", "image": image, "resources": {"requests": {"cpu": "1"}}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **spec},
    }


def cluster(*objects: Value) -> kplan.Cluster:
    found = kplan.Cluster([node("a"), node("b"), *objects])
    found.settle()
    return found


def names(c: kplan.Cluster, kind: str) -> list[str]:
    return [o["metadata"]["name"] for o in c.objects(kind)]


def test_objects_given_without_a_uid_get_one() -> None:
    c = kplan.Cluster([node("a"), deployment()])
    c.settle()
    assert len(names(c, "Pod")) == 2
    assert len({o["metadata"]["uid"] for o in c.objects()}) == len(c.objects())
    assert c.objects("Deployment")[0]["status"]["observedGeneration"] == 1


def test_pods_start_one_by_one() -> None:
    c = kplan.Cluster([node("a"), node("b")])
    c.apply(deployment())
    rests = c.settle()
    replica_set = names(c, "ReplicaSet")[0]
    assert [r.kubelet for r in rests] == [None, f"start {replica_set}-<1>", f"start {replica_set}-<2>"]
    assert [r.sets["deployment/web"] for r in rests] == [[2, 2, 0, 0, 2], [2, 2, 1, 1, 1], [2, 2, 2, 2, 0]]
    assert rests[0].changes[0] == "create deployment web spec.replicas=2"


def test_without_kubelets_nothing_runs() -> None:
    c = kplan.Cluster([node("a")])
    c.apply(deployment())
    assert [r.kubelet for r in c.settle(kubelet=False)] == [None]
    assert {p["status"]["phase"] for p in c.objects("Pod")} == {"Pending"}
    assert len(c.settle()) == 3


def test_cluster_at_rest_stays_at_rest() -> None:
    c = kplan.Cluster([node("a")])
    c.apply(deployment())
    c.settle()
    before = c.objects()
    assert [r.changes for r in c.settle()] == [()]
    assert c.objects() == before


def test_two_runs_are_equal() -> None:
    def run() -> tuple[Any, ...]:
        c = kplan.Cluster([node("a"), node("b")])
        c.apply([deployment(), deployment("api", 3)])
        c.settle()
        c.apply(deployment(image="registry.example/web:2"))
        rests = [(r.kubelet, r.changes, r.sets, r.at) for r in c.settle()]
        return rests, c.objects(), c.events_since_last_settle()

    assert run() == run()


def test_events_are_those_since_the_last_settle() -> None:
    c = kplan.Cluster([node("a")])
    c.apply(deployment(replicas=1))
    c.settle()
    first = {e.reason for e in c.events_since_last_settle()}
    c.settle()
    assert first == {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled"}
    assert c.events_since_last_settle() == []


def test_node_of_a_pod_is_not_told_after_a_tie() -> None:
    c = kplan.Cluster([node("a"), node("b")])
    c.apply(deployment(replicas=1))
    c.settle()
    assert "Scheduled" not in {e.reason for e in c.events_since_last_settle()}


def test_pod_that_does_not_fit_waits_and_says_why() -> None:
    c = cluster()
    c.apply(deployment(replicas=9))
    rests = c.settle()
    assert rests[-1].sets["deployment/web"] == [9, 9, 8, 8, 1]
    waiting = [p for p in c.objects("Pod") if p["status"]["phase"] == "Pending"]
    assert waiting[0]["status"]["conditions"][0]["message"].startswith("0/2 nodes are available: 2 Insufficient cpu.")
    c.apply(node("c"), mode="replace")
    assert c.settle()[-1].sets["deployment/web"] == [9, 9, 9, 9, 0]


def test_script_says_how_pods_fare() -> None:
    from kplan.kubelet.outcomes import Outcome

    c = kplan.Cluster([node("a")])
    c.apply(deployment(image="nginx:1"))
    rests = c.settle(kubelet={"nginx:1": Outcome(ready=False)})
    assert rests[-1].sets["deployment/web"] == [2, 2, 0, 0, 2]


def test_deadline_passes_on_the_virtual_clock() -> None:
    c = kplan.Cluster([node("a")])
    c.apply(deployment(image="registry.example/web:never-ready", progressDeadlineSeconds=30))
    start = c.clock.now
    c.settle()
    conditions = {x["type"]: x["reason"] for x in c.objects("Deployment")[0]["status"]["conditions"]}
    assert conditions["Progressing"] == "ProgressDeadlineExceeded"
    assert 30 <= c.clock.now - start < 60


def test_what_lies_far_ahead_is_not_waited_for() -> None:
    c = kplan.Cluster([node("a")])
    c.apply(deployment(image="registry.example/web:never-ready"))
    c.settle()
    assert c.objects("Deployment")[0]["status"]["conditions"][-1]["reason"] == "ReplicaSetUpdated"
    c.clock.advance(601)
    c.settle()
    assert c.objects("Deployment")[0]["status"]["conditions"][-1]["reason"] == "ProgressDeadlineExceeded"


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        kplan.Cluster().clock.advance(-1)


def test_pods_that_come_back_for_ever_are_reported() -> None:
    tainted = node("a")
    tainted["spec"] = {"taints": [{"key": "flaky", "effect": "NoExecute"}]}
    c = kplan.Cluster([tainted])
    d = deployment(replicas=1)
    d["spec"]["template"]["spec"]["tolerations"] = [
        {"operator": "Exists", "tolerationSeconds": 2, "effect": "NoExecute"}
    ]
    c.apply(d)
    c.settle()
    assert c.unsettled


@pytest.mark.parametrize(
    ("propagation", "left"), [("Background", []), ("Foreground", []), ("Orphan", ["ReplicaSet", "Pod", "Pod"])]
)
def test_deletion_takes_dependents_along(propagation: str, left: list[str]) -> None:
    c = cluster()
    c.apply(deployment())
    c.settle()
    assert c.delete("Deployment", "web", propagation=propagation).accepted
    c.settle()
    kinds = [o["kind"] for o in c.objects() if o["kind"] in ("Deployment", "ReplicaSet", "Pod")]
    assert sorted(kinds) == sorted(left)


def test_deletion_of_what_is_not_there() -> None:
    answer = kplan.Cluster().delete("deploy", "web")
    assert (answer.status, answer.message) == (404, 'deployments.apps "web" not found')
