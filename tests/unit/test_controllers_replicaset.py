"""ReplicaSets and ReplicationControllers: numbers, adoption, refusals, and which pods go."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.controllers.deletionorder import surplus
from kplan.controllers.rounding import resolve
from tests.scenes import (
    cluster,
    conditions,
    deployment,
    do,
    leaving,
    made,
    names,
    one,
    pod,
    replica_set,
    rest,
    status,
    template,
    told,
)

Value = dict[str, Any]

NOW = 1_000_000.0


def quota(pods: int) -> Value:
    return made("v1", "ResourceQuota", "q", {"hard": {"pods": str(pods)}})


def relabel(c: kplan.Cluster, name: str, **labels: str | None) -> None:
    c.patch("Pod", name, {"metadata": {"labels": labels}})
    rest(c)


@pytest.mark.parametrize(
    ("value", "total", "up", "expected"),
    [
        (3, 10, True, 3),
        ("25%", 10, True, 3),
        ("25%", 10, False, 2),
        ("0%", 10, True, 0),
        ("100%", 7, False, 7),
        ("1%", 4, False, 0),
        ("1%", 4, True, 1),
        (None, 4, True, 0),
        ("x", 4, True, 0),
    ],
)
def test_counts_and_percentages(value: int | str | None, total: int, up: bool, expected: int) -> None:
    assert resolve(value, total, up=up) == expected


def test_status_and_events() -> None:
    c = cluster(replica_set())
    assert status(c, "ReplicaSet", "rs") == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 0,
        "observedGeneration": 1,
    }
    assert told(c, "SuccessfulCreate") == ["Created pod: rs-<1>", "Created pod: rs-<2>"]
    do(c, replica_set(replicas=0))
    assert status(c, "ReplicaSet", "rs") == {"replicas": 0, "terminatingReplicas": 0, "observedGeneration": 2}
    assert sorted(told(c, "SuccessfulDelete")) == ["Deleted pod: rs-<1>", "Deleted pod: rs-<2>"]


def test_terminating_pods_are_counted_apart_and_replaced_at_once() -> None:
    c = cluster(replica_set())
    c.delete("Pod", "rs-<1>")
    rest(c, kubelet=False)
    assert status(c, "ReplicaSet", "rs") == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "terminatingReplicas": 1,
        "observedGeneration": 1,
    }


def test_failed_pod_is_replaced_and_stays() -> None:
    c = cluster(replica_set())
    c.patch("Pod", "rs-<1>", {"status": {"phase": "Failed"}}, subresource="status")
    rest(c)
    assert names(c, "Pod") == ["rs-<1>", "rs-<2>", "rs-<3>"]
    assert status(c, "ReplicaSet", "rs")["replicas"] == 2


def test_fully_labeled_counts_the_labels_of_the_template() -> None:
    c = cluster(pod("loose", {"app": "rs"}))
    wide = replica_set(replicas=2)
    wide["spec"]["template"]["metadata"]["labels"]["tier"] = "x"
    do(c, wide)
    assert one(c, "Pod", "loose")["metadata"]["ownerReferences"][0]["name"] == "rs"
    assert status(c, "ReplicaSet", "rs")["fullyLabeledReplicas"] == 1


def test_released_and_adopted_again() -> None:
    c = cluster(replica_set())
    relabel(c, "rs-<1>", app="mine")
    assert "ownerReferences" not in one(c, "Pod", "rs-<1>")["metadata"]
    assert names(c, "Pod") == ["rs-<1>", "rs-<2>", "rs-<3>"]
    relabel(c, "rs-<1>", app="rs")
    assert len(names(c, "Pod")) == 2


def test_pod_that_is_going_is_not_released() -> None:
    c = cluster(replica_set())
    c.delete("Pod", "rs-<1>")
    rest(c, kubelet=False)
    c.patch("Pod", "rs-<1>", {"metadata": {"labels": {"app": "mine"}}})
    rest(c, kubelet=False)
    assert one(c, "Pod", "rs-<1>")["metadata"]["ownerReferences"][0]["name"] == "rs"
    assert status(c, "ReplicaSet", "rs")["terminatingReplicas"] == 0


@pytest.mark.parametrize(
    "reason", ["going", "ended", "owned"]
)  # what keeps a pod with the right labels from being adopted
def test_not_adopted(reason: str) -> None:
    loose = pod("loose", {"app": "rs"})
    c = cluster(loose, replica_set("other", 0))
    if reason == "going":
        c.delete("Pod", "loose")
    elif reason == "ended":
        c.patch("Pod", "loose", {"status": {"phase": "Succeeded"}}, subresource="status")
    else:
        other = one(c, "ReplicaSet", "other")["metadata"]["uid"]
        ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": other, "controller": True}
        c.patch("Pod", "loose", {"metadata": {"ownerReferences": [ref]}})
    c.apply(replica_set(replicas=1))
    rest(c, kubelet=False)
    assert status(c, "ReplicaSet", "rs")["replicas"] == 1
    assert "rs-<1>" in names(c, "Pod")


def test_first_of_two_sets_adopts() -> None:
    c = cluster(pod("loose", {"app": "web"}))
    do(c, replica_set("a", 1, app="web"), replica_set("b", 1, app="web"))
    assert one(c, "Pod", "loose")["metadata"]["ownerReferences"][0]["name"] == "a"
    assert sorted(names(c, "Pod")) == ["b-<1>", "loose"]


def test_quota_refusal_comes_once_and_goes() -> None:
    c = cluster(quota(2), replica_set(replicas=4))
    assert len(names(c, "Pod")) == 2
    assert conditions(c, "ReplicaSet", "rs") == ["ReplicaFailure True FailedCreate"]
    message = one(c, "ReplicaSet", "rs")["status"]["conditions"][0]["message"]
    assert message == (
        'pods "rs-<?>" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    )
    assert set(told(c, "FailedCreate")) == {f"Error creating: {message}"}
    do(c, quota(3))
    assert len(names(c, "Pod")) == 3
    assert conditions(c, "ReplicaSet", "rs") == ["ReplicaFailure True FailedCreate"]
    do(c, replica_set(replicas=3))
    assert conditions(c, "ReplicaSet", "rs") == []


def test_min_ready_seconds_per_pod() -> None:
    c = cluster()
    rests = do(c, replica_set(minReadySeconds=20))
    assert [r.sets["replicaset/rs"] for r in rests] == [[2, 2, 0, 0], [2, 2, 1, 0], [2, 2, 2, 0], [2, 2, 2, 2]]


def test_pods_take_what_the_template_says() -> None:
    rs = replica_set(replicas=1)
    rs["spec"]["template"]["metadata"] |= {"annotations": {"a": "b"}, "finalizers": ["example.com/keep"]}
    found = one(cluster(rs), "Pod", "rs-<1>")["metadata"]
    assert (found["labels"], found["annotations"]) == ({"app": "rs"}, {"a": "b"})
    assert (found["finalizers"], found["generateName"]) == (["example.com/keep"], "rs-")
    ref = found["ownerReferences"][0]
    assert (ref["kind"], ref["controller"], ref["blockOwnerDeletion"]) == ("ReplicaSet", True, True)


def controller(replicas: int = 2) -> Value:
    return made("v1", "ReplicationController", "rc", {"replicas": replicas, "template": template("rc")})


def test_replication_controller() -> None:
    c = cluster(controller())
    assert status(c, "ReplicationController", "rc") == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "observedGeneration": 1,
    }
    c.patch("ReplicationController", "rc", {"spec": {"replicas": 1}})
    rest(c)
    assert len(names(c, "Pod")) == 1
    c.delete("ReplicationController", "rc")
    rest(c)
    assert names(c, "ReplicationController") == []
    assert "ownerReferences" not in c.objects("Pod")[0]["metadata"]
    do(c, controller(1))
    assert c.objects("Pod")[0]["metadata"]["ownerReferences"][0]["kind"] == "ReplicationController"


def test_owner_of_another_uid_is_no_owner() -> None:
    c = cluster(replica_set())
    c.delete("ReplicaSet", "rs", propagation="Orphan")
    rest(c)
    do(c, replica_set())
    assert names(c, "Pod") == ["rs-<1>", "rs-<2>"]
    uids = {p["metadata"]["ownerReferences"][0]["uid"] for p in c.objects("Pod")}
    assert uids == {one(c, "ReplicaSet", "rs")["metadata"]["uid"]}


def live(name: str, **given: Any) -> Value:
    """A pod that runs since long ago, with differences: node, phase, ready, since, restarts, born, cost."""
    at = {"node": "n1", "phase": "Running", "ready": 1000.0, "restarts": 0, "born": 2000.0, "cost": "0"} | given
    ready = [{"type": "Ready", "status": "True", "lastTransitionTime": _time(at["ready"])}] if at["ready"] else []
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": _time(at["born"]),
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": at["cost"]},
        },
        "spec": {"nodeName": at["node"]},
        "status": {
            "phase": at["phase"],
            "conditions": ready,
            "containerStatuses": [{"restartCount": at["restarts"]}],
        },
    }


def _time(age: float) -> str:
    from kplan.clock import stamp

    return stamp(NOW - age)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"node": "", "ready": 0}, {"phase": "Pending", "ready": 0}),
        ({"phase": "Pending", "ready": 0}, {"ready": 0}),
        ({"ready": 0}, {"cost": "-5"}),
        ({"cost": "-5"}, {"ready": 10.0}),
        ({"cost": "5"}, {"cost": "10"}),
        ({"cost": "+5"}, {"cost": "1"}),  # not a number: 0
        ({"cost": "99999999999"}, {"cost": "1"}),  # neither is what does not fit into 32 bits
        ({"ready": 10.0}, {"ready": 1000.0}),
        ({"ready": 1000.0}, {"ready": 1010.0, "born": 10.0}),
        ({"ready": 1000.0, "restarts": 3}, {"ready": 1000.0}),
        ({"ready": 0, "restarts": 3}, {"ready": 0, "born": 10.0}),
        ({"ready": 0, "born": 10.0}, {"ready": 0, "born": 1000.0}),
    ],
)
def test_which_pod_goes_first(first: Value, second: Value) -> None:
    a, b = live("a", **first), live("b", **second)
    for both in ([a, b], [b, a]):
        assert [p["metadata"]["name"] for p in surplus(both, [], 1)] == ["a"]


def test_crowded_nodes_count_under_a_deployment_only() -> None:
    crowd = [live("a"), live("b"), live("c", node="n2", ready=10.0)]
    assert surplus(crowd, [], 1) == [crowd[2]]
    assert surplus(crowd, crowd, 1)[0]["spec"]["nodeName"] == "n1"


def test_all_go_where_none_is_wanted() -> None:
    c = cluster(deployment(replicas=3))
    do(c, deployment(replicas=0))
    assert names(c, "Pod") == leaving(c) == []


def test_status_that_somebody_else_wrote_is_put_right() -> None:
    c = cluster()
    do(c, replica_set("rs", 2))
    rest(c)
    namespace = one(c, "ReplicaSet", "rs")["metadata"]["namespace"]
    c.patch("ReplicaSet", "rs", {"status": {"readyReplicas": 7}}, namespace=namespace, subresource="status")
    rest(c)
    assert status(c, "ReplicaSet", "rs")["readyReplicas"] == 2
