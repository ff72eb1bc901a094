"""`kplan plan --against cluster`: which live objects take part, and what stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fakekubectl import Fake

from kplan.cli import main
from kplan.plan import saved
from kplan.plan.secrets import LAST_APPLIED

Value = dict[str, Any]

NO_CHANGES = "No changes. The current state matches the manifests."
FORBIDDEN = "Error from server (Forbidden): secrets is forbidden"
WIDGETS = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, kind: Widget}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
"""


def config(name: str, value: str = "1", *, namespace: str = "shop", api: str = "v1", **meta: Any) -> Value:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **meta}
    return {"apiVersion": api, "kind": "ConfigMap", "metadata": metadata, "data": {"k": value}}


def live(manifest: Value, *, data: Value | None = None, applied: bool = True) -> Value:
    """The manifest as a server holds it after `kubectl apply`."""
    notes = {"annotations": {LAST_APPLIED: json.dumps(manifest)}} if applied else {}
    meta = {**manifest["metadata"], "uid": "u", "resourceVersion": "7", "managedFields": [], **notes}
    return {**manifest, "metadata": meta, "data": {**manifest["data"], **(data or {})}}


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(saved, "_ROUNDS", 10)
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR", "KPLAN_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    return Fake(tmp_path / "bin", monkeypatch)


def run(capsys: pytest.CaptureFixture[str], *argv: str, show: bool = False) -> tuple[int, str, str]:
    code = main(["show" if show else "plan", *argv])
    out, err = capsys.readouterr()
    return code, out, err


def verbs(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, list[str]]:
    """What the plan does to which object, and what is told besides."""
    code, out, err = run(capsys, *argv, "--format", "json")
    assert (code, err) == (0, "")
    changes = json.loads(out)["resource_changes"]
    return {c["address"].split()[-1]: c["change"]["actions"] for c in changes if c["change"]["actions"] != ["no-op"]}


def write(*manifests: Value, more: str = "") -> None:
    text = "".join(f"---\n{json.dumps(m)}\n" for m in manifests)
    Path("m.yaml").write_text(text + (f"---\n{more}" if more else ""), encoding="utf-8")


def test_what_was_applied_is_no_change(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a"))
    kubectl.answers({"ConfigMap.v1.": [live(config("a"), data={"of": "others"}), live(config("else"))]})
    code, out, err = run(capsys, "m.yaml", "--against", "cluster", "--detailed-exitcode")
    assert (code, err) == (0, "")
    assert NO_CHANGES in out
    assert "else" not in out


def test_three_ways(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a", "2"))
    before = config("a")
    before["data"]["dropped"] = "x"
    kubectl.answers({"ConfigMap.v1.": [live(before, data={"of": "others"})]})
    code, out, _ = run(capsys, "m.yaml", "--against", "cluster:prod")
    assert code == 0
    assert '- dropped = "x" -> null\n          ~ k       = "1" -> "2"\n' in out
    assert "others" not in out
    assert kubectl.calls[0][0] == "--context=prod"


MINE = {"labels": {"app": "web"}}


@pytest.mark.parametrize(
    ("argv", "there", "expected"),
    [
        ((), live(config("gone", **MINE)), {}),
        (("--no-prune",), live(config("gone", **MINE)), {}),
        (("-l", "app=web"), live(config("gone", **MINE)), {}),
        (("--prune", "-l", "app=web"), live(config("gone", **MINE)), {"shop/gone": ["delete"]}),
        (("--prune", "-l", "app=web"), live(config("gone")), {}),
        (("--prune", "-l", "app=web"), live(config("gone", **MINE), applied=False), {}),
        (("--prune", "-l", "app in (web, db)"), live(config("gone", **MINE)), {"shop/gone": ["delete"]}),
        (("--prune", "-l", "app=web,tier!=db"), live(config("gone", labels={"app": "web", "tier": "db"})), {}),
        (("--prune", "-l", "app=web"), live(config("gone", namespace="else", **MINE)), {}),
        (("--prune", "-l", "app=web"), live(config("a", **MINE)), {}),
    ],
)
def test_what_is_only_there(
    argv: tuple[str, ...], there: Value, expected: Any, kubectl: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config("a", **MINE))
    kubectl.answers({"ConfigMap.v1.": [live(config("a", **MINE)), there], **_empty()})
    assert verbs(capsys, "m.yaml", "--against", "cluster", *argv) == expected


def _empty() -> dict[str, list[Value]]:
    """The other kinds that are looked at for pruning."""
    core = "Endpoints PersistentVolumeClaim Pod ReplicationController Secret Service Namespace PersistentVolume"
    apps = "DaemonSet Deployment ReplicaSet StatefulSet"
    names = [f"{k}.v1." for k in core.split()] + [f"{k}.v1.apps" for k in apps.split()]
    return {name: [] for name in (*names, "Job.v1.batch", "CronJob.v1.batch", "Ingress.v1.networking.k8s.io")}


def test_pruning_sees_kinds_that_the_manifests_have_no_more(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a", **MINE))
    service = {**live(config("gone", **MINE)), "kind": "Service"}
    account = {**live(config("gone", **MINE)), "kind": "ServiceAccount"}
    kubectl.answers({"ConfigMap.v1.": [], **_empty(), "Service.v1.": [service], "ServiceAccount.v1.": [account]})
    found = verbs(capsys, "m.yaml", "--against", "cluster", "--prune", "-l", "app=web")
    assert found == {"shop/a": ["create"], "shop/gone": ["delete"]}
    assert len(kubectl.calls) == 1


def test_what_kubectl_does_not_prune_stays(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """The list of kubectl has no ServiceAccount, even where the manifests have some."""
    account = {**config("a", **MINE), "kind": "ServiceAccount"}
    del account["data"]
    write(account)
    gone = {**live(config("gone", **MINE)), "kind": "ServiceAccount"}
    kubectl.answers({"ServiceAccount.v1.": [gone], "ConfigMap.v1.": [], **_empty()})
    assert verbs(capsys, "m.yaml", "--against", "cluster", "--prune", "-l", "app=web") == {"shop/a": ["create"]}


def test_pruning_takes_a_selector(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a"))
    code, out, err = run(capsys, "m.yaml", "--against", "cluster", "--prune")
    assert (code, out) == (1, "")
    assert err.startswith("error: --prune against a live cluster takes a selector")
    assert kubectl.calls == []


def test_a_new_hash_in_the_name_is_new_unless_the_old_one_is_pruned(
    kubectl: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config("cm-2222222222", **MINE))
    kubectl.answers({"ConfigMap.v1.": [live(config("cm-bbbbbbbbbb", **MINE))], **_empty()})
    assert verbs(capsys, "m.yaml", "--against", "cluster") == {"shop/cm-2222222222": ["create"]}
    pruned = verbs(capsys, "m.yaml", "--against", "cluster", "--prune", "-l", "app=web")
    assert pruned == {"shop/cm-2222222222": ["create", "delete"]}


def test_a_manifest_that_lost_the_label_is_pruned_as_kubectl_does(
    kubectl: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config("a"), config("b", **MINE))
    kubectl.answers({"ConfigMap.v1.": [live(config("a", **MINE)), live(config("b", **MINE))], **_empty()})
    found = verbs(capsys, "m.yaml", "--against", "cluster", "--prune", "-l", "app=web")
    assert found == {"shop/a": ["delete"]}


def test_a_live_object_without_the_label_is_no_new_one(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a", **MINE))
    kubectl.answers({"ConfigMap.v1.": [live(config("a"))]})
    assert verbs(capsys, "m.yaml", "--against", "cluster", "-l", "app=web") == {"shop/a": ["update"]}


def test_the_namespace_is_that_of_the_context(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a", namespace=""), config("b"))
    there = [live(config("a", namespace="shop")), live(config("b"))]
    kubectl.answers({"ConfigMap.v1.": there}, namespace="team")
    assert verbs(capsys, "m.yaml", "--against", "cluster") == {"team/a": ["create"]}
    assert verbs(capsys, "m.yaml", "--against", "cluster", "-n", "shop") == {}
    assert sum(call[0] == "config" for call in kubectl.calls) == 1  # not where -n says it


def test_a_kind_of_the_cluster_only(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody here knows whether a Widget has a namespace: what the cluster has tells."""
    widget = {**config("w", namespace=""), "apiVersion": "example.com/v1", "kind": "Widget"}
    write(widget, config("b"))
    placed = {**widget, "metadata": {"name": "w", "namespace": "team"}}
    other = {**live(placed), "metadata": {**live(placed)["metadata"], "namespace": "shop"}}
    kubectl.answers(
        {"Widget.v1.example.com": [live(placed), other], "ConfigMap.v1.": [live(config("b"))]}, namespace="team"
    )
    assert verbs(capsys, "m.yaml", "--against", "cluster") == {}
    kubectl.answers({"Widget.v1.example.com": [live(widget)], "ConfigMap.v1.": [live(config("b"))]})
    assert verbs(capsys, "m.yaml", "--against", "cluster") == {}


@pytest.mark.parametrize("defined", [True, False])
def test_a_kind_that_is_not_there_yet(defined: bool, kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    widget = {**config("w"), "apiVersion": "example.com/v1", "kind": "Widget"}
    write(widget, more=WIDGETS if defined else "")
    kubectl.answers({"CustomResourceDefinition.v1.apiextensions.k8s.io": []})
    code, out, _ = run(capsys, "m.yaml", "--against", "cluster", "--concise")
    assert code == 0
    assert "+ example.com/v1 Widget shop/w" in out
    assert ("the cluster has no kind Widget in example.com/v1" in out) is not defined


def test_an_object_in_two_versions_is_read_in_its_own(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    def scaler(name: str, version: str) -> Value:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        return {
            "apiVersion": f"autoscaling/{version}",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": "shop", "uid": "u"},
            "spec": {"scaleTargetRef": target, "maxReplicas": 3, "minReplicas": 1},
        }

    write(*({**scaler(n, v), "metadata": {"name": n, "namespace": "shop"}} for n, v in (("a", "v1"), ("b", "v2"))))
    names = [f"HorizontalPodAutoscaler.{v}.autoscaling" for v in ("v1", "v2")]
    kubectl.answers({n: [scaler("a", v), scaler("b", v)] for n, v in zip(names, ("v1", "v2"), strict=True)})
    code, out, _ = run(capsys, "m.yaml", "--against", "cluster")
    assert code == 0
    assert "duplicate" not in out
    assert "API version" not in out


def test_a_cluster_role_with_a_namespace(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": []}
    write({**role, "metadata": {"name": "r", "namespace": "shop"}})
    there = {**role, "metadata": {"name": "r", "uid": "u"}}
    kubectl.answers({"ClusterRole.v1.rbac.authorization.k8s.io": [there]})
    assert verbs(capsys, "m.yaml", "--against", "cluster") == {}


def test_what_cannot_be_read_makes_the_plan_incomplete(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    write(config("a"), secret)
    kubectl.answers({"ConfigMap.v1.": [live(config("a"))], "Secret.v1.": FORBIDDEN})
    code, out, err = run(capsys, "m.yaml", "--against", "cluster", "--out", "plan.json")
    assert code == 1
    assert f"v1 Secret shop/s cannot be compared: {FORBIDDEN}" in out
    assert "+ v1 Secret" not in out
    assert "the plan is not complete" in err
    assert not Path("plan.json").exists()


def test_what_cannot_be_pruned_makes_the_plan_incomplete(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a", **MINE))
    kubectl.answers({"ConfigMap.v1.": [live(config("a", **MINE))], **_empty(), "Secret.v1.": FORBIDDEN})
    code, out, _ = run(capsys, "m.yaml", "--against", "cluster", "--prune", "-l", "app=web")
    assert code == 1
    assert f"nobody can tell what to prune of Secret in namespace shop: {FORBIDDEN}" in out


def test_no_cluster(kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a"))
    kubectl.fails("The connection to the server x was refused\n")
    code, out, err = run(capsys, "m.yaml", "--against", "cluster")
    assert (code, out) == (1, "")
    assert err.startswith("error: kubectl cannot read the cluster: The connection to the server x was refused\nhint: ")


def test_a_saved_plan_is_stale_when_the_object_changes_and_not_its_status(
    kubectl: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config("a", "2"))
    there = live(config("a"))
    kubectl.answers({"ConfigMap.v1.": [there]})
    code, out, _ = run(capsys, "m.yaml", "--against", "cluster", "--out", "plan.json")
    assert code == 0
    fields = [{"manager": "m", "operation": "Update", "subresource": "status", "time": "now"}]
    later = {**there, "metadata": {**there["metadata"], "resourceVersion": "8", "managedFields": fields}, "status": {}}
    kubectl.answers({"ConfigMap.v1.": [later]})
    assert run(capsys, "plan.json", show=True) == (0, out, "")
    kubectl.answers({"ConfigMap.v1.": [live(config("a"), data={"k": "9"})]})
    code, _, err = run(capsys, "plan.json", show=True)
    assert code == 1
    assert "Saved plan is stale: cluster has changed" in err


@pytest.mark.parametrize("scheme", ["cluster", "state"])
def test_a_folder_of_that_name(scheme: str, kubectl: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    write(config("a"))
    Path(scheme).mkdir()
    (Path(scheme) / "a.yaml").write_text(json.dumps(config("a")), encoding="utf-8")
    code, _, err = run(capsys, "m.yaml", "--against", scheme)
    assert code == 1
    assert f"--against {scheme} could be a path here" in err
    assert NO_CHANGES in run(capsys, "m.yaml", "--against", f"./{scheme}")[1]
    kubectl.answers({"ConfigMap.v1.": [live(config("a"))]})
    assert ("no state" in run(capsys, "m.yaml", "--against", f"{scheme}:")[2]) is (scheme == "state")
