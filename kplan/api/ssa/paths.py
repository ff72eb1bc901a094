"""Sets of fields: as paths, as metadata.managedFields holds them (FieldsV1), and as messages print them.

A path is a tuple of elements in the spelling of FieldsV1: `f:name` a field or key, `k:{"name":"web"}` an item of a list
map, `v:"x"` an item of a set, `i:0` an item by its place. Follows KEP-555 and
sigs.k8s.io/structured-merge-diff/fieldpath (Set, PathElement, serialize.go).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kplan.api.validation.field import go_quote

Value = dict[str, Any]
Path = tuple[str, ...]
Paths = frozenset[Path]

EMPTY: Paths = frozenset()
SELF = "."  # in FieldsV1: the value itself is a member, not only what is inside it

_KINDS = {"f": 0, "k": 1, "v": 2, "i": 3}
_RANKS: dict[type, int] = {int: 0, float: 0, str: 1, bool: 2, list: 3, dict: 4}


def text_of(value: Any) -> str:
    """A key value as FieldsV1 writes it: JSON without spaces, names sorted, 80.0 as 80."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def tree(paths: Iterable[Path]) -> Value:
    """The set as FieldsV1: nested maps by element, with `.` where a value with members inside is a member itself."""
    root: Value = {}
    for path in paths:
        here = root
        for element in path:
            here = here.setdefault(element, {})
        here[SELF] = {}
    return _pruned(root)


def _pruned(node: Value) -> Value:
    """In order; a `.` alone goes without saying."""
    if not node.keys() - {SELF}:
        return {}
    return {name: _pruned(node[name]) for name in sorted(node, key=_order)}


def paths_of(fields: Any) -> Paths:
    """The set that a FieldsV1 value means; what is not of its form is left out."""
    found: set[Path] = set()
    _read(fields, (), found)
    return frozenset(found)


def _read(fields: Any, path: Path, found: set[Path]) -> None:
    if not isinstance(fields, dict):
        return
    for name, inner in fields.items():
        if name == SELF:
            if path:
                found.add(path)
            continue
        element = _canonical(name)
        if element is None:
            continue
        if inner:
            _read(inner, (*path, element), found)
        else:
            found.add((*path, element))


def _canonical(name: str) -> str | None:
    """An element of FieldsV1 in the one spelling that is compared; None for another word."""
    kind, _, text = name.partition(":")
    if kind == "f":
        return name
    if kind not in _KINDS:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    wanted = {"k": dict, "i": int}.get(kind, object)
    return f"{kind}:{text_of(value)}" if isinstance(value, wanted) else None


def is_member(fields: Value) -> bool:
    """Whether the value at this place of a FieldsV1 tree is a member of the set, not only something inside it."""
    return not fields or SELF in fields


def under(paths: Iterable[Path], prefixes: Iterable[Path]) -> Paths:
    """The paths that begin with one of the prefixes."""
    starts = tuple(prefixes)
    return frozenset(p for p in paths if any(p[: len(s)] == s for s in starts))


def in_order(paths: Iterable[Path]) -> list[Path]:
    """The paths as the server lists them: what is a member of one value first, then what is inside its parts."""
    return sorted(paths, key=lambda path: [(1, _order(e)) for e in path[:-1]] + [(0, _order(e)) for e in path[-1:]])


def _order(element: str) -> tuple[int, Any]:
    """Fields by name, then items by their keys, values, places."""
    kind, _, text = element.partition(":")
    if element == SELF:
        return -1, ""
    if kind == "f":
        return 0, text
    value = json.loads(text)
    return _KINDS[kind], [(k, _ranked(v)) for k, v in value.items()] if kind == "k" else _ranked(value)


def _ranked(value: Any) -> tuple[int, Any]:
    return _RANKS.get(type(value), 5), value if type(value) in (int, float, str, bool) else text_of(value)


def shown(path: Path) -> str:
    """A path as messages print it: `.spec.containers[name="web"].ports[containerPort=80,protocol="TCP"]`."""
    return "".join(element_text(e) for e in path)


def element_text(element: str) -> str:
    """One element as messages print it."""
    kind, _, text = element.partition(":")
    if kind == "f":
        return f".{text}"
    value = json.loads(text)
    if kind == "k":
        return "[" + ",".join(f"{k}={_value_text(value[k])}" for k in sorted(value)) + "]"
    return f"[={_value_text(value)}]" if kind == "v" else f"[{value}]"


def _value_text(value: Any) -> str:
    return go_quote(value) if isinstance(value, str) else text_of(value)
