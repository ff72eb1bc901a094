"""Structural schemas as types of expressions.

Follows k8s.io/apiserver/pkg/cel (common/schemas.go, escaping.go). Types are made when first asked
for, so the size of a schema costs nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kplan.api.cel.lexer import RESERVED, WORDS
from kplan.api.cel.types import BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, Type, list_of, map_of
from kplan.hints import Any
from kplan.patterns import lazy

Schema = Mapping[str, Any]

_RESERVED = RESERVED | WORDS
_SPECIAL = {"__": "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__"}
_MEANT = {e: c for c, e in _SPECIAL.items()} | {f"__{word}__": word for word in _RESERVED}
_ESCAPED = lazy("|".join(sorted(_MEANT, key=len, reverse=True)))
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*").fullmatch
_SIMPLE = {"boolean": BOOL, "number": DOUBLE, "integer": INT}
_TEXTS = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}
_META: Schema = {"type": "object", "properties": {"name": {"type": "string"}, "generateName": {"type": "string"}}}
_TEXT: Schema = {"type": "string"}


@lru_cache(maxsize=4096)
def escape(name: str) -> str | None:
    """A property as the name of a field; None if it cannot be one."""
    if name in _RESERVED:
        return f"__{name}__"
    escaped = re.sub(r"__|[./-]", lambda m: _SPECIAL[m[0]], name)
    return escaped if _NAME(escaped) else None


@lru_cache(maxsize=4096)
def unescape(field: str) -> str:
    """The property that a field stands for; a field that no property has stays as it is."""
    if "__" not in field:
        return field
    name = _ESCAPED.sub(lambda m: _MEANT[m[0]], field)
    return name if escape(name) == field else field


def properties(schema: Schema, *, root: bool = False) -> Mapping[str, Schema]:
    """The properties of an object, with those that every resource has."""
    own = schema_in(schema.get("properties")) or {}
    if not root and schema.get("x-kubernetes-embedded-resource") is not True:
        return own
    return {"apiVersion": _TEXT, "kind": _TEXT, **own, "metadata": _META}


def type_of(schema: Schema | None, name: str, *, root: bool = False) -> Type | None:
    """The type of the values of a schema; None if it has none that expressions can use.

    `name` is the path by which messages call an object.
    """
    if schema is None:
        return None
    if schema.get("x-kubernetes-int-or-string") is True:
        return DYN
    kind = "object" if root else schema.get("type")
    if kind == "array":
        item = type_of(schema_in(schema.get("items")), f"{name}.@idx")
        return list_of(item) if item is not None else None
    if kind == "string":
        return _TEXTS.get(str(schema.get("format") or ""), STRING)
    if kind != "object":
        return _SIMPLE.get(str(kind))
    additional = schema_in(schema.get("additionalProperties"))
    if additional is not None:
        value = type_of(additional, f"{name}.@elem")
        return map_of(STRING, value) if value is not None else None
    return _object(schema, name, root)


def _object(schema: Schema, name: str, root: bool) -> Type:
    known: dict[str, Type | None] = {}

    def field(escaped: str) -> Type | None:
        if escaped not in known:
            named = properties(schema, root=root)
            is_plain = escaped in named and escape(escaped) == escaped
            inner = named[escaped] if is_plain else next((s for n, s in named.items() if escape(n) == escaped), None)
            known[escaped] = type_of(schema_in(inner), f"{name}.{escaped}")
        return known[escaped]

    return Type(name, (), field)


def schema_in(value: Any) -> Schema | None:
    """What stands where a schema may stand, if it is one."""
    return value if isinstance(value, Mapping) else None


def list_keys(schema: Schema) -> tuple[str, ...]:
    """The properties that identify the items of a list map."""
    listed = schema.get("x-kubernetes-list-map-keys")
    return tuple(k for k in listed if isinstance(k, str)) if isinstance(listed, list) else ()
