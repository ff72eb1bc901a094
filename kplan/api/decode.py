"""Reading an object of a built-in kind as the server's decoder does, into the form in which it is written again.

One closure a struct, compiled when first needed, checks, copies and normalises at once: null is "absent", a null list
item or map value is its zero value, quantities and times take their canonical text, and what Go would not write (an
empty value under `omitempty`) is left out while what it always writes (a struct that is no pointer) is put in.
Whatever the server would refuse raises Mismatch; kplan/api/decode_errors.py then finds the words for it.
Follows sigs.k8s.io/json, encoding/json and the UnmarshalJSON and MarshalJSON of the API's own types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from kplan import quantity
from kplan.hints import TYPE_CHECKING, Any
from kplan.schema.formats import is_base64, is_integer
from kplan.schema.node import Node
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from typing import Literal

Convert = Callable[[Any], Any]
Finish = Callable[[dict[str, Any]], None]

NIL = object()  # the zero value of a Go list, map, pointer or time: written as null, or not at all


class Mismatch(Exception):  # noqa: N818 - a verdict that ends the fast path, not an error of kplan
    """A value that the server's decoder refuses."""


class Mode(NamedTuple):
    """How to decode: what becomes of fields that the kind does not have, and what is done to each object when read.

    `finish` gives, for a struct or a map, the function that completes one in place (versioned defaults), or None.
    """

    unknown: Literal["refuse", "keep", "drop"] = "refuse"
    finish: Callable[[Node], Finish | None] | None = None


STRICT = Mode()


def converter(node: Node, mode: Mode = STRICT) -> Convert:
    """The compiled decoder of a node, which gives a new value, never changes its argument and may raise Mismatch."""
    convert = _FORMATS.get(node.format) or _TYPES.get(node.type)
    return convert or _compiled(node, mode)


@cache
def _compiled(node: Node, mode: Mode) -> Convert:
    if node.format in _UNIONS:
        return _union(node, mode)
    if node.type == "array" and node.items is not None:
        return _list(node.items, mode)
    if node.type == "object" and node.values is not None:
        return _finished(_map(node.values, mode), node, mode)
    if node.is_struct:
        return _finished(_struct(node, mode), node, mode)
    return copied


def _finished(convert: Convert, node: Node, mode: Mode) -> Convert:
    finish = mode.finish(node) if mode.finish else None
    if finish is None:
        return convert

    def convert_and_finish(value: Any) -> Any:
        out = convert(value)
        finish(out)
        return out

    return convert_and_finish


def zero(node: Node, mode: Mode = STRICT) -> Any:
    """What Go writes for a value of this type that was never set; NIL for null."""
    if node.format in _ZEROS or node.type in _ZEROS:
        return _ZEROS.get(node.format, _ZEROS.get(node.type))
    return converter(node, mode)({}) if node.is_struct else NIL


def _zero_maker(node: Node, mode: Mode) -> Callable[[], Any]:
    """What makes the zero value of a type that is not written as null."""
    return partial(converter(node, mode), {}) if node.is_struct else partial(zero, node)


def is_written_empty(node: Node, name: str) -> bool:
    """Whether Go writes this field of a struct even if it was never set."""
    go, field = node.go_field(name), (node.fields or {})[name]
    if go.pointer or not go.omitempty:
        return not go.omitempty
    # To omitempty a struct is never empty, and these values are structs in Go.
    return not go.omitzero and (field.is_struct or field.format in _STRUCTS or _is_any(field))


class _Members(NamedTuple):
    """The fields of a struct: (type that needs no conversion, whether empty values stay, decoder), and zero values."""

    fields: dict[str, tuple[type | None, bool, Convert]]
    always: Sequence[tuple[str, Callable[[], Any]]]


def _members(node: Node, mode: Mode) -> _Members:
    fields, always = {}, []
    for name, field in (node.fields or {}).items():
        pointer, written = node.go_field(name).pointer, is_written_empty(node, name)
        keep = written or pointer or (node.name, name) in _EMPTY_MATTERS
        fields[name] = (None if field.format else _PLAIN.get(field.type), keep, converter(field, mode))
        if written and not pointer and not is_nil(field):
            always.append((name, _zero_maker(field, mode)))
    return _Members(fields, always)


def _struct(node: Node, mode: Mode) -> Convert:
    find: Callable[[str], tuple[type | None, bool, Convert] | None] | None = None
    always: Sequence[tuple[str, Callable[[], Any]]] = ()

    def convert(value: Any) -> Any:
        nonlocal find, always
        if type(value) is not dict:
            raise Mismatch
        if find is None:  # late, for a schema may hold itself
            fields, always = _members(node, mode)
            find = fields.get
        out: dict[str, Any] = {}
        for name, v in value.items():
            member = find(name)
            if member is None:
                _unknown(name, v, out, mode)
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


def _unknown(name: str, value: Any, out: dict[str, Any], mode: Mode) -> None:
    if mode.unknown == "refuse":
        raise Mismatch
    if mode.unknown == "keep":
        out[name] = copied(value)


def is_nil(node: Node) -> bool:
    """Whether the zero value of this type is written as null."""
    return not node.is_struct and zero(node) is NIL


def _is_any(node: Node) -> bool:
    return not node.type and node.format not in _UNIONS


def _list(items: Node, mode: Mode) -> Convert:
    inner = converter(items, mode)

    def convert(value: Any) -> Any:
        if type(value) is not list:
            raise Mismatch
        return [inner(v) if v is not None else _zero_item(items, mode) for v in value]

    return convert


def _map(values: Node, mode: Mode) -> Convert:
    inner = converter(values, mode)
    plain = _PLAIN.get(values.type) if not values.format else None

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise Mismatch
        return {
            k: v if type(v) is plain else inner(v) if v is not None else _zero_item(values, mode)
            for k, v in value.items()
        }

    return convert


def _zero_item(node: Node, mode: Mode) -> Any:
    if node.format == "byte":  # the protocol buffers of the storage know no null bytes
        return ""
    value = zero(node, mode)
    return None if value is NIL else value


def _union(node: Node, mode: Mode) -> Convert:
    """A JSON schema or something else. The inner decoder is not strict (apiextensions/v1/marshal.go)."""
    assert node.items is not None
    schema, inside = node.items, mode._replace(unknown="drop")
    inner: Convert | None = None

    def convert(value: Any) -> Any:
        nonlocal inner
        if inner is None:  # late, for a schema holds itself
            inner = converter(schema, inside)
        if type(value) is dict:
            return inner(value)
        if type(value) is list and node.format == "schema-or-array":
            return [inner(v if v is not None else {}) for v in value]
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
    from base64 import b64decode, b64encode

    if type(value) is list:
        numbers = [0 if v is None else v for v in value]
        if all(is_integer(n, "") and 0 <= n <= 255 for n in numbers):
            return b64encode(bytes(map(int, numbers))).decode()
    if type(value) is not str or not is_base64(value):
        raise Mismatch
    return b64encode(b64decode(value)).decode()


def _quantity(value: Any) -> str:
    text = quantity.normalise(value)
    if text is None:
        raise Mismatch
    return text


def _time(*, micro: bool) -> Convert:
    def convert(value: Any) -> str | None:
        from kplan.api import gotime  # few objects hold a time

        try:
            return gotime.canonical(_string(value), gotime.MICROSECONDS if micro else gotime.SECONDS)
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
    "date-time": _time(micro=False),
    "micro-time": _time(micro=True),
    "int-or-string": _int_or_string,
    "quantity": _quantity,
}
_UNIONS = ("schema-or-bool", "schema-or-array", "schema-or-strings")
# Where an empty value means something else than none; such an object is refused later.
_EMPTY_MATTERS = {("autoscaling.v2.HPAScalingRules", "policies"), ("core.v1.PersistentVolumeSpec", "capacity")}
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
