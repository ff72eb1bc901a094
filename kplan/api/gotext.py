"""JSON values as Go prints them inside messages. Follows the package fmt."""

from __future__ import annotations

from kplan.api.validation.field import go_quote
from kplan.hints import Any


def plain(value: Any) -> str:
    """A value as %v prints it: `map[name:web ports:[80 443]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{plain(value[k])}" for k in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(plain, value)) + "]"
    return "<nil>" if value is None else value if isinstance(value, str) else _simple(value)


def syntax(value: Any) -> str:
    """A value as %#v prints it: `map[string]interface {}{"name":"web"}`."""
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f"{go_quote(k)}:{syntax(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(syntax, value)) + "}"
    if value is None:
        return "interface {}(nil)"
    return go_quote(value) if isinstance(value, str) else _simple(value)


def type_name(value: Any) -> str:
    """The type of a decoded JSON value as %T prints it."""
    return _TYPES.get(type(value), "float64")


def _simple(value: float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


_TYPES: dict[type, str] = {bool: "bool", dict: "map[string]interface {}", list: "[]interface {}", str: "string"}
