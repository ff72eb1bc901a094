"""The object graph: what refers to what, what selects what, what is wanted and not there, and the apply order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from kplan.batches import Batch, batches
from kplan.graph.construct import Builder
from kplan.graph.edge import FOUND, MISSING, Edge, Selection, Step, Wanted
from kplan.graph.world import World
from kplan.hints import TYPE_CHECKING
from kplan.model import Key, Object

if TYPE_CHECKING:
    from kplan.graph.order import Needs


Links = Mapping[str, Mapping[int, tuple[Key, ...]]]


class Graph:
    """Objects and the edges between them; made by `build`, never changed.

    `objects` are all that were given, `nodes` the same by identity (of several with one identity the last, as with
    kubectl apply), `edges` in the order of the objects and of their text. `links` are those kinds of edges that are
    only followed: what they lead to by the position of their source, where that is no edge.
    """

    def __init__(self, objects: tuple[Object, ...], world: World, edges: tuple[Edge, ...], links: Links) -> None:
        self.objects = objects
        self.edges = edges
        self.links = links
        self.nodes: Mapping[Key, Object] = dict(zip(world.keys, objects, strict=True))
        self._world = world

    def source(self, edge: Edge) -> Object:
        """The object in which an edge stands: its document gives the place of `edge.path`."""
        return self.objects[edge.position]

    def references(self, key: Key) -> tuple[Edge, ...]:
        """The edges that start at an object."""
        return tuple(self._outgoing.get(key, ()))

    def referrers(self, key: Key) -> tuple[Edge, ...]:
        """The edges that lead to an object: references by name, and selectors that match it (or its pods)."""
        return tuple(self._incoming.get(key, ()))

    def dangling(self, *, unknown: bool = False) -> tuple[Edge, ...]:
        """The edges that certainly lead nowhere; with `unknown` those as well that lead out of what was given."""
        return tuple(e for e in self.edges if not e.optional and (e.state == MISSING or (unknown and e.state != FOUND)))

    def matches(self, edge: Edge) -> tuple[Key, ...]:
        """The objects that a selector edge surely matches; for `Pod`, the objects that make the pods."""
        if not isinstance(edge.target, Selection):
            return ()
        if edge.kind == "own-pods":
            return (edge.source,) if edge.state == FOUND else ()
        return self._matches(edge.target)

    def selected(self, key: Key) -> tuple[Key, ...]:
        """The objects that an object's selectors match."""
        found = (k for e in self.references(key) if e.kind != "own-pods" for k in self.matches(e))
        return tuple(dict.fromkeys(found))

    def order(self) -> tuple[Step, ...]:
        """Every object in an order in which it can be applied, in waves, with the objects that it waits for."""
        from kplan.graph.order import waves

        return waves(self._needs)

    def deletion_order(self) -> tuple[Step, ...]:
        """The order of deleting: the reverse of applying. `needs` stay those of applying."""
        from kplan.graph.order import reverse

        return reverse(self.order())

    def cycles(self) -> tuple[tuple[Key, ...], ...]:
        """Objects that need each other in a circle, each circle sorted."""
        from kplan.graph.order import components

        return tuple(sorted(part for part in components(self._needs) if len(part) > 1))

    @cached_property
    def duplicates(self) -> Mapping[Key, tuple[Object, ...]]:
        """Identities that several objects bear, as the server sees them. `generateName` gives each its own name."""
        named = {
            key: tuple(o for o in found if o.part("metadata", "name") or not o.part("metadata", "generateName"))
            for key, found in self._world.several.items()
        }
        return {key: objects for key, objects in named.items() if len(objects) > 1}

    @cached_property
    def _needs(self) -> Needs:
        from kplan.graph.order import needs_of

        return needs_of(self.nodes, self.edges)

    @cached_property
    def _outgoing(self) -> dict[Key, list[Edge]]:
        out: dict[Key, list[Edge]] = {}
        for edge in self.edges:
            out.setdefault(edge.source, []).append(edge)
        return out

    @cached_property
    def _incoming(self) -> dict[Key, list[Edge]]:
        out: dict[Key, list[Edge]] = {}
        for edge in self.edges:
            targets = (edge.target,) if isinstance(edge.target, Key) else self.matches(edge)
            for key in targets:
                out.setdefault(key, []).append(edge)
        return out

    @cached_property
    def _memo(self) -> dict[Selection, tuple[Key, ...]]:
        return {}

    def _matches(self, asked: Selection) -> tuple[Key, ...]:
        found = self._memo.get(asked)
        if found is None:
            sure = (key for key, is_sure in self._world.selectable.find(asked) if is_sure and key in self.nodes)
            found = self._memo[asked] = tuple(dict.fromkeys(sure))
        return found


def build(
    objects: Iterable[Object],
    *,
    closed: bool = False,
    externals: Iterable[str | Key] = (),
    wanted: Wanted | None = None,
    followed: Collection[str] = (),
    laid_out: Sequence[Batch] | None = None,
) -> Graph:
    """The graph of a set of objects.

    In an open world what is not among the objects is `unknown`; `closed` makes it `missing`. `externals` are objects
    that exist elsewhere: keys, or texts `Kind/name` or `Kind/namespace/name` (`Kind.group` as well; parts may be
    `*`). `wanted` leaves edges out by kind, kind of target and state. Of the `followed` kinds, of which an object has
    one edge at the most, those that lead to something may only be `links`. `laid_out` are the batches of the objects,
    if they are known. Raises KplanError for a text that names nothing.
    """
    given = tuple(objects)
    world = World(given, batches(given) if laid_out is None else laid_out, closed=closed, externals=externals)
    builder = Builder(world, wanted, followed)
    return Graph(given, world, tuple(builder.edges()), builder.links)
