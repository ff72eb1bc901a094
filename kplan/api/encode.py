"""The nulls of a stored object.

Go writes a list, map, pointer or time that was never set as null unless its field says `omitempty`: a Role without
rules has `rules: null`. Every other stage is spared these nulls; they are put in when an object leaves the server.
An empty list becomes null too, for the protocol buffers of the storage do not know the difference.
"""

from __future__ import annotations

from functools import cache, partial

from kplan.api.decode import copied, is_nil, is_written_empty
from kplan.api.visit import Act, visitor
from kplan.hints import Any
from kplan.schema import KindInfo
from kplan.schema.node import Node

Value = dict[str, Any]


def encoded(value: Value, info: KindInfo | None) -> Value:
    """A copy of a stored object as the server writes it; without a kind or for a custom one just a copy."""
    out: Value = copied(value)
    finish(out, info)
    return out


def finish(value: Value, info: KindInfo | None) -> None:
    """Put the nulls into an object that leaves the server, in place; custom resources have none."""
    if info is not None and not info.custom:
        fill_nulls(info.node, value)


def fill_nulls(node: Node, value: Value) -> None:
    """Put the nulls into an object of a built-in kind, in place; `node` is its schema."""
    visit = visitor(node, _nulls)
    if visit is not None:
        visit(value)


def forget_empty(value: Value, info: KindInfo | None) -> None:
    """Take the empty lists and maps that will be null out of an object that is to be stored, in place."""
    visit = visitor(info.node, _empties) if info is not None and not info.custom else None
    if visit is not None:
        visit(value)


@cache
def _empties(node: Node) -> Act | None:
    _, empty = _null_fields(node)
    return partial(_forget, empty) if empty else None


def _forget(empty: tuple[str, ...], value: Value) -> None:
    for name in empty:
        if name in value and not value[name]:
            del value[name]


@cache
def _nulls(node: Node) -> Act | None:
    unset, empty = _null_fields(node)
    return partial(_fill, unset, empty) if unset else None


def _null_fields(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields that are null when they were never set, and those of them that are so when empty, too."""
    unset = tuple(name for name in node.fields or () if _is_null(node, name))
    return unset, tuple(name for name in unset if (field := (node.fields or {})[name]).items or field.values)


def _fill(unset: tuple[str, ...], empty: tuple[str, ...], value: Value) -> None:
    for name in unset:
        value.setdefault(name, None)
    for name in empty:
        value[name] = value[name] or None


def _is_null(node: Node, name: str) -> bool:
    """Whether this field is written as null when it was never set."""
    return is_written_empty(node, name) and (node.go_field(name).pointer or is_nil((node.fields or {})[name]))
