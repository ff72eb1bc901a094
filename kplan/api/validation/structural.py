"""Structural schemas: a tree of types in which logic (anyOf, not …) only adds rules about values.

Follows apiextensions-apiserver/pkg/apiserver/schema (validation.go, complete.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kplan.api.validation.field import Errors
from kplan.api.validation.plainschema import Part
from kplan.hints import Any

Schema = Mapping[str, Any]

ROOT, ITEM, FIELD = "at the root", "for specified array items", "for specified object fields"
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_EMBEDDED, _PRESERVE, _INT_OR_STRING = (
    "x-kubernetes-embedded-resource",
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-int-or-string",
)
# What only the structure may say -> how the refusal of it in a junctor goes on.
_STRUCTURE_ONLY: Mapping[str, str] = {
    "type": "empty",
    "additionalProperties": "undefined",
    "default": "undefined",
    "title": "empty",
    "description": "empty",
    "nullable": "false",
    _PRESERVE: "false",
    _EMBEDDED: "false",
    _INT_OR_STRING: "false",
    "x-kubernetes-list-map-keys": "undefined",
    "x-kubernetes-list-type": "undefined",
    "x-kubernetes-map-type": "undefined",
    "x-kubernetes-validations": "empty",
}
_EITHER = [{"type": "integer"}, {"type": "string"}]


def schema_at(holder: Schema, key: str) -> Schema | None:
    """A schema inside a schema, if there is one (and not a boolean or a list)."""
    value = holder.get(key)
    return value if isinstance(value, dict) else None


def schemas_at(holder: Schema, key: str) -> list[Schema]:
    """The schemas of a list of them."""
    listed = holder.get(key)
    return [s if isinstance(s, dict) else {} for s in listed] if isinstance(listed, list) else []


def properties_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The properties of a schema by name, in order."""
    properties = schema_at(schema, "properties")
    for name in sorted(properties or ()):
        inner = (properties or {})[name]
        yield name, inner if isinstance(inner, dict) else {}


def structural(part: Part, errors: Errors, at: str) -> None:
    """Report what keeps a schema from being structural."""
    _invariants(part, errors, at, ROOT)
    _completeness(part, errors, at)


def _invariants(part: Part, errors: Errors, at: str, level: str) -> None:
    schema = part.schema
    if part.item is not None:
        _invariants(part.item, errors, f"{at}.items", ITEM)
    for name, inner in part.properties:
        _invariants(inner, errors, f"{at}.properties[{name}]", FIELD)
    if level == ROOT and schema_at(schema, "additionalProperties") is not None:
        errors.forbidden(f"{at}.additionalProperties", "must not be used at the root")
    if part.additional is not None:
        _invariants(part.additional, errors, f"{at}.additionalProperties", FIELD)
    if part.quiet:
        return
    _extensions(schema, errors, at)
    _junctors(schema, errors, at, _is_either(schema))
    _type(schema, errors, at, level)
    if level == ROOT or schema.get(_EMBEDDED) is True:
        _resource_fields(schema, errors, at)


def _type(schema: Schema, errors: Errors, at: str, level: str) -> None:
    kind = schema.get("type") or ""
    if schema.get(_EMBEDDED) is True and kind != "object":
        _must_be(errors, f"{at}.type", kind, f"must be object if {_EMBEDDED} is true")
    elif not kind and schema.get(_INT_OR_STRING) is not True and schema.get(_PRESERVE) is not True:
        errors.required(f"{at}.type", f"must not be empty {level}")
    if schema.get(_EMBEDDED) is True:
        if schema.get("additionalProperties"):
            errors.forbidden(f"{at}.additionalProperties", f"must not be used if {_EMBEDDED} is set")
        if schema.get(_PRESERVE) is not True and not schema.get("properties"):
            detail = f"must not be empty if {_EMBEDDED} is true without {_PRESERVE}"
            errors.required(f"{at}.properties", detail)
    if level == ROOT and kind and kind != "object":
        errors.invalid(f"{at}.type", kind, "must be object at the root")


def _must_be(errors: Errors, at: str, kind: str, detail: str) -> None:
    if kind:
        errors.invalid(at, kind, detail)
    else:
        errors.required(at, detail)


def _extensions(schema: Schema, errors: Errors, at: str) -> None:
    if schema.get(_INT_OR_STRING) is not True:
        return
    detail = f"must be false if {_INT_OR_STRING} is true"
    for name in (_PRESERVE, _EMBEDDED):
        if schema.get(name) is True:
            errors.invalid(f"{at}.{name}", True, detail)


def _resource_fields(schema: Schema, errors: Errors, at: str) -> None:
    """What a schema of a whole resource may say about apiVersion, kind and metadata: next to nothing."""
    properties = dict(properties_of(schema))
    for name in ("kind", "apiVersion"):
        kind = properties.get(name, {}).get("type") or ""
        if name in properties and kind != "string":
            errors.invalid(f"{at}.properties[{name}].type", kind, "must be string")
    meta = properties.get("metadata")
    if meta is None:
        return
    if (meta.get("type") or "") != "object":
        errors.invalid(f"{at}.properties[metadata].type", meta.get("type") or "", "must be object")
    rest = {k: v for k, v in meta.items() if k not in ("type", "description", "properties", "default") and v}
    if rest or {n for n, _ in properties_of(meta)} - {"name", "generateName"}:
        errors.forbidden(
            f"{at}.properties[metadata]",
            "must not specify anything other than name and generateName, but metadata is implicitly specified",
        )


def _is_either(schema: Schema) -> str:
    """Where a schema says "integer or string" in a junctor, which is allowed: "anyOf", "allOf" or ""."""
    if schema.get("anyOf") == _EITHER:
        return "anyOf"
    first = next(iter(schemas_at(schema, "allOf")), {})
    return "allOf" if first.get("anyOf") == _EITHER else ""


def _junctors(schema: Schema, errors: Errors, at: str, either: str = "") -> None:
    for junctor in _JUNCTORS:
        for i, inner in enumerate(schemas_at(schema, junctor)):
            if junctor == "anyOf" == either:
                continue
            skip = "anyOf" if either == junctor == "allOf" and i == 0 else ""
            _nested(inner, errors, f"{at}.{junctor}[{i}]", skip)
    unwanted = schema_at(schema, "not")
    if unwanted is not None:
        _nested(unwanted, errors, f"{at}.not", "")


def _nested(schema: Schema, errors: Errors, at: str, either: str) -> None:
    """The rules of a schema inside a junctor, which must not describe structure."""
    _junctors(schema, errors, at, either)
    item = schema_at(schema, "items")
    if item is not None:
        _nested(item, errors, f"{at}.items", "")
    for name, inner in properties_of(schema):
        _nested(inner, errors, f"{at}.properties[{name}]", "")
    for name, word in _STRUCTURE_ONLY.items():
        value = schema.get(name)
        if value or (value is not None and word == "undefined"):
            errors.forbidden(f"{at}.{name}", f"must be {word} to be structural")
    if "metadata" in (schema_at(schema, "properties") or {}):
        errors.forbidden(f"{at}.properties[metadata]", "must not be specified in a nested context")


def _completeness(part: Part, errors: Errors, at: str) -> None:
    if not part.quiet:
        _complete_junctors(part.schema, part.schema, errors, at, at)
    if part.item is not None:
        _completeness(part.item, errors, f"{at}.items")
    for name, inner in part.properties:
        _completeness(inner, errors, f"{at}.properties[{name}]")
    if part.additional is not None:
        _completeness(part.additional, errors, f"{at}.additionalProperties")


def _complete_junctors(rules: Schema, schema: Schema, errors: Errors, at: str, said: str) -> None:
    for junctor in _JUNCTORS:
        for i, inner in enumerate(schemas_at(rules, junctor)):
            _complete(inner, schema, errors, at, f"{said}.{junctor}[{i}]")
    unwanted = schema_at(rules, "not")
    if unwanted is not None:
        _complete(unwanted, schema, errors, at, f"{said}.not")


def _complete(rules: Schema, schema: Schema, errors: Errors, at: str, said: str) -> None:
    """Whatever the rules of a junctor speak of must be part of the structure."""
    _complete_junctors(rules, schema, errors, at, said)
    item = schema_at(rules, "items")
    if item is not None:
        known = schema_at(schema, "items")
        if known is None:
            errors.required(f"{at}.items", f"because it is defined in {said}.items")
        else:
            _complete(item, known, errors, f"{at}.items", f"{said}.items")
    structure = dict(properties_of(schema))
    for name, inner in properties_of(rules):
        place = f"properties[{name}]"
        if name in structure:
            _complete(inner, structure[name], errors, f"{at}.{place}", f"{said}.{place}")
        elif schema_at(schema, "additionalProperties") is None:
            errors.required(f"{at}.{place}", f"because it is defined in {said}.{place}")
