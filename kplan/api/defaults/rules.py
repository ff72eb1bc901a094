"""Which function completes a type: the table of regular defaults compiled, and the irregular ones looked up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial

from kplan.api.decode import Finish, copied
from kplan.api.defaults import cluster, pods, services, workloads
from kplan.hints import Any
from kplan.schema.definitions import read
from kplan.schema.node import Node

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
    steps: list[Finish] = [_setter(node, path, value) for path, value in _regular(name, minor)]
    rule = RULES.get(name)
    if rule is not None:
        steps.append(partial(_with_minor, rule, minor))
    if not steps:
        return None
    return steps[0] if len(steps) == 1 else partial(_all, tuple(steps))


def _with_minor(rule: Rule, minor: int, value: Value) -> None:
    rule(value, minor)


def _all(steps: tuple[Finish, ...], value: Value) -> None:
    for step in steps:
        step(value)


def _regular(name: str, minor: int) -> list[tuple[str, Any]]:
    """(path, value) of the table for this release; a key may begin with a range, `35+ spec.x`."""
    found = []
    for key, value in read("facts/defaults").get(name, {}).items():
        since, _, path = key.rpartition(" ")
        if not since or minor >= int(since.rstrip("+")):
            found.append((path, value))
    return found


def _setter(node: Node, path: str, value: Any) -> Finish:
    """Set a field that is unset, if the objects on the way to it exist."""
    *parents, last = path.split(".")
    home = node
    for step in parents:
        home = (home.fields or {})[step]
    is_pointer = home.go_field(last).pointer  # only a pointer tells unset from false, 0 and ""
    is_plain = not isinstance(value, (dict, list))

    def set_default(obj: Value) -> None:
        for step in parents:
            inner = obj.get(step)
            if inner is None:
                return
            obj = inner
        if last not in obj if is_pointer else not obj.get(last):
            obj[last] = value if is_plain else copied(value)

    return set_default
