"""The merge of an applied object into the stored one, and the comparison of two objects, field by field.

Follows sigs.k8s.io/structured-merge-diff/typed (merge.go, compare.go).
"""

from __future__ import annotations

from typing import Any

from kplan.api.ssa.paths import Path, Paths
from kplan.api.ssa.shapes import ANY, elements, is_atomic, member
from kplan.model import ABSENT
from kplan.schema.node import Node

Value = dict[str, Any]


def merged(live: Value, applied: Value, node: Node) -> Value:
    """The stored object with what is applied in it. Neither is changed; a null that is applied stays one."""
    out: Value = _merge(live, applied, node)
    return out


def _merge(live: Any, applied: Any, node: Node) -> Any:
    if type(live) is not type(applied):
        # A null in place of a map or list says nothing about what is in it.
        return live if applied is None and _is_granular(live, node) else applied
    if not _is_granular(live, node) or not (live or applied):
        return applied
    if isinstance(live, dict):
        out = dict(live)
        for name, v in applied.items():
            out[name] = _merge(live[name], v, member(node, name) or ANY) if name in live else v
        return out
    return _merge_list(live, applied, node)


def _is_granular(value: Any, node: Node) -> bool:
    return isinstance(value, dict | list) and not is_atomic(node, value)


def _merge_list(live: list[Any], applied: list[Any], node: Node) -> list[Any]:
    """The applied items in their order; the others keep their places before what followed them."""
    theirs, ours = elements(node, live), elements(node, applied)
    known = _by_element(theirs, live)
    wanted, shared = set(ours), [e for e in ours if e in known]
    out, i = [], 0
    for element, item in zip(ours, applied, strict=True):
        while i < len(theirs) and (theirs[i] not in wanted or not shared or theirs[i] != shared[0]):
            if theirs[i] not in wanted:
                out.append(live[i])
            i += 1
        if shared and shared[0] == element:
            shared.pop(0)
            i += 1
        out.append(_merge(known[element], item, node.items or ANY) if known.get(element) is not None else item)
    return out + [item for element, item in zip(theirs[i:], live[i:], strict=True) if element not in wanted]


def _by_element(named: list[str], items: list[Any]) -> dict[str, Any]:
    """Items by element; of one that is there several times it is not known which is meant: None."""
    found: dict[str, Any] = {}
    for element, item in zip(named, items, strict=True):
        found[element] = None if element in found else item
    return found


class Differences:
    """What an object has more, less or otherwise than another: three sets of paths."""

    def __init__(self) -> None:
        self.added: set[Path] = set()
        self.removed: set[Path] = set()
        self.modified: set[Path] = set()

    @property
    def set_fields(self) -> Paths:
        """The fields that were given a value."""
        return frozenset(self.added | self.modified)


def compare(old: Value, new: Value, node: Node) -> Differences:
    """How `new` differs from `old`, by the parts that can have owners."""
    found = Differences()
    _compare(old, new, node, (), found)
    return found


def _compare(old: Any, new: Any, node: Node, path: Path, found: Differences) -> None:
    if old is new:
        return
    if _parted(old, new, node):
        if isinstance(old, dict) or isinstance(new, dict):
            _compare_maps(_map(old), _map(new), node, path, found)
        else:
            _compare_lists(_list(old), _list(new), node, path, found)
    elif old is not ABSENT and new is not ABSENT and not _same(old, new):
        found.modified.add(path)
    if old is ABSENT:
        found.added.add(path)
    elif new is ABSENT:
        found.removed.add(path)


def _parted(old: Any, new: Any, node: Node) -> bool:
    """Whether the two are compared by their parts: granular on every side that has a value, and not both empty."""
    sides = [v for v in (old, new) if v is not ABSENT and v is not None]
    if not any(sides) or not all(_is_granular(v, node) for v in sides):
        return False
    return len({type(v) for v in sides}) == 1


def _map(value: Any) -> Value:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _compare_maps(old: Value, new: Value, node: Node, path: Path, found: Differences) -> None:
    for name in {**old, **new}:
        inner = member(node, name) or ANY
        _compare(old.get(name, ABSENT), new.get(name, ABSENT), inner, (*path, f"f:{name}"), found)


def _compare_lists(old: list[Any], new: list[Any], node: Node, path: Path, found: Differences) -> None:
    before, after = _grouped(node, old), _grouped(node, new)
    for element in {**before, **after}:
        ours, theirs = before.get(element, []), after.get(element, [])
        place = (*path, element)
        if len(ours) <= 1 and len(theirs) <= 1:
            first, second = ours[0] if ours else ABSENT, theirs[0] if theirs else ABSENT
            _compare(first, second, node.items or ANY, place, found)
        elif not ours:
            found.added.add(place)
        elif not theirs:
            found.removed.add(place)
        elif not _same(ours, theirs):
            found.modified.add(place)


def _grouped(node: Node, items: list[Any]) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for element, item in zip(elements(node, items), items, strict=True):
        groups.setdefault(element, []).append(item)
    return groups


def _same(a: Any, b: Any) -> bool:
    """Equality of JSON values: to Python, but not to JSON, true is 1."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b and (type(a) is bool) == (type(b) is bool)
