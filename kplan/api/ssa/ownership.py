"""How the owners of fields change when somebody applies or writes an object.

Follows sigs.k8s.io/structured-merge-diff/merge (update.go) and k8s.io/apimachinery/pkg/util/managedfields
(skipnonapplied.go, lastappliedmanager.go). The managers of other versions of a kind are taken to mean the same fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kplan.api.ssa.fieldsets import fields_of, strays, with_structs, without
from kplan.api.ssa.managers import Manager, Managers, conflict, conflicts, others_lose
from kplan.api.ssa.paths import EMPTY, Path, Paths, under
from kplan.api.ssa.structured import compare, merged
from kplan.schema.node import Node

Value = dict[str, Any]


class Kind(NamedTuple):
    """What ownership needs to know of a kind: its type, and the fields that this way of writing does not reach."""

    node: Node
    reset: tuple[Path, ...] = ()

    def reached(self, fields: Iterable[Path]) -> Paths:
        """The fields without those that are put back anyway, such as status."""
        return frozenset(fields) - under(fields, self.reset) if self.reset else frozenset(fields)


def applied(
    live: Value, config: Value, managers: Managers, me: Manager, kind: Kind, *, force: bool, allowed: Paths = EMPTY
) -> tuple[Value, dict[str, Manager]]:
    """The object after `me` has applied `config` onto `live`, and its managers.

    `allowed` are fields that may be taken from others without force. Raises Refused, a 409 with all conflicts.
    """
    before, mine = managers.get(me.key, me).fields, kind.reached(fields_of(config, kind.node))
    then = {**managers, me.key: me._replace(fields=mine)}  # with its name: metadata stays, whatever else is gone
    new = _pruned(merged(live, config, kind.node), before, then, kind.node)
    changes = compare(live, new, kind.node)
    changed = kind.reached(changes.set_fields)
    if not force:
        found = {key: paths - allowed for key, paths in conflicts(managers, me, changed).items()}
        if any(found.values()):
            raise conflict(managers, {key: paths for key, paths in found.items() if paths})
    then[me.key] = me.owning(mine)
    return new, others_lose(then, me.key, changed | kind.reached(changes.removed))


def _pruned(value: Value, before: Paths, managers: Managers, node: Node) -> Value:
    """The merged object without what the applier owned before and nobody owns now.

    A struct of which nobody owns anything goes as a whole, with what defaulting had put into it, and so does an item of
    a list. What nobody ever owned stays elsewhere, and keys and items of which no owner is known stay in any struct:
    controllers write here without a record, where on a server they are managers.
    """
    owned = frozenset().union(*(m.fields for m in managers.values()))
    if before <= owned:
        return value
    fields = fields_of(value, node)
    had, there = with_structs(before, node), with_structs(fields, node)
    owned = with_structs(owned | strays(fields, before | owned, before - owned, node), node)
    left = with_structs(fields_of(without(value, had, node), node), node)
    kept = without(value, there - left - owned, node)
    return without(value, (there - with_structs(fields_of(kept, node), node)) & had, node)


def written(live: Value, new: Value, managers: Managers, me: Manager, kind: Kind, now: str) -> dict[str, Manager]:
    """The managers after `me` has written `new` over `live` in another way than by applying: nothing conflicts."""
    changes = compare(live, new, kind.node)
    changed, removed = kind.reached(changes.set_fields), kind.reached(changes.removed)
    left = others_lose(managers, me.key, changed | removed)
    former = managers.get(me.key, me)
    mine = former.owning(former.fields - removed | changed)
    left.pop(me.key, None)
    if mine.fields:
        left[me.key] = mine if mine.fields == former.fields else mine._replace(time=now)
    return left
