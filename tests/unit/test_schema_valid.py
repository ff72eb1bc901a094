"""Compiled validators of built-in kinds: the decoder's rules, recordings, and jsonschema as an independent judge."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from kplan.schema import Node, catalog, is_valid
from kplan.schema.problems import problems
from kplan.schema.structural import prune

DATA = Path(__file__).parents[1] / "data" / "schema" / "recorded.jsonl"
HOLE = object()


def kind(api_version: str, name: str, version: str = "1.36") -> Node:
    info = catalog(version).kind(api_version, name)
    assert info is not None
    return info.node


def with_value(obj: Any, pointer: str, value: Any = HOLE) -> Any:
    """A copy of an object with the value at a JSON pointer replaced, added or (HOLE) removed."""
    obj = copy.deepcopy(obj)
    *way, last = [s.replace("~1", "/").replace("~0", "~") for s in pointer.split("/")[1:]]
    holder = obj
    for step in way:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if isinstance(holder, list):
        holder[int(last) : int(last) + 1] = [] if value is HOLE else [value]
    elif value is HOLE:
        holder.pop(last, None)
    else:
        holder[last] = value
    return obj


def agrees(node: Node, value: Any) -> bool:
    """The verdict, once the explaining pass has been seen to agree with it."""
    verdict = is_valid(node, value)
    assert verdict == (not problems(node, value))
    return verdict


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"name": "a"}]}}

# Kind, pointer into a small object, value, whether the decoder takes it.
DECODER = [
    ("Pod", "/spec/hostNetwork", True, True),
    ("Pod", "/spec/hostNetwork", "true", False),
    ("Pod", "/spec/hostNetwork", 1, False),
    ("Pod", "/spec/hostNetwork", None, True),
    ("Pod", "/spec/priority", 2147483647, True),
    ("Pod", "/spec/priority", 2147483648, False),
    ("Pod", "/spec/priority", 1.0, True),
    ("Pod", "/spec/priority", 1.5, False),
    ("Pod", "/spec/priority", True, False),
    ("Pod", "/spec/priority", "1", False),
    ("Pod", "/spec/activeDeadlineSeconds", 2**63 - 1, True),
    ("Pod", "/spec/activeDeadlineSeconds", 2**63, False),
    ("Pod", "/spec/activeDeadlineSeconds", 1e300, False),
    ("Pod", "/spec/activeDeadlineSeconds", float("inf"), False),
    ("Pod", "/spec/nodeSelector", {"a": "b", "c": None}, True),
    ("Pod", "/spec/nodeSelector", {"a": 1}, False),
    ("Pod", "/spec/nodeSelector", [], False),
    ("Pod", "/spec/nodeSelector", None, True),
    ("Pod", "/spec/tolerations", [None, {}], True),
    ("Pod", "/spec/tolerations", {}, False),
    ("Pod", "/spec/containers/0/args", ["a", None], True),
    ("Pod", "/spec/containers/0/args", ["a", 1], False),
    ("Pod", "/spec/containers/0/name", HOLE, True),
    ("Pod", "/spec/containers/0/Name", "b", False),
    ("Pod", "/spec/containers/0/unknown", None, False),
    ("Pod", "/spec/containers", HOLE, True),
    ("Pod", "/spec", None, True),
    ("Pod", "/spec", [], False),
    ("Pod", "/spec/overhead", {"cpu": "100m", "memory": 5, "x": 0.5, "y": None}, True),
    ("Pod", "/spec/overhead", {"cpu": " 1 "}, True),
    ("Pod", "/spec/overhead", {"cpu": "1 Gi"}, False),
    ("Pod", "/spec/overhead", {"cpu": ""}, False),
    ("Pod", "/spec/overhead", {"cpu": True}, False),
    ("Pod", "/spec/overhead", {"cpu": {}}, False),
    ("Pod", "/metadata/creationTimestamp", "2024-02-29T1:02:03.5+05:30", True),
    ("Pod", "/metadata/creationTimestamp", "2024-02-29T01:02:03Z", True),
    ("Pod", "/metadata/creationTimestamp", "2023-02-29T01:02:03Z", False),
    ("Pod", "/metadata/creationTimestamp", "2024-02-29 01:02:03Z", False),
    ("Pod", "/metadata/creationTimestamp", "2024-02-29T24:02:03Z", False),
    ("Pod", "/metadata/creationTimestamp", "2024-02-29T01:02:03", False),
    ("Pod", "/metadata/creationTimestamp", "2024-02-29T01:02:03Z\n", False),
    ("Pod", "/metadata/creationTimestamp", 1709168523, False),
    ("Pod", "/metadata/managedFields", [{"fieldsV1": {"f:spec": {}}}], True),
    ("Lease", "/spec/renewTime", "2024-02-29T01:02:03.000001Z", True),
    ("Lease", "/spec/renewTime", "2024-02-29T01:02:03Z", False),
    ("Secret", "/data", {"a": "YQ==", "b": "", "c": "Y\nQ==\r\n"}, True),
    ("Secret", "/data", {"a": "YQ="}, False),
    ("Secret", "/data", {"a": "Y Q=="}, False),
    ("Secret", "/data", {"a": "_-=="}, False),
    ("Secret", "/data", {"a": [104, 105]}, True),
    ("Secret", "/data", {"a": [256]}, False),
    ("Secret", "/data", {"a": 1}, False),
    ("Service", "/spec/ports", [{"port": 80, "targetPort": "web"}, {"targetPort": 8080}], True),
    ("Service", "/spec/ports", [{"port": 80, "targetPort": 1.5}], False),
    ("Service", "/spec/ports", [{"port": 80, "targetPort": True}], False),
    ("Service", "/spec/ports", [{"port": "80"}], False),
    ("ControllerRevision", "/data", {"any": [1, "thing"]}, True),
    ("ControllerRevision", "/data", 7, True),
    ("ControllerRevision", "/revision", "1", False),
]
API_VERSIONS = {"Lease": "coordination.k8s.io/v1", "ControllerRevision": "apps/v1"}
SMALL: dict[str, Any] = {"Pod": POD}


@pytest.mark.parametrize(("name", "pointer", "value", "valid"), DECODER)
def test_the_decoder(name: str, pointer: str, value: Any, valid: bool) -> None:
    obj = SMALL.get(name, {"kind": name, "metadata": {}, "spec": {}})
    if "spec" not in pointer and name != "Pod":
        obj = {"kind": name}
    node = kind(API_VERSIONS.get(name, "v1"), name)
    assert agrees(node, obj)
    assert agrees(node, with_value(obj, pointer, value)) == valid


@pytest.mark.parametrize("value", [None, {}])
def test_nothing_is_required_by_the_decoder(value: Any) -> None:
    assert agrees(kind("apps/v1", "Deployment"), value)


@pytest.mark.parametrize("value", [[], "x", 1, True, 1.5])
def test_an_object_is_an_object(value: Any) -> None:
    assert not agrees(kind("apps/v1", "Deployment"), value)


# The unions inside a CustomResourceDefinition have decoders of their own, which are not strict.
@pytest.mark.parametrize(
    ("field", "value", "valid"),
    [
        ("type", "object", True),
        ("unknown", 1, False),
        ("default", {"any": ["thing"]}, True),
        ("enum", ["a", 1, None], True),
        ("properties", {"a": {"type": "string"}}, True),
        ("properties", {"a": {"typ": "string"}}, False),
        ("properties", {"a": {"properties": {"b": {"maximum": "1"}}}}, False),
        ("additionalProperties", True, True),
        ("additionalProperties", {"type": "string", "unknown": 1}, True),
        ("additionalProperties", {"type": 1}, False),
        ("additionalProperties", "true", False),
        ("additionalProperties", [], False),
        ("items", {"type": "string"}, True),
        ("items", [{"type": "string"}, {"type": 1}], False),
        ("items", 7, True),
        ("dependencies", {"a": ["b"], "c": {"type": "object"}}, True),
        ("dependencies", {"c": {"type": []}}, False),
    ],
)
def test_schemas_in_a_crd(field: str, value: Any, valid: bool) -> None:
    versions = [{"name": "v1", "schema": {"openAPIV3Schema": {field: value}}}]
    assert (
        agrees(kind("apiextensions.k8s.io/v1", "CustomResourceDefinition"), {"spec": {"versions": versions}}) == valid
    )


@lru_cache(maxsize=1)
def recorded() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Objects and changes to them, recorded from a Kubernetes 1.36 API server."""
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
    return {r["base"]: r["object"] for r in rows if "object" in r}, [r for r in rows if "at" in r]


def test_recorded_objects_are_valid() -> None:
    for name, obj in recorded()[0].items():
        assert agrees(kind(obj["apiVersion"], obj["kind"]), obj), name


def test_recorded_verdicts_of_the_decoder() -> None:
    bases, changes = recorded()
    wrong = []
    for r in changes:
        base = bases[r["base"]]
        changed = with_value(base, r["at"], r.get("value", HOLE))
        found = problems(kind(base["apiVersion"], base["kind"]), changed)
        if agrees(kind(base["apiVersion"], base["kind"]), changed) != (r["code"] != 400):
            wrong.append(r)
        if found:
            at = tuple(int(s) if s.isdigit() else s.replace("~1", "/") for s in r["at"].split("/")[1:])
            assert [p.path for p in found] == [at]
    assert len(changes) > 500
    assert not wrong


def go_place(node: Node, pointer: str) -> tuple[str, str]:
    """A place as encoding/json names it, and the Go type there: `PodSpec.spec.priority`, `int32`."""
    struct, path = "", []
    for step in pointer.split("/")[1:]:
        if node.type == "array":
            node = node.items or node
        elif node.values is not None:
            node = node.values
        else:
            assert node.fields is not None
            struct = node.go_type.rpartition(".")[2]
            embedded = node.go_field(step).embedded
            path += [*filter(None, embedded.split(".")), step]
            node = node.fields[step]
    decoded_as = {"intstr.IntOrString": "int32", "v1.Time": "string", "v1.MicroTime": "string"}
    return f"{struct}.{'.'.join(path)}", decoded_as.get(node.go_type, node.go_type)


def test_recorded_go_types() -> None:
    bases, changes = recorded()
    seen = 0
    for r in changes:
        base = bases[r["base"]]
        if "go" in r and "/items/" not in r["at"]:
            place, go_type = go_place(kind(base["apiVersion"], base["kind"]), r["at"])
            assert f"Go struct field {place} of type {go_type}" in r["go"]
            seen += 1
    assert seen > 100


@lru_cache(maxsize=2)
def published(version: str) -> Any:
    """The OpenAPI definitions of a release without the rules that are no matter of decoding."""
    pytest.importorskip("kubernetes_validate")
    folder = resources.files("kubernetes_validate").joinpath("kubernetes-json-schema", f"v{version}.0-local-strict")
    definitions = json.loads(folder.joinpath("_definitions.json").read_text(encoding="utf-8"))["$defs"]
    todo: list[Any] = [definitions]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            part.pop("description", None) if isinstance(part.get("description"), str) else None
            part.pop("required", None) if isinstance(part.get("required"), list) else None
            part.pop("enum", None) if isinstance(part.get("enum"), list) else None
            if isinstance(part.get("type"), str):
                part["type"] = [part["type"], "null"]
            if list(part) == ["oneOf"]:
                part["anyOf"] = part.pop("oneOf")  # null satisfies both sides
            todo += part.values()
        elif isinstance(part, list):
            todo += part
    return definitions


def judge(version: str, definition: str) -> Any:
    """jsonschema's validator of one published definition; nothing is ever fetched."""
    import jsonschema
    import referencing
    from referencing.jsonschema import DRAFT7

    schema = {"$ref": f"#/$defs/{definition}", "$defs": published(version)}
    registry: Any = referencing.Registry().with_resource("", DRAFT7.create_resource(schema))
    return jsonschema.Draft202012Validator(schema, registry=registry)


def places(value: Any, pointer: str = "") -> Iterator[str]:
    """Pointers to all members of a value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, v in members:
        here = f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}"
        yield here
        yield from places(v, here)


# Values for which OpenAPI without formats says what the decoder says.
VALUES = [None, True, 7, 0.5, "x", [], {}, ["x"], {"x": "x"}, [{}], {"unknownField": 1}, [7]]
OWN_DECODER = {"int-or-string", "quantity", "byte", "date-time", "micro-time"}


def has_own_decoder(node: Node, pointer: str) -> bool:
    """Whether a place is read by code that OpenAPI does not describe."""
    for step in pointer.split("/")[1:]:
        inner = node.items or node.values or (node.fields or {}).get(step.replace("~1", "/"))
        if inner is None:
            return node.preserve_unknown or node.format in OWN_DECODER
        node = inner
    inside = node.items or node.values or node
    return any(n.format in OWN_DECODER or n.preserve_unknown for n in (node, inside))


@pytest.mark.parametrize(
    ("version", "api_version", "name", "definition"),
    [
        ("1.36", "apps/v1", "Deployment", "io.k8s.api.apps.v1.Deployment"),
        ("1.36", "v1", "Service", "io.k8s.api.core.v1.Service"),
        ("1.36", "networking.k8s.io/v1", "Ingress", "io.k8s.api.networking.v1.Ingress"),
        ("1.29", "batch/v1", "CronJob", "io.k8s.api.batch.v1.CronJob"),
        ("1.29", "autoscaling/v2", "HorizontalPodAutoscaler", "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"),
        ("1.29", "v1", "ConfigMap", "io.k8s.api.core.v1.ConfigMap"),
    ],
)
def test_jsonschema_agrees(version: str, api_version: str, name: str, definition: str) -> None:
    node, validator = kind(api_version, name, version), judge(version, definition)
    found = next(o for o in recorded()[0].values() if (o["apiVersion"], o["kind"]) == (api_version, name))
    base = prune(node, found)  # what this release knows of it
    rng = random.Random(f"{version} {name}")
    pointers = [p for p in places(base) if not has_own_decoder(node, p)]
    verdicts = set()
    for pointer in rng.sample(pointers, min(30, len(pointers))):
        for value in rng.sample(VALUES, 4):
            changed = with_value(base, pointer, value)
            verdict = is_valid(node, changed)
            assert verdict == validator.is_valid(changed), (pointer, value)
            verdicts.add(verdict)
    assert verdicts == {True, False}
