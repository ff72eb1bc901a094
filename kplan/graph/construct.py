"""From objects to edges: the rules of the table, applied to every object; then what no table can say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from kplan.graph import irregular
from kplan.graph.edge import FOUND, MISSING, Edge, Selection, Wanted
from kplan.graph.found import Replaced, Way, found, replaced_volumes
from kplan.graph.given import is_name
from kplan.graph.rules import Found, Rule, target_of, walk
from kplan.graph.selectors import selection
from kplan.graph.world import Resolution, World
from kplan.hints import Any
from kplan.model import Key, Object, Path


class Builder:
    """Makes the edges that start at the objects of a world: every edge, or those that are wanted."""

    def __init__(self, world: World, wanted: Wanted | None = None, followed: Collection[str] = ()) -> None:
        self._world = world
        self._asked = wanted
        self._open: Mapping[int, tuple[Way, ...]] = {}
        self.links: Mapping[str, Mapping[int, tuple[Key, ...]]] = {}
        if world.batches:
            from kplan.graph.laid import laid

            self._open, self.links = laid(world, wanted, followed)

    def edges(self) -> Iterator[Edge]:
        """The edges, in the order of the objects and of their text."""
        for position, obj in enumerate(self._world.given):
            ways = self._open.get(position)
            if ways is None:
                for rule, value, path in found(obj, self._world.identities[position]):
                    yield from self._edges(rule, value, path, obj, position)
                yield from self._irregular(obj, position)
            elif ways:
                yield from self._along(ways, obj, position)

    def _along(self, ways: tuple[Way, ...], obj: Object, position: int) -> Iterator[Edge]:
        """The edges of an object in these ways."""
        for rule, path in ways:
            if rule is None:
                yield from self._irregular(obj, position)
                continue
            replaced = replaced_volumes(obj) if "volumes" in path else Replaced()
            if path[: replaced.depth] not in replaced.paths:
                yield from self._edges(rule, obj.part(*path), path, obj, position)

    def _wants(self, edge: str, kind: str, state: str, own: bool = False) -> bool:
        return self._asked is None or self._asked(edge, kind, state, own)

    def _irregular(self, obj: Object, position: int) -> list[Edge]:
        identity = self._world.identities[position]
        is_asked = self._wants("namespace", "Namespace", MISSING)
        return [
            edge if edge.position >= 0 else edge._replace(position=position)
            for edge in irregular.edges_of(obj, identity, self._world, with_namespace=is_asked)
            if self._wants(edge.kind, edge.target.kind, edge.state, edge.kind == "own-pods" and edge.state == FOUND)
        ]

    def _edges(self, rule: Rule, value: Any, path: Path, obj: Object, position: int) -> list[Edge]:
        """The edges of a rule that applies to this value."""
        if rule.form:
            return self._selector(rule, value, path, obj, position)
        return self._references(rule, value, path, obj, position)

    def _selector(self, rule: Rule, value: Any, path: Path, obj: Object, position: int) -> list[Edge]:
        asked = selection(rule.form, rule.target.group, rule.target.kind, value, obj.ref.namespace)
        if asked is None:
            return []
        if self._world.is_cluster_scoped(asked.group, asked.kind):
            asked = asked._replace(namespaces=("",))
        state, note = self._world.state_of(asked)
        if self._asked is not None and not self._asked(rule.edge, asked.kind, state, self._is_own(asked, obj)):
            return []
        place = (*path, "selector") if rule.form in ("service", "monitor") else path
        return [Edge(obj.ref.key, place, rule.edge, asked, state, rule.optional, "", note, position, order=False)]

    def _is_own(self, asked: Selection, obj: Object) -> bool:
        """Whether a selector surely holds for the pods that its own object makes."""
        labels = self._world.pods(obj) if asked.kind == "Pod" else None
        if labels is None or obj.ref.namespace not in asked.namespaces:
            return False
        return labels.satisfy_all(asked.requirements) is True

    def _references(self, rule: Rule, value: Any, path: Path, obj: Object, position: int) -> list[Edge]:
        name, field = (value, "") if isinstance(value, str) else _name(rule, value)
        if not is_name(name) or (rule.unless and name.startswith(rule.unless)):
            return []
        holder: Mapping[str, Any] = value if isinstance(value, dict) else {}
        if rule.condition[0] and holder.get(rule.condition[0]) != rule.condition[1]:
            return []
        group, kind = target_of(rule, holder)
        namespace = _namespace(rule, holder, group, kind, obj, self._world)
        if not kind or namespace is None:
            return []
        there = self._world.resolve(group, kind, namespace, name)
        optional = rule.optional or holder.get("optional") is True
        source = obj.ref.key

        def edge() -> Edge:
            place = (*path, field) if field else path
            return Edge(
                source, place, rule.edge, there.key, there.state, optional, "", there.note, position, rule.order
            )

        out = [edge()] if self._wants(rule.edge, there.key.kind, there.state) else []
        if rule.keys and there.objects:
            out += self._parts(rule, holder, path, edge, there)
        if rule.grant and rule.namespace in holder and there.key.namespace not in ("", obj.ref.namespace):
            permit = irregular.grant(edge(), (*path, rule.namespace), self._world)
            if self._wants(permit.kind, permit.target.kind, permit.state):
                out.append(permit)
        return out

    def _parts(
        self, rule: Rule, holder: Mapping[str, Any], path: Path, edge: Callable[[], Edge], there: Resolution
    ) -> Iterator[Edge]:
        """One edge for each key or port that is asked of a target that exists."""
        for field in rule.keys:
            named: list[Found] = []
            walk(field.place, holder, path, named)
            keys = [
                (str(v), p) for _, v, p in named if isinstance(v, (str, int)) and not isinstance(v, bool) and v != ""
            ]
            for key, place in keys or ([(field.default, edge().path)] if field.default else []):
                state = self._world.part_state(there, key)
                if state is not None and self._wants(f"{rule.edge}-key", there.key.kind, state):
                    note = "" if state == FOUND else f"{there.key.kind} {there.key.name} has no {key}"
                    yield edge()._replace(path=place, kind=f"{rule.edge}-key", state=state, key=key, note=note)


def _name(rule: Rule, value: Any) -> tuple[str, str]:
    """The name that stands in a mapping, and its field; "" if none does."""
    if isinstance(value, dict):
        for field in rule.names:
            name = value.get(field)
            if isinstance(name, str) and name:
                return name, field
    return "", ""


def _namespace(rule: Rule, holder: Mapping[str, Any], group: str, kind: str, obj: Object, world: World) -> str | None:
    """The namespace to look in: the one that is named, or the source's own. None: it cannot be known."""
    named = holder.get(rule.namespace) if rule.namespace else None
    if isinstance(named, str) and named:
        return named if is_name(named) else None
    if not world.is_cluster_scoped(obj.ref.group, obj.ref.kind) or obj.ref.namespace:
        return obj.ref.namespace
    return None if world.is_cluster_scoped(group, kind) is False else ""
