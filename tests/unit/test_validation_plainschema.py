"""Passing over the plain parts of a schema hides nothing: the same is said when none is passed over."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kplan.api import admit
from kplan.api.validation import crdschema, plainschema
from kplan.api.warnings import formats

EITHER = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
PARTS: tuple[dict[str, Any], ...] = (
    {"description": "text", "title": "t", "enum": ["a"], "nullable": True},
    {"format": "int64"},
    {"format": "odd"},
    {"pattern": "^[a-z]+$"},
    {"pattern": "(?=x)"},
    {"default": {}},
    {"default": 3, "type": "string"},
    {"uniqueItems": True},
    {"required": ["a"], "minProperties": 1},
    EITHER,
    {"x-kubernetes-int-or-string": True},
    {**EITHER, "default": 3},
    {**EITHER, "x-kubernetes-preserve-unknown-fields": True},
    {**EITHER, "x-kubernetes-list-type": "atomic"},
    {**EITHER, "properties": {"a": {"type": "string"}}},
    {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
    {"anyOf": [{"required": ["a"]}, {"properties": {"b": {"minLength": 1}}}]},
    {"not": {"type": "object"}},
    {"allOf": [{"items": {"minLength": 1}}]},
    {"x-kubernetes-preserve-unknown-fields": True},
    {"x-kubernetes-preserve-unknown-fields": False},
    {"x-kubernetes-embedded-resource": True},
    {"x-kubernetes-list-type": "atomic"},
    {"x-kubernetes-list-type": "set"},
    {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"]},
    {"x-kubernetes-list-map-keys": ["a"]},
    {"x-kubernetes-map-type": "granular"},
    {"x-kubernetes-map-type": "odd"},
    {"x-kubernetes-validations": [{"rule": "self.size() > 0"}]},
    {"additionalProperties": True},
    {"additionalProperties": False},
    {"properties": {"metadata": {"type": "object"}, "apiVersion": {"type": "string", "default": "v1"}}},
    {"type": "array"},
    {"type": "odd"},
    {"type": ""},
    {"$ref": "#/x"},
)


def _schema(draw: random.Random, depth: int) -> dict[str, Any]:
    """A schema that is plain for the most part."""
    kinds_here = ("object", "array", "map") if depth else ()
    kind = draw.choice((*kinds_here, "string", "integer"))
    made: dict[str, Any] = {"type": "object" if kind == "map" else kind, "description": "d"}
    if kind == "object":
        made["properties"] = {name: _schema(draw, depth - 1) for name in ("a", "b", "metadata")[: draw.randint(1, 3)]}
    elif kind == "array":
        made["items"] = _schema(draw, depth - 1)
    elif kind == "map":
        made["additionalProperties"] = _schema(draw, depth - 1)
    if draw.random() < 0.2:
        made |= draw.choice(PARTS)
        if "x-kubernetes-int-or-string" in made and draw.random() < 0.8:
            del made["type"]
    return made


def _answer(schema: dict[str, Any]) -> object:
    names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    spec = {"group": "example.org", "names": names, "scope": "Namespaced", "versions": [version]}
    meta = {"name": "things.example.org"}
    definition = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    found = admit(definition | {"metadata": meta, "spec": spec})
    return found.accepted, found.causes, found.warnings


def test_the_same_is_said_without_passing_over(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(7)
    schemas = [{"type": "object", "properties": {"spec": _schema(draw, 3), "s": _schema(draw, 2)}} for _ in range(800)]
    found = [_answer(s) for s in schemas]
    for module, name in ((crdschema, "parts"), (crdschema, "root"), (formats, "parts")):
        monkeypatch.setattr(module, name, _whole)
    assert found == [_answer(s) for s in schemas]
    assert 200 < sum(1 for accepted, *_ in found if accepted) < 700  # type: ignore[misc]


def _whole(schema: dict[str, Any]) -> plainschema.Part:
    """A schema of which nothing is plain and no part is quiet."""
    item, additional, properties = (schema.get(key) for key in ("items", "additionalProperties", "properties"))
    named = properties.items() if isinstance(properties, dict) else ()
    return plainschema.Part(
        schema,
        item=_whole(item) if isinstance(item, dict) else None,
        additional=_whole(additional) if isinstance(additional, dict) else None,
        properties=tuple(sorted((name, _whole(inner if isinstance(inner, dict) else {})) for name, inner in named)),
    )


def test_what_is_looked_at() -> None:
    odd = {"type": "string", "default": "x"}
    rules = {"type": "string", "x-kubernetes-validations": [{"rule": "true"}]}
    inner = {"type": "string", "description": "d", "pattern": "a+"}
    above = {"type": "array", "items": odd}
    properties = {"d": {"type": "array", "items": inner}, "c": above, "b": rules, "a": inner}
    schema = {"type": "object", "properties": properties}
    part = plainschema.Part
    quiet = part(above, quiet=True, item=part(odd, quiet=True))
    found = plainschema.parts(schema)
    assert found == part(schema, properties=(("b", part(rules)), ("c", quiet)))
    assert plainschema.parts({"type": "object"}) != found
    assert plainschema.parts(schema) is found  # a definition has several versions


@pytest.mark.parametrize(
    ("schema", "accepted"),
    [
        ({"type": "string", "default": "a"}, True),
        ({"type": "string", "default": True}, False),
        ({"type": "boolean", "default": "true"}, False),
        ({"type": "string", "default": "a", "enum": ["b", "a"]}, True),
        ({"type": "string", "default": "a", "enum": ["b"]}, False),
        ({"type": "boolean", "default": True, "enum": [1]}, False),
        ({"type": "string", "default": "a", "maxLength": 0}, False),
        ({"type": "string", "default": "a", "format": "date"}, False),
    ],
)
def test_defaults_are_checked(schema: dict[str, Any], accepted: bool) -> None:
    answer: Any = _answer({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": schema}}}})
    assert answer[0] is accepted
