"""Selectors: what each form asks for, and an index of labels that answers without looking at every object.

Forms: a plain map (Service), metav1.LabelSelector, a PodAffinityTerm, a NetworkPolicyPeer, and the selector with
namespaces of the Prometheus operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from kplan.graph.edge import Selection
from kplan.graph.pods import Labels
from kplan.hints import Any
from kplan.labels import Requirement, requirements
from kplan.model import Key
from kplan.tuples import NamedTuple

NAMESPACE_NAME = "kubernetes.io/metadata.name"
_MOST_SETS = 50  # of keys by which an index sorts its objects


def conditions(selector: Any) -> tuple[Requirement, ...] | None:
    """The conditions of a metav1.LabelSelector; None for what is no selector."""
    return tuple(requirements(selector)) if isinstance(selector, dict) else None


def of_map(selector: Any) -> tuple[Requirement, ...] | None:
    """The conditions of a plain map; None for an empty one, which selects nothing."""
    if not isinstance(selector, dict) or not selector:
        return None
    return tuple(sorted(Requirement(k, "In", (str(v),)) for k, v in selector.items()))


def selection(form: str, group: str, kind: str, value: Any, namespace: str) -> Selection | None:
    """What stands at a selector's path, as a question; None where it selects nothing."""
    if form == "selector":
        labels = conditions(value)
        return None if labels is None else Selection(group, kind, labels, (namespace,))
    if not isinstance(value, dict):
        return None
    match form:
        case "service":
            labels = None if value.get("type") == "ExternalName" else of_map(value.get("selector"))
            return None if labels is None else Selection(group, kind, labels, (namespace,))
        case "term":
            return _of_term(group, kind, value, namespace)
        case "peer":
            return _of_peer(group, kind, value, namespace)
        case "monitor":
            return _of_monitor(group, kind, value, namespace)
    raise ValueError(f"there is no selector form {form!r}")


def _of_term(group: str, kind: str, term: Mapping[str, Any], namespace: str) -> Selection | None:
    labels = conditions(term.get("labelSelector"))
    if labels is None:
        return None
    named, chosen = _names(term.get("namespaces")), conditions(term.get("namespaceSelector"))
    return Selection(group, kind, labels, named if named or chosen is not None else (namespace,), chosen)


def _of_peer(group: str, kind: str, peer: Mapping[str, Any], namespace: str) -> Selection | None:
    labels, chosen = conditions(peer.get("podSelector")), conditions(peer.get("namespaceSelector"))
    if chosen is None:
        return None if labels is None else Selection(group, kind, labels, (namespace,))
    if labels is None:
        return Selection("", "Namespace", chosen, ("",))
    return Selection(group, kind, labels, (), chosen)


def _of_monitor(group: str, kind: str, spec: Mapping[str, Any], namespace: str) -> Selection | None:
    labels = conditions(spec.get("selector"))
    if labels is None:
        return None
    where = spec.get("namespaceSelector")
    where = where if isinstance(where, dict) else {}
    if where.get("any") is True:
        return Selection(group, kind, labels, (), ())
    return Selection(group, kind, labels, _names(where.get("matchNames")) or (namespace,))


def _names(value: Any) -> tuple[str, ...]:
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


class Labelled(NamedTuple):
    """Something that selectors can match: the object, and the labels that it (or its pods) has."""

    key: Key
    labels: Labels


class Exact:
    """Objects by the values of some labels: those that surely have them all, and those that may."""

    __slots__ = ("_keys", "sure", "unsure")

    def __init__(self) -> None:
        self.sure: dict[tuple[Any, ...], list[Labelled]] = {}
        self.unsure: list[Labelled] = []
        self._keys: dict[tuple[Any, ...], tuple[Key, ...]] = {}

    def surely(self, values: tuple[Any, ...]) -> tuple[Key, ...] | None:
        """The keys of the objects with these values; None where there may be others."""
        if self.unsure or values not in self.sure:
            return None
        if values not in self._keys:
            self._keys[values] = tuple(dict.fromkeys(item.key for item in self.sure[values]))
        return self._keys[values]


class LabelIndex:
    """Labelled objects of one kind in one namespace, found by label."""

    __slots__ = ("_added", "_exact", "_fixed", "_more", "_taken_in", "all")

    def __init__(self) -> None:
        self.all: list[Labelled] = []
        self._taken_in = 0  # how many are in the tables by label: many an index is never asked
        self._fixed: dict[tuple[str, str | None], list[Labelled]] = {}
        self._added: dict[str, list[Labelled]] = {}
        self._more: list[Labelled] = []
        self._exact: dict[tuple[str, ...], Exact] = {}

    def add(self, item: Labelled) -> None:
        """Take in one object."""
        self.all.append(item)
        self._exact.clear()

    def exact(self, keys: tuple[str, ...]) -> Exact | None:
        """The objects that have labels with these keys, and those that may have them; None where selectors ask for so
        many sets of keys that each has few objects."""
        found = self._exact.get(keys)
        if found is None and len(self._exact) < _MOST_SETS:
            found = self._exact[keys] = Exact()
            for item in self.all:
                labels = item.labels
                values = tuple([labels.fixed.get(key) for key in keys])
                if None not in values:
                    found.sure.setdefault(values, []).append(item)
                elif labels.more or any(key in labels.added for key in keys):
                    found.unsure.append(item)
        return found

    def _take_in(self, item: Labelled) -> None:
        if item.labels.more:
            self._more.append(item)
            return
        for key, value in item.labels.fixed.items():
            self._fixed.setdefault((key, value), []).append(item)
            self._fixed.setdefault((key, None), []).append(item)
        for key in item.labels.added:
            self._added.setdefault(key, []).append(item)

    def find(self, wanted: tuple[Requirement, ...]) -> Iterator[tuple[Labelled, bool]]:
        """What may satisfy all conditions, and whether that is sure."""
        keys = tuple([c.key for c in wanted if c.operator == "In" and len(c.values) == 1])
        exact = self.exact(keys) if len(keys) == len(wanted) == len(set(keys)) else None
        if exact is not None:
            for item in exact.sure.get(tuple([c.values[0] for c in wanted]), ()):
                yield item, True
        for items in [exact.unsure] if exact is not None else self._candidates(wanted):
            for item in items:
                holds = item.labels.satisfy_all(wanted)
                if holds is not False:
                    yield item, holds is True

    def _candidates(self, wanted: tuple[Requirement, ...]) -> list[list[Labelled]]:
        """The lists that hold every match: those of the condition that leaves the fewest."""
        for item in self.all[self._taken_in :]:
            self._take_in(item)
        best, size = [self.all], len(self.all)
        self._taken_in = size
        for condition in wanted:
            if condition.operator in ("In", "Exists", "Gt", "Lt"):
                values = dict.fromkeys(condition.values) if condition.operator == "In" else (None,)
                lists = [self._fixed.get((condition.key, v), []) for v in values]
                lists += [self._added.get(condition.key, []), self._more]
                total = sum(map(len, lists))
                if total < size:
                    best, size = lists, total
        return best


# Who has labels of a kind: the namespace of each object, and the object.
Labelling = Callable[[str, str], Iterable[tuple[str, Labelled]]]


class Selectable:
    """All labelled objects, by kind and namespace, and the labels of namespaces; `of_kind` gives those of a kind when
    a selector first asks for it."""

    __slots__ = ("_chosen", "_indexes", "_namespaces", "_of_kind")

    def __init__(self, of_kind: Labelling) -> None:
        self._of_kind = of_kind
        self._indexes: dict[tuple[str, str], dict[str | None, LabelIndex]] = {}
        self._namespaces: dict[str, Labels] = {}
        self._chosen: dict[tuple[Requirement, ...], list[tuple[str, bool]]] = {}

    def _index(self, group: str, kind: str, namespace: str | None) -> LabelIndex | None:
        """The objects of a kind in a namespace, None for all."""
        indexes = self._indexes.get((group, kind))
        if indexes is None:
            indexes = self._indexes[group, kind] = {}
            for place, item in self._of_kind(group, kind):
                for where in (place, None):
                    if where not in indexes:
                        indexes[where] = LabelIndex()
                    indexes[where].add(item)
        return indexes.get(namespace)

    def exact(self, group: str, kind: str, namespace: str, keys: tuple[str, ...]) -> Exact | None:
        """The objects of a kind in a namespace by the values of the labels with these keys; None if that is not
        known."""
        index = self._index(group, kind, namespace)
        return index.exact(keys) if index is not None else None

    def add_namespace(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Take in a namespace; None stands for the labels of one that is only spoken of."""
        if labels is not None:
            self._namespaces[name] = Labels({**labels, NAMESPACE_NAME: name})
        elif name not in self._namespaces:
            self._namespaces[name] = Labels({NAMESPACE_NAME: name} if name else {}, more=True)

    def find(self, asked: Selection) -> Iterator[tuple[Key, bool]]:
        """The objects that may match, and whether that is sure; an object may come twice, unsure the second time."""
        if asked.kind == "Namespace":
            for name, sure in self._choose(asked.requirements):
                yield Key("", "Namespace", "", name), sure
            return
        for namespace, sure in self._where(asked):
            index = self._index(asked.group, asked.kind, namespace)
            for item, holds in index.find(asked.requirements) if index else ():
                yield item.key, sure and holds

    def namespaces(self, asked: Selection) -> tuple[str, ...]:
        """The namespaces that are looked into; () stands for all."""
        return tuple(name for name, sure in self._where(asked) if name is not None and sure)

    def _where(self, asked: Selection) -> list[tuple[str | None, bool]]:
        """Where to look: namespaces, None for all of them; and whether the question surely means them.

        An object without a namespace goes to whichever one is given when it is applied.
        """
        if asked.namespace_selector == ():
            return [(None, True)]
        where: list[tuple[str | None, bool]] = []
        for name in asked.namespaces:
            where += [(name, True), ("default", True), (None, False)] if not name else [(name, True), ("", False)]
        return where if asked.namespace_selector is None else [*where, *self._choose(asked.namespace_selector)]

    def _choose(self, selector: tuple[Requirement, ...]) -> list[tuple[str, bool]]:
        """The namespaces whose labels may satisfy a selector, and whether that is sure."""
        chosen = self._chosen.get(selector)
        if chosen is None:
            held = [(name, labels.satisfy_all(selector)) for name, labels in self._namespaces.items()]
            chosen = self._chosen[selector] = [(name, sure is True) for name, sure in held if sure is not False]
        return chosen
