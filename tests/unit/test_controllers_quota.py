"""ResourceQuotas in a simulated cluster: what their status says, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from kplan import Cluster

Value = dict[str, Any]

NODE: Value = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": "110"}}}


def made(kind: str, name: str, spec: Value | None = None, api: str = "v1", **fields: Any) -> Value:
    out = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default"}, **fields}
    return {**out, **({"spec": spec} if spec is not None else {})}


def quota(hard: dict[str, str], **spec: Any) -> Value:
    return made("ResourceQuota", "q", {"hard": hard, **spec})


def pod_spec(**resources: dict[str, str]) -> Value:
    return {"containers": [{"name": "c", "image": "i:1", "resources": resources}]}


def pod(name: str, **resources: dict[str, str]) -> Value:
    return made("Pod", name, pod_spec(**resources))


def deployment(replicas: int, **resources: dict[str, str]) -> Value:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": pod_spec(**resources)}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return made("Deployment", "web", spec, "apps/v1")


def cluster(*objects: Value) -> Cluster:
    c = Cluster([NODE])
    c.settle()
    assert [a.message for a in c.apply(objects) if not a.accepted] == []
    c.settle()
    return c


def status(c: Cluster) -> Value:
    found = c.store.find("ResourceQuota", "q", "default")
    assert found is not None
    return dict(found["status"])


def used(c: Cluster) -> Value:
    return dict(status(c)["used"])


def test_status_says_what_is_used_of_what_is_limited() -> None:
    hard = {"requests.cpu": "2", "limits.memory": "1Gi", "pods": "10", "services": "2", "count/deployments.apps": "3"}
    c = cluster(quota(hard))
    assert status(c) == {"hard": hard, "used": dict.fromkeys(hard, "0")}
    c.apply([deployment(3, requests={"cpu": "150m"}, limits={"memory": "128Mi"})])
    c.settle()
    assert used(c) == {
        "requests.cpu": "450m",
        "limits.memory": "384Mi",
        "pods": "3",
        "services": "0",
        "count/deployments.apps": "1",
    }
    c.delete("Deployment", "web")
    c.settle()
    assert used(c) == dict.fromkeys(hard, "0")


@pytest.mark.parametrize(
    ("hard", "obj", "expected"),
    [
        ({"memory": "1Gi"}, pod("a", requests={"memory": "512M"}), {"memory": "512M"}),
        ({"memory": "1Gi"}, pod("a", requests={"memory": "512Mi"}), {"memory": "512Mi"}),
        ({"requests.x.org/gpu": "4"}, pod("a", limits={"x.org/gpu": "2"}), {"requests.x.org/gpu": "2"}),
        ({"configmaps": "9"}, made("ConfigMap", "a"), {"configmaps": "1"}),
        ({"count/jobs.batch": "9"}, deployment(1), {"count/jobs.batch": "0"}),
        ({"count/wonders.example.org": "9"}, deployment(1), {}),
        (
            {"services": "9", "services.nodeports": "9", "services.loadbalancers": "9"},
            made("Service", "a", {"type": "LoadBalancer", "ports": [{"port": n, "name": f"p{n}"} for n in (1, 2)]}),
            {"services": "1", "services.nodeports": "2", "services.loadbalancers": "1"},
        ),
        (
            {"requests.storage": "9Gi", "fast.storageclass.storage.k8s.io/requests.storage": "9Gi"},
            made(
                "PersistentVolumeClaim",
                "a",
                {
                    "accessModes": ["ReadWriteOnce"],
                    "storageClassName": "fast",
                    "resources": {"requests": {"storage": "1Gi"}},
                },
            ),
            {"requests.storage": "1Gi", "fast.storageclass.storage.k8s.io/requests.storage": "1Gi"},
        ),
    ],
)
def test_amounts_and_names(hard: dict[str, str], obj: Value, expected: dict[str, str]) -> None:
    assert used(cluster(quota(hard), obj)) == expected


def test_quotas_count_too() -> None:
    c = cluster(quota({"resourcequotas": "1"}))
    assert used(c) == {"resourcequotas": "1"}
    (answer,) = c.apply([made("ResourceQuota", "another", {"hard": {"pods": "1"}})])
    assert answer.status == 403
    assert "requested: resourcequotas=1, used: resourcequotas=1, limited: resourcequotas=1" in answer.message
    (changed,) = c.apply([quota({"resourcequotas": "2"})])  # itself is counted already
    assert changed.accepted


def test_a_pod_that_has_ended_only_counts_as_an_object() -> None:
    c = cluster(quota({"pods": "5", "count/pods": "5", "cpu": "1"}), pod("a", requests={"cpu": "100m"}))
    running = c.store.find("Pod", "a", "default")
    assert running is not None
    assert used(c) == {"pods": "1", "count/pods": "1", "cpu": "100m"}
    c.store.put({**running, "status": {**running["status"], "phase": "Succeeded"}})
    c.settle()
    assert used(c) == {"pods": "0", "count/pods": "1", "cpu": "0"}


def test_scopes() -> None:
    best_effort = quota({"pods": "1"}, scopes=["BestEffort"])
    c = cluster(best_effort, pod("a"), pod("b", requests={"cpu": "1"}))
    assert used(c) == {"pods": "1"}
    (answer,) = c.apply([pod("c")])
    assert answer.message.endswith("exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1")


def test_what_is_accepted_in_one_go_counts_at_once() -> None:
    c = cluster(quota({"pods": "2"}))
    answers = c.apply([pod("a"), pod("b"), pod("c")])
    assert [a.status for a in answers] == [201, 201, 403]
    assert used(c) == {"pods": "2"}


def test_a_dry_run_costs_nothing() -> None:
    c = cluster(quota({"pods": "2"}))
    c.apply([pod("a"), pod("b")], dry_run=True)
    assert used(c) == {"pods": "0"}


def test_a_set_makes_as_many_pods_as_the_quota_allows() -> None:
    c = cluster(quota({"requests.cpu": "250m"}), deployment(4, requests={"cpu": "100m"}))
    assert used(c) == {"requests.cpu": "200m"}
    (refused,) = {e.message for e in c.events_since_last_settle() if e.reason == "FailedCreate"}
    assert refused.endswith(
        "exceeded quota: q, requested: requests.cpu=100m, used: requests.cpu=200m, limited: requests.cpu=250m"
    )
    c.apply([quota({"requests.cpu": "1"})])
    c.settle()
    assert status(c) == {"hard": {"requests.cpu": "1"}, "used": {"requests.cpu": "400m"}}


def test_a_failure_is_told_once_although_it_is_tried_again() -> None:
    c = cluster(quota({"pods": "1"}), deployment(2))
    failure = {e for e in c.events_since_last_settle() if e.reason == "FailedCreate"}
    assert len(failure) == 1
    c.apply([made("ConfigMap", "other")])
    c.settle()
    assert c.events_since_last_settle() == []
    c.apply([deployment(3)])  # a change of its own
    c.settle()
    assert "FailedCreate" in {e.reason for e in c.events_since_last_settle()}


def test_a_quota_is_in_force_before_its_first_status() -> None:
    c = Cluster([NODE])
    c.settle()
    answers = c.apply([quota({"count/configmaps": "1"}), made("ConfigMap", "a"), made("ConfigMap", "b")])
    assert [a.status for a in answers] == [201, 201, 403]


def test_a_name_that_was_never_counted() -> None:
    given = quota({"count/configmaps": "5"})
    c = Cluster([NODE])
    c.settle()
    c.store.put({**given, "status": {"hard": given["spec"]["hard"], "used": {}}})
    (answer,) = c.apply([made("ConfigMap", "a")])
    assert answer.message.endswith("forbidden: status unknown for quota: q, resources: count/configmaps")
    c.settle()
    assert c.apply([made("ConfigMap", "a")])[0].accepted
    assert used(c) == {"count/configmaps": "1"}


def test_a_quota_that_goes_and_comes_back_counts_anew() -> None:
    c = cluster(quota({"pods": "5"}), pod("a"))
    c.delete("ResourceQuota", "q")
    c.settle()
    c.apply([pod("b"), quota({"pods": "7"})])
    c.settle()
    assert status(c) == {"hard": {"pods": "7"}, "used": {"pods": "2"}}
