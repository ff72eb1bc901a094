"""Simulations: the pods of workloads, what-ifs, and what the command prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kplan.cli import main
from kplan.errors import KplanError
from kplan.placement import Simulation
from kplan.render import simulate_json, simulate_text
from kplan.scheduler.simulation import Extra, Question, simulate

Value = dict[str, Any]


def node(name: str, cpu: str = "2", **more: Any) -> Value:
    room = {"cpu": cpu, "memory": "8Gi", "pods": "20"}
    labels = {"kubernetes.io/hostname": name, **more.pop("labels", {})}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": more,
            "status": {"capacity": room}}  # fmt: skip


def template(cpu: str = "500m", **spec: Any) -> Value:
    container = {"name": "c", "image": "img", "resources": {"requests": {"cpu": cpu}}}
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container], **spec}}


def workload(kind: str, name: str, cpu: str = "500m", pod: Value | None = None, **spec: Any) -> Value:
    version = {"Job": "batch/v1", "CronJob": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": version, "kind": kind, "metadata": meta,
            "spec": {"template": template(cpu, **(pod or {})), **spec}}  # fmt: skip


def placed(name: str, at: str, cpu: str = "500m", owner: str = "", **meta: Any) -> Value:
    metadata: Value = {"name": name, "namespace": "shop", "uid": name, "labels": {"app": "web"}, **meta}
    if owner:
        kind, _, owner_name = owner.partition("/")
        metadata["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": kind, "name": owner_name, "controller": True}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**template(cpu)["spec"], "nodeName": at}}


def run(*objects: Value, **question: Any) -> Simulation:
    return simulate(objects, Question(**question))


def where(simulation: Simulation) -> dict[str, str | None]:
    return {p.name: p.node for p in simulation.placements}


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (workload("Deployment", "web", replicas=2), ["web-<1>", "web-<2>"]),
        (workload("ReplicaSet", "rs"), ["rs-<1>"]),
        (workload("ReplicationController", "rc", replicas=0), []),
        (workload("StatefulSet", "db", replicas=2, ordinals={"start": 3}), ["db-3", "db-4"]),
        (workload("DaemonSet", "agent"), ["agent-<1>", "agent-<2>", "agent-<3>"]),
        (workload("DaemonSet", "agent", pod={"nodeSelector": {"disk": "ssd"}}), ["agent-<1>"]),
        (workload("Job", "once", parallelism=3, completions=2), ["once-<1>", "once-<2>"]),
        (workload("Job", "later", suspend=True), []),
        (workload("CronJob", "nightly"), []),
        (workload("Deployment", "broken", replicas="many"), ["broken-<1>"]),
    ],
)
def test_pods_of_workloads(made: Value, names: list[str]) -> None:
    # a daemon pod goes to the cordoned node, not to the tainted one
    nodes = [node("a", labels={"disk": "ssd"}), node("b"), node("c", unschedulable=True),
             node("d", taints=[{"key": "k", "effect": "NoSchedule"}])]  # fmt: skip
    found = run(*nodes, made)
    assert [p.name for p in found.placements] == names
    assert not found.pending


def test_pods_that_are_there_count_for_their_workload() -> None:
    rs = workload("ReplicaSet", "web-1a", replicas=3)
    rs["metadata"]["ownerReferences"] = [{"kind": "Deployment", "name": "web", "controller": True}]
    deployment = workload("Deployment", "web", replicas=3)
    found = run(node("a"), deployment, rs, placed("web-1a-x", "a", owner="ReplicaSet/web-1a"))
    assert [(p.name, p.before) for p in found.placements] == [("web-1a-x", "a"), ("web-<2>", ""), ("web-<3>", "")]


def test_a_stateful_set_brings_its_claims() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"}}
    found = run(node("a"), workload("StatefulSet", "db", volumeClaimTemplates=[claim]))
    assert where(found) == {"db-0": "a"}
    assert found.notes == ("storage class fast is not in the input; it is taken to make volumes for any node",)


def test_without_nodes_a_stated_pool() -> None:
    found = run(workload("Deployment", "web", replicas=3))
    assert "default pool" in found.pool
    assert sorted(str(n) for n in where(found).values()) == ["default-1", "default-2", "default-3"]


def test_admission_gives_defaults_first() -> None:
    limit = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "l", "namespace": "shop"},
             "spec": {"limits": [{"type": "Container", "default": {"cpu": "1500m"}}]}}  # fmt: skip
    bare = workload("Deployment", "bare", pod={"containers": [{"name": "c", "image": "img"}]}, replicas=2)
    found = run(node("a"), limit, bare)
    assert [p.node for p in found.placements] == ["a", None]


def test_a_pod_that_the_api_server_refuses() -> None:
    high = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 9}
    found = run(node("a"), high, workload("Deployment", "web", pod={"priorityClassName": "high", "priority": 5}))
    assert [(p.node, p.reason) for p in found.placements] == [(None, "Refused")]
    assert "the integer value of priority (5) must not be provided" in found.pending[0].message


def test_explain_shows_every_node_and_plugin() -> None:
    found = run(node("a"), node("b", "4"), node("c", "1m"), workload("Deployment", "web"), explain="shop/web")
    assert found.explanation is not None
    decision = found.explanation.decision
    assert (found.explanation.pod, decision.node) == ("shop/web-<1>", "b")
    assert decision.plugin_scores["a"]["NodeResourcesFit"] < decision.plugin_scores["b"]["NodeResourcesFit"]
    text = simulate_text.render(found)
    assert "c     -      Insufficient cpu" in text
    assert f"b     {decision.scores['b']} *" in text


def test_explain_a_pod_that_has_its_node() -> None:
    found = run(node("a"), node("b", "1m"), placed("p", "a"), explain="p")
    assert found.explanation is not None
    assert (found.explanation.decision.node, found.nodes[0].pods) == ("a", 1)


def test_drain() -> None:
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "shop"},
              "spec": {"selector": {"matchLabels": {"app": "fixed"}}, "minAvailable": 1}}  # fmt: skip
    found = run(
        node("a", "4"), node("b"),
        placed("web-x", "a", "1500m", owner="ReplicaSet/gone"),
        placed("bare", "a"),
        placed("agent", "a", owner="DaemonSet/gone"),
        placed("fixed", "a", owner="ReplicaSet/fixed", labels={"app": "fixed"}),
        budget,
        drain=("a",),
    )  # fmt: skip
    assert where(found) == {"web-x": "b", "bare": None, "agent": "a", "fixed": "a"}
    moved = next(p for p in found.placements if p.name == "web-x")
    assert (moved.before, found.nodes[0].origin) == ("a", "drained")
    assert len(found.notes) == 2
    assert "web-x  b (was on a)" in simulate_text.render(found)


def test_add_nodes() -> None:
    web = workload("Deployment", "web", replicas=6)
    assert len(run(node("a"), web).pending) == 2
    found = run(node("a"), web, add=(Extra(1), Extra(1, "a")))
    assert not found.pending
    assert [(n.name, n.origin) for n in found.nodes] == [("a", ""), ("a-<1>", "added"), ("a-<2>", "added")]


def test_until_full() -> None:
    found = run(node("a"), node("b"), workload("Deployment", "web"), until_full="web")
    assert found.capacity is not None
    assert (found.capacity.copies, found.capacity.by_node) == (7, {"a": 3, "b": 4})
    assert found.capacity.message.startswith("0/2 nodes are available: 2 Insufficient cpu.")
    assert len(found.placements) == 1


@pytest.mark.parametrize(
    ("replicas", "cpu", "needed", "pending"), [(4, "500m", 0, 0), (5, "500m", 1, 0), (30, "500m", 7, 0), (3, "5", 0, 3)]
)
def test_how_many_nodes_are_needed(replicas: int, cpu: str, needed: int, pending: int) -> None:
    found = run(node("a"), workload("Deployment", "web", cpu, replicas=replicas), needed_like="")
    assert found.needed is not None
    assert found.needed == ("a", needed, pending)
    assert len(found.pending) == pending


def test_names_that_are_not_there() -> None:
    for question in (
        {"explain": "x"},
        {"drain": ("x",)},
        {"until_full": "x"},
        {"add": (Extra(1, "x"),)},
        {"add": (Extra(9999),)},
    ):
        with pytest.raises(KplanError):
            run(node("a"), **question)


def test_broken_objects_do_no_harm() -> None:
    odd: list[Value] = [
        {"kind": "Node", "metadata": "x", "spec": [], "status": {"capacity": {"cpu": {}, "pods": "-"}, "images": [3]}},
        {"kind": "Pod", "metadata": {"name": "p", "labels": 3}, "spec": {"containers": "c", "tolerations": {}}},
        {"kind": "Pod", "metadata": {"name": "q"}, "spec": {"affinity": {"podAffinity": {"requiredDuringScheduling"
         "IgnoredDuringExecution": [{"labelSelector": {"matchExpressions": [{"values": 1}]}}]}}}},
        {"kind": "Deployment", "spec": {"template": 5}},
        {"kind": "StatefulSet", "metadata": {"name": "s"}, "spec": {"volumeClaimTemplates": [None, {}]}},
        {"kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": 1},
        {"kind": "PodDisruptionBudget", "spec": {"selector": []}},
    ]  # fmt: skip
    assert run(*odd).placements
    assert run(node("a"), *odd).placements


def test_json_says_the_same() -> None:
    found = run(node("a"), workload("Deployment", "web", replicas=5), explain="web", until_full="web", needed_like="a")
    value = json.loads(simulate_json.render(found))
    assert value["summary"]["placed"] == 5
    assert value["needed"] == {"like": "a", "nodes": 1, "pending": 0}
    assert value["pods"][0]["name"] == "web-<1>"
    assert value["nodes"][1]["resources"]["cpu"] == {"requested": 1000, "allocatable": 2000}
    assert value["explanation"]["nodes"][0]["scores"]["TaintToleration"] == 300


def test_the_command_asks_what_if(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes, apps = tmp_path / "nodes.yaml", tmp_path / "app.yaml"
    nodes.write_text(json.dumps(node("a")), encoding="utf-8")
    apps.write_text(json.dumps(workload("Deployment", "web", replicas=5)), encoding="utf-8")
    asked = ["simulate", str(apps), "--nodes", str(nodes), "--explain", "web"]
    assert main([*asked, "--detailed-exitcode"]) == 2
    out = capsys.readouterr().out
    assert "shop/web-<4>  a     deterministic" in out
    assert "shop/web-<5>\n    0/1 nodes are available: 1 Insufficient cpu." in out
    assert "a     4/20  2 of 2 (100%)  0 of 8Gi (0%)" in out
    assert "4 pods placed, 1 without a node" in out
    assert main([*asked, "--nodes-needed"]) == 0
    assert "1 more node like a needed." in capsys.readouterr().out
    assert main([*asked, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["workloads"] is None


def test_the_command_honours_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app, config = tmp_path / "app.json", tmp_path / "scheduler.yaml"
    tainted = node("a", taints=[{"key": "k", "effect": "NoSchedule"}])
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": template()["spec"],
    }
    app.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [tainted, pod]}))
    config.write_text(
        "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
        "profiles: [{plugins: {filter: {disabled: [{name: TaintToleration}]}}}]\n"
    )
    assert main(["simulate", str(app), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["pending"] == 1
    assert main(["simulate", str(app), "--format", "json", "--scheduler-config", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["pending"] == 0


@pytest.mark.parametrize(
    "arguments", [[], ["--add-nodes", "x"], ["--kube-version", "2"], ["--scheduler-config", "none.yaml"]]
)
def test_wrong_usage_is_exit_code_1(arguments: list[str], tmp_path: Path) -> None:
    app = tmp_path / "app.json"
    app.write_text(json.dumps(workload("Deployment", "web")))
    assert main(["simulate", *([str(app)] if arguments else []), *arguments]) == 1
