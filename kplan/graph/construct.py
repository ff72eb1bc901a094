"""From objects to edges: the rules of the table, applied to every object; then what no table can say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kplan.graph import irregular
from kplan.graph.edge import FOUND, Edge, Wanted
from kplan.graph.found import found
from kplan.graph.rules import Found, GroupKind, Rule, walk
from kplan.graph.selectors import selection
from kplan.graph.world import Resolution, World
from kplan.model import Key, Object, Path, split_api_version

# What can only be known when the manifest is filled in: a name with one of these is no name yet.
_PLACEHOLDERS = ("$", "{", "<")


def edges_of(obj: Object, position: int, world: World, wanted: Wanted | None = None) -> list[Edge]:
    """Every edge that starts at an object, or those that are wanted."""
    out: list[Edge] = []
    identity, source = world.key_of(obj), obj.ref.key
    for rule, value, path in found(obj, identity):
        if rule.form:
            edge = _selector(rule, value, path, obj, source, position, world, wanted)
            if edge is not None:
                out.append(edge)
        else:
            _references(rule, value, path, obj, source, position, world, wanted, out)
    others = irregular.edges_of(obj, identity, source, world, wanted)
    out += [
        edge if edge.position >= 0 else edge._replace(position=position)
        for edge in others
        if wanted is None or wanted(edge.kind, edge.target.kind, edge.state)
    ]
    return out


def _selector(
    rule: Rule, value: Any, path: Path, obj: Object, source: Key, position: int, world: World, wanted: Wanted | None
) -> Edge | None:
    asked = selection(rule.form, rule.target.group, rule.target.kind, value, obj.ref.namespace)
    if asked is None:
        return None
    if world.is_cluster_scoped(asked.group, asked.kind):
        asked = asked._replace(namespaces=("",))
    state, note = world.state_of(asked)
    if wanted is not None and not wanted(rule.edge, asked.kind, state):
        return None
    place = (*path, "selector") if rule.form in ("service", "monitor") else path
    return Edge(source, place, rule.edge, asked, state, rule.optional, "", note, position, order=False)


def _references(
    rule: Rule,
    value: Any,
    path: Path,
    obj: Object,
    source: Key,
    position: int,
    world: World,
    wanted: Wanted | None,
    out: list[Edge],
) -> None:
    name, field = (value, "") if isinstance(value, str) else _name(rule, value)
    if not name or "$" in name or "{" in name or "<" in name or (rule.unless and name.startswith(rule.unless)):
        return
    holder: Mapping[str, Any] = value if isinstance(value, dict) else {}
    if rule.condition[0] and holder.get(rule.condition[0]) != rule.condition[1]:
        return
    group, kind = _target(rule, holder) if rule.target.kind_field else rule.target[:2]
    namespace = _namespace(rule, holder, group, kind, obj, world)
    if not kind or namespace is None:
        return
    there = world.resolve(group, kind, namespace, name)
    optional = rule.optional or holder.get("optional") is True

    def edge() -> Edge:
        place = (*path, field) if field else path
        return Edge(source, place, rule.edge, there.key, there.state, optional, "", there.note, position, rule.order)

    if wanted is None or wanted(rule.edge, there.key.kind, there.state):
        out.append(edge())
    if rule.keys and there.objects:
        out += _parts(rule, holder, path, edge, there, world, wanted)
    if rule.grant and rule.namespace in holder and there.key.namespace not in ("", obj.ref.namespace):
        permit = irregular.grant(edge(), (*path, rule.namespace), world)
        if wanted is None or wanted(permit.kind, permit.target.kind, permit.state):
            out.append(permit)


def _name(rule: Rule, value: Any) -> tuple[str, str]:
    """The name that stands in a mapping, and its field; "" if none does."""
    if isinstance(value, dict):
        for field in rule.names:
            name = value.get(field)
            if isinstance(name, str) and name:
                return name, field
    return "", ""


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
    rule: Rule,
    holder: Mapping[str, Any],
    path: Path,
    edge: Callable[[], Edge],
    there: Resolution,
    world: World,
    wanted: Wanted | None,
) -> Iterator[Edge]:
    """One edge for each key or port that is asked of a target that exists."""
    for field in rule.keys:
        named: list[Found] = []
        walk(field.place, holder, path, named)
        keys = [(str(v), p) for _, v, p in named if isinstance(v, (str, int)) and not isinstance(v, bool) and v != ""]
        for key, place in keys or ([(field.default, edge().path)] if field.default else []):
            state = world.part_state(there, key)
            if state is not None and (wanted is None or wanted(f"{rule.edge}-key", there.key.kind, state)):
                note = "" if state == FOUND else f"{there.key.kind} {there.key.name} has no {key}"
                yield edge()._replace(path=place, kind=f"{rule.edge}-key", state=state, key=key, note=note)
