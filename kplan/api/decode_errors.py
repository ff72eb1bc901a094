"""Why the server's decoder refuses an object, in its own words: the slow path behind kplan/api/decode.py.

Follows sigs.k8s.io/json (a case-sensitive encoding/json that collects unknown fields) and the UnmarshalJSON of the
API's own types. A value of a wrong type is noted and decoding goes on; an error of a type with a decoder of its own
ends it. Only if neither happened are the unknown fields reported. Keys are visited in the order in which kubectl
sends them, sorted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan import quantity
from kplan.api import gotime
from kplan.hints import Any
from kplan.schema.formats import is_integer
from kplan.schema.node import Node
from kplan.tuples import NamedTuple

_MOST_UNKNOWN_FIELDS = 100  # sigs.k8s.io/json gives up counting
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_LINE_BREAKS = b"\r\n"


class Verdict(NamedTuple):
    """What the decoder says: the error that ends decoding ("" if none), and the unknown fields as paths."""

    error: str
    unknown: tuple[str, ...]


class _Stop(Exception):  # noqa: N818 - an error of the decoder that is being imitated
    """An error that a type's own decoder returned; nothing after it is looked at."""


class _Place(NamedTuple):
    """Where a value is: the Go struct and the Go fields on the way to it, and the path in the document."""

    struct: str
    fields: tuple[str, ...]
    path: str

    def error(self, what: str, go_type: str) -> str:
        """encoding/json's UnmarshalTypeError."""
        where = f"{self.struct}.{'.'.join(self.fields)}"
        return f"json: cannot unmarshal {what} into Go struct field {where} of type {go_type}"

    def key(self, name: str) -> _Place:
        """The place of an entry of a map, or of the item `[i]` of a list."""
        joined = name if name.startswith("[") or not self.path else f".{name}"
        return self._replace(path=f"{self.path}{joined}")


class _Decoder:
    """One run over a document; `strict` and `frozen` are off and on inside a JSON schema's own decoder."""

    def __init__(self, *, strict: bool = True, frozen: bool = False) -> None:
        self.first = ""
        self.unknown: list[str] = []
        self.strict = strict
        self.frozen = frozen

    def value(self, node: Node, value: Any, at: _Place) -> None:
        """Decode one value that is not null."""
        own = _OWN_DECODERS.get(node.format)
        if own is not None:
            own(value, at)
        elif node.format.startswith("schema-or-"):
            _schema_union(node, value, at)
        elif node.fields is not None:
            self.struct(node, value, at)
        elif node.values is not None:
            self.map(node, value, at)
        elif node.items is not None:
            self.list(node, value, at)
        elif node.type:
            self.scalar(node, value, at)

    def struct(self, node: Node, value: Any, at: _Place) -> None:
        if type(value) is not dict:
            self.note(at.error(_word(value), node.go_type))
            return
        struct = at.struct if self.frozen else node.go_type.rpartition(".")[2]
        for name in sorted(value):
            field = (node.fields or {}).get(name)
            inside = at.key(name)
            if field is None:
                self.unknown_field(inside.path)
            elif value[name] is not None:
                embedded = node.go_field(name).embedded
                steps = (*embedded.split("."), name) if embedded else (name,)
                self.value(field, value[name], inside._replace(struct=struct, fields=(*at.fields, *steps)))

    def unknown_field(self, path: str) -> None:
        if self.strict and path not in self.unknown and len(self.unknown) < _MOST_UNKNOWN_FIELDS:
            self.unknown.append(path)

    def map(self, node: Node, value: Any, at: _Place) -> None:
        assert node.values is not None
        if type(value) is not dict:
            self.note(at.error(_word(value), node.go_type))
            return
        for name in sorted(value):
            if value[name] is not None:
                self.value(node.values, value[name], at.key(name))

    def list(self, node: Node, value: Any, at: _Place) -> None:
        assert node.items is not None
        if type(value) is not list:
            self.note(at.error(_word(value), node.go_type))
            return
        for i, v in enumerate(value):
            if v is not None:
                self.value(node.items, v, at.key(f"[{i}]"))

    def scalar(self, node: Node, value: Any, at: _Place) -> None:
        if node.format == "byte":
            self.bytes(value, at)
        elif node.type == "integer" and type(value) in (int, float):
            if not is_integer(value, node.format):
                self.note(at.error(f"number {quantity.number_text(value)}", node.go_type))
        elif not isinstance(value, _PYTHON_TYPES[node.type]) or (type(value) is bool and node.type != "boolean"):
            self.note(at.error(_word(value), node.go_type))

    def bytes(self, value: Any, at: _Place) -> None:
        if type(value) is str:
            offset = base64_error(value.encode("utf-8", "replace"))
            if offset is not None:
                self.note(f"illegal base64 data at input byte {offset}")
        elif type(value) is list:
            for v in value:
                if v is None:
                    continue
                if type(v) not in (int, float):
                    self.note(at.error(_word(v), "uint8"))
                elif not (is_integer(v, "") and 0 <= v <= 255):
                    self.note(at.error(f"number {quantity.number_text(v)}", "uint8"))
        else:
            self.note(at.error(_word(value), "[]uint8"))

    def note(self, error: str) -> None:
        self.first = self.first or error


def explain(node: Node, value: Any) -> Verdict:
    """What the decoder of a kind says about an object."""
    decoder = _Decoder()
    try:
        decoder.struct(node, value, _Place("", (), ""))
    except _Stop as stop:
        return Verdict(str(stop), tuple(decoder.unknown))
    return Verdict(decoder.first, tuple(decoder.unknown))


def _schema_union(node: Node, value: Any, at: _Place) -> None:
    """A JSON schema or something else is decoded by a decoder of its own, whose first error ends everything.

    The outer decoder puts its own struct name over the inner one's (apiextensions/v1/marshal.go).
    """
    assert node.items is not None
    inner = _Decoder(strict=False, frozen=True)
    if type(value) is dict:
        inner.struct(node.items, value, at)
    elif type(value) is list and node.format == "schema-or-array":
        for v in value:
            if v is not None:
                inner.struct(node.items, v, at)
    elif type(value) is list and node.format == "schema-or-strings":
        for v in value:
            if v is not None and type(v) is not str:
                inner.note(at.error(_word(v), "string"))
    elif node.format == "schema-or-bool" and type(value) is not bool:
        inner.note("boolean or JSON schema expected")
    if inner.first:
        raise _Stop(inner.first)


def _quantity(value: Any, at: _Place) -> None:  # noqa: ARG001 - the error does not say where
    text = value.strip() if type(value) is str else quantity.number_text(value) if type(value) in (int, float) else "x"
    try:
        quantity.parse(text)
    except quantity.QuantityError as e:
        raise _Stop(str(e)) from None


def _time(layout: gotime.Layout) -> Callable[[Any, _Place], None]:
    def decode(value: Any, at: _Place) -> None:
        if type(value) is not str:
            raise _Stop(at.error(_word(value), "string"))
        try:
            gotime.canonical(value, layout)
        except gotime.TimeError as e:
            raise _Stop(str(e)) from None

    return decode


def _int_or_string(value: Any, at: _Place) -> None:
    if type(value) in (int, float):
        if not is_integer(value, "int32"):
            raise _Stop(at.error(f"number {quantity.number_text(value)}", "int32"))
    elif type(value) is not str:
        raise _Stop(at.error(_word(value), "int32"))


def _word(value: Any) -> str:
    """What encoding/json calls a value of this type."""
    return _WORDS[type(value)]


def base64_error(data: bytes) -> int | None:
    """Where encoding/base64 stops reading; None for a text that it takes."""
    i, size = 0, len(data)
    while i < size:
        have = 0
        while have < 4:
            i = _skip_breaks(data, i)
            if i == size:
                return None if have == 0 else i - have
            c = data[i]
            i += 1
            if c in _BASE64:
                have += 1
            elif c != ord("="):
                return i - 1
            else:
                return _padding_error(data, i, have)
    return None


def _padding_error(data: bytes, i: int, have: int) -> int | None:
    """The same, after the first `=` at i - 1 with `have` characters of the group read."""
    if have < 2:
        return i - 1
    if have == 2:
        i = _skip_breaks(data, i)
        if i == len(data):
            return i
        if data[i] != ord("="):
            return i - 1
        i += 1
    i = _skip_breaks(data, i)
    return i if i < len(data) else None


def _skip_breaks(data: bytes, i: int) -> int:
    while i < len(data) and data[i] in _LINE_BREAKS:
        i += 1
    return i


_WORDS: Mapping[type, str] = {
    str: "string",
    bool: "bool",
    int: "number",
    float: "number",
    dict: "object",
    list: "array",
}
_PYTHON_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "number": (int, float),
    "integer": (),
}
_OWN_DECODERS: Mapping[str, Callable[[Any, _Place], None]] = {
    "quantity": _quantity,
    "date-time": _time(gotime.SECONDS),
    "micro-time": _time(gotime.MICROSECONDS),
    "int-or-string": _int_or_string,
}
