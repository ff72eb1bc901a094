"""Webhooks, admission policies, CustomResourceDefinitions and custom resources, as Kubernetes 1.36 judges them.

extensions-objects.jsonl are objects that a Kubernetes 1.36 API server accepted; each row of extensions-created.jsonl is
one of them, changed at one place, and the server's answer.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import kplan

DATA = Path(__file__).parents[1] / "data" / "validation"


def rows(name: str) -> list[Any]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


OBJECTS = {row["id"]: row["object"] for row in rows("extensions-objects.jsonl")}


def changed(row: dict[str, Any]) -> Any:
    obj = copy.deepcopy(OBJECTS[row["base"]])
    *path, last = (part.replace("~1", "/").replace("~0", "~") for part in row["at"].split("/")[1:])
    place = obj
    for part in path:
        place = place[int(part)] if isinstance(place, list) else place[part]
    key: Any = int(last) if isinstance(place, list) else last
    if "value" in row:
        place[key] = row["value"]
    else:
        del place[key]
    return obj


@pytest.mark.parametrize("base", sorted(OBJECTS))
def test_recorded_answers(base: str) -> None:
    wrong = []
    for row in (r for r in rows("extensions-created.jsonl") if r["base"] == base):
        found = kplan.admit(changed(row))
        mine = sorted([c.field, c.reason.removeprefix("FieldValue"), c.message] for c in found.causes)
        if mine != sorted(row.get("causes", [])):
            wrong.append((row["at"], row.get("value"), mine))
    assert wrong == []


CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "jars.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"plural": "jars", "singular": "jar", "kind": "Jar", "listKind": "JarList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-validations": [{"rule": "self.metadata.name.size() < 10"}],
                        "properties": {
                            "spec": {
                                "type": "object",
                                "required": ["size"],
                                "x-kubernetes-validations": [
                                    {
                                        "rule": "self.size <= self.most",
                                        "messageExpression": "'more than ' + string(self.most)",
                                        "fieldPath": ".size",
                                        "reason": "FieldValueForbidden",
                                    },
                                    {"rule": "self.lid == oldSelf.lid", "message": "lid is fixed"},
                                ],
                                "properties": {
                                    "size": {"type": "integer", "minimum": 1, "maximum": 9},
                                    "most": {"type": "integer", "default": 5},
                                    "lid": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                                    "tag": {"type": "string", "maxLength": 3, "pattern": "^[a-z]+$"},
                                    "host": {"type": "string", "format": "ipv4"},
                                    "either": {"oneOf": [{"minimum": 3}, {"maximum": 1}], "type": "integer"},
                                    "marks": {
                                        "type": "array",
                                        "maxItems": 2,
                                        "x-kubernetes-list-type": "set",
                                        "items": {"type": "string"},
                                    },
                                    "parts": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["id"],
                                        "items": {
                                            "type": "object",
                                            "required": ["id"],
                                            "properties": {"id": {"type": "string"}, "n": {"type": "integer"}},
                                            "x-kubernetes-validations": [
                                                {"rule": "self.n >= oldSelf.n", "message": "n must not shrink"}
                                            ],
                                        },
                                    },
                                },
                            }
                        },
                    }
                },
            }
        ],
    },
}


def jar(name: str = "one", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.org/v1",
        "kind": "Jar",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"size": 2, **spec},
    }


def cluster(*objects: Any) -> Any:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default", "labels": {"cap": "on"}}}
    return kplan.Cluster([namespace, CRD, *objects])


BLOCKED = (
    "<nil>",
    "FieldValueInvalid",
    (
        "Invalid value: null: some validation rules were not checked because the object was invalid; correct the "
        "existing errors to complete validation"
    ),
)


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (jar(), []),
        (
            jar(size="x"),
            [
                (
                    "spec.size",
                    "FieldValueTypeInvalid",
                    'Invalid value: "string": spec.size in body must be of type integer: "string"',
                ),
                BLOCKED,
            ],
        ),
        (
            jar(size=0),
            [
                (
                    "spec.size",
                    "FieldValueInvalid",
                    "Invalid value: 0: spec.size in body should be greater than or equal to 1",
                )
            ],
        ),
        (
            jar(lid="green"),
            [
                ("spec.lid", "FieldValueNotSupported", 'Unsupported value: "green": supported values: "red", "blue"'),
                BLOCKED,
            ],
        ),
        (jar(tag="abcd"), [("spec.tag", "FieldValueTooLong", "Too long: may not be more than 3 bytes"), BLOCKED]),
        (
            jar(tag="A"),
            [("spec.tag", "FieldValueInvalid", "Invalid value: \"A\": spec.tag in body should match '^[a-z]+$'")],
        ),
        (
            jar(host="a"),
            [
                (
                    "spec.host",
                    "FieldValueTypeInvalid",
                    'Invalid value: "a": spec.host in body must be of type ipv4: "a"',
                ),
                BLOCKED,
            ],
        ),
        (
            jar(either=2),
            [
                (
                    "<nil>",
                    "FieldValueInvalid",
                    'Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found none valid',
                ),
                (
                    "spec.either",
                    "FieldValueInvalid",
                    "Invalid value: 2: spec.either in body should be greater than or equal to 3",
                ),
            ],
        ),
        (
            jar(marks=["a", "b", "c"]),
            [("spec.marks", "FieldValueTooMany", "Too many: 3: must have at most 2 items"), BLOCKED],
        ),
        (jar(marks=["a", "a"]), [("spec.marks[1]", "FieldValueDuplicate", 'Duplicate value: "a"')]),
        (
            jar(parts=[{"id": "a"}, {"id": "a", "n": 1}]),
            [("spec.parts[1]", "FieldValueDuplicate", 'Duplicate value: {"id":"a"}')],
        ),
        (jar(parts=[{"n": 1}]), [("spec.parts[0].id", "FieldValueRequired", "Required value"), BLOCKED]),
        (jar(size=6), [("spec.size", "FieldValueForbidden", "Forbidden: more than 5")]),
        (
            jar("a-long-name"),
            [("<nil>", "FieldValueInvalid", "Invalid value: failed rule: self.metadata.name.size() < 10")],
        ),
    ],
)
def test_custom_resource(obj: Any, expected: list[tuple[str, str, str]]) -> None:
    found = kplan.admit(obj, cluster=cluster())
    assert [tuple(c) for c in found.causes] == expected
    assert found.accepted is not bool(expected)


def test_crd_rule_with_unknown_field_is_refused() -> None:
    crd = copy.deepcopy(CRD)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    schema["x-kubernetes-validations"] = [{"rule": "self.spec.height > 1"}]
    (cause,) = kplan.admit(crd).causes
    assert cause.field == "spec.validation.openAPIV3Schema.x-kubernetes-validations[0].rule"
    assert cause.message.endswith(
        "compilation failed: ERROR: <input>:1:10: undefined field 'height'\n | self.spec.height > 1\n | .........^"
    )


POLICY: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicy",
    "metadata": {"name": "cap"},
    "spec": {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"cap": "on"}},
            "resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}
            ],
        },
        "matchConditions": [{"name": "not-free", "expression": "!has(object.metadata.labels)"}],
        "variables": [{"name": "most", "expression": "int(params.data['most'])"}],
        "validations": [
            {
                "expression": "size(object.metadata.name) <= variables.most",
                "messageExpression": "'at most ' + string(variables.most)",
                "reason": "Forbidden",
            }
        ],
    },
}
BINDING: dict[str, Any] = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "ValidatingAdmissionPolicyBinding",
    "metadata": {"name": "cap-all"},
    "spec": {
        "policyName": "cap",
        "validationActions": ["Deny"],
        "paramRef": {"name": "caps", "namespace": "default", "parameterNotFoundAction": "Deny"},
    },
}
CAPS: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "caps", "namespace": "default"},
    "data": {"most": "5"},
}


def secret(name: str, **labels: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default", **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta}


DENIED = "secrets \"{}\" is forbidden: ValidatingAdmissionPolicy 'cap' with binding 'cap-all' denied request: {}"
NO_PARAMS = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"
AUDITED = {**BINDING, "spec": {**BINDING["spec"], "validationActions": ["Audit"]}}
ALLOWED = {**BINDING, "spec": {**BINDING["spec"], "paramRef": {"name": "caps", "parameterNotFoundAction": "Allow"}}}
CONDITION = {"name": "team", "expression": "object.metadata.labels['team'] == 'a'"}
CONDITIONAL = {**POLICY, "spec": {**POLICY["spec"], "matchConditions": [CONDITION]}}
NO_LABEL = f"expression '{CONDITION['expression']}' resulted in error: no such key: labels"
BROKEN = {**CAPS, "data": {"least": "1"}}
EXPRESSION = "size(object.metadata.name) <= variables.most"
NO_KEY = (
    f"expression '{EXPRESSION}' resulted in error: composited variable \"most\" fails to evaluate: no such key: most"
)


@pytest.mark.parametrize(
    ("objects", "obj", "status", "message"),
    [
        ((POLICY, BINDING, CAPS), secret("short"), 201, ""),
        ((POLICY, BINDING, CAPS), secret("too-long"), 403, DENIED.format("too-long", "at most 5")),
        ((POLICY, BINDING, CAPS), secret("too-long", free="yes"), 201, ""),
        ((POLICY, BINDING), secret("short"), 422, DENIED.format("short", NO_PARAMS)),
        (
            (POLICY, BINDING, BROKEN),
            secret("short"),
            422,
            DENIED.format("short", NO_KEY),
        ),
        ((POLICY, AUDITED, CAPS), secret("too-long"), 201, ""),
        ((POLICY, AUDITED), secret("short"), 422, DENIED.format("short", NO_PARAMS)),
        ((POLICY, ALLOWED), secret("too-long"), 201, ""),
        ((CONDITIONAL, BINDING, CAPS), secret("short"), 422, DENIED.format("short", NO_LABEL)),
        ((POLICY, CAPS), secret("too-long"), 201, ""),
    ],
)
def test_policy_at_admission(objects: tuple[Any, ...], obj: Any, status: int, message: str) -> None:
    found = kplan.admit(obj, cluster=cluster(*objects))
    assert (found.status, found.message) == (status, message)


def test_transition_rules() -> None:
    world = cluster(jar(lid="red", parts=[{"id": "a", "n": 2}, {"id": "b", "n": 1}]))
    (stored,) = world.objects("Jar")

    def replaced(**spec: Any) -> list[tuple[str, str]]:
        new = copy.deepcopy(stored)
        new["spec"].update(spec)
        (applied,) = world.apply([new], mode="replace", dry_run=True)
        return [(c.field, c.message) for c in applied.causes]

    assert replaced(size=3) == []
    assert replaced(lid="blue") == [("spec", "Invalid value: lid is fixed")]
    assert replaced(parts=[{"id": "b", "n": 3}, {"id": "a", "n": 1}]) == [
        ("spec.parts[1]", "Invalid value: n must not shrink")
    ]


def test_policies_that_warn() -> None:
    warned = {**BINDING, "spec": {**BINDING["spec"], "validationActions": ["Warn", "Audit"]}}
    got = kplan.admit(secret("too-long"), cluster=cluster(POLICY, warned, CAPS))
    sentence = "Validation failed for ValidatingAdmissionPolicy 'cap' with binding 'cap-all': at most 5"
    assert (got.status, got.warnings) == (201, (sentence,))
    assert kplan.admit(secret("short"), cluster=cluster(POLICY, warned, CAPS)).warnings == ()


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"group": "a.b", "version": "v1", "groupPriorityMinimum": 9, "versionPriority": 9}, ""),
        ({"group": "c.d", "version": "v1", "groupPriorityMinimum": 9, "versionPriority": 9}, "metadata.name"),
        ({"group": "a.b", "version": "v2", "groupPriorityMinimum": 9, "versionPriority": 9}, "metadata.name"),
    ],
)
def test_a_name_that_has_to_fit_the_spec_is_judged_again(spec: dict[str, Any], field: str) -> None:
    service = {"group": "a.b", "version": "v1", "groupPriorityMinimum": 5, "versionPriority": 5}
    made = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1.a.b"}}
    world = cluster({**made, "spec": service})
    found = world.patch("APIService", "v1.a.b", {"spec": spec})
    assert [c.field for c in found.causes] == ([field] if field else [])


EVERYTHING = {
    "resourceRules": [
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True, "namespaces": ["*"]}
    ],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}


@pytest.mark.parametrize(
    ("kind", "name", "spec", "change", "sentence"),
    [
        (
            "FlowSchema",
            "exempt",
            {
                "priorityLevelConfiguration": {"name": "exempt"},
                "matchingPrecedence": 1,
                "rules": [{"subjects": [{"kind": "Group", "group": {"name": "system:masters"}}], **EVERYTHING}],
            },
            {"matchingPrecedence": 2},
            "spec of 'exempt' must equal the fixed value",
        ),
        (
            "PriorityLevelConfiguration",
            "catch-all",
            {"type": "Limited", "limited": {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}}},
            {"limited": {"nominalConcurrencyShares": 6}},
            "spec of 'catch-all' must equal the fixed value",
        ),
        (
            "PriorityLevelConfiguration",
            "exempt",
            {"type": "Exempt"},
            {"exempt": {"lendablePercent": 10}},
            "",
        ),
    ],
)
def test_mandatory_objects(kind: str, name: str, spec: Any, change: Any, sentence: str) -> None:
    world = cluster()
    made = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    assert world.apply(made, mode="replace")[0].accepted
    assert world.patch(kind, name, {"spec": change}).message.endswith(sentence)


def test_an_update_shows_what_was_sent_empty() -> None:
    made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}}
    world = cluster({**made, "spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}})
    for spec, shown in (({}, "null"), ({"scopes": []}, "[]")):
        (found,) = world.apply({**made, "spec": {"hard": {"pods": "1"}, **spec}}, mode="replace")
        assert [c.message for c in found.causes] == [f"Invalid value: {shown}: field is immutable"]
