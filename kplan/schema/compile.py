"""Validators compiled from Node trees: one closure a node, made when first needed, that says yes or no.

A built-in kind is valid when the API server's strict decoder takes it: no unknown field, no value of a wrong type.
The rules are those of sigs.k8s.io/json and of the types' own UnmarshalJSON; null is taken everywhere. What OpenAPI
calls required is no matter of decoding. A custom resource is valid when no field of it is pruned, its metadata
decodes, and it satisfies the OpenAPI rules of its schema once defaults are in (kplan/schema/rules.py); its CEL rules
are not looked at. kplan/schema/problems.py says what is wrong with an object that fails here.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.hints import Any
from kplan.schema import formats
from kplan.schema.node import Check, Node


def is_valid(node: Node, value: Any) -> bool:
    """Whether the API server would take this value as far as its schema goes."""
    return checker(node)(value)


def checker(node: Node, *, strict: bool = True) -> Check:
    """The compiled validator of a node; `strict=False` lets unknown fields of built-in kinds pass."""
    check = node.check if strict else node.loose_check
    if check is None:
        check = _compile(node, strict)
        if strict:
            node.check = check
        else:
            node.loose_check = check
    return check


def is_leaf(node: Node) -> bool:
    """Whether the checker of a built-in node looks at the value itself, and not at its members."""
    return node.format in _FORMATS or node.type in _TYPES


def _compile(node: Node, strict: bool) -> Check:
    if node.custom:
        return _custom(node)
    leaf = _FORMATS.get(node.format) or _TYPES.get(node.type)
    if leaf is not None:
        return leaf
    if node.format in _UNIONS:
        return _union(node)
    if node.type == "array" and node.items is not None:
        return _list(node.items, strict)
    if node.type == "object" and node.values is not None:
        return _map(node.values, strict)
    if node.type == "object" and not node.preserve_unknown:
        return _struct(node, strict)
    return _anything


def _anything(_: Any) -> bool:
    return True


def _boolean(value: Any) -> bool:
    return type(value) is bool or value is None


def _string(value: Any) -> bool:
    return type(value) is str or value is None


def _number(value: Any) -> bool:
    return type(value) is int or type(value) is float or value is None


def _int32(value: Any) -> bool:
    if type(value) is int:
        return -2147483648 <= value <= 2147483647
    return value is None or formats.is_integer(value, "int32")


def _int64(value: Any) -> bool:
    return value is None or formats.is_integer(value, "int64")


def _int_or_string(value: Any) -> bool:
    return type(value) is str or _int32(value)


def _quantity(value: Any) -> bool:
    return value is None or formats.is_quantity(value)


def _bytes(value: Any) -> bool:
    """Base64 text, or what Go also reads into bytes: a list of small numbers."""
    if type(value) is list:
        return all(v is None or (formats.is_integer(v, "") and 0 <= v <= 255) for v in value)
    return value is None or (type(value) is str and formats.is_base64(value))


def _time(value: Any) -> bool:
    return value is None or (type(value) is str and formats.is_time(value))


def _micro_time(value: Any) -> bool:
    return value is None or (type(value) is str and formats.is_micro_time(value))


_TYPES: Mapping[str, Check] = {"string": _string, "boolean": _boolean, "integer": _int64, "number": _number}
_FORMATS: Mapping[str, Check] = {
    "int32": _int32,
    "int64": _int64,
    "double": _number,
    "byte": _bytes,
    "date-time": _time,
    "micro-time": _micro_time,
    "int-or-string": _int_or_string,
    "quantity": _quantity,
}
# The unions of apiextensions/v1/marshal.go: whether a list may stand for the schema, and what else may.
_UNIONS: Mapping[str, tuple[bool, Check]] = {
    "schema-or-bool": (False, _boolean),
    "schema-or-array": (True, _anything),
    "schema-or-strings": (False, _anything),
}
_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}


def _member(node: Node, strict: bool) -> Any:
    """What a container asks of a member: the Python type itself where that decides (a call saved), else a closure."""
    if not node.format and node.type in _PLAIN and not node.custom:
        return _PLAIN[node.type]
    return checker(node, strict=strict)


def _struct(node: Node, strict: bool) -> Check:
    members: dict[str, Any] = {}

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return value is None
        if not members:  # filled late: a schema may hold itself
            members.update((name, _member(n, strict)) for name, n in (node.fields or {}).items())
        for name, v in value.items():
            want = members.get(name)
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
    want = _member(values, strict)
    plain = isinstance(want, type)

    def check(value: Any) -> bool:
        if type(value) is not dict:
            return value is None
        for v in value.values():  # noqa: SIM110 - a generator would cost more than the check
            if type(v) is not want and v is not None and (plain or not want(v)):
                return False
        return True

    return check


def _list(items: Node, strict: bool) -> Check:
    want = _member(items, strict)
    plain = isinstance(want, type)

    def check(value: Any) -> bool:
        if type(value) is not list:
            return value is None
        for v in value:  # noqa: SIM110 - a generator would cost more than the check
            if type(v) is not want and v is not None and (plain or not want(v)):
                return False
        return True

    return check


def _union(node: Node) -> Check:
    """A JSON schema, or something else. The decoder inside is not strict."""
    schema = node.items or node
    array, other = _UNIONS[node.format]

    def check(value: Any) -> bool:
        if type(value) is dict:
            return checker(schema, strict=False)(value)
        if array and type(value) is list:
            return all(checker(schema, strict=False)(v) for v in value)
        return other(value)

    return check


def _custom(node: Node) -> Check:
    from kplan.schema import rules, structural  # for custom resources only

    compiled = rules.compile(node.rules)
    metadata = (node.fields or {}).get("metadata")
    metadata_check = checker(metadata) if metadata is not None and not metadata.custom else None

    def check(value: Any) -> bool:
        if metadata_check and not (type(value) is dict and metadata_check(value.get("metadata"))):
            return False
        if structural.prune(node, value) is not value:
            return False
        whole = structural.apply_defaults(node, value)
        return rules.holds(compiled, whole) and not any(structural.duplicates(node, whole))

    return check
