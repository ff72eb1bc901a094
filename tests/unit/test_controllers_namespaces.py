"""Namespaces in a simulated cluster: what each of them gets, and how one is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from kplan import Cluster
from kplan.model import Key

Value = dict[str, Any]

NODE: Value = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"}}}
NAMESPACE: Value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
POD: Value = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"containers": [{"name": "c", "image": "i:1"}]},
}


def config(name: str = "conf", **metadata: Any) -> Value:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop", **metadata}}


def deployment(replicas: int = 2) -> Value:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": POD["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def cluster(*objects: Value, version: str = "1.36") -> Cluster:
    made = Cluster([NODE, NAMESPACE], version=version)
    made.settle()
    assert all(a.accepted for a in made.apply(objects))
    made.settle()
    return made


def names(c: Cluster) -> set[str]:
    return {f"{o['kind']}/{o['metadata']['name']}" for o in c.objects(namespace="shop")}


def conditions(c: Cluster) -> dict[str, Value]:
    namespace = c.get(NAMESPACE)
    assert namespace is not None
    return {x["type"].removeprefix("Namespace"): x for x in namespace["status"]["conditions"]}


def test_each_namespace_gets_an_account_and_the_root_certificates() -> None:
    c = Cluster([NAMESPACE, {**NAMESPACE, "metadata": {"name": "other"}}])
    c.settle()
    for namespace in ("shop", "other"):
        assert c.store.find("ServiceAccount", "default", namespace) is not None
        published = c.store.find("ConfigMap", "kube-root-ca.crt", namespace)
        assert published is not None
        assert list(published["data"]) == ["ca.crt"]
        assert published["metadata"]["annotations"]["kubernetes.io/description"].startswith("Contains a CA bundle")


def test_they_come_back_when_deleted_or_changed() -> None:
    c = cluster()
    before = c.store.find("ConfigMap", "kube-root-ca.crt", "shop")
    assert before is not None
    c.delete("ServiceAccount", "default", namespace="shop")
    c.delete("ConfigMap", "kube-root-ca.crt", namespace="shop")
    (rest,) = c.settle()
    assert rest.changes[-2:] == ("create serviceaccount default", "create configmap kube-root-ca.crt")
    c.store.put(
        {**before, "metadata": {**before["metadata"], "annotations": {"mine": "x"}}, "data": {"ca.crt": "broken"}}
    )
    c.settle()
    after = c.store.find("ConfigMap", "kube-root-ca.crt", "shop")
    assert after is not None
    assert after["data"] == before["data"]
    assert after["metadata"]["annotations"] == {"mine": "x", **before["metadata"]["annotations"]}


def test_an_account_that_is_there_is_left_alone() -> None:
    mine = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "shop"},
        "imagePullSecrets": [{"name": "registry"}],
    }
    c = Cluster([NAMESPACE, mine])
    c.settle()
    kept = c.get(mine)
    assert kept is not None
    assert kept["imagePullSecrets"] == [{"name": "registry"}]


def test_the_authority_of_a_cluster_that_has_one_is_kept() -> None:
    held = {**config("kube-root-ca.crt"), "data": {"ca.crt": "REAL"}}
    other = {**NAMESPACE, "metadata": {"name": "other"}}
    c = Cluster([NAMESPACE, other, held])
    c.settle()
    for namespace in ("shop", "other"):
        published = c.store.find("ConfigMap", "kube-root-ca.crt", namespace)
        assert published is not None
        assert published["data"] == {"ca.crt": "REAL"}


def test_pods_go_first_and_the_rest_with_the_namespace_later() -> None:
    c = cluster(deployment(), config())
    start = c.clock.now
    c.delete("Namespace", "shop", namespace="")
    rests = c.settle()
    assert [r.kubelet is None for r in rests] == [True, True, False, False, True]
    first, second = rests[1], rests[-1]
    assert all(line.startswith("terminating pod") for line in first.changes)
    assert len(first.changes) == 2
    assert 5 <= first.at - start <= 8
    assert {"gone deployment web", "gone configmap conf", "gone serviceaccount default"} <= set(second.changes)
    assert 15 <= second.at - first.at <= 18
    assert c.get(NAMESPACE) is None
    assert names(c) == set()
    assert c.events_since_last_settle() == []


def test_nothing_is_made_in_a_namespace_that_goes() -> None:
    c = cluster(deployment())
    c.delete("Namespace", "shop", namespace="")
    c.settle(kubelet=False)
    assert not any("create" in line for r in c.settle(kubelet=False) for line in r.changes)
    (answer,) = c.apply([config()])
    assert answer.status == 403
    assert answer.message.endswith(
        "forbidden: unable to create new content in namespace shop because it is being terminated"
    )
    assert [x.reason for x in answer.causes] == ["NamespaceTerminating"]


def test_events_of_a_namespace_that_goes_may_only_come_again() -> None:
    hpa = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 9,
        },
    }
    c = cluster(deployment(), hpa)
    known = {(e.reason, e.message) for e in c.events_since_last_settle()}
    c.delete("Namespace", "shop", namespace="")
    c.apply([{**hpa, "spec": {**hpa["spec"], "minReplicas": 4}}])
    rests = c.settle(kubelet=False)
    assert "scale deployment web 2->4" in [line for r in rests for line in r.changes]
    events = {(e.reason, e.message) for e in c.events_since_last_settle()}
    assert {reason for reason, _ in events} == {"FailedGetResourceMetric", "FailedComputeMetricsReplicas"}
    assert events <= known


def test_pods_that_do_not_end_keep_the_rest() -> None:
    c = cluster(deployment(), config())
    c.delete("Namespace", "shop", namespace="")
    c.settle(kubelet=False)
    assert "ConfigMap/conf" in names(c)
    assert {x["status"] for x in conditions(c).values()} == {"False"}  # of the rest nothing is known yet
    c.clock.advance(60)
    c.apply([{**NAMESPACE, "metadata": {"name": "another"}}])  # any change makes it look again
    c.settle(kubelet=False)
    failure = conditions(c)["DeletionContentFailure"]
    assert failure["status"] == "True"
    assert "unexpected items still remain in namespace: shop for gvr: /v1, Resource=pods" in failure["message"]
    c.settle()
    assert c.get(NAMESPACE) is None


def test_before_1_33_all_goes_at_once() -> None:
    c = cluster(POD, config(), version="1.32")
    c.delete("Namespace", "shop", namespace="")
    c.settle(kubelet=False)
    assert names(c) == {"Pod/web"}
    assert (
        conditions(c)["ContentRemaining"]["message"] == "Some resources are remaining: pods. has 1 resource instances"
    )


def test_finalizers_hold_a_namespace_and_are_named() -> None:
    c = cluster(config("a", finalizers=["example.org/hold"]), config("b", finalizers=["example.org/hold", "x.org/y"]))
    c.delete("Namespace", "shop", namespace="")
    c.settle()
    found = conditions(c)
    assert found["ContentRemaining"]["reason"] == "SomeResourcesRemain"
    assert found["ContentRemaining"]["message"] == "Some resources are remaining: configmaps. has 2 resource instances"
    assert found["FinalizersRemaining"]["message"] == (
        "Some content in the namespace has finalizers remaining: "
        "example.org/hold in 2 resource instances, x.org/y in 1 resource instances"
    )
    for name in ("a", "b"):
        c.store.remove(Key("", "ConfigMap", "shop", name))
    c.settle()
    assert c.get(NAMESPACE) is None


def test_some_namespaces_never_go() -> None:
    c = Cluster([{**NAMESPACE, "metadata": {"name": "default"}}])
    answer = c.delete("Namespace", "default")
    assert (answer.status, answer.message) == (
        403,
        'namespaces "default" is forbidden: this namespace may not be deleted',
    )


@pytest.mark.parametrize("finalizers", [["kubernetes"], None])
def test_a_namespace_of_a_manifest_is_held_like_one_of_a_server(finalizers: list[str] | None) -> None:
    given = {**NAMESPACE, **({"spec": {"finalizers": finalizers}} if finalizers else {})}
    c = Cluster([given])
    c.settle()
    c.delete("Namespace", "shop", namespace="")
    leaving = c.get(NAMESPACE)
    assert leaving is not None
    assert leaving["status"]["phase"] == "Terminating"
    assert leaving["spec"]["finalizers"] == ["kubernetes"]
    c.settle()
    assert c.get(NAMESPACE) is None
