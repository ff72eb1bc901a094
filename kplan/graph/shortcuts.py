"""Shortcuts: for all objects of one layout, the least that has to be asked to know that an edge is not wanted.

Most references lead to something, and lint wants those that do not. Where names and labels stand in a layout is known
before an object comes: what is left is to look up a column of them. A shortcut tells of which objects of a batch
something may be wanted; for these the edge is made, or not, by `kplan.graph.construct`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from kplan.batches import Batch
from kplan.graph.edge import FOUND, STATES, Wanted
from kplan.graph.rules import KeyField, Rule, walk
from kplan.graph.world import World
from kplan.hints import Any
from kplan.model import Path
from kplan.workloads import POD_PATHS, get
from kplan.yamlio.layout import Slot

# The rows of a batch of which it is not sure that nothing is wanted.
Shortcut = Callable[[Batch], Sequence[int]]
Slots = Mapping[str, Slot]


def shortcut(rule: Rule, path: Path, tree: Any, own: Slots, world: World, wanted: Wanted) -> Shortcut | None:
    """The shortcut of a rule that applies at this path of the tree of a layout; None where there is none.

    `own` are the labels of the pods that the objects make. The objects must be of a kind with namespaces.
    """
    part = get(tree, *path) if path else tree
    if rule.form:
        return _of_selector(rule, part, own, world, wanted)
    holder = part if isinstance(part, dict) else {}
    named = [part] if not holder else [holder[name] for name in rule.names if name in holder]
    return _of_name(rule, named, holder, world, wanted) if named else settled


def settled(_batch: Batch) -> Sequence[int]:
    """The shortcut of what is never wanted."""
    return ()


def own_labels(kind: str, tree: Any) -> Slots:
    """The labels of the pods that objects of a layout make, as far as they stand in the layout by themselves."""
    path = POD_PATHS.get(kind)
    labels = get(tree, *path, "metadata", "labels") if path is not None else None
    return {k: v for k, v in labels.items() if is_plain(v)} if isinstance(labels, dict) else {}


def selects_own(labels: Any, own: Slots) -> Shortcut | None:
    """Whether a map of labels holds for the pods of the object itself; None where the layout does not tell."""
    if not are_plain(labels) or not labels.keys() <= own.keys():
        return None
    pairs = [(slot.at, own[key].at) for key, slot in labels.items()]

    def of_others(batch: Batch) -> Sequence[int]:
        columns = [(batch.column(wanted), batch.column(have)) for wanted, have in pairs]
        if all(wanted == have and _are_texts(wanted) for wanted, have in columns):
            return ()
        rows = [[(w, type(w)) == (h, str) for w, h in zip(*both, strict=True)] for both in columns]
        return [row for row, same in enumerate(zip(*rows, strict=True)) if False in same]

    return of_others


def match_labels(selector: Any) -> Any:
    """The labels of a metav1.LabelSelector that asks for nothing else; None for any other."""
    return selector["matchLabels"] if isinstance(selector, dict) and selector.keys() == {"matchLabels"} else None


def _of_selector(rule: Rule, part: Any, own: Slots, world: World, wanted: Wanted) -> Shortcut | None:
    group, kind = rule.target[:2]
    kinds = (kind, "Namespace") if rule.form == "peer" else (kind,)
    if not any(wanted(rule.edge, k, state, is_own) for k in kinds for state in STATES for is_own in (False, True)):
        return settled
    labels = plain_labels(rule.form, part) if isinstance(part, dict) else None
    if labels is None or world.is_cluster_scoped(group, kind):
        return None
    if wanted(rule.edge, kind, FOUND, True):
        return None
    is_own = selects_own(labels, own) if kind == "Pod" else None
    if is_own is not None or wanted(rule.edge, kind, FOUND, False):
        return is_own
    keys = tuple(sorted(labels))

    def not_found(batch: Batch) -> Sequence[int]:
        exact = {name: world.selectable.exact(group, kind, name, keys) for name in set(batch.namespaces)}
        values = zip(*(batch.column(labels[key].at) for key in keys), strict=True)
        asked = enumerate(zip(batch.namespaces, values, strict=True))
        return [row for row, (name, those) in asked if (there := exact[name]) is None or those not in there.sure]

    return not_found


def plain_labels(form: str, part: dict[str, Any]) -> Slots | None:
    """The slots of the labels that a selector asks for in the namespace of its object; None if it may ask for something
    else."""
    labels = _labels(form, part)
    return labels if are_plain(labels) else None


def _labels(form: str, part: dict[str, Any]) -> Any:
    match form:
        case "selector":
            return match_labels(part)
        case "service":
            return part.get("selector")
        case "term" if part.keys().isdisjoint(("namespaces", "namespaceSelector")):
            return match_labels(part.get("labelSelector"))
        case "peer" if "namespaceSelector" not in part:
            return match_labels(part.get("podSelector"))
    return None


def _of_name(rule: Rule, named: list[Any], holder: dict[str, Any], world: World, wanted: Wanted) -> Shortcut | None:
    if rule.condition[0] or rule.unless or rule.target.kind_field or rule.namespace in holder:
        return None
    group, kind = world.stored(*rule.target[:2])
    scope, edges = world.is_cluster_scoped(group, kind), (rule.edge, f"{rule.edge}-key")
    if scope is None or len(named) != 1 or not is_plain(named[0]):
        return None
    if not any(wanted(edge, k, state, False) for edge in edges for k in (kind, rule.target.kind) for state in STATES):
        return settled
    parts = [_keys(field, holder) for field in rule.keys]
    if None in parts or any(wanted(edge, kind, FOUND, False) for edge in edges):
        return None
    at, key_of = named[0].at, [key for keys in parts for key in keys or ()]

    def not_found(batch: Batch) -> Sequence[int]:
        there, names = world.there(group, kind), batch.column(at)
        asked = [*zip([""] * len(names) if scope else batch.namespaces, names, strict=True)]
        rows = {row for row, name in enumerate(asked) if name not in there}
        for key in key_of:
            keys = batch.column(key) if isinstance(key, int) else [key] * len(names)
            have = map(world.parts_there(group, kind).get, asked)
            rows |= {row for row, (k, h) in enumerate(zip(keys, have, strict=True)) if h is not None and k not in h}
        return sorted(rows)

    return not_found


def _keys(field: KeyField, holder: dict[str, Any]) -> list[int | str] | None:
    """The slots of the parts that are named, or the name that stands for none; None where values decide."""
    found: list[Any] = []
    walk(field.place, holder, (), found)
    if not all(is_plain(value) for _, value, _ in found):
        return None
    return [value.at for _, value, _ in found] or ([field.default] if field.default else [])


def are_plain(labels: Any) -> bool:
    """Whether this is a map of scalars, and not empty."""
    return isinstance(labels, dict) and bool(labels) and all(map(is_plain, labels.values()))


def is_plain(part: Any) -> bool:
    """Whether this part of a tree is a scalar, as far as the layout tells."""
    return isinstance(part, Slot) and part.flow < 0


def _are_texts(values: Iterable[Any]) -> bool:
    return set(map(type, values)) <= {str}
