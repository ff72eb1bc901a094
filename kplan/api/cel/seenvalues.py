"""Values as expressions see them. Follows k8s.io/apiserver/pkg/cel/common/values.go."""

from __future__ import annotations

from kplan.api.cel.errors import EvalError
from kplan.api.cel.schematypes import Schema, escape, list_keys, properties, schema_in
from kplan.api.cel.times import duration, timestamp
from kplan.api.cel.values import KeyedList
from kplan.hints import Any


def converted(schema: Schema | None, value: Any, *, root: bool = False) -> Any:
    """A value as expressions see it: escaped names, times and bytes as such, no unknown fields."""
    if schema is None or value is None or schema.get("x-kubernetes-int-or-string") is True:
        return value
    if isinstance(value, dict):
        additional = schema_in(schema.get("additionalProperties"))
        if additional is not None:
            return {name: converted(additional, v) for name, v in value.items()}
        known = properties(schema, root=root)
        pairs = ((escape(n), schema_in(known[n]), v) for n, v in value.items() if n in known)
        return {name: converted(inner, v) for name, inner, v in pairs if name is not None}
    if isinstance(value, list):
        items = [converted(schema_in(schema.get("items")), v) for v in value]
        kind = schema.get("x-kubernetes-list-type")
        keys = list_keys(schema) if kind == "map" else ()
        return KeyedList(items, keys) if kind in ("set", "map") else items
    if isinstance(value, str):
        return _text(schema, value)
    return float(value) if schema.get("type") == "number" and not isinstance(value, bool) else value


def _text(schema: Schema, value: str) -> Any:
    try:
        match schema.get("format"):
            case "byte":
                from base64 import b64decode

                return b64decode(value, validate=True)
            case "duration":
                return duration(value)
            case "date":
                return timestamp(f"{value}T00:00:00Z")
            case "date-time":
                return timestamp(value)
    except (EvalError, ValueError):
        pass  # the format is another rule's concern
    return value
