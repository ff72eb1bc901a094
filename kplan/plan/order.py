"""In which order the actions run: waves, each of which needs only earlier ones.

The waves are those of the graph of references between the objects that are acted upon (kplan.graph). Objects that go
away do so after everything else, in the opposite order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kplan import graph
from kplan.model import Action, Key, Object
from kplan.record import replace
from kplan.store import Value


def arrange(actions: Iterable[Action], values: Mapping[Key, Value]) -> tuple[Action, ...]:
    """The actions in the order of execution, each with its wave, counted from 1, and what it needs of the others.

    `values` are the objects acted upon, by identity. What is kept has wave 0 and stands at the end.
    """
    everything = list(actions)
    acting = [a for a in everything if a.verb not in ("keep", "delete")]
    gone = [a for a in everything if a.verb == "delete"]
    kept = [a for a in everything if a.verb == "keep"]
    placed = _placed(acting, values)
    last = max((a.wave for a in placed), default=0)
    leaving = _placed(gone, values)
    deepest = max((a.wave for a in leaving), default=0)
    leaving = [replace(a, wave=last + 1 + deepest - a.wave, needs=()) for a in reversed(leaving)]
    return (*placed, *sorted(leaving, key=lambda a: a.wave), *kept)


def _placed(actions: list[Action], values: Mapping[Key, Value]) -> list[Action]:
    """The actions in the order in which their objects can be applied."""
    known = {a.ref.key: a for a in actions}
    found = graph.build(Object(a.ref, values[a.ref.key]) for a in actions)
    out = []
    for step in found.order():
        action = known[step.key]
        needs = tuple(known[need.key].ref for need in step.needs)
        out.append(replace(action, wave=step.wave + 1, needs=needs))
    return out
