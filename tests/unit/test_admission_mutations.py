"""Mutating admission policies: what they change, in which order, and what becomes of a request when they fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.config import Config

Value = dict[str, Any]

GROUP = "admissionregistration.k8s.io/v1"
PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
NAMESPACE: Value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": {"team": "a"}}}
OWNER: Value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "o", "namespace": "default"}}


def apply(expression: str) -> Value:
    return {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}


def patch(expression: str) -> Value:
    return {"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}


def label(name: str, value: str) -> Value:
    return apply(f"Object{{metadata: Object.metadata{{labels: {{'{name}': {value}}}}}}}")


def policy(*mutations: Value, name: str = "p", rules: Value = PODS, again: str = "Never", **spec: Any) -> Value:
    body = {"reinvocationPolicy": again, "mutations": list(mutations), **spec}
    body["matchConstraints"] = {"resourceRules": [rules], **spec.get("matchConstraints", {})}
    return {"apiVersion": GROUP, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": body}


def binding(name: str = "p", **spec: Any) -> Value:
    meta = {"name": f"{name}-here"}
    return {
        "apiVersion": GROUP,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": meta,
        "spec": {"policyName": name, **spec},
    }


def pod(**labels: str) -> Value:
    spec = {"containers": [{"name": "c", "image": "nginx:1"}], "initContainers": [{"name": "i", "image": "setup:1"}]}
    meta = {"name": "web", "namespace": "default", **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def answer(*objects: Value, obj: Value | None = None) -> kplan.Admission:
    return kplan.admit(obj or pod(), cluster=kplan.Cluster([NAMESPACE, OWNER, *objects]))


def mutated(*mutations: Value, obj: Value | None = None, **spec: Any) -> Value:
    found = answer(policy(*mutations, **spec), binding(), obj=obj)
    assert found.message == ""
    assert found.object is not None
    return found.object


def labels(obj: Value) -> Value:
    return obj["metadata"].get("labels") or {}


SIDECAR = apply(
    "Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'mesh', image: 'mesh:1', "
    "restartPolicy: 'Always'}]}}"
)


def test_applied_containers_are_merged_by_name_and_defaulted() -> None:
    spec = mutated(SIDECAR)["spec"]
    assert {c["name"] for c in spec["initContainers"]} == {"i", "mesh"}
    (mesh,) = (c for c in spec["initContainers"] if c["name"] == "mesh")
    assert mesh["imagePullPolicy"] == "IfNotPresent"
    assert mesh["terminationMessagePath"] == "/dev/termination-log"


def test_built_in_plugins_run_again_after_a_policy() -> None:
    assert all("volumeMounts" in c for c in mutated(SIDECAR)["spec"]["initContainers"])


def test_every_container_gets_a_field() -> None:
    each = "object.spec.containers.map(c, Object.spec.containers.item{name: c.name, imagePullPolicy: 'Always'})"
    spec = mutated(apply(f"Object{{spec: Object.spec{{containers: {each}}}}}"))["spec"]
    assert [(c["name"], c["image"], c["imagePullPolicy"]) for c in spec["containers"]] == [("c", "nginx:1", "Always")]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("[JSONPatch{op: 'add', path: '/metadata/labels', value: {'a': 'b'}}]", {"a": "b"}),
        ("[JSONPatch{op: 'replace', path: '/metadata/labels/app', value: 'y'}]", {"app": "y"}),
        ("[JSONPatch{op: 'remove', path: '/metadata/labels/app'}]", {}),
        ("[JSONPatch{op: 'test', path: '/metadata/labels/app', value: 'x'}]", {"app": "x"}),
        ("[JSONPatch{op: 'move', from: '/metadata/labels/app', path: '/metadata/labels/b'}]", {"b": "x"}),
        ("[JSONPatch{op: 'copy', from: '/metadata/labels/app', path: '/metadata/labels/b'}]", {"app": "x", "b": "x"}),
        (
            "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a.b/c~d'), value: '1'}]",
            {"app": "x", "a.b/c~d": "1"},
        ),
        ("has(object.metadata.annotations) ? [JSONPatch{op: 'remove', path: '/spec'}] : []", {"app": "x"}),
    ],
)
def test_json_patch(expression: str, found: Value) -> None:
    spec = {"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["*"], "resources": ["deployments"]}
    template = {"metadata": {"labels": {"t": "1"}}, "spec": {"containers": [{"name": "c", "image": "nginx:1"}]}}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "labels": {"app": "x"}},
        "spec": {"selector": {"matchLabels": {"t": "1"}}, "template": template},
    }
    if "~" in expression:  # no name of a label, but it shows what is escaped
        got = answer(policy(patch(expression), rules=spec), binding(), obj=deployment)
        assert [c.field for c in got.causes] == ["metadata.labels"]
        assert "a.b/c~d" in got.message
        return
    assert labels(mutated(patch(expression), rules=spec, obj=deployment)) == found


def test_mutations_see_what_those_before_them_did() -> None:
    grown = {"name": "grown", "expression": "object.metadata.labels['a'] + 'x'"}
    found = mutated(label("a", "'1'"), label("b", "variables.grown"), label("a", "variables.grown"), variables=[grown])
    assert labels(found) == {"a": "1x", "b": "1x"}


def test_parameters() -> None:
    params = {**OWNER, "data": {"team": "blue"}}
    bound = binding(paramRef={"name": "o", "namespace": "default", "parameterNotFoundAction": "Deny"})
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    got = kplan.admit(
        pod(),
        cluster=kplan.Cluster([NAMESPACE, params, policy(label("team", "params.data.team"), paramKind=kind), bound]),
    )
    assert got.object is not None
    assert labels(got.object) == {"team": "blue"}


ATOMIC = apply("Object{spec: Object.spec{initContainers: [Object.spec.initContainers{name: 'i', args: ['x']}]}}")
DENIED = "policy 'p' with binding 'p-here' denied request: "
APPLYING, PARTS = "error applying patch: ", "may not mutate atomic arrays, maps or structs"
BROKEN = label("a", "object.spec.nothing")
NO_PARAMS = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"


@pytest.mark.parametrize(
    ("mutation", "why"),
    [
        (ATOMIC, f"{APPLYING}invalid ApplyConfiguration: {PARTS}: .spec.initContainers[0].args"),
        (
            apply("Object{spec: Object.spec{color: 'red'}}"),
            f"{APPLYING}invalid ApplyConfiguration: .spec.color: field not declared in schema",
        ),
        (
            BROKEN,
            f"expression '{BROKEN['applyConfiguration']['expression']}' resulted in error: no such key: nothing",
        ),
        (
            patch("[JSONPatch{op: 'add', path: '/metadata/annotations/a', value: 'x'}]"),
            f"{APPLYING}add operation 0 does not apply: there is no object or list at /metadata/annotations",
        ),
        (
            patch("[JSONPatch{op: 'replace', path: '/kind', value: 'Service'}]"),
            f"{APPLYING}a patch cannot change apiVersion and kind",
        ),
        (
            patch("[JSONPatch{op: 'add', path: '/spec/hostNetwork', value: 'yes'}]"),
            f"{APPLYING}json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
        ),
    ],
)
def test_failure_policy(mutation: Value, why: str) -> None:
    refused = answer(policy(label("first", "'1'"), mutation), binding(), obj=pod())
    assert (refused.status, refused.message) == (422, DENIED + why)
    assert [c.message for c in refused.causes] == [refused.message]
    kept = mutated(label("first", "'1'"), mutation, failurePolicy="Ignore")
    assert labels(kept) == {}


def test_missing_parameters() -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    bound = binding(paramRef={"name": "none", "namespace": "default", "parameterNotFoundAction": "Deny"})
    found = answer(policy(label("a", "'1'"), paramKind=kind), bound)
    assert (found.status, found.message) == (403, DENIED + NO_PARAMS)
    found = answer(policy(label("a", "'1'"), paramKind=kind, failurePolicy="Ignore"), bound)
    assert found.accepted
    assert labels(found.object or {}) == {}


def conditions(*expressions: str) -> list[Value]:
    return [{"name": f"c{i}", "expression": e} for i, e in enumerate(expressions)]


@pytest.mark.parametrize(
    ("spec", "bound", "applies"),
    [
        ({}, {}, True),
        ({"matchConditions": conditions("object.metadata.name == 'web'")}, {}, True),
        ({"matchConditions": conditions("object.metadata.name == 'api'")}, {}, False),
        ({"matchConditions": conditions("object.spec.nothing == 1", "false")}, {}, False),
        ({"matchConstraints": {"namespaceSelector": {"matchLabels": {"team": "a"}}}}, {}, True),
        ({"matchConstraints": {"namespaceSelector": {"matchLabels": {"team": "b"}}}}, {}, False),
        ({"matchConstraints": {"objectSelector": {"matchLabels": {"app": "web"}}}}, {}, True),
        ({"matchConstraints": {"objectSelector": {"matchLabels": {"app": "api"}}}}, {}, False),
        ({"matchConstraints": {"excludeResourceRules": [PODS]}}, {}, False),
        ({"rules": {**PODS, "operations": ["UPDATE"]}}, {}, False),
        ({}, {"policyName": "other"}, False),
        ({}, {"matchResources": {"namespaceSelector": {"matchLabels": {"team": "b"}}}}, False),
    ],
)
def test_who_is_meant(spec: Value, bound: Value, applies: bool) -> None:
    found = answer(policy(label("seen", "'1'"), **spec), binding(**bound), obj=pod(app="web"))
    assert found.object is not None
    assert ("seen" in labels(found.object)) is applies


def test_an_update_is_meant_by_the_labels_that_it_takes_away() -> None:
    world = kplan.Cluster([NAMESPACE, OWNER])
    world.apply([{**OWNER, "metadata": {**OWNER["metadata"], "labels": {"app": "web"}}}], mode="replace")
    rules = {**PODS, "operations": ["UPDATE"], "resources": ["configmaps"]}
    chosen = {"objectSelector": {"matchLabels": {"app": "web"}}}
    world.apply([policy(label("seen", "'1'"), rules=rules, matchConstraints=chosen), binding()])
    (changed,) = world.apply([OWNER], mode="replace")
    assert changed.object is not None
    assert labels(changed.object) == {"seen": "1"}


def counting(name: str, again: str) -> list[Value]:
    """A policy that counts its calls in one label, and writes its name into another."""
    made = "'n' in object.metadata.?labels.orValue({}) ? string(int(object.metadata.labels['n']) + 1) : '1'"
    who = f"object.metadata.?labels.?who.orValue('') + '{name}'"
    both = apply(f"Object{{metadata: Object.metadata{{labels: {{'n': {made}, 'who': {who}}}}}}}")
    return [policy(both, name=name, again=again), binding(name)]


@pytest.mark.parametrize(
    ("again", "who"),
    [
        ("Never Never Never", "abc"),
        ("IfNeeded IfNeeded Never", "abcab"),
        ("Never IfNeeded Never", "abcb"),
        ("Never Never IfNeeded", "abc"),
    ],
)
def test_order_and_reinvocation(again: str, who: str) -> None:
    """Policies run by name, and once more if somebody has changed the object after them."""
    objects = [o for name, when in zip("abc", again.split(), strict=True) for o in counting(name, when)]
    found = answer(*reversed(objects))
    assert found.object is not None
    assert labels(found.object) == {"n": str(len(who)), "who": who}


def test_policies_are_not_mutated() -> None:
    rules = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    found = answer(policy(label("a", "'1'"), rules=rules), binding(), obj=policy(label("b", "'1'"), name="q"))
    assert labels(found.object or {}) == {}


def test_custom_resources() -> None:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}
    names = {"plural": "jars", "singular": "jar", "kind": "Jar", "listKind": "JarList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "jars.x.io"},
        "spec": {"group": "x.io", "names": names, "scope": "Namespaced", "versions": [version]},
    }
    rules = {"apiGroups": ["x.io"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jars"]}
    jar = {"apiVersion": "x.io/v1", "kind": "Jar", "metadata": {"name": "j", "namespace": "default"}}
    size = apply("Object{spec: Object.spec{size: 2 + 1}}")
    found = answer(crd, policy(size, rules=rules), binding(), obj=jar)
    assert (found.object or {})["spec"] == {"size": 3}
    wrong = answer(crd, policy(apply("Object{spec: Object.spec{size: 'x'}}"), rules=rules), binding(), obj=jar)
    assert wrong.message.startswith(DENIED + "error applying patch: ")


def test_validating_policies_see_the_mutated_object() -> None:
    checks = [{"expression": "object.metadata.labels['team'] == 'blue'", "message": "team must be blue"}]
    constraints = {"resourceRules": [PODS]}
    checking = {
        "apiVersion": GROUP,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "v"},
        "spec": {"matchConstraints": constraints, "validations": checks},
    }
    enforced = {
        "apiVersion": GROUP,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "v-here"},
        "spec": {"policyName": "v", "validationActions": ["Deny"]},
    }
    world = (policy(label("team", "'blue'")), binding(), checking, enforced)
    assert answer(*world, obj=pod(team="red")).accepted
    assert not answer(*world[2:], obj=pod(team="red")).accepted


def test_field_names_are_escaped() -> None:
    expression = "Object{metadata: Object.metadata{annotations: Object.metadata.annotations{a__dot__b__slash__c: 'x'}}}"
    assert mutated(apply(expression))["metadata"]["annotations"] == {"a.b/c": "x"}


def test_escape_key_is_for_mutations_only() -> None:
    with pytest.raises(kplan.api.cel.CompileError, match="undeclared reference"):
        kplan.api.cel.compile("jsonpatch.escapeKey('a')", kplan.api.cel.Environment())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    from kplan.yamlio.write import dump_all

    objects = [NAMESPACE, policy(label("team", "'blue'"), ATOMIC), binding(), pod()]
    (tmp_path / "all.yaml").write_text(dump_all(objects), encoding="utf-8")
    return tmp_path


def test_admit_prints_the_mutated_object(tmp_path: Path) -> None:
    from kplan.yamlio.write import dump_all

    (tmp_path / "world.yaml").write_text(dump_all([NAMESPACE, policy(SIDECAR), binding()]), encoding="utf-8")
    (tmp_path / "pod.yaml").write_text(dump_all([pod()]), encoding="utf-8")
    command = [sys.executable, "-m", "kplan", "admit", "pod.yaml", "--cluster", "world.yaml", "-o", "yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "name: mesh" in done.stdout


def test_lint_asks_the_policies_of_the_input(folder: Path) -> None:
    (found,) = [f for f in kplan.lint([folder], Config(select=("api-server",))).findings if f.rule == "KP120"]
    assert found.ref is not None
    assert found.ref.kind == "Pod"
    assert "may not mutate atomic arrays" in found.message
