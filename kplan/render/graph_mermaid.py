"""A graph as a Mermaid flowchart, which GitHub and GitLab draw inside Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kplan.render.drawing import Arc, Vertex
from kplan.render.sanitise import one_line

_SPECIAL = re.compile(r"""[^A-Za-z0-9 ._/,=:()*!-]""")
_CLASSES = {
    "missing": "stroke:#c62828,color:#c62828,stroke-dasharray:5 5",
    "unknown": "stroke:#757575,color:#757575,stroke-dasharray:2 2",
}
_ARROWS = {"missing": "-.-x", "unknown": "-.->"}


def render(vertices: Sequence[Vertex], arcs: Sequence[Arc]) -> str:
    """The whole graph."""
    lines = ["flowchart LR"]
    for i, group in enumerate(dict.fromkeys(v.group for v in vertices)):
        nodes = [_vertex(v) for v in vertices if v.group == group]
        if group:
            lines += [f'  subgraph g{i}["{_text(group)}"]', *(f"  {n}" for n in nodes), "  end"]
        else:
            lines += nodes
    lines += [f'  {a.source} {_ARROWS.get(a.state, "-->")}|"{_text(a.label)}"| {a.target}' for a in arcs]
    used = {v.state for v in vertices}
    lines += [f"  classDef {name} {style}" for name, style in _CLASSES.items() if name in used]
    return "\n".join(lines) + "\n"


def _vertex(vertex: Vertex) -> str:
    style = f":::{vertex.state}" if vertex.state in _CLASSES else ""
    return f'  {vertex.id}["{_text(vertex.label)}"]{style}'


def _text(text: str) -> str:
    """Text for inside quotes. Everything that Mermaid or HTML could read as syntax becomes a character code."""
    return _SPECIAL.sub(lambda m: f"#{ord(m[0])};", one_line(text))
