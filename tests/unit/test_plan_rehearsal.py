"""The rehearsal of a plan: who takes part, what is taken to be there, when it is left out, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.cli import main
from kplan.cluster import Cluster
from kplan.errors import KplanError
from kplan.model import Action, Plan
from kplan.plan import Settings, consequences
from kplan.plan.kinds import Kinds
from kplan.plan.live import desired
from kplan.plan.secrets import LAST_APPLIED
from kplan.store import ref_of

Value = dict[str, Any]

LABELS = {"app": "web"}


def obj(kind: str, name: str = "web", api: str = "v1", **rest: Any) -> Value:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **rest}


def web(image: str = "web:1", name: str = "web", pod: Value | None = None, **spec: Any) -> Value:
    labels = {"app": name}
    template = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "web", "image": image}], **(pod or {})},
    }
    return obj("Deployment", name, "apps/v1", spec={"selector": {"matchLabels": labels}, "template": template, **spec})


def node(name: str, cpu: str = "1") -> Value:
    room = {"cpu": cpu, "memory": "4Gi", "pods": "110"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": {"allocatable": room}}


def live(objects: list[Value]) -> list[Value]:
    """What a server answers when all of these objects were applied and came to rest."""
    cluster = Cluster(o for o in objects if o["kind"] in ("Node", "Namespace"))
    for value in cluster.objects():
        cluster.store.put({**value, "metadata": {**value["metadata"], "uid": f"u-{value['metadata']['name']}"}})
    for value in objects:
        if value["kind"] not in ("Node", "Namespace"):
            (answer,) = cluster.apply(value)
            assert answer.accepted, answer.message
    cluster.settle()
    return cluster.objects()


def make(before: list[Value], after: list[Value], **settings: Any) -> Plan:
    current = Cluster(before)
    written = {ref_of(v).key: v for v in before if not v["metadata"].get("uid")}
    applied = list(desired(current.objects(), after, Kinds("1.36"), written))
    sides = (written, {ref_of(v).key: m for v, m in applied})
    return kplan.plan(current, Cluster(v for v, _ in applied), settings=Settings(**settings), written=sides)


def told(plan: Plan, kind: str = "Deployment") -> Action:
    (found,) = [a for a in plan.actions if a.ref.kind == kind and a.verb != "keep"]
    return found


def rollout(number: str) -> str:
    return f"rollout: {number} because image of web changed; at most 1 extra, none unavailable; "


def test_the_pods_of_a_server_count() -> None:
    before = live([node("n1", "4"), web(replicas=3)])
    action = told(make(before, [web("web:2", replicas=3)]))
    assert action.rollout == rollout("3 pods restart") + "3 steps (1+3, 2+2, 3+1 new + old pods)"
    assert action.consequences == ("3 new pods go to n1 (3)",)


def test_times_of_a_server_lie_in_the_past() -> None:
    before = json.loads(json.dumps(live([web(replicas=2, minReadySeconds=5)])).replace("2026-01-01T", "2031-05-06T"))
    assert told(make(before, [web("web:2", replicas=2, minReadySeconds=5)])).rollout.startswith(
        rollout("2 pods restart")
    )


def test_pods_whose_owner_was_left_out_keep_their_room() -> None:
    full = live([node("n1"), web(pod={"containers": [{"name": "a", "image": "a", "resources": _cpu("800m")}]})])
    pods_only = [o for o in full if o["kind"] in ("Pod", "Node")]
    new = web(name="new", pod={"containers": [{"name": "a", "image": "a", "resources": _cpu("800m")}]})
    action = told(make(pods_only, [new]))
    assert action.consequences[1].startswith("will stick: pod new-")
    assert action.consequences[1].endswith("does not fit: 0/1 nodes are available: 1 Insufficient cpu.")


def _cpu(amount: str) -> Value:
    return {"requests": {"cpu": amount}}


def test_replicas_that_no_manifest_names_stay() -> None:
    before = live([web(replicas=4)])
    (deployment,) = [v for v in before if v["kind"] == "Deployment"]
    deployment["metadata"]["annotations"][LAST_APPLIED] = json.dumps(web())
    action = told(make(before, [web("web:2")]))
    assert action.rollout.startswith("rollout: 4 pods restart because image of web changed")


def test_replicas_that_an_autoscaler_chose_are_taken_back() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    scaler = obj(
        "HorizontalPodAutoscaler",
        api="autoscaling/v2",
        spec={"minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": target},
    )
    before = live([scaler, web(replicas=5)])
    (deployment,) = [v for v in before if v["kind"] == "Deployment"]
    deployment["metadata"]["annotations"][LAST_APPLIED] = json.dumps(web(replicas=2))
    action = told(make(before, [scaler, web(replicas=2)]))
    assert (
        "resets the 5 replicas that HorizontalPodAutoscaler web chose to 2, as the manifest says" in action.consequences
    )


def test_what_manifests_do_not_hold_may_be_there() -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    pod = {
        "serviceAccountName": "robot",
        "priorityClassName": "high",
        "runtimeClassName": "gvisor",
        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
        "containers": [{"name": "web", "image": "web:1", "envFrom": [{"secretRef": {"name": "made-by-hand"}}]}],
    }
    for nodes in ([], [node("n1")]):
        plan = make([*nodes, namespace], [*nodes, namespace, web(pod=pod)])
        assert told(plan).consequences[0] == "1 pod starts"
        assert not any("will" in c for c in told(plan).consequences)


def test_what_a_server_does_not_have_is_missing() -> None:
    account = obj("ServiceAccount", "other")
    before = live([account, web()])
    action = told(make(before, [account, web("web:2", pod={"serviceAccountName": "robot"})]))
    assert action.consequences == (
        (
            "rollout will stick: no pod can be created: error looking up service account shop/robot: serviceaccount "
            '"robot" not found; first stuck at step 1, 1 of 1 old pod still serve'
        ),
    )


def test_configuration_that_a_server_does_not_have_is_missing() -> None:
    before = live([obj("ConfigMap", "other", data={}), web(replicas=2)])
    needy = {"containers": [{"name": "web", "image": "web:2", "envFrom": [{"configMapRef": {"name": "cfg"}}]}]}
    (line,) = told(make(before, [web(pod=needy, replicas=2)])).consequences
    assert line.startswith("rollout will stick: ConfigMap cfg is missing, and its pods need it")
    optional = {"containers": [{"name": "web", "image": "web:2", "envFrom": [{"configMapRef": _maybe("cfg")}]}]}
    assert told(make(before, [web(pod=optional, replicas=2)])).consequences == ()
    assert told(make([web(replicas=2)], [web(pod=needy, replicas=2)])).consequences == ()  # it may be there


def _maybe(name: str) -> Value:
    return {"name": name, "optional": True}


def test_an_object_of_an_old_group_is_the_same_object() -> None:
    before = {**web(), "apiVersion": "extensions/v1beta1"}
    action = told(make([before], [web("web:2")]))
    assert action.rollout == rollout("1 pod restarts") + "1 step"


def test_a_manifest_without_a_namespace() -> None:
    def bare(image: str) -> Value:
        value = web(image, replicas=2)
        return {**value, "metadata": {"name": "web"}}

    assert (
        told(make([bare("web:1")], [bare("web:2")])).rollout
        == rollout("2 pods restart") + "2 steps (1+2, 2+1 new + old pods)"
    )


def test_the_same_twice() -> None:
    before, after = [web(name=f"w{i}", replicas=2) for i in range(4)], [web("b", f"w{i}", replicas=3) for i in range(4)]
    assert make(before, after) == make(before[::-1], after[::-1])


def test_nothing_is_simulated_where_no_workload_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise AssertionError("no rehearsal is needed")

    monkeypatch.setattr(consequences, "_run", fail)
    config = obj("ConfigMap", data={"k": "1"})
    assert told(make([config, web()], [{**config, "data": {"k": "2"}}, web()]), "ConfigMap").consequences == ()


def test_nothing_is_imported_where_no_workload_changes(tmp_path: Path) -> None:
    for side in ("1", "2"):
        config = obj("ConfigMap", data={"k": side})
        (tmp_path / f"{side}.json").write_text(
            json.dumps({"apiVersion": "v1", "kind": "List", "items": [config, web()]})
        )
    code = (
        "import sys; from kplan.cli import main; main(['plan', '2.json', '--against', '1.json']); "
        "heavy = ('kplan.settle', 'kplan.controllers', 'kplan.scheduler'); "
        "print([m for m in sys.modules if m.startswith(heavy)])"
    )
    root = Path(__file__).parents[2]
    env = {"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert "0 to add, 1 to change, 0 to destroy." in done.stdout
    assert done.stdout.rstrip().endswith("[]")


STATIC = "rollout: pods restart because image of web changed"


def test_many_pods_are_rehearsed_on_demand_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consequences, "MOST_PODS", 3)
    before, after = [web(replicas=4)], [web("web:2", replicas=4)]
    plan = make(before, after)
    assert told(plan).rollout == STATIC
    assert plan.warnings == ("not rehearsed: 4 pods are more than 3; --rehearsal does it",)
    assert told(make(before, after, rehearsal=True)).rollout.startswith("rollout: 4 pods restart")
    assert make(before, after, rehearsal=False).warnings == ()


def test_many_pods_on_nodes_are_rehearsed_without_the_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consequences, "MOST_PODS", 3)
    rest = [node("n1", "100m"), web(name="other", replicas=4)]
    heavy = {"containers": [{"name": "web", "image": "web:2", "resources": _cpu("800m")}]}
    plan = make([*rest, web()], [*rest, web(pod=heavy)])
    assert told(plan).rollout.startswith("rollout: 1 pod restarts because")
    assert told(plan).consequences == ()
    assert plan.warnings == ("rehearsed without room on nodes: 5 pods are more than 3; --rehearsal does it",)


def test_many_objects_are_looked_through_on_demand_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consequences, "MOST_OBJECTS", 1)
    sides = [web(), web(name="other")], [web("web:2"), web(name="other")]
    assert make(*sides).warnings == ("not rehearsed: 2 objects are more than 1; --rehearsal does it",)
    assert make(*sides, rehearsal=True).warnings == ()


@pytest.mark.parametrize("error", [KplanError("no way"), KeyError("hunter2"), RecursionError()])
def test_a_plan_is_right_without_its_rehearsal(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr("kplan.plan.rehearsal.rehearse", fail)
    plan = make([web()], [web("web:2")])
    (warning,) = plan.warnings
    assert warning.startswith("not rehearsed")
    assert "hunter2" not in warning
    assert told(plan).rollout == STATIC


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kplan.plan.saved._ROUNDS", 10)
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "KPLAN_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    cpu = {"containers": [{"name": "web", "image": "web:2", "resources": _cpu("800m")}]}
    for name, value in (("old", web()), ("new", web(pod=cpu)), ("nodes", node("n1", "1100m")), ("none", web())):
        (tmp_path / f"{name}.json").write_text(json.dumps(value))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(list(argv))
    out, err = capsys.readouterr()
    return code, out, err


PLAN = ("plan", "new.json", "--against", "old.json")


def test_text_with_and_without(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, *PLAN)
    assert "# (rollout: 1 pod restarts because image of web, resources of web changed; at most 1 extra" in out
    _, out, _ = run(capsys, *PLAN, "--no-rehearsal")
    assert "# (rollout: pods restart because image of web, resources of web changed)" in out


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_failures_in_every_format(form: str, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    busy = web(name="busy", pod={"containers": [{"name": "a", "image": "a", "resources": _cpu("500m")}]})
    (shop / "nodes.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [node("n1"), *_pods(busy)]})
    )
    code, out, err = run(capsys, *PLAN, "--nodes", "nodes.json", "--format", form)
    assert (code, err) == (0, "")
    assert "does not fit: 0/1 nodes are available: 1 Insufficient cpu." in out
    if form == "json":
        (change,) = [c for c in json.loads(out)["resource_changes"] if c["type"] == "Deployment"]
        assert change["rollout"].startswith("rollout: 1 pod is to restart")
        assert change["consequences"][0].startswith("rollout will stick: pod web-")
    else:
        assert "Will not go through" in out


def _pods(workload: Value) -> list[Value]:
    return [o for o in live([node("n1"), workload]) if o["kind"] == "Pod"]


def test_a_saved_plan_knows_its_nodes(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *PLAN, "--nodes", "nodes.json", "--out", "plan.json")[0] == 0
    code, out, _ = run(capsys, "show", "plan.json")
    assert code == 0
    assert "1 new pod goes to n1" in out
    (shop / "nodes.json").write_text(json.dumps(node("n2")))
    code, _, err = run(capsys, "show", "plan.json")
    assert code == 1
    assert "stale" in err


@pytest.mark.parametrize("file", ["none.json", "missing.json"])
def test_nodes_must_be_nodes(file: str, shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, *PLAN, "--nodes", file)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
