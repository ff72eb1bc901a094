"""Metadata of objects: names by kind, labels, owners, finalizers, managed fields; and label selectors."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.api.validation import Context, metadata, validate, wording
from kplan.api.validation.field import Errors
from kplan.model import Cause

CONTEXT = Context(36)
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"}


def config_map(**meta: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"} | meta}


def starts(errors: Errors) -> list[str]:
    """Field and message, cut before the pattern of a sentence."""
    return [f"{c.field}: {c.message}".split(" must consist of")[0] for c in errors.causes]


NAMES = [
    ("v1", "ConfigMap", "a.b", True),
    ("v1", "ConfigMap", "A", False),
    ("v1", "Namespace", "a.b", False),
    ("v1", "Pod", "a.b", True),
    ("apps/v1", "StatefulSet", "a.b", False),
    ("apps/v1", "Deployment", "a.b", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "System:Node", True),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "a/b", False),
    ("v1", "Service", "1a", True),
    ("v1", "Service", "a.b", False),
]


@pytest.mark.parametrize(("api_version", "kind", "name", "ok"), NAMES)
def test_names(api_version: str, kind: str, name: str, ok: bool) -> None:
    errors = Errors()
    metadata.create({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}, errors, CONTEXT)
    assert (not errors) is ok


@pytest.mark.parametrize(("minor", "ok"), [(35, False), (36, True)])
def test_service_names_were_stricter(minor: int, ok: bool) -> None:
    assert (metadata.name_rule(("", "Service"), minor)("1a") == ()) is ok


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"name": None}, ["metadata.name: Required value: name or generateName is required"]),
    ({"name": None, "generateName": "a-"}, []),
    (
        {"generateName": "A_b-"},
        ['metadata.generateName: Invalid value: "A_b-": a lowercase RFC 1123 subdomain'],
    ),
    ({"namespace": "a.b"}, ['metadata.namespace: Invalid value: "a.b": must not contain dots']),
    ({"generation": -1}, ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"]),
    (
        {"labels": {"b c": "x y", "A": None}},
        [
            'metadata.labels: Invalid value: "b c": name part',
            (
                'metadata.labels: Invalid value: "x y": a valid label must be an empty string or consist of '
                "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
                "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
                "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
            ),
        ],
    ),
    ({"annotations": {"EXAMPLE.com/Note": "any text\n"}}, []),
    ({"annotations": {"-a": ""}}, ['metadata.annotations: Invalid value: "-a": name part']),
    ({"annotations": {"a": "x" * 262143}}, []),
    ({"annotations": {"a": "x" * 262144}}, ["metadata.annotations: Too long: may not be more than 262144 bytes"]),
    ({"annotations": {"a": "\u00e9" * 131072}}, ["metadata.annotations: Too long: may not be more than 262144 bytes"]),
    ({"finalizers": ["kubernetes", "orphan", "example.com/a"]}, []),
    (
        {"finalizers": ["mine"]},
        [
            (
                'metadata.finalizers[0]: Invalid value: "mine": '
                "name is neither a standard finalizer name nor is it fully qualified"
            )
        ],
    ),
    (
        {"finalizers": ["orphan", "foregroundDeletion"]},
        [
            (
                'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
                "finalizer orphan and foregroundDeletion cannot be both set"
            )
        ],
    ),
    ({"ownerReferences": [OWNER, OWNER | {"controller": True}]}, []),
    (
        {"ownerReferences": [{"apiVersion": "apps/", "controller": False}]},
        [
            'metadata.ownerReferences.apiVersion: Invalid value: "apps/": version must not be empty',
            'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
            'metadata.ownerReferences.name: Invalid value: "": must not be empty',
            'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        ],
    ),
    (
        {"ownerReferences": [OWNER | {"apiVersion": "v1", "kind": "Event"}]},
        [
            (
                'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"web","uid":"u"}: '
                "/v1, Kind=Event is disallowed from being an owner"
            )
        ],
    ),
    (
        {"managedFields": [{"operation": "Apply", "manager": "kubectl"}, {"operation": "apply", "fieldsType": "V2"}]},
        [
            'metadata.managedFields[1].operation: Invalid value: "apply": must be `Apply` or `Update`',
            'metadata.managedFields[1].fieldsType: Invalid value: "V2": must be `FieldsV1`',
        ],
    ),
    (
        {"managedFields": [{"operation": "Update", "manager": "a\u00e9\n" + "x" * 128, "subresource": "s" * 257}]},
        [
            "metadata.managedFields[0].manager: Too long: may not be more than 128 bytes",
            'metadata.managedFields[0].manager: Invalid value: "a\u00e9\\n' + "x" * 128 + '": '
            "invalid character U+000A (at position 3)",
            "metadata.managedFields[0].subresource: Too long: may not be more than 256 bytes",
        ],
    ),
]


@pytest.mark.parametrize(("meta", "found"), FAULTS)
def test_create(meta: dict[str, Any], found: list[str]) -> None:
    errors = Errors()
    metadata.create(config_map(**meta), errors, CONTEXT)
    assert starts(errors) == found


def test_two_controllers() -> None:
    errors = Errors()
    owners = [OWNER | {"controller": True}, OWNER | {"controller": True, "name": "b"}]
    metadata.create(config_map(ownerReferences=owners), errors, CONTEXT)
    assert errors.causes[0].message.endswith(
        ": Only one reference can have Controller set to true. "
        'Found "true" in references for ReplicaSet/web and ReplicaSet/b'
    )


UPDATES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"labels": {"a": "b"}}, {}, []),
    ({"name": "b"}, {}, ['metadata.name: Invalid value: "b": field is immutable']),
    ({"namespace": "b"}, {"namespace": "c"}, ['metadata.namespace: Invalid value: "b": field is immutable']),
    ({"uid": "b"}, {"uid": "c"}, ['metadata.uid: Invalid value: "b": field is immutable']),
    ({}, {"uid": "c"}, []),
    (
        {"finalizers": ["example.com/b", "example.com/a"]},
        {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/a"]},
        [
            (
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
                'found new finalizers []string{"example.com/b"}'
            )
        ],
    ),
]


@pytest.mark.parametrize(("meta", "old", "found"), UPDATES)
def test_update(meta: dict[str, Any], old: dict[str, Any], found: list[str]) -> None:
    errors = Errors()
    metadata.update(config_map(**meta), config_map(**old), errors)
    assert starts(errors) == found


def test_some_kinds_ask_for_the_version() -> None:
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"}, "spec": {}}
    causes = validate(budget, group="policy", context=CONTEXT, old=budget)
    message = 'Invalid value: "": must be specified for an update'
    assert Cause("metadata.resourceVersion", "FieldValueInvalid", message) in causes


SELECTORS: list[tuple[Any, list[str]]] = [
    (None, []),
    ({}, []),
    ({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": [""]}]}, []),
    ({"matchLabels": {"a": "-"}}, ["s.matchLabels"]),
    ({"matchExpressions": [{"key": "a", "operator": "NotIn"}]}, ["s.matchExpressions[0].values"]),
    ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, ["s.matchExpressions[0].values"]),
    ({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}, ["s.matchExpressions[0].operator"]),
    ({"matchExpressions": [{"key": "", "operator": "Exists"}]}, ["s.matchExpressions[0].key"] * 2),
    ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "-"]}]}, ["s.matchExpressions[0].values[1]"]),
]


@pytest.mark.parametrize(("selector", "fields"), SELECTORS)
def test_label_selector(selector: Any, fields: list[str]) -> None:
    errors = Errors()
    metadata.label_selector(selector, errors, "s")
    assert [c.field for c in errors.causes] == fields


def test_selector_with_any_value() -> None:
    errors = Errors()
    expression = {"key": "a", "operator": "In", "values": ["-"]}
    metadata.label_selector({"matchExpressions": [expression]}, errors, "s", any_value=True)
    assert not errors


@pytest.mark.parametrize(
    ("minor", "message"),
    [
        (31, "Too long: must have at most 262144 bytes"),
        (32, "Too long: may not be more than 262144 bytes"),
    ],
)
def test_older_words_of_lengths(minor: int, message: str) -> None:
    errors = Errors()
    errors.too_long("metadata.annotations", 262144)
    assert [c.message for c in wording.in_release(errors.causes, minor)] == [message]


@pytest.mark.parametrize(
    ("minor", "words"),
    [(33, "a qualified name must consist of"), (34, "a valid label key must consist of")],
)
def test_older_words_of_label_keys(minor: int, words: str) -> None:
    new = config_map(labels={"a/b/c": ""})
    (cause,) = validate(new, group="", context=Context(minor))
    assert cause.message.startswith(f'Invalid value: "a/b/c": {words}')
