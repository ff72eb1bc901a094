"""From objects to edges: the rules of the table, applied to every object; then what no table can say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from kplan.batches import Batch
from kplan.graph import irregular
from kplan.graph.edge import FOUND, MISSING, Edge, Selection, Wanted
from kplan.graph.given import is_name
from kplan.graph.found import Replaced, Ways, found, replaced_volumes, ways
from kplan.graph.links import links
from kplan.graph.rules import Found, Rule, target_of, walk
from kplan.graph.selectors import selection
from kplan.graph.shortcuts import Shortcut, match_labels, own_labels, selects_own, shortcut
from kplan.graph.world import Resolution, World
from kplan.hints import Any
from kplan.model import Key, Object, Path

# Where edges start in an object: a rule and the path at which it applies, or what no rule says.
Way = tuple[Rule | None, Path]
IRREGULAR: Way = (None, ())


class Builder:
    """Makes the edges that start at the objects of a world: every edge, or those that are wanted."""

    def __init__(self, world: World, wanted: Wanted | None = None, followed: Collection[str] = ()) -> None:
        self._world = world
        self._asked = wanted
        self._followed = followed
        self.links: dict[str, dict[int, tuple[Key, ...]]] = {edge: {} for edge in followed}

    def edges(self) -> Iterator[Edge]:
        """The edges, in the order of the objects and of their text."""
        world = self._world
        open_ways: dict[int, list[Way]] = {}
        known: set[int] = set()
        for batch in world.batches:
            laid = self._laid(batch)
            if laid is not None:
                known.update(batch.positions)
                for is_open, way in laid:
                    for row in self._linked(way, batch) if is_open is None else is_open(batch):
                        open_ways.setdefault(batch.positions[row], []).append(way)
        for position, obj in enumerate(world.given):
            if position in open_ways:
                yield from self._along(open_ways[position], obj, position)
            elif position not in known:
                for rule, value, path in found(obj, world.identities[position]):
                    yield from self._edges(rule, value, path, obj, position)
                yield from self._irregular(obj, position)

    def _along(self, ways: list[Way], obj: Object, position: int) -> Iterator[Edge]:
        """The edges of an object in these ways."""
        for rule, path in ways:
            if rule is None:
                yield from self._irregular(obj, position)
                continue
            replaced = replaced_volumes(obj) if "volumes" in path else Replaced()
            if path[: replaced.depth] not in replaced.paths:
                yield from self._edges(rule, obj.part(*path), path, obj, position)

    def _linked(self, way: Way, batch: Batch) -> Iterable[int]:
        """Make the links of a batch in one way; the rows that have none."""
        rule, path = way
        find = links(rule, path, batch.layout.tree, self._world) if rule and rule.edge in self._followed else None
        found = find(batch) if find is not None else [None] * len(batch.rows)
        if rule and find is not None:
            linked = zip(batch.positions, found, strict=True)
            self.links[rule.edge].update((position, keys) for position, keys in linked if keys is not None)
        return (row for row, keys in enumerate(found) if keys is None)

    def _wants(self, edge: str, kind: str, state: str, own: bool = False) -> bool:
        return self._asked is None or self._asked(edge, kind, state, own)

    def _laid(self, batch: Batch) -> list[tuple[Shortcut | None, Way]] | None:
        """Where edges start in the objects of a batch, each with its shortcut; None where values decide about that."""
        obj, layout = batch.objects[0], batch.layout
        identity = self._world.identities[batch.positions[0]]
        plan = ("edges", identity.group, identity.kind, obj.ref.kind)
        if plan not in layout.plans:
            layout.plans[plan] = ways(obj, identity, layout.tree)
        known: Ways | None = layout.plans[plan]
        return self._with_shortcuts(known, obj, identity, layout.tree) if known is not None else None

    def _with_shortcuts(
        self, known: Ways, obj: Object, identity: Key, tree: Any
    ) -> list[tuple[Shortcut | None, Way]]:
        world, asked = self._world, self._asked
        if asked is None or world.is_cluster_scoped(obj.ref.group, obj.ref.kind) is not False:
            return [*((None, way) for way in known), (None, IRREGULAR)]
        own = own_labels(obj.ref.kind, tree)
        laid: list[tuple[Shortcut | None, Way]] = [
            (shortcut(rule, path, tree, own, world, asked), (rule, path)) for rule, path in known
        ]
        if asked("namespace", "Namespace", MISSING, False) or not irregular.is_usual(identity, world):
            return [*laid, (None, IRREGULAR)]
        if not irregular.has_own_pods(identity):
            return laid
        selector = tree["spec"].get("selector") if isinstance(tree.get("spec"), dict) else None
        labels = selector if obj.ref.kind == "ReplicationController" else match_labels(selector)
        return [*laid, (None if asked("own-pods", "Pod", FOUND, True) else selects_own(labels, own), IRREGULAR)]

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
