"""Which function completes a type: the table of regular defaults compiled, and the irregular ones looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from kplan.api.decode import Finish, copied
from kplan.api.defaults import cluster, pods, services, workloads
from kplan.hints import Any
from kplan.schema.definitions import read
from kplan.schema.node import Node
from kplan.tuples import NamedTuple

Value = dict[str, Any]
Rule = Callable[[Value, int], None]

# definition (or named Go map type) -> what to do beyond the regular defaults, which are in by then
RULES: Mapping[str, Rule] = {**cluster.RULES, **pods.RULES, **services.RULES, **workloads.RULES}


@cache
def finisher(minor: int) -> Callable[[Node], Finish | None]:
    """What gives, for a type of the release 1.`minor`, the function that fills in the defaults of one value."""
    return lambda node: _finish(node, minor)


def _finish(node: Node, minor: int) -> Finish | None:
    name = node.name or node.go_type
    defaults = [_default(node, path, value) for path, value in _regular(name, minor)]
    rule = RULES.get(name)
    if rule is None and not defaults:
        return None

    def finish(value: Value) -> None:
        for way, field, is_pointer, default, is_plain in defaults:
            home: Any = value
            for step in way:
                home = home.get(step)
                if home is None:
                    break
            else:
                if field not in home if is_pointer else not home.get(field):
                    home[field] = default if is_plain else copied(default)
        if rule is not None:
            rule(value, minor)

    return finish


class _Default(NamedTuple):
    """A value for a field that is unset, if the objects on the way to it exist. Only a pointer tells unset from false,
    0 and ""."""

    way: tuple[str, ...]
    field: str
    is_pointer: bool
    value: Any
    is_plain: bool


def _default(node: Node, path: str, value: Any) -> _Default:
    *way, field = path.split(".")
    for step in way:
        node = (node.fields or {})[step]
    return _Default(tuple(way), field, node.go_field(field).pointer, value, not isinstance(value, (dict, list)))


def _regular(name: str, minor: int) -> list[tuple[str, Any]]:
    """(path, value) of the table for this release; a key may begin with a range, `35+ spec.x`."""
    found = []
    for key, value in read("facts/defaults").get(name, {}).items():
        since, _, path = key.rpartition(" ")
        if not since or minor >= int(since.rstrip("+")):
            found.append((path, value))
    return found
