"""`kplan get` and `kplan describe`: which objects are shown, in which form, and what is said of those not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kplan.cli import main

MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: "i:1", env: [{name: DB_PASSWORD, value: hunter22}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: b, namespace: other, labels: {app: web}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {k: topsecret}
"""
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    additionalPrinterColumns: [{name: Size, type: integer, jsonPath: .spec.size}]
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 3}
"""
NODES = """\
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {allocatable: {cpu: "2"}, conditions: [{type: Ready, status: "True"}]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.yaml").write_text(MANIFESTS, encoding="utf-8")
    (tmp_path / "crd.yaml").write_text(CRD, encoding="utf-8")
    (tmp_path / "nodes.yaml").write_text(NODES, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


Out = pytest.CaptureFixture[str]


def run(capsys: Out, line: str) -> tuple[int, str, str]:
    code = main(line.split())
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("cm", ["configmap/a"]),
        ("configmaps", ["configmap/a"]),
        ("ConfigMap", ["configmap/a"]),
        ("cm -A", ["configmap/a", "configmap/b"]),
        ("cm -n other", ["configmap/a", "configmap/b"]),  # what names no namespace is applied to this one
        ("deploy.apps,svc", ["deployment.apps/web", "service/web"]),
        ("deploy.v1.apps", ["deployment.apps/web"]),
        ("all", ["service/web", "deployment.apps/web"]),
        ("svc/web deploy/web", ["service/web", "deployment.apps/web"]),
        ("svc,deploy web", ["service/web", "deployment.apps/web"]),
        ("cm,svc,deploy -l app=web", ["deployment.apps/web"]),
        ("cm -A -l app", ["configmap/b"]),
        ("no", ["node/n1"]),
    ],
)
def test_which_objects(folder: Path, capsys: Out, words: str, names: list[str]) -> None:
    code, out, _ = run(capsys, f"get {words} -f app.yaml --nodes nodes.yaml -o name")
    made = ("pod", "replicaset.apps"), "configmap/kube-root-ca.crt"
    shown = [n for n in out.splitlines() if n.split("/")[0] not in made[0] and n != made[1]]
    assert (code, shown) == (0, names)


def test_table_of_one_kind_and_of_several(folder: Path, capsys: Out) -> None:
    _, out, _ = run(capsys, "get cm -A -l app -f app.yaml --nodes nodes.yaml")
    assert out == "NAMESPACE   NAME   DATA   AGE\nother       b      0      1s\n"
    _, out, _ = run(capsys, "get cm/a no/n1 -f app.yaml --nodes nodes.yaml --show-labels")
    assert out.splitlines()[1].split() == ["configmap/a", "0", "1s", "<none>"]
    assert out.splitlines()[2] == ""
    assert out.splitlines()[4].startswith("node/n1   Ready ")
    assert run(capsys, "get cm/a cm/a -f app.yaml --no-headers")[1] == "a     0     2s\n" * 2


def test_custom_resource_has_the_columns_of_its_definition(folder: Path, capsys: Out) -> None:
    assert run(capsys, "get wd -f crd.yaml")[1] == "NAME   SIZE\nw      3\n"
    assert "Spec:\n  Size:  3\n" in run(capsys, "describe widget/w -f crd.yaml")[1]


def test_whole_objects(folder: Path, capsys: Out) -> None:
    from kplan.yamlio import read_one

    found = read_one(run(capsys, "get svc web -f app.yaml -o yaml")[1]).value
    assert found is not None
    assert (found["kind"], found["spec"]["type"]) == ("Service", "ClusterIP")
    listed = json.loads(run(capsys, "get svc -f app.yaml -o json")[1])
    assert (listed["kind"], [o["kind"] for o in listed["items"]]) == ("List", ["Service"])
    assert json.loads(run(capsys, "get hpa -f app.yaml -o json")[1])["items"] == []


@pytest.mark.parametrize("view", ["get", "get -o wide", "get -o yaml", "get -o json", "get -o name", "describe"])
def test_no_view_shows_a_secret(folder: Path, capsys: Out, view: str) -> None:
    command, _, form = view.partition(" ")
    _, out, err = run(capsys, f"{command} secrets,deploy -f app.yaml {form}")
    for secret in ("topsecret", "dG9wc2VjcmV0", "hunter22"):
        assert secret not in out + err


def test_sizes_of_a_secret(folder: Path, capsys: Out) -> None:
    assert run(capsys, "describe secret s -f app.yaml")[1].endswith("k:  9 bytes\n")


def test_two_descriptions_are_apart(folder: Path, capsys: Out) -> None:
    _, out, _ = run(capsys, "describe svc,deploy -f app.yaml --no-show-events")
    assert out.count("\n\n\nName:") == 1
    assert "Events" not in out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("get pods", "no manifests given"),
        ("get -f app.yaml", "say which kind"),
        ("get deploymens -f app.yaml", "doesn't have a resource type 'deploymens'"),
        ("get , -f app.yaml", "doesn't have a resource type ''"),
        ("get svc deploy/web -f app.yaml", "cannot be mixed"),
        ("get svc/ -f app.yaml", "expected KIND/NAME"),
        ("get svc/a/b -f app.yaml", "expected KIND/NAME"),
        ("get svc web -l a=b -f app.yaml", "cannot be used together"),
        ("get svc web -A -f app.yaml", "in one namespace"),
        ("get svc -l a==b=c -f app.yaml", "--selector: unable to parse requirement"),
        ("get svc web nope -f app.yaml", 'services "nope" not found'),
        ("describe deploy/nope -f app.yaml", 'deployments.apps "nope" not found'),
        ("get cm -f none.yaml", "none.yaml"),
    ],
)
def test_what_cannot_be_shown(folder: Path, capsys: Out, line: str, message: str) -> None:
    code, _, err = run(capsys, line)
    assert code == 1
    assert message in err


def test_what_is_there_is_shown_beside_what_is_not(folder: Path, capsys: Out) -> None:
    _, out, err = run(capsys, "get svc web no1 no2 -f app.yaml -o name")
    assert out == "service/web\n"
    assert 'services "no1" not found' in err
    assert 'services "no2" not found' in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("get hpa", "No resources found in default namespace."),
        ("get hpa -A", "No resources found\n"),
        ("get pv", "No resources found\n"),
        ("describe hpa", "No resources found in default namespace."),
    ],
)
def test_nothing_there(folder: Path, capsys: Out, words: str, said: str) -> None:
    code, out, err = run(capsys, f"{words} -f app.yaml")
    assert (code, out) == (0, "")
    assert said in err


def test_another_namespace_is_named_where_there_is_nothing(folder: Path, capsys: Out) -> None:
    made = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: far}\n"
    (folder / "far.yaml").write_text(made, encoding="utf-8")
    hint = "hint: there are some in -n far; -A shows all\n"
    for words, said in (
        ("get secret", f"No resources found in default namespace.\n{hint}"),
        ("describe secret", f"No resources found in default namespace.\n{hint}"),
        ("get secret -l a=b", "No resources found in default namespace.\n"),
        ("get pv", "No resources found\n"),
        ("get secret t s", 'error: secrets "t" not found\nerror: secrets "s" not found\nhint: it is in -n far\n'),
        ("get secret s t", 'error: secrets "s" not found\nerror: secrets "t" not found\n'),
    ):
        err = run(capsys, f"{words} -f far.yaml --nodes nodes.yaml")[2]
        assert "".join(line for line in err.splitlines(keepends=True) if not line.startswith("note:")) == said


def test_refused_and_unreadable_manifests_are_told(folder: Path, capsys: Out) -> None:
    bad = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80000}]}\n"
    (folder / "bad.yaml").write_text(bad, encoding="utf-8")
    code, out, err = run(capsys, "get svc -f app.yaml -f bad.yaml -o name")
    assert (code, out) == (1, "service/web\n")
    assert "bad.yaml:1: v1 Service x: refused (422)" in err
    assert "1 object refused" in err
    code, out, err = run(capsys, "describe svc/none svc/gone -f app.yaml -f bad.yaml")
    assert err.startswith('error: services "none" not found\nerror: services "gone" not found\n')
    assert (code, err.splitlines()[-1]) == (1, "error: 1 object refused, so objects are missing")
    (folder / "bad.yaml").write_text("a: [", encoding="utf-8")
    code, out, err = run(capsys, "get svc -f app.yaml -f bad.yaml -o name")
    assert (code, out) == (1, "service/web\n")
    assert "could not be read" in err


def test_default_nodes_are_stated(folder: Path, capsys: Out) -> None:
    assert "default pool" in run(capsys, "get cm -f app.yaml")[2]
    assert "default pool" not in run(capsys, "get cm -f app.yaml --nodes nodes.yaml")[2]


def test_cluster_is_brought_to_rest_first(folder: Path, capsys: Out) -> None:
    """Two pods start one after the other (0.3 s each), then nothing happens for 1.5 s."""
    rows = [line.split() for line in run(capsys, "get po -f app.yaml --no-headers")[1].splitlines()]
    assert [row[1:] for row in rows] == [["1/1", "Running", "0", "2s"]] * 2
    described = run(capsys, "describe deploy web -f app.yaml")[1].splitlines()
    assert described[-1].split(maxsplit=4)[:4] == ["Normal", "ScalingReplicaSet", "2s", "deployment-controller"]
    assert run(capsys, "describe po web -f app.yaml")[1].count("default-scheduler") == 2


def test_events_have_their_namespace_and_are_counted(folder: Path, capsys: Out) -> None:
    quota = "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: '0'}}\n"
    (folder / "quota.yaml").write_text(quota, encoding="utf-8")
    _, out, _ = run(capsys, "get events -n other -f quota.yaml -f app.yaml -o json")
    events = [e for e in json.loads(out)["items"] if e["reason"] == "FailedCreate"]
    assert len({e["message"] for e in events}) == len(events)
    assert {e["metadata"]["namespace"] for e in events} == {"other"}
    assert all(e["count"] >= 1 and e["firstTimestamp"] <= e["lastTimestamp"] for e in events)
    assert 'pods "web-' in events[0]["message"]


def test_too_many_pods_are_not_followed(folder: Path, capsys: Out) -> None:
    (folder / "many.yaml").write_text(MANIFESTS.replace("replicas: 2", "replicas: 5001"), encoding="utf-8")
    code, out, err = run(capsys, "get deploy -f many.yaml --no-headers")
    assert (code, out.split()[:2]) == (0, ["web", "0/5001"])
    assert "5001 pods are too many to follow (at most 5000)" in err
