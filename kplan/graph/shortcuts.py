"""Shortcuts: for all objects of one layout, the least that has to be asked to know that an edge is not wanted.

Most references lead to something, and lint wants those that do not. Where names and labels stand in a layout is known
before an object comes: what is left is to look them up. A shortcut answers "nothing is wanted here" or says nothing;
then the edge is made, or not, by `kplan.graph.construct`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from kplan.graph.edge import FOUND, STATES, Wanted
from kplan.graph.rules import KeyField, Rule, walk
from kplan.graph.world import World
from kplan.hints import Any
from kplan.model import Path
from kplan.workloads import POD_PATHS, get
from kplan.yamlio.layout import Slot, getter

# Whether nothing is wanted, given the values in the slots of an object and its namespace.
Shortcut = Callable[[Sequence[Any], str], bool]
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


def settled(_slots: Sequence[Any], _namespace: str) -> bool:
    """The shortcut of what is never wanted."""
    return True


def own_labels(kind: str, tree: Any) -> Slots:
    """The labels of the pods that objects of a layout make, as far as they stand in the layout by themselves."""
    path = POD_PATHS.get(kind)
    labels = get(tree, *path, "metadata", "labels") if path is not None else None
    return {k: v for k, v in labels.items() if _is_plain(v)} if isinstance(labels, dict) else {}


def selects_own(labels: Any, own: Slots) -> Shortcut | None:
    """Whether a map of labels holds for the pods of the object itself; None where the layout does not tell."""
    if not _are_plain(labels) or not labels.keys() <= own.keys():
        return None
    wanted, have = getter([s.at for s in labels.values()]), getter([own[k].at for k in labels])

    def is_own(slots: Sequence[Any], _namespace: str) -> bool:
        values = wanted(slots)
        return values == have(slots) and _are_texts(values)

    return is_own


def match_labels(selector: Any) -> Any:
    """The labels of a metav1.LabelSelector that asks for nothing else; None for any other."""
    return selector["matchLabels"] if isinstance(selector, dict) and selector.keys() == {"matchLabels"} else None


def _of_selector(rule: Rule, part: Any, own: Slots, world: World, wanted: Wanted) -> Shortcut | None:
    group, kind = rule.target[:2]
    kinds = (kind, "Namespace") if rule.form == "peer" else (kind,)
    if not any(wanted(rule.edge, k, state, is_own) for k in kinds for state in STATES for is_own in (False, True)):
        return settled
    labels = _labels(rule.form, part) if isinstance(part, dict) else None
    if labels is None or not _are_plain(labels) or world.is_cluster_scoped(group, kind):
        return None
    if wanted(rule.edge, kind, FOUND, True):
        return None
    is_own = selects_own(labels, own) if kind == "Pod" else None
    if is_own is not None or wanted(rule.edge, kind, FOUND, False):
        return is_own
    keys = tuple(sorted(labels))
    values_of = getter([labels[k].at for k in keys])

    def is_found(slots: Sequence[Any], namespace: str) -> bool:
        values = values_of(slots)
        return _are_texts(values) and world.selectable.has(group, kind, namespace, keys, values)

    return is_found


def _labels(form: str, part: dict[str, Any]) -> Any:
    """The labels that a selector asks for in the namespace of its object; None if it may ask for something else."""
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
    if scope is None or len(named) != 1 or not _is_plain(named[0]):
        return None
    if not any(wanted(edge, k, state, False) for edge in edges for k in (kind, rule.target.kind) for state in STATES):
        return settled
    asked = [_keys(field, holder) for field in rule.keys]
    if None in asked or any(wanted(edge, kind, FOUND, False) for edge in edges):
        return None
    at, key_of = named[0].at, [key for keys in asked for key in keys or ()]
    resolved = world.resolved(group, kind)

    def is_found(slots: Sequence[Any], namespace: str) -> bool:
        name = slots[at]
        there = resolved.get(("" if scope else namespace, name))
        if there is None:
            there = world.resolve(group, kind, namespace, name) if isinstance(name, str) else None
        if there is None or there.state != FOUND or there.key.kind != kind:
            return False
        if not key_of or not there.objects:
            return True
        have = world.parts_of(there)
        return have is None or all(_key(slots, key) in have for key in key_of)

    return is_found


def _keys(field: KeyField, holder: dict[str, Any]) -> list[int | str] | None:
    """The slots of the parts that are named, or the name that stands for none; None where values decide."""
    found: list[Any] = []
    walk(field.place, holder, (), found)
    if not all(_is_plain(value) for _, value, _ in found):
        return None
    return [value.at for _, value, _ in found] or ([field.default] if field.default else [])


def _key(slots: Sequence[Any], key: int | str) -> str:
    """The name of a part; "" for what is none."""
    found = slots[key] if isinstance(key, int) else key
    return found if isinstance(found, str) else ""


def _are_plain(labels: Any) -> bool:
    return isinstance(labels, dict) and bool(labels) and all(map(_is_plain, labels.values()))


def _is_plain(part: Any) -> bool:
    return isinstance(part, Slot) and part.flow < 0


def _are_texts(values: tuple[Any, ...]) -> bool:
    return all(type(v) is str for v in values)
