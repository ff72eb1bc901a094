"""The order in which objects can be applied: by their real references, and by stages of kinds where there are none.

The stages (schemas/facts/order.json) follow the install order of Helm (releaseutil/kind_sorter.go) and the rules of
kapp: what others are checked against or run with comes first, what intercepts requests last. A reference to a later
stage does not count where it would close a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from kplan.graph.edge import Edge, Need, Step
from kplan.graph.rules import group_kind, table
from kplan.model import Key
from kplan.schema.definitions import read

Needs = Mapping[Key, Sequence[Need]]


@lru_cache(maxsize=1)
def _ranks() -> dict[tuple[str, str], tuple[int, int]]:
    """(stage, place in it) by (group, kind); the mark for every other kind is ("", "*")."""
    stages = read("facts/order")["stages"]
    return {group_kind(k): (s, i) for s, kinds in enumerate(stages) for i, k in enumerate(kinds)}


def rank(key: Key) -> tuple[int, int]:
    """The stage of a kind and its place there: what is applied first where no reference says anything."""
    kind = (key.group, key.kind)
    ranks = _ranks()
    return ranks.get(table().aliases.get(kind, kind), ranks["", "*"])


def needs_of(keys: Iterable[Key], edges: Iterable[Edge]) -> dict[Key, list[Need]]:
    """For each object the others that have to exist before it, each once, by the first path that says so."""
    needs: dict[Key, dict[Key, Need]] = {k: {} for k in keys}
    for e in edges:
        if e.order and isinstance(e.target, Key) and e.target in needs and e.target != e.source:
            needs[e.source].setdefault(e.target, Need(e.target, e.path, e.kind))
    return {k: list(n.values()) for k, n in needs.items()}


def waves(needs: Needs) -> tuple[Step, ...]:
    """Every object with its wave, in the order of applying.

    The waves of a stage follow those of the stage before, and are as few as the references allow; an object that
    needs one of a later stage joins that stage. Waves count from 0.
    """
    counted = _without_circles(needs)
    at: dict[Key, tuple[int, int]] = {}
    for (key,) in components(counted):
        after = (at[n.key] for n in counted[key])
        at[key] = max([(rank(key)[0], 0), *((stage, depth + 1) for stage, depth in after)])
    dense = {wave: i for i, wave in enumerate(sorted(set(at.values())))}
    steps = (Step(key, dense[wave], tuple(counted[key])) for key, wave in at.items())
    return tuple(sorted(steps, key=lambda s: (s.wave, rank(s.key), s.key)))


def _without_circles(needs: Needs) -> Needs:
    """The needs without those that close a circle: first the ones that point to a later stage, then all in it."""
    for later_only in (True, False):
        closed = [frozenset(part) for part in components(needs) if len(part) > 1]
        if not closed:
            break
        circle = {key: part for part in closed for key in part}
        needs = {
            key: [n for n in own if n.key not in circle.get(key, ()) or (later_only and rank(n.key) <= rank(key))]
            for key, own in needs.items()
        }
    return needs


def components(needs: Needs) -> Iterator[tuple[Key, ...]]:
    """Strongly connected components, each after those that it needs (Tarjan's algorithm, without recursion)."""
    index: dict[Key, int] = {}
    low: dict[Key, int] = {}
    open_: dict[Key, None] = {}
    for root in needs:
        work = [(root, iter(needs[root]))] if root not in index else []
        while work:
            key, rest = work[-1]
            if key not in index:
                index[key] = low[key] = len(index)
                open_[key] = None
            for need in rest:
                if need.key not in index:
                    work.append((need.key, iter(needs[need.key])))
                    break
                if need.key in open_:
                    low[key] = min(low[key], index[need.key])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[key])
                if low[key] == index[key]:
                    yield _close(key, open_)


def _close(key: Key, open_: dict[Key, None]) -> tuple[Key, ...]:
    """Take the component of `key` off the open keys."""
    part = []
    while key in open_:
        part.append(open_.popitem()[0])
    return tuple(sorted(part))


def reverse(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The order of deleting: the last wave first, what needs others before what they need."""
    last = max((s.wave for s in steps), default=0)
    return tuple(s._replace(wave=last - s.wave) for s in reversed(steps))
