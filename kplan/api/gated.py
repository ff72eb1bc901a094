"""Fields of features that a release has switched off by default: the server drops them from new objects.

The table is schemas/facts/gated.json: definition, path, and the minors in which the field is dropped ("-34" up to,
"36+" from, "34-36"), with the value that takes its place if there is one. A path that ends in "?" takes the parent
along if nothing else is left in it; a definition that ends in "!" is meant as an object, not inside another. Follows
the dropDisabled… functions of pkg/api/*/util.go and pkg/registry/*/*/strategy.go, and pkg/features/kube_features.go.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial

from kplan.api.visit import Act, visitor
from kplan.hints import Any
from kplan.schema.definitions import read
from kplan.schema.node import Node
from kplan.tuples import NamedTuple

Value = dict[str, Any]

_IMAGE_VOLUMES = _RESTART_RULES = 35  # the minors since which a feature is on by default


class _Drop(NamedTuple):
    parents: tuple[str, ...]
    name: str
    replacement: str
    with_parent: bool


def drop_disabled(node: Node, value: Value, minor: int) -> None:
    """Drop what the release 1.`minor` does not take from a new object of a built-in kind, in place."""
    _drop_all(_drops(f"{node.name}!", minor), value)
    visit = visitor(node, _action(minor))
    if visit is not None:
        visit(value)


@cache
def _action(minor: int) -> Callable[[Node], Act | None]:
    return lru_cache(maxsize=None)(partial(_act, minor))


def _act(minor: int, node: Node) -> Act | None:
    drops = _drops(node.name, minor)
    if node.name == "core.v1.PodSpec" and minor < max(_IMAGE_VOLUMES, _RESTART_RULES):
        return partial(_pod_spec, drops)
    return partial(_drop_all, drops) if drops else None


@cache
def _drops(name: str, minor: int) -> tuple[_Drop, ...]:
    found = []
    for path, text in read("facts/gated").get(name, {}).items():
        minors, _, replacement = text.partition(" ")
        if any(_within(minor, part) for part in minors.split(",")):
            *parents, last = path.rstrip("?").split(".")
            found.append(_Drop(tuple(parents), last, replacement, path.endswith("?")))
    return tuple(found)


def _within(minor: int, text: str) -> bool:
    if text.endswith("+"):
        return minor >= int(text[:-1])
    first, dash, last = text.partition("-")
    return int(first or 0) <= minor <= int(last if dash else first)


def _drop_all(drops: tuple[_Drop, ...], value: Value) -> None:
    for drop in drops:
        _drop(drop, value)


def _drop(drop: _Drop, value: Value) -> None:
    above: Value = {}
    for step in drop.parents:
        above, inner = value, value.get(step)
        if inner is None:
            return
        value = inner
    if drop.name not in value:
        return
    if drop.replacement:
        value[drop.name] = drop.replacement
        return
    del value[drop.name]
    if drop.with_parent and not value:
        del above[drop.parents[-1]]


def _pod_spec(drops: tuple[_Drop, ...], spec: Value) -> None:
    """Image volumes go with their mounts; restart policies stay with sidecars only."""
    _drop_all(drops, spec)
    images = {v.get("name") for v in spec.get("volumes") or () if "image" in v}
    _keep(spec, "volumes", lambda volume: "image" not in volume)
    for role in ("containers", "initContainers", "ephemeralContainers"):
        for c in spec.get(role) or ():
            _keep(c, "volumeMounts", lambda mount: mount.get("name") not in images)
            if role != "initContainers" or c.get("restartPolicy") != "Always":
                c.pop("restartPolicy", None)


def _keep(holder: Value, name: str, wanted: Callable[[Value], bool]) -> None:
    """Keep the wanted items of a list; an empty list goes."""
    items = [item for item in holder.pop(name, ()) if wanted(item)]
    if items:
        holder[name] = items
