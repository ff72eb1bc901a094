"""Reading an object of a built-in kind as the server's decoder does, into the form in which it is written again.

One closure a struct, compiled when first needed, checks, copies and normalises at once: null is "absent", a null list
item or map value is its zero value, quantities and times take their canonical text, and what Go would not write (an
empty value under `omitempty`) is left out while what it always writes (a struct that is no pointer) is put in.
Whatever the server would refuse raises Mismatch; kplan/api/decode_errors.py then finds the words for it.
Follows sigs.k8s.io/json, encoding/json and the UnmarshalJSON and MarshalJSON of the API's own types.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

from kplan import quantity
from kplan.api import gotime
from kplan.schema.formats import is_base64, is_integer
from kplan.schema.node import Node

Convert = Callable[[Any], Any]
Unknown = Literal["refuse", "keep", "drop"]

NIL = object()  # the zero value of a Go list, map, pointer or time: written as null, or not at all


class Mismatch(Exception):  # noqa: N818 - a verdict that ends the fast path, not an error of kplan
    """A value that the server's decoder refuses."""


def converter(node: Node, unknown: Unknown = "refuse") -> Convert:
    """The compiled decoder of a node; `unknown` says what becomes of fields that the kind does not have.

    The decoder gives a new value and never changes its argument; it raises Mismatch for a value of a wrong type.
    """
    convert = _FORMATS.get(node.format) or _TYPES.get(node.type)
    return convert or _compiled(node, unknown)


@lru_cache(maxsize=None)
def _compiled(node: Node, unknown: Unknown) -> Convert:
    if node.format in _UNIONS:
        return _union(node)
    if node.type == "array" and node.items is not None:
        return _list(node.items, unknown)
    if node.type == "object" and node.values is not None:
        return _map(node.values, unknown)
    if node.fields is not None:
        return _struct(node, unknown)
    return copied


def zero(node: Node) -> Any:
    """What Go writes for a value of this type that was never set; NIL for null."""
    if node.format in _ZEROS or node.type in _ZEROS:
        return _ZEROS.get(node.format, _ZEROS.get(node.type))
    return converter(node)({}) if node.fields is not None else NIL


def is_written_empty(node: Node, name: str) -> bool:
    """Whether Go writes this field of a struct even if it was never set."""
    go, field = node.go_field(name), (node.fields or {})[name]
    if go.pointer or not go.omitempty:
        return not go.omitempty
    # To omitempty a struct is never empty, and these values are structs in Go.
    return not go.omitzero and (field.fields is not None or field.format in _STRUCTS)


def _struct(node: Node, unknown: Unknown) -> Convert:
    members: dict[str, tuple[type | None, bool, Convert]] = {}
    always: list[tuple[str, Callable[[], Any]]] = []

    def read_fields() -> None:
        for name, field in (node.fields or {}).items():
            written = is_written_empty(node, name)
            keep = written or node.go_field(name).pointer
            members[name] = (_PLAIN.get(field.type) if not field.format else None, keep, converter(field, unknown))
            if written and not node.go_field(name).pointer and not _is_nil(field):
                always.append((name, lambda field=field: zero(field)))

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch
        if not members:  # late, for a schema may hold itself
            read_fields()
        out: dict[str, Any] = {}
        for name, v in value.items():
            member = members.get(name)
            if member is None:
                _unknown(name, v, out, unknown)
            elif v is not None:
                plain, keep, inner = member
                if type(v) is not plain:
                    v = inner(v)
                if v or keep:
                    out[name] = v
        for name, make in always:
            if name not in out:
                out[name] = make()
        return out

    return convert


def _unknown(name: str, value: Any, out: dict[str, Any], unknown: Unknown) -> None:
    if unknown == "refuse":
        raise Mismatch
    if unknown == "keep":
        out[name] = copied(value)


def _is_nil(node: Node) -> bool:
    return zero(node) is NIL if node.fields is None else False


def _list(items: Node, unknown: Unknown) -> Convert:
    inner = converter(items, unknown)

    def convert(value: Any) -> Any:
        if type(value) is not list:
            raise Mismatch
        return [inner(v) if v is not None else _zero_item(items) for v in value]

    return convert


def _map(values: Node, unknown: Unknown) -> Convert:
    inner = converter(values, unknown)
    plain = _PLAIN.get(values.type) if not values.format else None

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch
        return {
            k: v if type(v) is plain else inner(v) if v is not None else _zero_item(values) for k, v in value.items()
        }

    return convert


def _zero_item(node: Node) -> Any:
    value = zero(node)
    return None if value is NIL else value


def _union(node: Node) -> Convert:
    """A JSON schema or something else. The inner decoder is not strict (apiextensions/v1/marshal.go)."""
    assert node.items is not None
    schema = node.items

    def convert(value: Any) -> Any:
        if type(value) is dict:
            return converter(schema, "drop")(value)
        if type(value) is list and node.format == "schema-or-array":
            return [converter(schema, "drop")(v if v is not None else {}) for v in value]
        if type(value) is list and node.format == "schema-or-strings":
            return [_string(v) for v in value]
        if node.format == "schema-or-bool" and type(value) is not bool:
            raise Mismatch
        return value if type(value) is bool else None

    return convert


def copied(value: Any) -> Any:
    """A deep copy of plain JSON values."""
    if type(value) is dict:
        return {k: copied(v) for k, v in value.items()}
    return [copied(v) for v in value] if type(value) is list else value


def _exactly(wanted: type) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is not wanted:
            raise Mismatch
        return value

    return convert


_string = _exactly(str)


def _integer(width: str) -> Convert:
    def convert(value: Any) -> Any:
        if not is_integer(value, width):
            raise Mismatch
        return int(value)

    return convert


_int32 = _integer("int32")


def _number(value: Any) -> Any:
    if type(value) not in (int, float):
        raise Mismatch
    return value


def _int_or_string(value: Any) -> Any:
    return value if type(value) is str else _int32(value)


def _bytes(value: Any) -> str:
    if type(value) is list and all(is_integer(v or 0, "") and 0 <= (v or 0) <= 255 for v in value):
        return base64.b64encode(bytes(int(v or 0) for v in value)).decode()
    if type(value) is not str or not is_base64(value):
        raise Mismatch
    return base64.b64encode(base64.b64decode(value)).decode()


def _quantity(value: Any) -> str:
    return _amount(value.strip() if type(value) is str else quantity.number_text(_number(value)))


@lru_cache(maxsize=4096)
def _amount(text: str) -> str:
    try:
        return quantity.canonical(quantity.parse(text))
    except quantity.QuantityError:
        raise Mismatch from None


def _time(layout: gotime.Layout) -> Convert:
    def convert(value: Any) -> str | None:
        try:
            return gotime.canonical(_string(value), layout)
        except gotime.TimeError:
            raise Mismatch from None

    return convert


_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}
_TYPES: Mapping[str, Convert] = {
    "string": _string,
    "boolean": _exactly(bool),
    "integer": _integer("int64"),
    "number": _number,
}
_FORMATS: Mapping[str, Convert] = {
    "int32": _int32,
    "int64": _integer("int64"),
    "double": _number,
    "byte": _bytes,
    "date-time": _time(gotime.SECONDS),
    "micro-time": _time(gotime.MICROSECONDS),
    "int-or-string": _int_or_string,
    "quantity": _quantity,
}
_UNIONS = ("schema-or-bool", "schema-or-array", "schema-or-strings")
_STRUCTS = ("date-time", "micro-time", "int-or-string", "quantity")
_ZEROS: Mapping[str, Any] = {
    "byte": NIL,
    "date-time": NIL,
    "micro-time": NIL,
    "int-or-string": 0,
    "quantity": "0",
    "string": "",
    "boolean": False,
    "integer": 0,
    "number": 0,
}
