"""Which pods of a set go first when there are too many.

Follows pkg/controller/controller_utils.go (ActivePodsWithRanks) and replica_set.go (getPodsToDelete): not yet placed,
pending, not ready, cheap by `controller.kubernetes.io/pod-deletion-cost`, on a node with more of the same owner's
pods, ready more recently, with more restarts, newer. Of pods of about the same age the real one takes any (KEP-2185
compares ages by powers of two, and then uids, which are random); here the more recent one goes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from kplan.clock import seconds
from kplan.controllers import pods

Value = dict[str, Any]

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def surplus(active: list[Value], related: Iterable[Value], count: int) -> list[Value]:
    """The pods to delete, first the first to go. `related` are the pods whose crowding of nodes counts."""
    if count >= len(active):
        return list(active)
    crowd = Counter(_node(p) for p in related if pods.is_active(p))
    newest_first = list(reversed(active))  # what is equal in all of this goes by chance in the real one
    return sorted(newest_first, key=lambda p: _rank(p, crowd))[:count]


def _rank(pod: Value, crowd: Counter[str]) -> tuple[bool, int, bool, int, int, float, int, float]:
    ready, created = pods.is_ready(pod), pod["metadata"].get("creationTimestamp")
    return (
        bool(_node(pod)),
        _PHASES.get(pods.phase(pod), 2),
        ready,
        _cost(pod),
        -crowd[_node(pod)],
        _latest_first(pods.ready_since(pod)) if ready else 0.0,
        -pods.restarts(pod),
        _latest_first(seconds(created) if created else 0.0),
    )


def _latest_first(time: float) -> float:
    """Less for a later time; no time at all comes first."""
    return -time if time else float("-inf")


def _node(pod: Value) -> str:
    return str(pod["spec"].get("nodeName") or "")


def _cost(pod: Value) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(_COST, "0")
    cost = int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,9}|-0+", text) else 0
    return cost if -(2**31) <= cost < 2**31 else 0
