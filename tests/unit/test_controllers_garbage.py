"""The garbage collector: owners that go, wait, never were, or stand elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from tests.scenes import cluster, deployment, do, leaving, made, names, one, pod, replica_set, rest, told

Value = dict[str, Any]

KEEP = "example.com/keep"
GONE = {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-0000-0000-000000000000"}


def config(name: str, *refs: Value, **meta: Any) -> Value:
    owners = {"ownerReferences": list(refs)} if refs else {}
    return made("v1", "ConfigMap", name, **owners, **meta)


def to(c: kplan.Cluster, name: str, kind: str = "ConfigMap", **fields: Any) -> Value:
    """A reference to a stored object."""
    owner = one(c, kind, name)
    uid = owner["metadata"]["uid"]
    return {"apiVersion": owner["apiVersion"], "kind": kind, "name": name, "uid": uid, **fields}


def mine(c: kplan.Cluster) -> list[str]:
    """The config maps of the test."""
    return [n for n in names(c, "ConfigMap") if n != "kube-root-ca.crt"]


def owners(c: kplan.Cluster, name: str) -> list[str]:
    return [r["name"] for r in one(c, "ConfigMap", name)["metadata"].get("ownerReferences") or ()]


def test_dependents_go_with_their_owner_down_to_the_leaves() -> None:
    c = cluster(config("a"))
    do(c, config("b", to(c, "a")))
    do(c, config("c", to(c, "b")), config("other"))
    c.delete("ConfigMap", "a")
    rest(c)
    assert mine(c) == ["other"]


def test_one_living_owner_is_enough() -> None:
    c = cluster(config("a"), config("b"))
    do(c, config("x", to(c, "a"), to(c, "b"), GONE))
    assert owners(c, "x") == ["a", "b"]
    c.delete("ConfigMap", "a")
    rest(c)
    assert owners(c, "x") == ["b"]
    c.delete("ConfigMap", "b")
    rest(c)
    assert mine(c) == []


@pytest.mark.parametrize(
    "change",
    [
        {"uid": GONE["uid"]},
        {"name": "else"},
        {"kind": "Secret"},
    ],
)
def test_owner_that_is_not_there(change: Value) -> None:
    c = cluster(config("a"))
    do(c, config("x", to(c, "a") | change))
    assert mine(c) == ["a"]


@pytest.mark.parametrize("change", [{"apiVersion": "example.com/v1", "kind": "Sprocket"}, {"apiVersion": "v7"}])
def test_owner_of_a_kind_that_nobody_serves_counts_as_unknown(change: Value) -> None:
    c = cluster(config("a"))
    do(c, config("x", GONE | change))
    assert "x" in mine(c)


def test_owner_in_another_namespace() -> None:
    c = cluster(made("v1", "Namespace", "far"))
    c.apply({**config("a"), "metadata": {"name": "a", "namespace": "far"}})
    rest(c)
    ref = to(c, "a")
    do(c, config("x", ref))
    assert mine(c) == ["a"]
    assert told(c, "OwnerRefInvalidNamespace") == [
        f'ownerRef [v1/ConfigMap, namespace: default, name: a, uid: {ref["uid"]}] does not exist in namespace "default"'
    ]


def test_namespaced_owner_of_something_cluster_scoped_is_told_and_nothing_else() -> None:
    c = cluster(config("a"))
    volume = made("v1", "PersistentVolume", "pv")
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
    volume = {**volume, "metadata": {"name": "pv", "ownerReferences": [to(c, "a")]}, "spec": spec}
    do(c, volume)
    assert len(told(c, "OwnerRefInvalidNamespace")) == 1
    c.delete("ConfigMap", "a")
    rest(c)
    assert names(c, "PersistentVolume") == ["pv"]


def test_cluster_scoped_owner() -> None:
    c = cluster()
    do(c, config("x", to(c, "n1", "Node")))
    assert mine(c) == ["x"]
    c.delete("Node", "n1")
    rest(c)
    assert mine(c) == []


def test_foreground_waits_for_those_that_block() -> None:
    c = cluster(config("a"))
    do(
        c,
        config("blocks", to(c, "a", blockOwnerDeletion=True), finalizers=[KEEP]),
        config("held", to(c, "a"), finalizers=[KEEP]),
        config("free", to(c, "a")),
    )
    c.delete("ConfigMap", "a", propagation="Foreground")
    rest(c)
    assert mine(c) == ["a", "blocks", "held"]  # all are deleted, those that do not block too
    assert one(c, "ConfigMap", "a")["metadata"]["finalizers"] == ["foregroundDeletion"]
    c.patch("ConfigMap", "blocks", {"metadata": {"finalizers": None}})
    rest(c)
    assert mine(c) == ["held"]


@pytest.mark.parametrize("refs", [None, "unblocked"])
def test_owner_is_let_go_where_it_is_not_blocked_any_more(refs: str | None) -> None:
    c = cluster(config("a"))
    do(c, config("x", to(c, "a", blockOwnerDeletion=True), finalizers=[KEEP]))
    c.delete("ConfigMap", "a", propagation="Foreground")
    rest(c)
    assert mine(c) == ["a", "x"]
    new = None if refs is None else [to(c, "a", blockOwnerDeletion=False)]
    c.patch("ConfigMap", "x", {"metadata": {"ownerReferences": new}})
    rest(c)
    assert mine(c) == ["x"]


def test_foreground_of_a_tree_goes_from_the_leaves_up() -> None:
    c = cluster(deployment())
    c.delete("Deployment", "web", propagation="Foreground")
    rest(c, kubelet=False)
    assert [s["metadata"]["finalizers"] for s in c.objects("ReplicaSet")] == [["foregroundDeletion"]]
    assert leaving(c) == names(c, "Pod")
    changes = [line for r in rest(c) for line in r.changes if line.startswith("gone")]
    assert [line.split()[1] for line in changes] == ["pod", "pod", "replicaset", "deployment"]


def test_waiting_owner_and_living_owner() -> None:
    c = cluster(config("a"), config("b"))
    do(c, config("x", to(c, "a", blockOwnerDeletion=True), to(c, "b")))
    c.delete("ConfigMap", "a", propagation="Foreground")
    rest(c)
    assert mine(c) == ["b", "x"]
    assert owners(c, "x") == ["b"]


def test_circle_does_not_hold_itself() -> None:
    c = cluster(config("a"))
    do(c, config("b", to(c, "a", blockOwnerDeletion=True)))
    c.patch("ConfigMap", "a", {"metadata": {"ownerReferences": [to(c, "b", blockOwnerDeletion=True)]}})
    rest(c)
    assert mine(c) == ["a", "b"]
    c.delete("ConfigMap", "a", propagation="Foreground")
    rest(c)
    assert mine(c) == []


@pytest.mark.parametrize("by_hand", [False, True])
def test_orphans_stay(by_hand: bool) -> None:
    c = cluster(config("a"), config("b"))
    do(c, config("x", to(c, "a"), to(c, "b")))
    if by_hand:
        c.patch("ConfigMap", "a", {"metadata": {"finalizers": ["orphan"]}})
    c.delete("ConfigMap", "a", propagation=None if by_hand else "Orphan")
    rest(c)
    assert mine(c) == ["b", "x"]
    assert owners(c, "x") == ["b"]


def test_own_finalizer_says_how_a_dependent_goes() -> None:
    c = cluster(config("a"))
    do(c, config("b", to(c, "a"), finalizers=["orphan"]))
    do(c, config("x", to(c, "b")))
    c.delete("ConfigMap", "a")
    rest(c)
    assert mine(c) == ["x"]
    assert owners(c, "x") == []


def test_change_of_mind_from_foreground_to_orphan() -> None:
    c = cluster(config("a"))
    do(c, config("x", to(c, "a", blockOwnerDeletion=True), finalizers=[KEEP]))
    c.delete("ConfigMap", "a", propagation="Foreground")
    rest(c)
    c.delete("ConfigMap", "a", propagation="Orphan")
    rest(c)
    assert mine(c) == ["x"]
    assert owners(c, "x") == []


def test_pods_of_a_set_that_is_gone_go_too() -> None:
    c = cluster(replica_set(), pod("loose"))
    c.delete("ReplicaSet", "rs", propagation="Background")
    rest(c, kubelet=False)
    assert leaving(c) == ["rs-<1>", "rs-<2>"]
    rest(c)
    assert names(c, "Pod") == ["loose"]


def test_pods_of_a_job_stay_where_the_call_says_nothing() -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "registry.example/x:1"}]}}
    c = cluster(made("batch/v1", "Job", "j", {"suspend": True, "template": template}))
    do(c, pod("p"))
    c.patch("Pod", "p", {"metadata": {"ownerReferences": [to(c, "j", "Job")]}})
    rest(c)
    c.delete("Job", "j")
    rest(c)
    assert names(c, "Job") == []
    assert names(c, "Pod") == ["p"]
