"""Which updates force a replacement: recorded answers of a Kubernetes 1.36 API server, and transition rules of CRDs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from kplan.cluster import Cluster
from kplan.model import Action, Change
from kplan.plan import plan
from kplan.plan.transitions import transitions

Value = dict[str, Any]

DATA = Path(__file__).parents[1] / "data" / "plan"


def rows(name: str) -> list[Value]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


BASES = {row["id"]: row["object"] for row in rows("bases.jsonl")}
UPDATES = rows("updates.jsonl")


def changed(base: Value, row: Value) -> Value:
    out = copy.deepcopy(base)
    *path, last = [p.replace("~1", "/").replace("~0", "~") for p in row["at"].split("/")[1:]]
    target: Any = out
    for step in path:
        target = target[int(step)] if isinstance(target, list) else target[step]
    if "value" in row:
        target[int(last) if isinstance(target, list) else last] = row["value"]
    elif isinstance(target, list):
        del target[int(last)]
    else:
        target.pop(last, None)
    return out


def update(before: Value, after: Value, *others: Value, version: str = "1.36") -> Action:
    sides = (Cluster([v, *others], version=version) for v in (before, after))
    return next(a for a in plan(*sides).actions if a.ref.kind == after["kind"])


@pytest.mark.parametrize("row", UPDATES, ids=lambda r: f"{r['base']}-{r['op']}-{r['at']}")
def test_recorded_updates(row: Value) -> None:
    base = Cluster([BASES[row["base"]]]).objects()[0]
    action = update(base, changed(base, row))
    assert (action.verb == "replace") == row["refused"]
    if row["refused"]:
        assert all(":" in reason for reason in action.reasons)


def deployment(**spec: Any) -> Value:
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    base = {"selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {**base, **spec}}


def forced(change: Change | None) -> list[str]:
    """The places that force the replacement."""
    if change is None:
        return []
    here = [".".join(map(str, change.path))] if change.replace else []
    return here + [place for child in change.children for place in forced(child)]


def test_the_reason_stands_at_the_field_and_at_the_object() -> None:
    action = update(deployment(), deployment(selector={"matchLabels": {"app": "b"}}, replicas=3))
    assert action.reasons == ("spec.selector: field is immutable",)
    assert forced(action.change) == ["spec.selector.matchLabels.app"]
    assert action.risks == ("its pods stop before new ones start",)


def stateful_set(**spec: Any) -> Value:
    return {**deployment(serviceName="s", **spec), "kind": "StatefulSet"}


@pytest.mark.parametrize(("version", "verb"), [("1.32", "replace"), ("1.33", "update"), ("1.36", "update")])
def test_rules_hold_from_one_release_to_another(version: str, verb: str) -> None:
    action = update(stateful_set(), stateful_set(revisionHistoryLimit=3), version=version)
    assert action.verb == verb


def service(**spec: Any) -> Value:
    base = {"ports": [{"port": 80}], "selector": {"app": "a"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {**base, **spec}}


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        (service(), service(clusterIP="None"), "replace"),
        (service(clusterIP="None"), service(), "keep"),
        (service(clusterIP="10.0.0.1"), service(clusterIP="10.0.0.2"), "replace"),
        (service(clusterIP="10.0.0.1"), service(), "keep"),
        (service(clusterIP="10.0.0.1"), service(type="ExternalName", externalName="x.example"), "update"),
        (service(type="NodePort", clusterIP="10.0.0.1"), service(clusterIP="10.0.0.1"), "update"),
    ],
)
def test_services(before: Value, after: Value, verb: str) -> None:
    assert update(before, after).verb == verb


def job(**spec: Any) -> Value:
    pod = {"containers": [{"name": "c", "image": "i:1"}], "restartPolicy": "Never"}
    base = {"template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {**base, **spec}}


INDEXED = {"completionMode": "Indexed", "parallelism": 2, "completions": 2}
ELSEWHERE = {"spec": {**job()["spec"]["template"]["spec"], "nodeSelector": {"disk": "ssd"}}}


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        (job(parallelism=1), job(parallelism=3), "update"),
        (job(completions=2), job(completions=3), "replace"),
        (job(**INDEXED), job(**{**INDEXED, "parallelism": 3, "completions": 3}), "update"),
        (job(**INDEXED), job(**{**INDEXED, "completions": 3}), "replace"),
        (job(), job(template=ELSEWHERE), "replace"),
        (job(suspend=True), job(suspend=True, template=ELSEWHERE), "update"),
        (job(), job(ttlSecondsAfterFinished=5, backoffLimit=1), "update"),
    ],
)
def test_jobs(before: Value, after: Value, verb: str) -> None:
    assert update(before, after).verb == verb


def claim(storage: str, **spec: Any) -> Value:
    base = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "d"}, "spec": {**base, **spec}}


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        (claim("1Gi"), claim("2Gi"), "update"),
        (claim("2Gi"), claim("1Gi"), "replace"),
        (claim("1Gi"), claim("1024Mi"), "keep"),
        (claim("1Gi"), claim("1Gi", storageClassName="fast"), "replace"),
        (claim("1Gi"), claim("1Gi", volumeName="pv"), "update"),
    ],
)
def test_claims(before: Value, after: Value, verb: str) -> None:
    assert update(before, after).verb == verb


def crd(*rules: str, at: str = "spec") -> Value:
    validations = [{"rule": r, "message": f"no: {r}"} for r in rules]
    fields = {"x": {"type": "string"}, "y": {"type": "string"}}
    spec: Value = {"type": "object", "properties": fields}
    (spec if at == "spec" else fields["x"])["x-kubernetes-validations"] = validations
    schema = {"type": "object", "properties": {"spec": spec}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def thing(**spec: str) -> Value:
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec}


XY = {"x": "1", "y": "1"}


@pytest.mark.parametrize(
    ("rule", "at", "before", "after", "refused"),
    [
        ("self == oldSelf", "spec", XY, {"x": "2", "y": "1"}, True),
        ("self == oldSelf", "x", XY, {"x": "2", "y": "1"}, True),
        ("self == oldSelf", "x", XY, {"x": "1", "y": "2"}, False),
        ("self == oldSelf", "x", {"y": "1"}, XY, False),
        ("self == oldSelf", "x", XY, {"y": "1"}, False),
        ("oldSelf.x == self.x", "spec", XY, {"x": "2", "y": "1"}, True),
        ("self.x == oldSelf.x", "spec", XY, {"x": "1", "y": "2"}, False),
        ("!has(oldSelf.x) || self.x == oldSelf.x", "spec", {"y": "1"}, XY, False),
        ("!has(oldSelf.x) || has(self.x) && self.x == oldSelf.x", "spec", XY, {"y": "1"}, True),
        ("(!has(self.x) && !has(oldSelf.x)) || self.x == oldSelf.x", "spec", {"y": "1"}, XY, True),
        ("has(self.x) == has(oldSelf.x)", "spec", {"y": "1"}, XY, True),
        ("has(self.x) == has(oldSelf.x)", "spec", XY, {"x": "2", "y": "1"}, False),
        ("oldSelf == '' || self == oldSelf", "x", {"x": "", "y": "1"}, XY, False),
        ("self.x == oldSelf.x && self.y == oldSelf.y", "spec", XY, {"x": "1", "y": "2"}, True),
        ("self.x.size() >= oldSelf.x.size()", "spec", XY, {"x": "", "y": "1"}, False),
        ("self.x == oldSelf.x || self.y == 'open'", "spec", XY, {"x": "2", "y": "1"}, False),
    ],
)
def test_transition_rules(rule: str, at: str, before: dict[str, str], after: dict[str, str], refused: bool) -> None:
    action = update(thing(**before), thing(**after), crd(rule, at=at))
    assert (action.verb == "replace") == refused
    if refused:
        assert f"no: {rule}" in action.reasons[0]


def test_a_rule_without_a_message_is_quoted() -> None:
    definition = crd("self  ==\n oldSelf")
    del definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"][
        "x-kubernetes-validations"
    ][0]["message"]
    (found,) = transitions(definition, "v1")
    assert found.message == "failed rule: self == oldSelf"


@pytest.mark.parametrize("broken", [{}, {"spec": None}, {"spec": {"versions": [None, {"name": "v1", "schema": 3}]}}])
def test_broken_definitions_have_no_rules(broken: Value) -> None:
    assert transitions(broken, "v1") == ()
