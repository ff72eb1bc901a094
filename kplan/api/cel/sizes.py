"""How large the values of a schema can be: what the estimate of costs is made from.

Follows k8s.io/apiserver/pkg/cel/common/schemas.go and pkg/cel/limits.go. What has no limit of its own is limited by the
size of a request.
"""

from __future__ import annotations

from kplan.api.cel.schematypes import Schema, properties
from kplan.hints import Any

REQUEST = 3 * 1024 * 1024  # bytes
_CHARACTER = 4  # bytes, at most
_LEAST = {"string": 2, "boolean": 4, "array": 2, "object": 2}  # bytes of JSON; all else takes one
_TIMES = ("date", "date-time", "duration")


def kind_of(schema: Schema) -> str:
    """`text`, `list`, `map`, or "" for what has no length."""
    kind = schema.get("type")
    if kind == "string" and schema.get("format") not in _TIMES:
        return "text"
    if kind == "array":
        return "list"
    return "map" if kind == "object" and isinstance(schema.get("additionalProperties"), dict) else ""


def longest(schema: Schema) -> int:
    """The most bytes of a text, items of a list or entries of a map; 0 for what has no length."""
    if schema.get("x-kubernetes-int-or-string") is True:
        return REQUEST - 2
    kind = kind_of(schema)
    if kind == "text":
        return _text(schema)
    if kind == "list":
        given, item, around = schema.get("maxItems"), schema.get("items"), 1
    elif kind == "map":
        given, item, around = schema.get("maxProperties"), schema.get("additionalProperties"), 6
    else:
        return 0
    if given is not None:
        return max(int(given), 0)
    return (REQUEST - 2) // (least(item if isinstance(item, dict) else {}) + around)


def _text(schema: Schema) -> int:
    limit = schema.get("maxLength")
    if limit is not None:
        return max(int(limit), 0) * (1 if schema.get("format") == "byte" else _CHARACTER)
    words = [w for w in schema.get("enum") or () if isinstance(w, str)]
    return max(len(w.encode(errors="replace")) for w in words) if words else REQUEST - 2


def least(schema: Schema) -> int:
    """The fewest bytes that a value takes as JSON: an object has at least what is required and has no default."""
    if schema.get("x-kubernetes-int-or-string") is True:
        return 1
    size = _LEAST.get(str(schema.get("type") or ""), 1)
    required = schema.get("required")
    if not required or schema.get("type") != "object":
        return size
    known: Any = properties(schema)
    for name in set(required):
        inner = known.get(name)
        if isinstance(inner, dict) and inner.get("default") is None:
            size += len(name) + 4 + least(inner)
    return size


def most(schema: Schema) -> int:
    """How many values of a schema one request can hold."""
    return REQUEST // (least(schema) + 1)


def count(schema: Schema) -> int | None:
    """How many parts of each of its kinds a value has; None without a limit."""
    kind = kind_of(schema)
    if kind not in ("list", "map"):
        return 1
    given = schema.get("maxItems" if kind == "list" else "maxProperties")
    return None if given is None else max(int(given), 0)
