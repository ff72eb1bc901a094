"""The rolling update of a DaemonSet, with maxUnavailable or with maxSurge.

Follows pkg/controller/daemon/update.go (rollingUpdate) and KEP-1591 (maxSurge).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers import pods
from kplan.controllers.daemonsetpods import Daemons, sync_nodes
from kplan.controllers.rounding import resolve

Value = dict[str, Any]


class _OnNode(NamedTuple):
    """The pods on a node that stay: the one of the current template and the one of another."""

    new: Value | None
    old: Value | None


def surges(owner: Value) -> bool:
    """Whether there may be two pods on a node while it is updated."""
    return _count(owner, "maxSurge", 1) > 0


def update(sync: Daemons) -> bool:
    """Replace some pods of older templates; whether all of it worked."""
    wanted = [node for node, fit in sync.fits.items() if fit.runs]
    surge, unavailable = (_count(sync.owner, field, len(wanted)) for field in ("maxSurge", "maxUnavailable"))
    found = {node: _on_node(sync, some) for node, some in sync.own.items()}  # those with the oldest pods first
    found |= {node: _OnNode(None, None) for node in wanted if node not in found}
    if surge:
        return _with_surge(sync, found, surge, len(wanted))
    return _without_surge(sync, found, unavailable if unavailable or not wanted else 1)


def _count(owner: Value, field: str, nodes: int) -> int:
    strategy = owner["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return 0
    return resolve((strategy.get("rollingUpdate") or {}).get(field, 0), nodes, up=True)


def _on_node(sync: Daemons, some: list[Value]) -> _OnNode | None:
    """What stays on a node; None if there are several of a kind."""
    staying = [p for p in some if not pods.is_terminating(p)]
    new = [p for p in staying if sync.is_updated(p)]
    old = [p for p in staying if not sync.is_updated(p)]
    if len(new) > 1 or len(old) > 1:
        return None
    return _OnNode(new[0] if new else None, old[0] if old else None)


def _without_surge(sync: Daemons, found: dict[str, _OnNode | None], most: int) -> bool:
    """Delete old pods: those that are unavailable anyway, and others as far as maxUnavailable has room."""
    unavailable = 0
    broken: list[Value] = []
    working: list[Value] = []
    for pair in found.values():
        if pair is None or (pair.new is None) == (pair.old is None):
            unavailable += 1
        elif pair.new is not None:
            unavailable += not sync.is_available(pair.new)
        elif pair.old is not None and sync.is_available(pair.old):
            working.append(pair.old)
        elif pair.old is not None:
            broken.append(pair.old)
    room = max(0, most - unavailable - len(broken))
    return sync_nodes(sync, [*broken, *working[:room]], [])


def _with_surge(sync: Daemons, found: dict[str, _OnNode | None], most: int, wanted: int) -> bool:
    """Create new pods beside old ones as far as maxSurge has room; an old one goes once its successor is available.

    A pod on a node where it is no longer wanted goes only when as many others are available as are wanted.
    """
    surging = available = 0
    surplus: list[Value] = []
    leaving: list[Value] = []
    urgent: list[str] = []
    candidates: list[str] = []
    for node, pair in found.items():
        if pair is None:
            surging += 1
            continue
        counted = pair.old or pair.new
        up = counted is not None and sync.is_available(counted)
        available += up
        if pair.old is None:
            continue
        if pair.new is not None:
            if sync.is_available(pair.new):
                surplus.append(pair.old)
            else:
                surging += 1
            continue
        if node in sync.fits and sync.fits[node].runs:
            (candidates if up else urgent).append(node)
        else:
            (leaving if up else surplus).append(pair.old)
    surplus += leaving[: max(0, available - wanted)]
    return sync_nodes(sync, surplus, [*urgent, *candidates[: max(0, most - surging)]])
