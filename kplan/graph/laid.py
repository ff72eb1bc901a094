"""What is known of the edges of a batch before its objects are looked at: most need not be made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from kplan.batches import Batch
from kplan.graph import irregular
from kplan.graph.edge import FOUND, MISSING, Wanted
from kplan.graph.found import IRREGULAR, Way, Ways, ways
from kplan.graph.links import links
from kplan.graph.shortcuts import Shortcut, match_labels, own_labels, selects_own, shortcut
from kplan.graph.world import World
from kplan.model import Key
from kplan.tuples import NamedTuple
from kplan.workloads import get


class Laid(NamedTuple):
    """Of the objects whose layout tells where edges start, by their positions: the ways in which edges are to be made,
    () for none; and the links, by the kind of edge."""

    ways: Mapping[int, tuple[Way, ...]]
    links: Mapping[str, dict[int, tuple[Key, ...]]]


def laid(world: World, wanted: Wanted | None, followed: Collection[str]) -> Laid:
    """What is known of the batches of a world; `wanted` and `followed` are those of `kplan.graph.build`."""
    found: dict[int, tuple[Way, ...]] = {}
    out = Laid(found, {edge: {} for edge in followed})
    for batch in world.batches:
        known = _ways(batch, world)
        if known is not None:
            found |= dict.fromkeys(batch.positions, ())
            for way, is_open in [*_with_shortcuts(known, batch, world, wanted), *_irregular(batch, world, wanted)]:
                for row in _linked(way, batch, world, out) if is_open is None else is_open(batch):
                    found[batch.positions[row]] += (way,)
    return out


def _ways(batch: Batch, world: World) -> Ways | None:
    """Where edges start in the objects of a batch; None where values decide about that."""
    identity, layout = world.identities[batch.positions[0]], batch.layout
    plan = ("edges", identity.group, identity.kind, batch.kind)
    if plan not in layout.plans:
        layout.plans[plan] = ways(batch.objects[0], identity, layout.tree)
    known: Ways | None = layout.plans[plan]
    return known


def _with_shortcuts(
    known: Ways, batch: Batch, world: World, wanted: Wanted | None
) -> list[tuple[Way, Shortcut | None]]:
    if wanted is None or world.is_cluster_scoped(batch.group, batch.kind) is not False:
        return [(way, None) for way in known]
    tree = batch.layout.tree
    own = own_labels(batch.kind, tree)
    return [((rule, path), shortcut(rule, path, tree, own, world, wanted)) for rule, path in known]


def _irregular(batch: Batch, world: World, wanted: Wanted | None) -> list[tuple[Way, Shortcut | None]]:
    """The way of the irregular edges, where any may be wanted."""
    identity, tree = world.identities[batch.positions[0]], batch.layout.tree
    if wanted is None or world.is_cluster_scoped(batch.group, batch.kind) is not False:
        return [(IRREGULAR, None)]
    if wanted("namespace", "Namespace", MISSING, False) or not irregular.is_usual(identity, world):
        return [(IRREGULAR, None)]
    if not irregular.has_own_pods(identity):
        return []
    selector = get(tree, "spec", "selector")
    labels = selector if batch.kind == "ReplicationController" else match_labels(selector)
    own = own_labels(batch.kind, tree)
    return [(IRREGULAR, None if wanted("own-pods", "Pod", FOUND, True) else selects_own(labels, own))]


def _linked(way: Way, batch: Batch, world: World, out: Laid) -> Iterable[int]:
    """Make the links of a batch in one way; the rows that have none."""
    rule, path = way
    find = links(rule, path, batch, world) if rule is not None and rule.edge in out.links else None
    if rule is None or find is None:
        return range(len(batch.rows))
    found = find(batch)
    linked = zip(batch.positions, found, strict=True)
    out.links[rule.edge].update((position, keys) for position, keys in linked if keys is not None)
    return [row for row, keys in enumerate(found) if keys is None]
