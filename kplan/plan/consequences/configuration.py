"""Configuration that is destroyed while workloads still read it."""

from __future__ import annotations

from collections.abc import Iterator

from kplan import graph
from kplan.hints import Any
from kplan.model import Action, Key, Object
from kplan.plan.consequences.scene import Scene, in_namespace

Value = dict[str, Any]

_READ = ("ConfigMap", "Secret", "ServiceAccount", "PriorityClass", "RuntimeClass")


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """The workloads whose pods cannot start any more because what they need is destroyed."""
    act = scene.act(action)
    if act is None or act.old is None or action.ref.kind not in _READ:
        return
    name = act.gone.name if act.gone is not None else act.key.name
    if action.verb != "delete" and name == act.key.name:
        return
    if scene.new.find(action.ref.kind, name, in_namespace(act)) is not None:
        return
    for w in scene.new.workloads(in_namespace(act)):
        edges = graph.build([Object(w.ref, w.value)]).edges
        if any(_reads(e, action.ref.kind, name) for e in edges):
            yield f"{w.ref.kind} {w.ref.name} needs {name}: its pods cannot start once that is destroyed"


def _reads(edge: graph.Edge, kind: str, name: str) -> bool:
    target = edge.target
    return isinstance(target, Key) and (target.kind, target.name) == (kind, name) and not edge.optional
