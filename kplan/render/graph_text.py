"""A graph as text: objects by namespace, and under each what it refers to (`->`) and what refers to it (`<-`)."""

from __future__ import annotations

from collections.abc import Sequence

from kplan.render.drawing import Arc, Vertex
from kplan.render.sanitise import one_line
from kplan.render.summary import many


def render(vertices: Sequence[Vertex], arcs: Sequence[Arc]) -> str:
    """The whole graph; the last line counts."""
    by_id = {v.id: v for v in vertices}
    out: dict[str, list[Arc]] = {}
    into: dict[str, list[Arc]] = {}
    for arc in arcs:
        out.setdefault(arc.source, []).append(arc)
        into.setdefault(arc.target, []).append(arc)
    lines: list[str] = []
    for group in dict.fromkeys(v.group for v in vertices):
        inner = [v for v in vertices if v.group == group and not v.state]
        lines += [one_line(group) or "(no namespace)"] if inner else []
        for vertex in inner:
            lines.append(f"  {one_line(vertex.label)}")
            lines += [_line("->", by_id[a.target], vertex, a) for a in out.get(vertex.id, ())]
            lines += [_line("<-", by_id[a.source], vertex, a) for a in into.get(vertex.id, ()) if a.source != a.target]
    return "\n".join([*lines, _counts(vertices, arcs)]) + "\n"


def _line(arrow: str, other: Vertex, own: Vertex, arc: Arc) -> str:
    where = f" in {other.group}" if other.group and other.group != own.group else ""
    state = "" if arc.state == "found" else f" {arc.state}"
    return one_line(f"    {arrow} {other.label}{where} ({arc.label}){state}")


def _counts(vertices: Sequence[Vertex], arcs: Sequence[Arc]) -> str:
    there, states = many(sum(not v.state for v in vertices), "object"), [a.state for a in arcs]
    edges, missing, unknown = many(len(arcs), "edge"), states.count("missing"), states.count("unknown")
    return f"{there}, {edges}, {missing} missing, {unknown} unknown"
