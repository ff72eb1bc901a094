"""What the rules of the table find in an object: looked for once in each layout, then only fetched."""

from __future__ import annotations

from typing import Any

from kplan.graph.made import claim_templates
from kplan.graph.rules import Found, Place, Rule, table, walk
from kplan.model import Key, Object, Path
from kplan.workloads import POD_PATHS, get, pod_template

Ways = tuple[tuple[Rule, Path], ...]


def found(obj: Object, identity: Key) -> list[Found]:
    """Every rule that applies to an object, with what stands there and its path."""
    layout = obj.document.layout[0] if obj.document is not None and obj.document.layout is not None else None
    if layout is None:
        return _walked(obj, identity)
    key = ("edges", identity.group, identity.kind, obj.ref.kind)
    if key not in layout.plans:
        layout.plans[key] = _ways(obj, identity, layout.tree)
    ways: Ways | None = layout.plans[key]
    if ways is None:
        return _walked(obj, identity)
    part = obj.part
    return [(rule, part(*path), path) for rule, path in ways]


def _walked(obj: Object, identity: Key) -> list[Found]:
    out: list[Found] = []
    rules = table()
    walk(rules.common, obj.value, (), out)
    tree = rules.kinds.get((identity.group, identity.kind))
    if tree is not None:
        walk(tree, obj.value, (), out)
    pod = pod_template(obj.value)
    if pod is not None:
        replaced = {name for _, name in claim_templates(obj)}
        spec = pod.spec if not replaced else {**pod.spec, "volumes": _without(pod.spec.get("volumes"), replaced)}
        walk(rules.pod_spec, spec, (*pod.path, "spec"), out)
    return out


def _without(volumes: Any, names: set[str]) -> Any:
    """The volumes but those that the claims of a StatefulSet stand in for; each keeps its place."""
    return [None if get(v, "name") in names else v for v in volumes] if isinstance(volumes, list) else volumes


def _ways(obj: Object, identity: Key, tree: Any) -> Ways | None:
    """The rules and paths for all objects of a layout; None where values decide about them."""
    rules = table()
    path = POD_PATHS.get(obj.ref.kind)
    if (
        path is None
        and "spec" in tree
        and "template" in (tree["spec"] if isinstance(tree["spec"], dict) else ("template",))
    ):
        return None
    spec: Any = tree
    for step in (*path, "spec") if path is not None else ():
        if not isinstance(spec, dict) or step not in spec:
            return None
        spec = spec[step]
    own = rules.kinds.get((identity.group, identity.kind), Place())
    if next(claim_templates(obj), None) or _hides(rules.common, tree) or _hides(own, tree):
        return None
    if path is not None and (not isinstance(spec, dict) or _hides(rules.pod_spec, spec)):
        return None
    return tuple((rule, where) for rule, _, where in _walked(obj, identity))


def _hides(place: Place, tree: Any) -> bool:
    """Whether a flow collection stands where rules look inside: its text decides what they find."""
    if isinstance(tree, dict):
        return any(_hides(place.fields[name], part) for name, part in tree.items() if name in place.fields)
    if isinstance(tree, list):
        return place.items is not None and any(_hides(place.items, part) for part in tree)
    return tree.flow >= 0 and bool(place.fields or place.items)
