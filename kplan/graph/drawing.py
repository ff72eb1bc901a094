"""A graph as plain vertices and arcs, for the renderers: what a person wants to see, each pair of objects once."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.graph.edge import FOUND, MISSING, UNKNOWN, Edge, Selection
from kplan.graph.graph import Graph
from kplan.model import Key

# (id, label, group, state), and (id of the source, id of the target, label, state).
Vertex = tuple[str, str, str, str]
Arc = tuple[str, str, str, str]
End = Key | Selection
# True of nearly every object, so no news: drawn on demand, and where something is wrong with the object itself.
_PLAIN = frozenset({"namespace", "definition"})
_PLAIN_IF_FOUND = frozenset({"definition-key", "own-pods"})
_WORST = (FOUND, UNKNOWN, MISSING)


def draw(
    graph: Graph, *, everything: bool = False, dangling: bool = False, around: tuple[str, str] | None = None
) -> tuple[list[Vertex], list[Arc]]:
    """The objects, by namespace as group, and the arcs between them; a target that is not there is a vertex too.

    `everything` keeps the edges to namespaces and definitions, `dangling` only what leads nowhere, `around` (kind,
    name) only such an object and its neighbours. Vertices are in the order of the input.
    """
    arcs: dict[tuple[End, End], list[Edge]] = {}
    for edge in graph.edges:
        if _is_shown(edge, everything, dangling):
            for target in _ends(graph, edge):
                arcs.setdefault((edge.source, target), []).append(edge)
    ends = [end for pair in arcs for end in pair]
    keys = list(dict.fromkeys(ends if dangling else [*graph.nodes, *ends]))
    if around is not None:
        middle = {k for k in keys if isinstance(k, Key) and (k.kind.lower(), k.name) == (around[0].lower(), around[1])}
        arcs = {pair: edges for pair, edges in arcs.items() if not middle.isdisjoint(pair)}
        near = middle.union(*arcs)
        keys = [k for k in keys if k in near]
    ids = {key: f"n{i}" for i, key in enumerate(keys)}
    states = _states(graph, arcs)
    vertices = [(ids[k], *_caption(k), states.get(k, "")) for k in keys]
    return vertices, [(ids[a], ids[b], _label(edges), _worst(edges)) for (a, b), edges in arcs.items()]


def _is_shown(edge: Edge, everything: bool, dangling: bool) -> bool:
    if dangling:
        return edge.state != FOUND and not edge.optional
    return everything or not (edge.kind in _PLAIN or (edge.kind in _PLAIN_IF_FOUND and edge.state != MISSING))


def _ends(graph: Graph, edge: Edge) -> Iterator[End]:
    """Where an edge leads: to its target, or to all that a selector matches, or to the selector's own text."""
    if isinstance(edge.target, Key):
        yield edge.target
    elif edge.kind == "own-pods":
        yield edge.source
    else:
        yield from graph.matches(edge) or (() if edge.state == FOUND else (edge.target,))


def _states(graph: Graph, arcs: dict[tuple[End, End], list[Edge]]) -> dict[End, str]:
    """The state of every vertex that is no object of the input."""
    states: dict[End, str] = {}
    for (_, target), edges in arcs.items():
        if target not in graph.nodes:
            worst = _worst([e for e in edges if not e.key] or edges)
            states[target] = "" if worst == FOUND else worst
    return states


def _worst(edges: list[Edge]) -> str:
    return max((e.state for e in edges), key=_WORST.index)


def _label(edges: list[Edge]) -> str:
    kinds = dict.fromkeys(e.kind for e in edges if not e.key)
    wanted = dict.fromkeys(f"no {e.key}" for e in edges if e.key and e.state == MISSING)
    return ", ".join([*kinds, *wanted])


def _caption(end: End) -> tuple[str, str]:
    """(label, group) of a vertex."""
    if isinstance(end, Key):
        return f"{end.kind} {end.name}", end.namespace
    return str(end), end.namespaces[0] if len(end.namespaces) == 1 else ""
