"""A graph in the DOT language of Graphviz: a cluster for each namespace, red for what is missing, grey for unknown."""

from __future__ import annotations

from collections.abc import Sequence

from kplan.render.drawing import Arc, Vertex
from kplan.render.sanitise import one_line

_STYLES = {
    "missing": ' color="#c62828" fontcolor="#c62828" style="dashed"',
    "unknown": ' color="#757575" fontcolor="#757575" style="dotted"',
}


def render(vertices: Sequence[Vertex], arcs: Sequence[Arc]) -> str:
    """The whole graph."""
    lines = ["digraph kplan {", "  rankdir=LR;", '  node [shape=box fontname="sans-serif"];', "  edge [fontsize=10];"]
    for i, group in enumerate(dict.fromkeys(v.group for v in vertices)):
        nodes = [_vertex(v) for v in vertices if v.group == group]
        if group:
            lines += [f"  subgraph cluster_{i} {{", f"    label={_text(group)};", *(f"  {n}" for n in nodes), "  }"]
        else:
            lines += nodes
    lines += [f"  {a.source} -> {a.target} [label={_text(a.label)}{_STYLES.get(a.state, '')}];" for a in arcs]
    return "\n".join([*lines, "}"]) + "\n"


def _vertex(vertex: Vertex) -> str:
    return f"  {vertex.id} [label={_text(vertex.label)}{_STYLES.get(vertex.state, '')}];"


def _text(text: str) -> str:
    """A quoted string. A backslash is doubled, so that no escape of DOT (`\\N`, `\\l`) comes out of a name."""
    plain = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'
