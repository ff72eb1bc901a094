"""The object graph: references and selectors between objects, dangling ones, duplicates and the apply order."""

from __future__ import annotations

from kplan.graph.edge import FOUND, MISSING, UNKNOWN, Edge, Need, Selection, Step
from kplan.graph.graph import Graph, build
from kplan.graph.pods import Labels, pods

__all__ = [
    "FOUND",
    "MISSING",
    "UNKNOWN",
    "Edge",
    "Graph",
    "Labels",
    "Need",
    "Selection",
    "Step",
    "build",
    "pods",
]
