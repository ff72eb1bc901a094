"""Objects as people wrote them, beside their stored form: spellings stay, and what defaults level out is counted."""

from __future__ import annotations

from collections.abc import Iterator

from kplan import quantity
from kplan.hints import Any
from kplan.model import Change, Ignored
from kplan.plan.diff import Rules, diff, name_of
from kplan.plan.noise import by_place, dotted
from kplan.plan.patterns import Names

Value = dict[str, Any]


def respell(stored: Any, written: Any) -> Any:
    """The stored form with each quantity as the user spelled it."""
    if stored == written:
        return stored
    if isinstance(stored, dict) and isinstance(written, dict):
        return {k: respell(v, written[k]) if k in written else v for k, v in stored.items()}
    if isinstance(stored, list) and isinstance(written, list) and len(stored) == len(written):
        return [respell(a, b) for a, b in zip(stored, written, strict=True)]
    if isinstance(stored, str) and quantity.equal(stored, written):
        return written
    return stored


def levelled(before: Value, after: Value, rules: Rules, seen: list[Names]) -> list[Ignored]:
    """Differences between two written forms that are in no stored one: `seen` are the places where those differ."""
    if before == after:
        return []
    tree = diff(before, after, rules)
    if tree is None:
        return []
    return [
        Ignored(dotted(names), by_place(names) or _why(leaf), leaf.before, leaf.after)
        for names, leaf in leaves(tree)
        if not any(_overlap(names, place) for place in seen)
    ]


def _why(leaf: Change) -> str:
    if leaf.op in ("update", "move"):
        return "normalised" if leaf.op == "update" else "order"
    value = leaf.after if leaf.op == "create" else leaf.before
    return "empty" if value is None or value in ("", [], {}) else "default"


def leaves(change: Change, names: Names = ()) -> Iterator[tuple[Names, Change]]:
    """Every change that has no parts, with the names on the way to it."""
    if change.container not in ("map", "list"):
        if change.op != "same":
            yield names, change
        return
    if change.moved:
        yield names, change
    for child in change.children:
        yield from leaves(child, (*names, name_of(child)))


def _overlap(a: Names, b: Names) -> bool:
    n = min(len(a), len(b))
    return a[:n] == b[:n]


def size(value: Any) -> int:
    """How many scalars and empty containers a value holds."""
    if isinstance(value, dict) and value:
        return sum(map(size, value.values()))
    if isinstance(value, list) and value:
        return sum(map(size, value))
    return 1
