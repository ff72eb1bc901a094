"""Functions that change some types wherever they stand in an object, and look nowhere else.

A visitor is compiled from a schema: it goes only into fields under which a type of interest can stand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from kplan.hints import Any
from kplan.schema.node import Node

Act = Callable[[dict[str, Any]], None]
Action = Callable[[Node], Act | None]
Visit = Callable[[Any], None]


@cache
def visitor(node: Node, action: Action) -> Visit | None:
    """What applies `action` to every struct inside a value of this type, in place; None if there can be none.

    `action` gives the function for a struct, or None. A struct is visited before what is inside it.
    """
    if not _matters(node, action, set()):
        return None
    if node.items is not None:
        return partial(_each, node.items, action)
    if node.values is not None:
        return partial(_each_value, node.values, action)
    return _struct(node, action)


def _struct(node: Node, action: Action) -> Visit:
    act = action(node)
    inside: list[tuple[str, Visit]] | None = None

    def visit(value: dict[str, Any]) -> None:
        nonlocal inside
        if act is not None:
            act(value)
        if inside is None:  # late, for a schema may hold itself
            found = ((name, visitor(field, action)) for name, field in (node.fields or {}).items())
            inside = [(name, inner) for name, inner in found if inner is not None]
        for name, inner in inside:
            child = value.get(name)
            if child is not None:
                inner(child)

    return visit


def _each(item: Node, action: Action, values: list[Any]) -> None:
    visit = visitor(item, action)
    for value in values:
        if value is not None and visit is not None:
            visit(value)


def _each_value(item: Node, action: Action, values: dict[str, Any]) -> None:
    _each(item, action, list(values.values()))


def _matters(node: Node, action: Action, seen: set[str]) -> bool:
    """Whether a struct of interest can stand in a value of this type."""
    child = node.items or node.values
    if child is not None:
        return node.type in ("array", "object") and _matters(child, action, seen)
    if node.fields is None or node.name in seen:
        return False
    seen.add(node.name)
    return action(node) is not None or any(_matters(f, action, seen) for f in node.fields.values())
