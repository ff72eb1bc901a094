"""The difference of two JSON values as a tree of changes.

Knows nothing of Kubernetes but the rules it is given: how the items of a list are told apart, and whether their order
means anything. Linear in what is equal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

from kplan.hints import Any
from kplan.model import ABSENT, Change, Path
from kplan.plan import align, embedded
from kplan.plan.align import Alignment, same
from kplan.record import replace
from kplan.tuples import NamedTuple

Fields = tuple[str, ...]


class ListRule(NamedTuple):
    """How the items of a list are told apart: the first of `keys` that every item has and no two share.

    With none, items are told apart by their value. `unordered` lists are sets.
    """

    keys: tuple[tuple[str, ...], ...] = ()
    unordered: bool = False


# The rule for a list by the names on the way to it; "*" stands for an item of a list.
Rules = Callable[[Fields], ListRule]
_NO_RULE = ListRule()


def no_rules(fields: Fields) -> ListRule:  # noqa: ARG001
    """The rules for values of which nothing is known."""
    return _NO_RULE


def diff(before: Any, after: Any, rules: Rules = no_rules) -> Change | None:
    """What turns `before` into `after`; None if they are the same. Either may be ABSENT."""
    return _node(before, after, (), (), rules, "")


def _node(before: Any, after: Any, path: Path, fields: Fields, rules: Rules, label: str) -> Change | None:
    if same(before, after):
        return None
    if isinstance(before, dict) and isinstance(after, dict):
        return _map(before, after, path, fields, rules, label)
    if isinstance(before, list) and isinstance(after, list):
        return _list(before, after, path, fields, rules, label)
    if isinstance(before, str) and isinstance(after, str):
        return _text(before, after, path, label)
    op = "create" if before is ABSENT else "delete" if after is ABSENT else "update"
    return Change(path, op, before, after, label)


def _map(
    before: dict[str, Any], after: dict[str, Any], path: Path, fields: Fields, rules: Rules, label: str
) -> Change | None:
    children = []
    names = before.keys() | after.keys()
    for name in sorted(names):
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        child = _node(old, new, (*path, name), (*fields, name), rules, name)
        if child is not None:
            children.append(child)
    return Change(path, "update", before, after, label, tuple(children), "map", len(names) - len(children))


def _text(before: str, after: str, path: Path, label: str) -> Change:
    inside = embedded.read(before, after, label)
    if inside is not None:
        tree = diff(inside.before, inside.after)
        if tree is not None:
            return Change(path, "update", before, after, label, (tree,), inside.language)
        return Change(path, "update", before, after, label, (), "text", note="formatting only")
    several = "\n" in before.rstrip("\n") or "\n" in after.rstrip("\n")
    return Change(path, "update", before, after, label, (), "text" if several else "leaf")


def _list(before: list[Any], after: list[Any], path: Path, fields: Fields, rules: Rules, label: str) -> Change | None:
    rule = rules(fields)
    found = _aligned(before, after, rule)
    inner = (*fields, "*")
    kept = {j for _, j in align.in_order(found.pairs)}
    children = []
    for i, j in found.pairs:
        moved = None if j in kept else (i + 1, j + 1)
        child = _node(before[i], after[j], (*path, j), inner, rules, _name(found.names, j))
        if child is not None and moved:
            child = replace(child, moved=moved)
        elif moved:
            child = Change((*path, j), "move", before[i], after[j], _name(found.names, j), moved=moved)
        if child is not None:
            children.append(((j, 0), child))
    children += [((j, 0), Change((*path, j), "create", ABSENT, after[j], _name(found.names, j))) for j in found.added]
    place = _places(found, kept)
    for i in found.removed:
        children.append(((place(i), i + 1), Change((*path, i), "delete", before[i], ABSENT, _name(found.gone, i))))
    context = _context(after, found, {key[0] for key, _ in children}) if not found.names and not rule.unordered else []
    children += [((j, 0), Change((*path, j), "same", after[j], after[j])) for j in context]
    ordered = tuple(child for _, child in sorted(children, key=lambda c: c[0]))
    hidden = len(found.pairs) - sum(1 for c in ordered if c.op in ("update", "move", "same"))
    return Change(path, "update", before, after, label, ordered, "list", hidden)


def name_of(child: Change) -> str:
    """What a part is called in the names of a place: its field, or its key or index in a list."""
    return child.label.strip('"') or str(child.path[-1])


def _aligned(before: list[Any], after: list[Any], rule: ListRule) -> Alignment:
    for key in rule.keys:
        found = align.by_key(before, after, key)
        if found is not None:
            return found
    found = align.by_value(before, after)
    if not (found.removed and found.added):
        return found
    if rule.unordered:
        return align.paired(found, _similar(before, after, found))
    return align.by_place(found, before, after)


def _similar(before: list[Any], after: list[Any], found: Alignment) -> list[tuple[int, int]]:
    removed = {i: before[i] for i in found.removed if isinstance(before[i], dict)}
    added = {j: after[j] for j in found.added if isinstance(after[j], dict)}
    if not removed or not added:
        return []
    from kplan.plan.similar import closest

    return closest(removed, added)


def _name(names: Any, i: int) -> str:
    return names[i] if names else str(i)


def _places(found: Alignment, kept: set[int]) -> Callable[[int], int]:
    """Where a removed item is shown: after the last kept item that stood before it."""
    anchors = [(i, j) for i, j in found.pairs if j in kept]
    before = [i for i, _ in anchors]

    def place(removed: int) -> int:
        at = bisect_left(before, removed)
        return anchors[at - 1][1] if at else -1

    return place


def _context(after: list[Any], found: Alignment, changed: set[int]) -> list[int]:
    """The unchanged scalars next to a change: what a reader needs to find the place."""
    return [
        j
        for _, j in found.pairs
        if j not in changed and not isinstance(after[j], (dict, list)) and (j - 1 in changed or j + 1 in changed)
    ]
