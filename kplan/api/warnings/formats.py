"""The formats in the schema of a CustomResourceDefinition that nothing checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kplan.api.validation.plainschema import Part, is_known_format, parts
from kplan.hints import Any


def unknown_formats(schema: dict[str, Any]) -> Iterator[str]:
    """Those of a schema, in the order in which they are written; one may come several times."""
    return _formats(parts(schema))


def _formats(part: Part) -> Iterator[str]:
    """The formats that nothing checks in a part of a schema, in the order in which they are written."""
    schema = part.schema
    if not part.quiet:
        yield from _format(schema)
    named = dict(part.properties)
    for name in schema["properties"] if named else ():
        if name in named:
            yield from _formats(named[name])
    for inner in (part.item, part.additional):
        if inner is not None:
            yield from _formats(inner)
    if not part.quiet:
        yield from _in_junctors(schema)


def _format(schema: Mapping[str, Any]) -> Iterator[str]:
    format_ = schema.get("format")
    if isinstance(format_, str) and format_ and not is_known_format(format_, schema.get("type")):
        yield format_


def _in_junctors(schema: Mapping[str, Any]) -> Iterator[str]:
    for key in ("not", "allOf", "anyOf", "oneOf"):
        inner = schema.get(key) or ()
        for child in (inner,) if key == "not" else inner:
            yield from _anywhere(child)


def _anywhere(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    yield from _format(schema)
    for child in (schema.get("properties") or {}).values():
        yield from _anywhere(child)
    for key in ("items", "additionalProperties"):
        yield from _anywhere(schema.get(key))
    yield from _in_junctors(schema)
