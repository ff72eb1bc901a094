"""What is wrong with an object that its compiled validator refused: every place, a sentence, and what was meant.

Values never appear in a sentence, for they may be secret. The order is that of the object.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import Any
from kplan.model import Path, format_path
from kplan.schema.compile import checker, is_leaf
from kplan.schema.definitions import lines
from kplan.schema.formats import json_type
from kplan.schema.node import Node
from kplan.schema.spelling import nearest
from kplan.tuples import NamedTuple

_EXPECTED = {
    "int-or-string": "an integer or a string",
    "quantity": "a quantity such as 500m or 2Gi",
    "date-time": "a time such as 2006-01-02T15:04:05Z",
    "micro-time": "a time such as 2006-01-02T15:04:05.000000Z",
    "byte": "base64 text",
    "int32": "a 32-bit integer",
    "int64": "a 64-bit integer",
    "schema-or-bool": "true, false or a schema",
}
_ARTICLES = {
    "": "any value",
    "object": "an object",
    "array": "a list",
    "string": "a string",
    "boolean": "true or false",
}
_ARTICLES |= {"integer": "an integer", "number": "a number", "null": "null"}


class Problem(NamedTuple):
    """One thing that does not fit the schema.

    `kind` is unknown, type, format, required or duplicate, and for a custom resource also the keyword that it breaks
    (enum, pattern, maximum …). `suggestion` is a sentence, or "".
    """

    path: Path
    kind: str
    detail: str
    suggestion: str = ""


def problems(node: Node, value: Any, *, required: bool = False) -> list[Problem]:
    """All problems of a value; none if `is_valid` takes it.

    `required` also asks for the fields that the schema of a built-in kind calls required. The API server's decoder
    does not, though its validation mostly will.
    """
    found = _custom(node, value) if node.custom else _walk(node, value, (), required, strict=True)
    return [p._replace(suggestion=_suggestion(node, p.path)) if p.kind == "unknown" else p for p in found]


def _walk(node: Node, value: Any, path: Path, required: bool, *, strict: bool) -> Iterator[Problem]:
    if value is None or (checker(node, strict=strict)(value) and not required):
        return
    if node.format.startswith("schema-or-") and node.items is not None and isinstance(value, dict):
        yield from _walk(node.items, value, path, required, strict=False)
    elif node.format == "schema-or-array" and node.items is not None and isinstance(value, list):
        for i, v in enumerate(value):
            yield from _walk(node.items, v, path + (i,), required, strict=False)
    elif is_leaf(node) or json_type(value) != node.type:
        if not checker(node, strict=strict)(value):
            yield _mismatch(node, value, path)
    elif isinstance(value, list) and node.items is not None:
        for i, v in enumerate(value):
            yield from _walk(node.items, v, path + (i,), required, strict=strict)
    elif isinstance(value, dict):
        yield from _walk_object(node, value, path, required, strict)


def _walk_object(node: Node, value: dict[str, Any], path: Path, required: bool, strict: bool) -> Iterator[Problem]:
    fields = node.fields or {}
    for name, v in value.items():
        inner = fields.get(name, node.values)
        if inner is not None:
            yield from _walk(inner, v, path + (name,), required, strict=strict)
        elif strict and node.fields is not None:
            yield Problem(path + (name,), "unknown", f'unknown field "{name}"')
    for name in node.required if required else ():
        if value.get(name) is None:
            yield Problem(path + (name,), "required", f'field "{name}" is required')


def _mismatch(node: Node, value: Any, path: Path) -> Problem:
    expected = _EXPECTED.get(node.format) or _ARTICLES[node.type]
    got = json_type(value)
    fits = got == node.type or (got in ("integer", "number") and node.type in ("integer", "number"))
    if fits and node.format:
        return Problem(path, "format", f"expected {expected}")
    return Problem(path, "type", f"expected {expected}, got {_ARTICLES[got]}")


def _custom(node: Node, value: Any) -> Iterator[Problem]:
    from kplan.schema import rules, structural  # for custom resources only

    metadata = (node.fields or {}).get("metadata")
    is_resource = metadata is not None and not metadata.custom
    if metadata is not None and is_resource:
        if not isinstance(value, dict):
            yield Problem((), "type", f"expected an object, got {_ARTICLES[json_type(value)]}")
            return
        yield from _walk(metadata, value.get("metadata"), ("metadata",), False, strict=True)
    for path in structural.unknown_fields(node, value):
        if not is_resource or path[0] != "metadata":
            yield Problem(path, "unknown", f'unknown field "{path[-1]}"')
    whole = structural.apply_defaults(node, value)
    for v in rules.violations(rules.compile(node.rules), whole):
        yield Problem(v.path, v.kind, v.detail)
    for path, _ in structural.duplicates(node, whole):
        yield Problem(path, "duplicate", "the list has this item already")


def _suggestion(root: Node, path: Path) -> str:
    """What was probably meant by a field that its struct does not have: a sentence, or ""."""
    name = str(path[-1])
    above = _structs_above(root, path)
    parent = above[-1][1]
    fields = parent.fields or {}
    near = nearest(name, fields)
    child = next((c for c, inner in fields.items() if name in ((inner.items or inner).fields or {})), "")
    owner = next((p for p, node in reversed(above) if name in (node.fields or {})), None)
    if releases := _releases(parent, name):
        return releases
    if near or child:
        inside = f"{child}[]" if child and fields[child].items else child
        return f'did you mean "{near or f"{inside}.{name}"}"?'
    return "" if owner is None else f"it belongs to {format_path(owner) or 'the object itself'}"


def _structs_above(root: Node, path: Path) -> list[tuple[Path, Node]]:
    """The places on the way to a field and their nodes, outermost first."""
    found: list[tuple[Path, Node]] = [((), root)]
    for i, step in enumerate(path[:-1]):
        node = found[-1][1]
        inner = node.items if isinstance(step, int) else (node.fields or {}).get(step, node.values)
        found.append((path[: i + 1], inner or Node()))
    return found


def _releases(node: Node, name: str) -> str:
    """When another release has the field."""
    shard, _, short = node.name.rpartition(".")
    found = [(first, last) for field, first, last, _ in lines(shard, short) if field == name] if shard else []
    if not found:
        return ""
    first, last = found[0][0], found[-1][1]
    return f"it exists from Kubernetes 1.{first} on" if last == 99 else f"it exists up to Kubernetes 1.{last}"
