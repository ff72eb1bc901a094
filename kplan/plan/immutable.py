"""Which changes force a replacement, and the API server's own words for it.

The facts are schemas/facts/immutable.json (pkg/apis/*/validation, pkg/registry/*/strategy.go); what depends on other
fields is in conditions.py; transition rules of custom resources are read from their CustomResourceDefinition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from kplan.model import ABSENT, Change
from kplan.plan.conditions import CONDITIONS, Leaf
from kplan.plan.kinds import Kind, get, rows
from kplan.plan.patterns import Names, covers, leads_to, parse
from kplan.plan.transitions import Transition

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """The update of one object: both stored forms, its kind, the release, the transition rules of its CRD."""

    kind: Kind
    before: Value
    after: Value
    minor: int
    transitions: tuple[Transition, ...] = ()


def mark(change: Change, update: Update) -> tuple[Change, tuple[str, ...]]:
    """The tree with the server's sentence on every part that it refuses to update, and what it would answer."""
    reasons: dict[str, None] = {}
    marked = _node(change, (), update, reasons)
    return marked, tuple(reasons)


def _node(change: Change, names: Names, update: Update, reasons: dict[str, None]) -> Change:
    if change.container in ("map", "list"):
        children = tuple(_node(c, (*names, _name(c)), update, reasons) for c in change.children)
        found = _refusal(Leaf(names, change), update) if change.container == "list" and _reordered(change) else None
        return replace(change, children=children, replace=found[1] if found else "")
    if change.op == "same":
        return change
    refusal = _refusal(Leaf(names, change), update)
    if refusal is None:
        return change
    field, sentence = refusal
    reasons[f"{field}: {sentence}"] = None
    return replace(change, replace=sentence)


def _reordered(change: Change) -> bool:
    return any(c.moved for c in change.children)


def _name(child: Change) -> str:
    return child.label.strip('"') or str(child.path[-1])


def _refusal(leaf: Leaf, update: Update) -> tuple[str, str] | None:
    for row in rows("immutable", update.kind.group, update.kind.name):
        if row.get("since", 0) <= update.minor <= row.get("until", 99) and _forbids(row, leaf, update):
            return row.get("field", row["path"]), row["says"]
    condition = CONDITIONS.get((update.kind.group, update.kind.name))
    if condition is not None:
        return condition(leaf, update.before, update.after)
    for t in update.transitions:
        if t.forbids(leaf.names, leaf.change):
            return ".".join(t.path), t.message
    return None


def _forbids(row: Any, leaf: Leaf, update: Update) -> bool:
    path = parse(row["path"])
    if row.get("once") and get(update.before, path) in (ABSENT, None, "", {}):
        return False
    if row.get("only", leaf.change.op) != leaf.change.op:
        return False
    # What holds for each item of a list says nothing about adding and removing items.
    of_items = "*" in path
    if not (covers(path, leaf.names) or (leads_to(path, leaf.names) and not of_items)):
        return False
    return not any(covers((*path, name), leaf.names) for name in row.get("except", ()))
