"""Which endpoints go into which EndpointSlice: as few writes as possible, at most 100 endpoints each.

Follows k8s.io/endpointslice/reconciler.go (reconcileByPortMapping) and utils.go (getSliceToFill).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

Value = dict[str, Any]

Ports = tuple[tuple[str, str, int, str], ...]  # name, protocol, number, appProtocol

MOST_ENDPOINTS = 100  # --max-endpoints-per-slice


class Changes(NamedTuple):
    """Slices to create (they have no name yet), to update and to delete."""

    create: list[Value]
    update: list[Value]
    delete: list[Value]


def identity(endpoint: Value) -> tuple[Any, ...]:
    """What makes an endpoint the same one although its conditions change."""
    ref = endpoint.get("targetRef") or {}
    return (*sorted(endpoint["addresses"]), ref.get("namespace"), ref.get("name"))


def port_key(ports: Iterable[Value]) -> Ports:
    """What makes two sets of ports the same."""
    keys = (
        (p.get("name") or "", p.get("protocol") or "", p.get("port") or 0, p.get("appProtocol") or "") for p in ports
    )
    return tuple(sorted(keys))


def pack(existing: list[Value], wanted: Iterable[Value], labels: dict[str, str], empty: Value) -> Changes:
    """Put the wanted endpoints of one set of ports into the existing slices and, if they do not fit, into new ones.

    `labels` are those that each slice should have, `empty` is what a new one starts as.
    """
    left = {identity(e): e for e in wanted}
    changed: list[Value] = []
    unchanged: list[Value] = []
    out = Changes([], [], [])
    for old in existing:
        held = old.get("endpoints") or []
        kept = [left.pop(i) for e in held if (i := identity(e)) in left]
        if not kept and held:
            out.delete.append(old)
        elif kept != held or labels != old["metadata"].get("labels"):
            changed.append({**old, "metadata": {**old["metadata"], "labels": labels}, "endpoints": kept})
        else:
            unchanged.append(old)
    rest = list(left.values())
    for fullest in sorted(changed, key=lambda s: -len(s["endpoints"])):
        rest = _fill(fullest, rest)
    while rest:
        slot = _roomiest(unchanged, len(rest))
        if slot is None:
            slot = {**empty}
            out.create.append(slot)
        else:
            unchanged.remove(slot)
            slot = {**slot, "endpoints": list(slot.get("endpoints") or ())}
            changed.append(slot)
        rest = _fill(slot, rest)
    out.update.extend(changed)
    return out


def _fill(slice_: Value, endpoints: list[Value]) -> list[Value]:
    """Put in what fits; returns the rest. The slice is one that is not stored yet."""
    held = slice_["endpoints"]
    room = max(0, MOST_ENDPOINTS - len(held))
    slice_["endpoints"] = [*held, *endpoints[:room]]
    return endpoints[room:]


def _roomiest(slices: list[Value], count: int) -> Value | None:
    """The slice that is fullest with so many more endpoints; None if they fit into none, or fill one of their own."""
    if count >= MOST_ENDPOINTS:
        return None
    fitting = [s for s in slices if len(s.get("endpoints") or ()) + count <= MOST_ENDPOINTS]
    return max(fitting, key=lambda s: len(s.get("endpoints") or ()), default=None)
