"""Selectors: what each form asks for, and an index of labels that answers without looking at every object.

Forms: a plain map (Service), metav1.LabelSelector, a PodAffinityTerm, a NetworkPolicyPeer, and the selector with
namespaces of the Prometheus operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kplan.graph.edge import Selection
from kplan.graph.pods import Labels
from kplan.labels import Requirement, requirements
from kplan.model import Key

NAMESPACE_NAME = "kubernetes.io/metadata.name"


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


class LabelIndex:
    """Labelled objects of one kind in one namespace, found by label."""

    __slots__ = ("_by_key", "_by_value", "_open", "all")

    def __init__(self) -> None:
        self.all: list[Labelled] = []
        self._by_value: dict[tuple[str, str], list[Labelled]] = {}
        self._by_key: dict[str, list[Labelled]] = {}
        self._open: list[Labelled] = []

    def add(self, item: Labelled) -> None:
        """Take in one object."""
        self.all.append(item)
        if item.labels.more:
            self._open.append(item)
            return
        for label in item.labels.fixed.items():
            self._by_value.setdefault(label, []).append(item)
        for key in (*item.labels.fixed, *item.labels.added):
            self._by_key.setdefault(key, []).append(item)

    def find(self, wanted: tuple[Requirement, ...]) -> Iterator[tuple[Labelled, bool]]:
        """What may satisfy all conditions, and whether that is sure."""
        for items in self._candidates(wanted):
            for item in items:
                holds = item.labels.satisfy_all(wanted)
                if holds is not False:
                    yield item, holds is True

    def _candidates(self, wanted: tuple[Requirement, ...]) -> list[list[Labelled]]:
        """The shortest lists that hold every match: those of one condition that asks for a label to be there."""
        best, size = [self.all], len(self.all)
        for condition in wanted:
            lists = self._of(condition)
            total = sum(map(len, lists)) if lists is not None else size
            if lists is not None and total < size:
                best, size = [*lists, self._open], total
        return best

    def _of(self, condition: Requirement) -> list[list[Labelled]] | None:
        if condition.operator == "In" and not any(condition.key in i.labels.added for i in self._by_key.get(condition.key, ())[:1]):
            return [self._by_value.get((condition.key, v), []) for v in dict.fromkeys(condition.values)]
        if condition.operator in ("In", "Exists", "Gt", "Lt"):
            return [self._by_key.get(condition.key, [])]
        return None


class Selectable:
    """All labelled objects, by kind and namespace, and the labels of namespaces."""

    def __init__(self) -> None:
        self._indexes: dict[tuple[str, str, str | None], LabelIndex] = {}
        self._namespaces: dict[str, Labels] = {}
        self._chosen: dict[tuple[Requirement, ...], tuple[tuple[str, bool], ...]] = {}

    def add(self, group: str, kind: str, item: Labelled) -> None:
        """Take in an object, under its own kind or as something that makes pods."""
        for namespace in (item.key.namespace, None):
            index = self._indexes.setdefault((group, kind, namespace), LabelIndex())
            index.add(item)

    def add_namespace(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Take in a namespace; None for the labels of one that is only spoken of."""
        if labels is not None:
            self._namespaces[name] = Labels({**labels, NAMESPACE_NAME: name})
        elif name not in self._namespaces:
            self._namespaces[name] = Labels({NAMESPACE_NAME: name} if name else {}, more=True)

    def find(self, asked: Selection) -> Iterator[tuple[Key, bool]]:
        """The objects that may match, and whether that is sure."""
        seen = set()
        for namespace, sure in self._where(asked):
            index = self._indexes.get((asked.group, asked.kind, namespace))
            for item, holds in index.find(asked.requirements) if index else ():
                if item.key not in seen:
                    seen.add(item.key)
                    yield item.key, sure and holds
'''+'''
    def _where(self, asked: Selection) -> Iterable[tuple[str | None, bool]]:
        ...
