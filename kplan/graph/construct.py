"""From objects to edges: the rules of the table, applied to every object; then what no table can say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kplan.graph import irregular
from kplan.graph.edge import FOUND, Edge
from kplan.graph.made import claim_templates
from kplan.graph.rules import Found, GroupKind, Rule, table, walk
from kplan.graph.selectors import selection
from kplan.graph.world import Resolution, World
from kplan.model import Key, Object, Path, split_api_version
from kplan.workloads import get, pod_template

# What can only be known when the manifest is filled in: a name with one of these is no name yet.
_PLACEHOLDERS = ("$", "{", "<")


def edges_of(obj: Object, position: int, world: World) -> Iterator[Edge]:
    """Every edge that starts at an object."""
    identity = world.identity(obj.ref)
    for rule, value, path in _found(obj, identity):
        if rule.form:
            yield from _selector(rule, value, path, obj, position, world)
        else:
            yield from _references(rule, value, path, obj, position, world)
    for edge in irregular.edges_of(obj, identity, world):
        yield edge if edge.position >= 0 else edge._replace(position=position)


def _found(obj: Object, identity: Key) -> list[Found]:
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


def _selector(rule: Rule, value: Any, path: Path, obj: Object, position: int, world: World) -> Iterator[Edge]:
    asked = selection(rule.form, rule.target.group, rule.target.kind, value, obj.ref.namespace)
    if asked is None:
        return
    if world.is_cluster_scoped(asked.group, asked.kind):
        asked = asked._replace(namespaces=("",))
    state, note = world.state_of(asked)
    place = (*path, "selector") if rule.form in ("service", "monitor") else path
    yield Edge(obj.ref.key, place, rule.edge, asked, state, rule.optional, "", note, position, order=False)


def _references(rule: Rule, value: Any, path: Path, obj: Object, position: int, world: World) -> Iterator[Edge]:
    name, place = _name(rule, value, path)
    if not name or any(p in name for p in _PLACEHOLDERS) or (rule.unless and name.startswith(rule.unless)):
        return
    holder: Mapping[str, Any] = value if isinstance(value, dict) else {}
    if rule.condition[0] and holder.get(rule.condition[0]) != rule.condition[1]:
        return
    group, kind = _target(rule, holder)
    namespace = _namespace(rule, holder, group, kind, obj, world)
    if not kind or namespace is None:
        return
    found = world.resolve(group, kind, namespace, name)
    optional = rule.optional or holder.get("optional") is True
    edge = Edge(obj.ref.key, place, rule.edge, found.key, found.state, optional, "", found.note, position, rule.order)
    yield edge
    if rule.keys and found.objects:
        yield from _parts(rule, holder, path, edge, found, world)
    if rule.grant and rule.namespace in holder and found.key.namespace not in ("", obj.ref.namespace):
        yield irregular.grant(edge, (*path, rule.namespace), world)


def _name(rule: Rule, value: Any, path: Path) -> tuple[str, Path]:
    """The name that stands at a path, or in a mapping there; "" if none does."""
    if isinstance(value, str):
        return value, path
    if isinstance(value, dict):
        for field in rule.names:
            name = value.get(field)
            if isinstance(name, str) and name:
                return name, (*path, field)
    return "", path


def _target(rule: Rule, holder: Mapping[str, Any]) -> GroupKind:
    """The kind that is meant: the rule's own, or what the mapping says."""
    group, kind, group_field, kind_field = rule.target
    if kind_field:
        said_kind, said_group = holder.get(kind_field), holder.get(group_field)
        kind = said_kind if isinstance(said_kind, str) and said_kind else kind
        if isinstance(said_group, str):
            group = split_api_version(said_group)[0] if group_field == "apiVersion" else said_group
    return group, kind


def _namespace(rule: Rule, holder: Mapping[str, Any], group: str, kind: str, obj: Object, world: World) -> str | None:
    """The namespace to look in: the one that is named, or the source's own. None: it cannot be known."""
    named = holder.get(rule.namespace) if rule.namespace else None
    if isinstance(named, str) and named:
        return None if any(p in named for p in _PLACEHOLDERS) else named
    if not world.is_cluster_scoped(obj.ref.group, obj.ref.kind) or obj.ref.namespace:
        return obj.ref.namespace
    return None if world.is_cluster_scoped(group, kind) is False else ""


def _parts(
    rule: Rule, holder: Mapping[str, Any], path: Path, edge: Edge, found: Resolution, world: World
) -> Iterator[Edge]:
    """One edge for each key or port that is asked of a target that exists."""
    for field in rule.keys:
        named: list[Found] = []
        walk(field.place, holder, path, named)
        keys = [(str(v), p) for _, v, p in named if isinstance(v, (str, int)) and not isinstance(v, bool) and v != ""]
        for key, place in keys or ([(field.default, edge.path)] if field.default else []):
            state = world.part_state(found, key)
            if state is not None:
                note = "" if state == FOUND else f"{found.key.kind} {found.key.name} has no {key}"
                yield edge._replace(path=place, kind=f"{edge.kind}-key", state=state, key=key, note=note)
