"""Validators compiled from Node trees: one closure a node, made when first needed, that says yes or no.

A built-in kind is valid when the API server's strict decoder takes it: no unknown field, no value of a wrong type.
The rules are those of sigs.k8s.io/json and of the types' own UnmarshalJSON; null is taken everywhere. What OpenAPI
calls required is no matter of decoding. A custom resource is valid when it also satisfies its OpenAPI rules, with
defaults and dropped nulls taken into account (kplan/schema/rules.py).
`problems` (kplan/schema/problems.py) says what is wrong, and is meant for objects that fail here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kplan.schema import formats
from kplan.schema.node import Check, Node


def _text(check: Check) -> Check:
    return lambda value: (type(value) is str and check(value)) or value is None


def _bytes(value: Any) -> bool:
    """Base64 text, or what Go also reads into bytes: a list of small numbers."""
    if type(value) is list:
        return all(v is None or (formats.is_integer(v, "") and 0 <= v <= 255) for v in value)
    return value is None or (type(value) is str and formats.is_base64(value))


def _number(value: Any) -> bool:
    return type(value) in (int, float) or value is None


def _int32(value: Any) -> bool:
    return (
        (type(value) is int and -2147483648 <= value <= 2147483647)
        or value is None
        or formats.is_integer(value, "int32")
    )


def _int64(value: Any) -> bool:
    return value is None or formats.is_integer(value, "int64")


_TYPES: Mapping[str, Check] = {
    "string": lambda value: type(value) is str or value is None,
    "boolean": lambda value: type(value) is bool or value is None,
    "integer": _int64,
    "number": _number,
}
_FORMATS: Mapping[str, Check] = {
    "int32": _int32,
    "int64": _int64,
    "double": _number,
    "byte": _bytes,
    "date-time": _text(formats.is_time),
    "micro-time": _text(formats.is_micro_time),
    "int-or-string": lambda value: type(value) is str or _int32(value),
    "quantity": lambda value: value is None or formats.is_quantity(value),
}
_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}
# Whether a list may stand for a schema, and which other values do.
_UNIONS: Mapping[str, tuple[bool, Check]] = {
    "schema-or-bool": (False, lambda value: type(value) is bool or value is None),
    "schema-or-array": (True, lambda value: True),
    "schema-or-strings": (False, lambda value: True),
}


def is_valid(node: Node, value: Any) -> bool:
    """Whether the API server would decode this value without an error or an unknown field."""
    return bool(checker(node)(value))


def checker(node: Node, *, strict: bool = True) -> Check:
    """The compiled validator of a node; `strict=False` lets unknown fields pass."""
    check = node.check if strict else node.loose_check
    if check is None:
        check = _compile(node, strict)
        if strict:
            node.check = check
        else:
            node.loose_check = check
    return check


def _compile(node: Node, strict: bool) -> Check:
    own = _FORMATS.get(node.format) or _TYPES.get(node.type)
    if own is not None:
        return own
    if node.format in _UNIONS:
        return _union(node.items, *_UNIONS[node.format])
    if node.type == "array" and node.items is not None:
        return _list(node.items, strict)
    if node.type == "object" and node.values is not None:
        return _map(node.values, strict)
    if node.type == "object" and not node.preserve_unknown:
        return _struct(node, strict)
    return lambda value: True


def _leaf(node: Node, strict: bool) -> Any:
    """What a struct or list asks of a member: the Python type itself where that decides, else a closure."""
    if not node.format and node.type in _PLAIN and not node.rules:
        return _PLAIN[node.type]
    return checker(node, strict=strict)


def _struct(node: Node, strict: bool) -> Check:
    members: dict[str, Any] = {}

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return value is None
        if not members:  # filled late: a schema may hold itself
            members.update((name, _leaf(n, strict)) for name, n in (node.fields or {}).items())
        find = members.get
        for name, v in value.items():
            want = find(name)
            if type(v) is want or (v is None and want is not None):
                continue
            if want is None:
                if strict:
                    return False
            elif want is str or want is bool or not want(v):
                return False
        return True

    return check


def _map(values: Node, strict: bool) -> Check:
    want = _leaf(values, strict)
    plain = want is str or want is bool

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return value is None
        for v in value.values():
            if type(v) is not want and v is not None and (plain or not want(v)):
                return False
        return True

    return check


def _list(items: Node, strict: bool) -> Check:
    want = _leaf(items, strict)
    plain = want is str or want is bool

    def check(value: Any) -> bool:
        if type(value) is not list:
            return value is None
        for v in value:
            if type(v) is not want and v is not None and (plain or not want(v)):
                return False
        return True

    return check


def _union(schema: Node | None, array: bool, others: Callable[[Any], bool]) -> Check:
    """A JSON schema or something else. The inner decoder is not strict (apiextensions/v1/marshal.go)."""
    assert schema is not None

    def check(value: Any) -> bool:
        if type(value) is dict:
            return checker(schema, strict=False)(value)
        if array and type(value) is list:
            return all(checker(schema, strict=False)(v) for v in value)
        return others(value)

    return check
