"""Which fields a value has, and the value without some of them.

Follows sigs.k8s.io/structured-merge-diff/typed (tofieldset.go, remove.go) and fieldpath (EnsureNamedFieldsAreMembers).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from kplan.api.ssa.paths import Path, Paths, is_member, tree
from kplan.api.ssa.shapes import ANY, elements, inside, is_atomic, is_field, member
from kplan.schema.node import Node

Value = dict[str, Any]


def fields_of(value: Value, node: Node) -> Paths:
    """The set of an object of this type, as an applier of it owns them."""
    found: set[Path] = set()
    _collect(value, node, (), found)
    return frozenset(found)


def _collect(value: Any, node: Node, path: Path, found: set[Path]) -> None:
    if not isinstance(value, dict | list) or is_atomic(node, value):
        found.add(path)
    elif isinstance(value, dict):
        for name, v in value.items():
            place = (*path, f"f:{name}")
            _collect(v, member(node, name) or ANY, place, found)
            # A struct goes without saying, a key of a map does not.
            if v is None or v == {} or not is_field(node, name):
                found.add(place)
    else:
        named = elements(node, value)
        count = Counter(named)
        for element, item in zip(named, value, strict=True):
            if count[element] == 1:
                _collect(item, node.items or ANY, (*path, element), found)
            found.add((*path, element))


def with_structs(paths: Iterable[Path], node: Node) -> Paths:
    """The set and the structs that hold its members: whoever owns `spec.replicas` is one of those who have `spec`."""
    found: set[Path] = set(paths)
    types: dict[Path, Node] = {(): node}
    for path in tuple(found):
        here = node
        for depth, element in enumerate(path[:-1], 1):
            start = path[:depth]
            deeper = types.get(start)
            if deeper is None:
                if element.startswith("f:") and is_field(here, element[2:]):
                    found.add(start)
                deeper = types[start] = inside(here, element)
            here = deeper
    return frozenset(found)


def strays(fields: Paths, known: Paths, gone: Paths, node: Node) -> Paths:
    """Of the fields of a value, the keys of maps and items of lists that are not `known`, with all that is in them.

    What is inside of a key or item that is `gone` is none.
    """
    types: dict[Path, tuple[Node, bool]] = {(): (node, False)}
    return frozenset(path for path in fields if _is_stray(path, known, gone, types))


def _is_stray(path: Path, known: Paths, gone: Paths, types: dict[Path, tuple[Node, bool]]) -> bool:
    for depth, element in enumerate(path, 1):
        start = path[:depth]
        if start not in types:
            above = types[path[: depth - 1]][0]
            types[start] = inside(above, element), not (element.startswith("f:") and is_field(above, element[2:]))
        if start in gone:
            return False
        if types[start][1] and start not in known:
            return True
    return False


def without(value: Value, gone: Iterable[Path], node: Node) -> Value:
    """The value without these fields and items; what is empty then is gone too. `value` is not changed."""
    fields = tree(gone)
    out: Value = (_without(value, fields, node) or {}) if fields else value
    return out


def _without(value: Any, gone: Value, node: Node) -> Any:
    if not isinstance(value, dict | list) or is_atomic(node, value):
        return value
    if isinstance(value, dict):
        out: Value = {}
        for name, v in value.items():
            inner = gone.get(f"f:{name}")
            if inner is None:
                out[name] = v
            elif not is_member(inner):
                kept = _without(v, inner, member(node, name) or ANY)
                if kept is not None:
                    out[name] = kept
        return out or None
    items = []
    for element, item in zip(elements(node, value), value, strict=True):
        inner = gone.get(element)
        if inner is None:
            items.append(item)
        elif not is_member(inner):
            items.append(_without(item, inner, node.items or ANY))
    return [item for item in items if item is not None] or None
