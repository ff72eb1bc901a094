"""Which changes force a replacement, and the API server's own words for it.

The facts are schemas/facts/immutable.json (pkg/apis/*/validation, pkg/registry/*/strategy.go); what depends on other
fields is in conditions.py; transition rules of custom resources are read from their CustomResourceDefinition.
"""

from __future__ import annotations

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import ABSENT, Change
from kplan.plan.conditions import CONDITIONS, Leaf
from kplan.plan.diff import name_of
from kplan.plan.kinds import Kind, rows
from kplan.plan.patterns import Names, covers, leads_to, parse
from kplan.plan.values import get
from kplan.record import record, replace

if TYPE_CHECKING:
    from kplan.plan.transitions import Transition

Value = dict[str, Any]


@record
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
    if change.container == "list":
        return replace(change, children=tuple(_item(c, change, names, update, reasons) for c in change.children))
    if change.container == "map":
        children = tuple(_node(c, (*names, c.label), update, reasons) for c in change.children)
        return _hoisted(replace(change, children=children), names)
    return change if change.op == "same" else _refused(change, Leaf(names, change), update, reasons)


def _item(child: Change, parent: Change, names: Names, update: Update, reasons: dict[str, None]) -> Change:
    marked = _node(child, (*names, name_of(child)), update, reasons)
    # A reordered list is another list.
    return _refused(marked, Leaf(names, parent), update, reasons) if child.moved else marked


def _refused(change: Change, leaf: Leaf, update: Update, reasons: dict[str, None]) -> Change:
    refusal = _refusal(leaf, update)
    if refusal is None:
        return change
    field, sentence = refusal
    reasons[f"{field}: {sentence}"] = None
    return replace(change, replace=sentence)


def _hoisted(change: Change, names: Names) -> Change:
    """Where every part forces the replacement for one reason, the whole does."""
    sentences = {c.replace for c in change.children}
    if not names or len(change.children) < 2 or len(sentences) > 1 or "" in sentences:
        return change
    parts = tuple(replace(c, replace="") for c in change.children)
    return replace(change, children=parts, replace=sentences.pop())


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
