"""Graphs as text, DOT and Mermaid: what is drawn, and that no name can break out of its label."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kplan.graph import build
from kplan.graph.drawing import draw
from kplan.model import Object
from kplan.render import graph_dot, graph_mermaid, graph_text
from kplan.render.drawing import Arc, Vertex
from kplan.store import ref_of


def thing(api_version: str, kind: str, name: str, **fields: Any) -> Object:
    value = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **fields}
    return Object(ref_of(value), value)


CONTAINER = {
    "name": "c",
    "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "a"}}}],
    "envFrom": [{"configMapRef": {"name": "app"}}, {"secretRef": {"name": "keys"}}],
}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}}
OBJECTS = [
    thing("apps/v1", "Deployment", "web", spec={"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}),
    thing("v1", "ConfigMap", "app", data={}),
    thing("v1", "Service", "web", spec={"selector": {"app": "web"}}),
    thing("v1", "Service", "api", spec={"selector": {"app": "api"}}),
]


def drawing(**options: Any) -> tuple[list[Vertex], list[Arc]]:
    vertices, arcs = draw(build(OBJECTS, closed=True), **options)
    return [Vertex(*v) for v in vertices], [Arc(*a) for a in arcs]


def words(vertices: list[Vertex], arcs: list[Arc]) -> list[tuple[str, str, str, str]]:
    labels = {v.id: v.label for v in vertices}
    return [(labels[a.source], labels[a.target], a.label, a.state) for a in arcs]


def test_each_pair_once_with_what_is_not_there() -> None:
    vertices, arcs = drawing()
    assert [(v.label, v.group, v.state) for v in vertices] == [
        ("Deployment web", "shop", ""),
        ("ConfigMap app", "shop", ""),
        ("Service web", "shop", ""),
        ("Service api", "shop", ""),
        ("Secret keys", "shop", "missing"),
        ("Pod with app=api", "shop", "missing"),
    ]
    assert words(vertices, arcs) == [
        ("Deployment web", "ConfigMap app", "env, env-from, no a", "missing"),
        ("Deployment web", "Secret keys", "env-from", "missing"),
        ("Service web", "Deployment web", "selector", "found"),
        ("Service api", "Pod with app=api", "selector", "missing"),
    ]


def test_namespaces_and_own_pods_are_drawn_on_demand() -> None:
    vertices, arcs = draw(build(OBJECTS))
    assert "namespace" not in [a.label for a in drawing()[1]]
    assert [a[2] for a in arcs] == ["env, env-from", "env-from", "selector", "selector"]
    assert [v[3] for v in vertices] == ["", "", "", "", "unknown", "unknown"]
    assert "own-pods" in [a[2] for a in draw(build(OBJECTS), everything=True)[1]]


def test_only_what_dangles() -> None:
    vertices, arcs = drawing(dangling=True)
    assert {a.state for a in arcs} == {"missing"}
    assert "Service web" in [v.label for v in vertices]


def test_around_one_object() -> None:
    vertices, arcs = draw(build(OBJECTS), around=("deployment", "web"))
    assert [v[1] for v in vertices] == ["Deployment web", "ConfigMap app", "Service web", "Secret keys"]
    assert len(arcs) == 3
    assert draw(build(OBJECTS), around=("Deployment", "nobody")) == ([], [])


SMALL = (
    [Vertex("n0", "Deployment web", "shop"), Vertex("n1", "Secret keys", "shop", "missing"), Vertex("n2", "Node a")],
    [Arc("n0", "n1", "env", "missing"), Arc("n0", "n2", "node")],
)


def test_text() -> None:
    assert graph_text.render(*SMALL) == (
        "shop\n"
        "  Deployment web\n"
        "    -> Secret keys (env) missing\n"
        "    -> Node a (node)\n"
        "(no namespace)\n"
        "  Node a\n"
        "    <- Deployment web in shop (node)\n"
        "2 objects, 2 edges, 1 missing, 0 unknown\n"
    )
    assert graph_text.render([], []) == "0 objects, 0 edges, 0 missing, 0 unknown\n"


def test_dot() -> None:
    assert graph_dot.render(*SMALL) == (
        "digraph kplan {\n"
        "  rankdir=LR;\n"
        '  node [shape=box fontname="sans-serif"];\n'
        "  edge [fontsize=10];\n"
        "  subgraph cluster_0 {\n"
        '    label="shop";\n'
        '    n0 [label="Deployment web"];\n'
        '    n1 [label="Secret keys" color="#c62828" fontcolor="#c62828" style="dashed"];\n'
        "  }\n"
        '  n2 [label="Node a"];\n'
        '  n0 -> n1 [label="env" color="#c62828" fontcolor="#c62828" style="dashed"];\n'
        '  n0 -> n2 [label="node"];\n'
        "}\n"
    )


def test_mermaid() -> None:
    assert graph_mermaid.render(*SMALL) == (
        "flowchart LR\n"
        '  subgraph g0["shop"]\n'
        '    n0["Deployment web"]\n'
        '    n1["Secret keys"]:::missing\n'
        "  end\n"
        '  n2["Node a"]\n'
        '  n0 -.-x|"env"| n1\n'
        '  n0 -->|"node"| n2\n'
        "  classDef missing stroke:#c62828,color:#c62828,stroke-dasharray:5 5\n"
    )


# fmt: off
NASTY = ['a"]; x["', "a\nb\r\n  end", "a\\", '\\"', "#35;", "[x](javascript:1)", "<img src=x>", "a|b", "\x1b[31m",
         "`a`",
         "%%{init}%%", "end", "\u202eabc", "a-->b"]
# fmt: on


@pytest.mark.parametrize("name", NASTY)
def test_no_name_breaks_out(name: str) -> None:
    vertices = [Vertex("n0", name, name), Vertex("n1", "b")]
    arcs = [Arc("n0", "n1", name)]
    text, dot, mermaid = (r.render(vertices, arcs) for r in (graph_text, graph_dot, graph_mermaid))
    for out, lines in ((text, 7), (dot, 11), (mermaid, 6)):
        assert len(out.splitlines()) == lines
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)
    for line in dot.splitlines():
        assert re.sub(r'"(?:[^"\\]|\\.)*"', "", line).count('"') == 0
    for label in re.findall(r'"(.*?)"[\]|]', mermaid):
        assert re.fullmatch(r"(?:[A-Za-z0-9 ._/,=:()*!-]|#\d+;)*", label)
    assert mermaid.count('"') == 8
