"""`kplan simulate`: what becomes of a whole cluster, what is not ready and why, and how pods fare by a script."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kplan.cli import main
from kplan.cli.predicted import come_to_rest, read
from kplan.scheduler.simulation import Question, simulate

Value = dict[str, Any]
Out = pytest.CaptureFixture[str]

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "a"},
    "status": {"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "20"}},
}


def deployment(name: str, replicas: int = 2, image: str = "", cpu: str = "100m", **pod: Any) -> Value:
    container = {"name": "c", "image": image or f"{name}:1", "resources": {"requests": {"cpu": cpu}}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container], **pod}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": spec,
    }


def pod(name: str, image: str = "i:1", **spec: Any) -> Value:
    containers = [{"name": "c", "image": image}]
    meta = {"name": name, "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}}


def service(port: int) -> Value:
    meta = {"name": "s", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": [{"port": port}]}}


def quota(pods: int) -> Value:
    meta = {"name": "q", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": str(pods)}}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nodes.json").write_text(json.dumps(NODE), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: Out, *objects: Value, flags: str = "", nodes: str = "--nodes nodes.json") -> tuple[int, str, str]:
    Path("app.json").write_text("\n".join(map(json.dumps, objects)), encoding="utf-8")
    code = main(["simulate", "app.json", *nodes.split(), *flags.split()])
    out, err = capsys.readouterr()
    return code, out, err


def run_json(capsys: Out, *objects: Value, flags: str = "", nodes: str = "--nodes nodes.json") -> Value:
    code, out, err = run(capsys, *objects, flags=f"{flags} --format json", nodes=nodes)
    assert code == 0, err
    found: Value = json.loads(out)
    return found


def reasons(found: Value, name: str) -> dict[str, str]:
    return {r["reason"]: r["message"] for u in found["notReady"] if u["name"] == name for r in u["reasons"]}


def test_all_is_well(folder: Path, capsys: Out) -> None:
    code, out, _ = run(capsys, deployment("web"), flags="--detailed-exitcode")
    assert code == 0
    assert "Deployment shop/web  2/2\n" in out
    assert out.count("Running  deterministic") == 2
    assert "2 pods placed, 0 without a node\nat rest after 0.6s, 1 of 1 workload ready" in out
    assert "Never became ready" not in out
    assert "Warning events" not in out


def test_what_is_not_ready_and_why(folder: Path, capsys: Out) -> None:
    (folder / "script.yaml").write_text("crash: {crashes: true}\nsick:1: {ready: false}\nlone: {exitCode: 3}\n")
    objects = (
        deployment("big", cpu="50"), deployment("crash"), deployment("sick", 3), quota(6),
        pod("lone", restartPolicy="Never"), pod("gated", schedulingGates=[{"name": "x.io/wait"}]),
        pod("other", schedulerName="mine"), service(80000),
    )  # fmt: skip
    code, out, _ = run(capsys, *objects, flags="--script script.yaml --detailed-exitcode")
    assert code == 2
    assert "Refused by the API server:\n  app.json:8: v1 Service shop/s: refused (422)" in out
    assert "spec.ports[0].port: Invalid value: 80000: must be between 1 and 65535, inclusive" in out
    assert "Deployment shop/sick   " in out
    assert 'x FailedCreate: Error creating: pods "' in out
    assert "1 object refused" in out

    found = run_json(capsys, *objects, flags="--script script.yaml")
    assert "0/1 nodes are available: 1 Insufficient cpu." in reasons(found, "big")["Unschedulable"]
    assert reasons(found, "crash")["CrashLoopBackOff"] == "container c: back-off restarting failed container"
    assert reasons(found, "lone") == {"Error": "container c ended with 3"}
    assert reasons(found, "gated")["SchedulingGated"]
    assert reasons(found, "other")["Unscheduled"] == "scheduler mine is not simulated"
    starved = [u for u in found["notReady"] if any(r["reason"] == "FailedCreate" for r in u["reasons"])]
    assert all("exceeded quota: q" in reasons(found, u["name"])["FailedCreate"] for u in starved)
    assert starved
    assert found["results"]["ready"] is False
    assert [r["status"] for r in found["refused"]] == [422]
    assert all("stored" not in r for r in found["refused"])


def test_a_script_that_keeps_pods_from_becoming_ready(folder: Path, capsys: Out) -> None:
    (folder / "script.yaml").write_text("we*: {ready: false}\n")
    found = run_json(capsys, deployment("web"), deployment("api"), flags="--script script.yaml")
    rows = {w["name"]: (w["ready"], w["wanted"], w["is_ready"]) for w in found["workloads"]}
    assert rows == {"web": (0, 2, False), "api": (2, 2, True)}
    (why,) = found["notReady"][0]["reasons"]
    assert (why["reason"], len(why["objects"])) == ("Unready", 2)
    assert {p["name"][:3]: p["status"] for p in found["pods"]} == {"web": "Running", "api": "Running"}


def test_a_claim_without_a_volume_is_told_and_no_failure(folder: Path, capsys: Out) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": "data", "namespace": "shop"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}
    code, out, _ = run(capsys, deployment("web"), claim, flags="--detailed-exitcode")
    assert code == 0
    assert "Never became ready:\n  PersistentVolumeClaim shop/data\n" in out
    assert "note: StorageClass default is not in the input, and taken to exist, making volumes for any node" in out


def test_events_and_steps(folder: Path, capsys: Out) -> None:
    _, out, _ = run(capsys, deployment("web"), flags="--events --steps")
    events, steps = out.split("Steps:\n")
    assert "0.0s   Normal  ScalingReplicaSet  Deployment shop/web" in events
    assert steps.startswith("  0.0s  controllers\n      create deployment web spec.replicas=2\n")
    assert "  0.3s  start web-" in steps
    assert "      deployment/shop/web [2 2 2 2 0]" in steps

    found = run_json(capsys, deployment("web"))
    assert [s["after"] for s in found["steps"]] == [0.0, 0.3, 0.6]
    assert found["steps"][2]["counts"]["deployment/shop/web"] == [2, 2, 2, 2, 0]
    assert Counter(e["reason"] for e in found["events"]) == {
        "ScalingReplicaSet": 1,
        "SuccessfulCreate": 2,
        "Scheduled": 2,
    }
    assert found["results"]["seconds"] == 0.6


def test_tie_is_said_to_be_one(folder: Path, capsys: Out) -> None:
    nodes = [NODE, {**NODE, "metadata": {"name": "b"}}]
    (folder / "nodes.json").write_text("\n".join(map(json.dumps, nodes)))
    found = run_json(capsys, deployment("web"))
    assert (found["summary"]["tie"], found["summary"]["deterministic"]) == (1, 1)
    assert any("(by chance)" in line for line in run(capsys, deployment("web"), flags="--events")[1].splitlines())


def workload_of(name: str) -> str:
    """The workload in the name of a pod, which ends in a number and may have a hash before that."""
    return re.sub(r"(-[a-z0-9]{8,10})?-(<\d+>|\d+)$", "", name)


def test_both_ways_to_place_agree_where_there_is_no_choice(tmp_path: Path) -> None:
    """The example shop on one node, beside one that nothing tolerates: as many pods of each workload, in one place."""
    nodes = [d for d in (SHOP / "nodes.yaml").read_text().split("\n---\n") if "name: node-b" not in d]
    (tmp_path / "nodes.yaml").write_text("\n---\n".join(nodes))
    given = read([str(SHOP / "v1")], [str(tmp_path / "nodes.yaml")])
    unscaled = tuple(
        d for d in given.applied if d.value["kind"] != "HorizontalPodAutoscaler"
    )  # nobody else looks at it
    given = given._replace(applied=unscaled)
    at_rest = come_to_rest(given, "1.36").cluster.objects("Pod")
    alone = simulate([*given.stored, *(d.value for d in given.applied)], Question()).placements
    followed = Counter((workload_of(p["metadata"]["name"]), p["spec"].get("nodeName")) for p in at_rest)
    made = {name for name, _ in followed}
    placed = Counter((name, p.node) for p in alone if (name := workload_of(p.name)) in made)
    assert followed == placed
    assert placed["orders", "node-a"] == 3


def test_both_ways_to_place_agree_on_the_same_pods() -> None:
    """The pods of the example shop, taken off their nodes and placed once more in the same order."""
    at_rest = come_to_rest(read([str(SHOP / "v1")], [str(SHOP / "nodes.yaml")]), "1.36").cluster
    pods = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in at_rest.objects("Pod")}
    loose = [
        {**o, "spec": {k: v for k, v in o["spec"].items() if k != "nodeName"}, "status": {}}
        if o["kind"] == "Pod"
        else o
        for o in at_rest.objects()
    ]
    again = {p.name: p.node for p in simulate(loose, Question()).placements}
    assert {name: again[name] for name in pods} == pods
    assert len(set(pods.values())) == 2


def test_too_many_pods_are_only_placed(folder: Path, capsys: Out) -> None:
    found = run_json(capsys, deployment("web", 5001))
    assert (found["workloads"], found["events"]) == (None, None)
    assert "5001 pods are too many to follow (at most 5000)" in found["notes"][0]
    assert (found["summary"]["placed"], found["summary"]["pending"]) == (20, 4981)


def test_what_does_not_come_to_rest_is_said(folder: Path, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kplan.settle.MOST_SYNCS", 0)
    code, out, _ = run(capsys, deployment("web"), flags="--detailed-exitcode")
    assert code == 2
    assert "does not come to rest (" in out
    assert run_json(capsys, deployment("web"))["results"]["settled"] is False


def test_what_comes_from_a_cluster_is_taken_as_stored(folder: Path, capsys: Out) -> None:
    running = pod("old", nodeName="a")
    running["metadata"] |= {"uid": "u-1", "resourceVersion": "7", "creationTimestamp": "2026-03-01T00:00:00Z"}
    running["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    found = run_json(capsys, NODE, running, pod("new"), nodes="")
    assert {p["name"]: (p["node"], p["before"]) for p in found["pods"]} == {"old": ("a", "a"), "new": ("a", "")}
    assert found["pool"] == "1 node of the input"
    assert [s["action"] for s in found["steps"]] == ["", "start new"]


def test_what_is_missing_is_taken_to_exist_in_an_open_world(folder: Path, capsys: Out) -> None:
    bound = pod("p", serviceAccountName="robot", priorityClassName="high", runtimeClassName="gvisor")
    notes = "\n".join(run_json(capsys, bound)["notes"])
    for missing in ("Namespace shop", "ServiceAccount shop/robot", "PriorityClass high", "RuntimeClass gvisor"):
        assert f"{missing} is not in the input, and taken to exist" in notes
    (folder / "nodes.json").write_text(
        "\n".join(map(json.dumps, [NODE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}]))
    )
    found = run_json(capsys, bound)
    assert [r["message"] for r in found["refused"]] == ['namespaces "shop" not found']
    assert not found["pods"]


def test_custom_resources_are_named_as_not_simulated(folder: Path, capsys: Out) -> None:
    made = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}
    assert "not simulated: what operators make of Widget (1)" in run_json(capsys, made)["notes"]


def test_names_in_a_script_that_nothing_has(folder: Path, capsys: Out) -> None:
    (folder / "script.yaml").write_text("web: {ready: true}\nwep: {ready: false}\n")
    notes = run_json(capsys, deployment("web"), flags="--script script.yaml")["notes"]
    assert "the script says how wep fares, and no pod is called so" in notes
    assert not any(" web fares" in n for n in notes)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("", "s.yaml:1: a script is a map"),
        ("[a]", "s.yaml:1: a script is a map"),
        ("a: [", "s.yaml:"),
        ("# how\na: true\n", "s.yaml:2:1: 'a' needs one of ready, crashes, exitCode"),
        ("a: {ready: true}\nb:\n  redy: false\n", "s.yaml:3:3: there is no 'redy'"),
        ("a:\n  ready: 'no'\n", "s.yaml:2:3: ready is true or false, not 'no'"),
        ("a:\n  exitCode: 256\n", "s.yaml:2:3: exitCode is a number from 0 to 255, not 256"),
        ("a:\n  exitCode: true\n", "s.yaml:2:3: exitCode is a number"),
        ("a: {crashes: true, exitCode: 1}\n", "s.yaml:1:1: 'a' cannot crash and"),
    ],
)
def test_wrong_scripts(folder: Path, capsys: Out, script: str, said: str) -> None:
    (folder / "s.yaml").write_text(script)
    code, out, err = run(capsys, deployment("web"), flags="--script s.yaml")
    assert (code, out) == (1, "")
    assert said in err


@pytest.mark.parametrize("flags", ["", "--nodes-needed"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "1 document could not be read\nhint: first: only.yaml:2:1: "),
        ("a: {{ .b }}", "no manifests in only.yaml (skipped: 1 template, to be rendered first)\nhint: --allow-empty"),
        ("", "no manifests in only.yaml (skipped: 1 empty)\nhint: --allow-empty"),
    ],
)
def test_input_without_manifests(folder: Path, capsys: Out, flags: str, content: str, said: str) -> None:
    Path("only.yaml").write_text(content)
    assert main(["simulate", "only.yaml", *flags.split()]) == 1
    assert capsys.readouterr().err.startswith(f"error: {said}")


@pytest.mark.parametrize("flags", ["--script none.yaml", "--steps --explain web", "--events --nodes-needed"])
def test_wrong_usage(folder: Path, capsys: Out, flags: str) -> None:
    assert run(capsys, deployment("web"), flags=flags)[0] == 1


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"apiVersion": "v1", "kind": "Node", "metadata": "x"}, "nodes.json:1:1: metadata.name is missing"),
        ({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "spec": []}, "spec is no map"),
    ],
)
def test_nodes_that_cannot_be_read(folder: Path, capsys: Out, stored: Value, said: str) -> None:
    (folder / "nodes.json").write_text(json.dumps(stored))
    code, _, err = run(capsys, deployment("web"))
    assert code == 1
    assert "the cluster cannot be read: nodes.json:1:" in err
    assert said in err


AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    },
}


def test_autoscaler_follows_the_metrics_of_a_file(folder: Path, capsys: Out) -> None:
    (folder / "load.yaml").write_text('load: {shop/web-*: {cpu: "150m"}}\n')
    found = run_json(capsys, deployment("web"), AUTOSCALER, flags="--metrics load.yaml")
    assert [(w["name"], w["ready"], w["wanted"]) for w in found["workloads"]] == [("web", 3, 3)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pods: [1]\n", "load.yaml: metrics.pods: must be a mapping"),
        ("pods: {a: {cpu: many}}\n", "load.yaml: metrics.pods[a].cpu"),
        ("a: b: c\n", "load.yaml"),
    ],
)
def test_metrics_that_are_none(folder: Path, capsys: Out, text: str, message: str) -> None:
    (folder / "load.yaml").write_text(text)
    code, _, err = run(capsys, deployment("web"), flags="--metrics load.yaml")
    assert (code, message in err, err.count("error:")) == (1, True, 1)


def test_load_balancer_waits_for_an_address_or_gets_one(folder: Path, capsys: Out) -> None:
    balanced = {**service(80), "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    why = "no address for shop/s: load balancers come from a cloud or an add-on"
    assert any(why in line for line in run(capsys, balanced)[1].splitlines())
    assert why not in run(capsys, balanced, flags="--load-balancer-pool 192.0.2.7")[1]
    main(["get", "svc", "-n", "shop", "-f", "app.json", "--load-balancer-pool", "192.0.2.7"])
    assert "192.0.2.7" in capsys.readouterr().out
