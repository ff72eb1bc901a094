"""Which pods of a set go first when there are too many.

Follows pkg/controller/controller_utils.go (ActivePodsWithRanks) and replica_set.go (getPodsToDelete): not yet placed,
pending, not ready, cheap by `controller.kubernetes.io/pod-deletion-cost`, on a node with more of the same owner's
pods, ready more recently (by powers of two of the age, KEP-2185), with more restarts, newer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cmp_to_key
from typing import Any

from kplan.clock import seconds
from kplan.controllers import pods

Value = dict[str, Any]

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def surplus(active: list[Value], related: Iterable[Value], count: int, now: float) -> list[Value]:
    """The pods to delete, first the first to go. `related` are the pods whose crowding of nodes counts."""
    if count >= len(active):
        return list(active)
    crowd = Counter(_node(p) for p in related if pods.is_active(p))

    def compare(a: Value, b: Value) -> int:
        return _compare(a, b, crowd, now)

    newest_first = list(reversed(active))  # what is equal in all of this goes by uid in the real one: by chance
    return sorted(newest_first, key=cmp_to_key(compare))[:count]


def _compare(a: Value, b: Value, crowd: Counter[str], now: float) -> int:
    first, second = _rank(a, crowd), _rank(b, crowd)
    if first != second:
        return -1 if first < second else 1
    by_ready = _by_age(pods.ready_since(a), pods.ready_since(b), now) if pods.is_ready(a) else 0
    if by_ready is None or by_ready:
        return by_ready or 0
    if pods.restarts(a) != pods.restarts(b):
        return -1 if pods.restarts(a) > pods.restarts(b) else 1
    return _by_age(_created(a), _created(b), now) or 0


def _rank(pod: Value, crowd: Counter[str]) -> tuple[bool, int, bool, int, int]:
    return (
        bool(_node(pod)),
        _PHASES.get(pods.phase(pod), 2),
        pods.is_ready(pod),
        _cost(pod),
        -crowd[_node(pod)],
    )


def _by_age(a: float, b: float, now: float) -> int | None:
    """-1 if `a` is so much more recent that it goes first, 0 for the same time, None for about the same age."""
    if a == b:
        return 0
    if not a or not b:
        return -1 if not a else 1
    difference = _octave(now - a) - _octave(now - b)
    return (-1 if difference < 0 else 1) if difference else None


def _octave(age: float) -> int:
    return int(math.log2(age * 1e9)) if age > 0 else -1


def _node(pod: Value) -> str:
    return str(pod["spec"].get("nodeName") or "")


def _cost(pod: Value) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(_COST, "0")
    cost = int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,9}|-0+", text) else 0
    return cost if -(2**31) <= cost < 2**31 else 0


def _created(pod: Value) -> float:
    time = pod["metadata"].get("creationTimestamp")
    return seconds(time) if time else 0.0
