"""What the scheduler answers as a whole: messages by release, certainty, gates, nominated nodes, priorities."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.model import Decision
from kplan.scheduler import cycle, profile
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store

Value = dict[str, Any]


def node(name: str, cpu: str = "1", **spec: Any) -> Value:
    room = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec, "status": {"capacity": room}}


def pod(name: str = "new", cpu: str = "100m", **spec: Any) -> Value:
    container = {"name": "c", "image": "img", "resources": {"requests": {"cpu": cpu}}}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}


def decide(new: Value, *objects: Value, version: str = "1.36", **config: Any) -> Decision:
    cluster = Snapshot(Store(objects), version)
    used = profile.default(version)
    if config:
        given = {"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", **config}
        used = profile.read(given, version)["default-scheduler"]
    return cycle.decide(cluster.pod(new), cluster, used)


TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}
CLAIM = {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "gone"}}]}


NOT_HELPFUL = "Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("version", "taint", "tail"),
    [
        ("1.36", "untolerated taint(s)", "no new claims to deallocate, preemption"),
        ("1.34", "untolerated taint {k: v}", "no new claims to deallocate, preemption"),
        ("1.33", "untolerated taint {k: v}", "preemption"),
    ],
)
def test_no_node_fits(version: str, taint: str, tail: str) -> None:
    found = decide(pod(cpu="2"), node("a"), node("b", taints=[TAINT]), version=version)
    assert (found.node, found.reason) == (None, "Unschedulable")
    assert found.message == (
        f"0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had {taint}. "
        f"{tail}: 0/2 nodes are available: 2 {NOT_HELPFUL}"
    )
    assert found.rejections["a"] == ("Insufficient cpu",)


@pytest.mark.parametrize(
    ("version", "tail"),
    [("1.36", "not found"), ("1.33", f"preemption: 0/1 nodes are available: 1 {NOT_HELPFUL}")],
)
def test_the_pod_as_a_whole_is_refused(version: str, tail: str) -> None:
    found = decide(pod(**CLAIM), node("a"), version=version)
    assert found.message == f'0/1 nodes are available: persistentvolumeclaim "gone" not found. {tail}'


def test_reasons_are_counted_and_sorted_as_texts() -> None:
    nodes = [node(f"n{i}") for i in range(10)] + [node("x", unschedulable=True), node("y", unschedulable=True)]
    message = decide(pod(cpu="2"), *nodes).message
    assert message.startswith("0/12 nodes are available: 10 Insufficient cpu, 2 node(s) were unschedulable. ")


def test_only_the_first_plugin_that_refuses_a_node_is_heard() -> None:
    found = decide(pod(cpu="2", nodeSelector={"a": "b"}), node("a", taints=[TAINT]))
    assert found.rejections == {"a": ("node(s) had untolerated taint(s)",)}


def test_nodes_that_are_not_named_by_the_affinity() -> None:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["c"]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    new = pod(cpu="2", affinity={"nodeAffinity": required})
    assert decide(new, node("a"), node("b")).message.startswith(
        "0/2 nodes are available: 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. "
    )
    assert decide(new, node("a"), node("b"), node("c", cpu="4")).node == "c"


def test_no_nodes_and_gates() -> None:
    assert decide(pod()).message == "no nodes available to schedule pods"
    gated = decide(pod(schedulingGates=[{"name": "wait"}]), node("a"))
    assert (gated.reason, gated.message) == (
        "SchedulingGated",
        "Scheduling is blocked due to non-empty scheduling gates",
    )


def test_how_sure_a_decision_is() -> None:
    alone = decide(pod(), node("a"), node("b", unschedulable=True))
    assert (alone.certainty, alone.tied, alone.scores) == ("deterministic", ("a",), {})
    tie = decide(pod(), node("b"), node("a"))
    assert (tie.certainty, tie.node, tie.tied) == ("tie", "b", ("b", "a"))
    best = decide(pod(), node("a"), node("b", cpu="4"))
    assert (best.certainty, best.node) == ("deterministic", "b")
    many = [node(f"n{i:03d}") for i in range(150)]
    assert decide(pod(), *many).certainty == "sampled"
    assert decide(pod(), *many, percentageOfNodesToScore=100).certainty == "tie"
    claims = decide(pod(resourceClaims=[{"name": "gpu"}]), node("a"))
    assert (claims.certainty, claims.notes) == ("unsupported", ("resource claims (DynamicResources)",))


@pytest.mark.parametrize(("nodes", "share", "found"), [(99, 0, 99), (500, 0, 230), (5000, 0, 500), (6000, 0, 300),
                                                       (1000, 30, 300), (150, 10, 100), (1000, 100, 1000)])  # fmt: skip
def test_after_how_many_nodes_the_real_scheduler_stops(nodes: int, share: int, found: int) -> None:
    assert cycle.nodes_to_find(nodes, share) == found


def test_nodes_are_visited_zone_by_zone_in_turn() -> None:
    zone = "topology.kubernetes.io/zone"
    nodes = [node(name) for name in ("a1", "a2", "b1", "c1", "a3")]
    for n in nodes:
        n["metadata"]["labels"] = {zone: n["metadata"]["name"][0]}
    assert decide(pod(), *nodes).tied == ("a1", "b1", "c1", "a2", "a3")


def test_a_nominated_node_is_tried_first_and_others_leave_room_for_its_pod() -> None:
    waiting = {**pod("waiting", cpu="1", priority=10), "status": {"nominatedNodeName": "a"}}
    assert decide(waiting, node("a"), node("b", cpu="9")).node == "a"
    assert decide(pod(), node("a"), node("b"), waiting).node == "b"
    important = pod(priority=20)
    assert decide(important, node("a"), waiting).node == "a"


def test_schedule_and_bind_in_a_cluster() -> None:
    cluster = kplan.Cluster([node("a"), node("b", cpu="2")])
    assert kplan.schedule(pod(cpu="900m"), cluster).node == "b"
    cluster.bind(pod(cpu="900m"), "b")
    assert kplan.schedule(pod("second", cpu="900m"), cluster).node == "b"
    cluster.bind(pod("second", cpu="900m"), "b")
    cluster.add(pod("third", cpu="900m"))
    assert kplan.schedule(pod("third", cpu="900m"), cluster).node == "a"
    assert cluster.get(pod("second"))["spec"]["nodeName"] == "b"
    assert "nodeName" not in cluster.get(pod("third"))["spec"]


def test_binding_a_pod_binds_its_claims() -> None:
    claim = {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "local",
                 "resources": {"requests": {"storage": "1Gi"}}},
    }  # fmt: skip
    volume = {
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "local", "capacity": {"storage": "5Gi"}},
    }  # fmt: skip
    classes = [
        {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
         "provisioner": provisioner, "volumeBindingMode": "WaitForFirstConsumer"}
        for name, provisioner in (("local", "kubernetes.io/no-provisioner"), ("dyn", "example.com/csi"))
    ]  # fmt: skip
    second = {**claim, "metadata": {"name": "more", "namespace": "default"}}
    second["spec"] = {**claim["spec"], "storageClassName": "dyn"}
    cluster = kplan.Cluster([node("a"), claim, second, volume, *classes])
    names = ("data", "more")
    new = pod(volumes=[{"name": n, "persistentVolumeClaim": {"claimName": n}} for n in names])
    cluster.bind(new, "a")
    assert cluster.get(claim)["spec"]["volumeName"] == "disk"
    assert cluster.get(claim)["status"]["phase"] == "Bound"
    assert cluster.get(volume)["spec"]["claimRef"]["name"] == "data"
    made = cluster.get(second)["spec"]["volumeName"]
    assert [v["metadata"]["name"] for v in cluster.objects("PersistentVolume")] == ["disk", made]
    other = pod("other", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    assert kplan.schedule(other, cluster).node == "a"


@pytest.mark.parametrize(
    ("spec", "node_"),
    [
        ({"priorityClassName": "system-node-critical"}, "a"),
        ({"priorityClassName": "high"}, "a"),
        ({"priorityClassName": "polite"}, ""),
        ({"priority": 5}, "a"),
        ({"priority": 5, "preemptionPolicy": "Never"}, ""),
        ({"priorityClassName": "unknown"}, ""),
        ({}, ""),
    ],
)
def test_priority_decides_who_may_evict(spec: Value, node_: str) -> None:
    classes = [
        {"kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000},
        {"kind": "PriorityClass", "metadata": {"name": "polite"}, "value": 1000, "preemptionPolicy": "Never"},
    ]
    placed = pod("placed", cpu="1", nodeName="a")
    assert decide(pod(cpu="1", **spec), node("a"), placed, *classes).nominated == node_
