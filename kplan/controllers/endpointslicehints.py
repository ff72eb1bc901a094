"""Hints: for which zones and nodes an endpoint is meant.

Follows k8s.io/endpointslice/trafficdist (KEP-4444, spec.trafficDistribution) and topologycache (KEP-2433, annotation
topology-mode: Auto), which shares endpoints out by the allocatable CPU of the zones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from kplan import resourcelist
from kplan.controllers import pods
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.servicepods import ZONE
from kplan.model import Key
from kplan.store import Write, labels_of, ref_of

Value = dict[str, Any]

_ANNOTATIONS = ("service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode")
_OVERLOAD = 0.2  # by how much an endpoint may get more traffic than its share
_EXCLUDED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_ENABLED, _DISABLED = "TopologyAwareHintsEnabled", "TopologyAwareHintsDisabled"


class _Share(NamedTuple):
    """Of the endpoints, how many a zone should have and must have."""

    desired: float
    minimum: int


def by_topology(service: Value) -> bool:
    """Whether the annotation asks for hints; it comes before trafficDistribution."""
    notes = service["metadata"].get("annotations") or {}
    given = next((notes[a] for a in _ANNOTATIONS if a in notes), "")
    return given in ("Auto", "auto")


def give(service: Value, family: str, groups: list[list[Value]], existing: list[Value], control: Control) -> None:
    """Give hints to endpoints: lists of them, in which those with hints replace those without.

    `existing` are the slices as they are.
    """
    wanted = service["spec"].get("trafficDistribution")
    topology = by_topology(service)
    if not wanted and not topology:
        return
    for group in groups:
        group[:] = [{**e} for e in group]
    ready = [e for group in groups for e in group if e["conditions"]["ready"]]
    if not topology:
        for e in ready:
            _nearby(e, wanted)
        return
    had = any(e.get("hints") for s in existing for e in s.get("endpoints") or ())
    why = _share_out(ready, control)
    if why or not had:
        kind, reason = (WARNING, _DISABLED) if why else (NORMAL, _ENABLED)
        text = why or "Topology Aware Hints has been enabled"
        control.event(service, kind, reason, f"{text}, addressType: {family}")


def _nearby(endpoint: Value, wanted: str) -> None:
    """For clients of the same zone, and before that of the same node if that is preferred."""
    hints: Value = {}
    if wanted == "PreferSameNode" and endpoint.get("nodeName"):
        hints["forNodes"] = [{"name": endpoint["nodeName"]}]
    if endpoint.get("zone"):
        hints["forZones"] = [{"name": endpoint["zone"]}]
    if hints:
        endpoint["hints"] = hints


def _share_out(ready: list[Value], control: Control) -> str:
    """Share ready endpoints out among the zones, in place; else why that cannot be."""
    ratios = _cpu_ratios(control)
    if ratios is None:
        return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
    if len(ratios) < 2:
        return "Nodes only ready in one zone"
    numbers = f"({len(ready)} endpoints, {len(ratios)} zones)"
    if len(ratios) > len(ready):
        return f"Insufficient number of endpoints {numbers}"
    shares = {zone: _share(ratio * len(ready)) for zone, ratio in ratios.items()}
    if sum(s.minimum for s in shares.values()) > len(ready):
        threshold = "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold"
        return f"{threshold} {numbers}"
    if not all(e.get("zone") for e in ready):
        return "One or more endpoints do not have a zone specified"
    counts = {zone: sum(e["zone"] == zone for e in ready) for zone in dict.fromkeys(e["zone"] for e in ready)}
    giving, receiving = _moves(shares, counts)
    for e in ready:
        zone = e["zone"]
        taker = next((z for z, n in receiving.items() if n), "")
        if giving.get(zone) and taker:
            giving[zone] -= 1
            receiving[taker] -= 1
            zone = taker
        e["hints"] = {"forZones": [{"name": zone}]}
    return ""


def _share(desired: float) -> _Share:
    minimum = math.ceil(desired / (1 + _OVERLOAD))
    return _Share(max(desired, minimum), minimum)


def _moves(shares: dict[str, _Share], counts: dict[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """How many endpoints each zone gives away, and how many each gets; only what rounds up, the largest need first."""
    surplus = {z: n - (shares[z].desired if z in shares else 0.0) for z, n in counts.items()}
    missing = {z: s.desired - counts.get(z, 0) for z, s in shares.items()}
    giving: dict[str, int] = {}
    receiving: dict[str, int] = {}
    while surplus and missing:
        giver, taker = _most(surplus), _most(missing)
        give_, take = surplus[giver], missing[taker]
        if min(give_, take) < 0.5 or max(give_, take) < 1.0:
            break
        giving[giver] = giving.get(giver, 0) + 1
        receiving[taker] = receiving.get(taker, 0) + 1
        surplus[giver] -= 1
        missing[taker] -= 1
    return giving, receiving


def _most(zones: dict[str, float]) -> str:
    return max(sorted(zones), key=zones.__getitem__)


def _cpu_ratios(control: Control) -> dict[str, float] | None:
    """The share of each zone in the CPU of all ready workers; None if one of them does not say."""
    cpu: dict[str, float] = {}
    for node in control.store.all("Node"):
        facts = _facts(node)
        if facts is None:
            continue
        zone, amount = facts
        if not zone or not amount:
            return None
        cpu[zone] = cpu.get(zone, 0.0) + amount
    total = sum(cpu.values())
    return {zone: amount / total for zone, amount in cpu.items()} if total else None


_MOST_CPU = 2**63  # a number for Go, whatever the node says


def _facts(node: Value | None) -> tuple[str, float] | None:
    """Zone and allocatable CPU of a node; None for one that does not count."""
    if node is None or any(label in labels_of(node) for label in _EXCLUDED):
        return None
    ready = pods.condition(node, "Ready")
    if ready is not None and ready.get("status") != "True":
        return None
    cpu = resourcelist.amounts((node.get("status") or {}).get("allocatable")).get("cpu", 0)
    return labels_of(node).get(ZONE, ""), float(min(cpu, _MOST_CPU))


def of_node(write: Write, control: Control) -> Iterable[Key]:
    """The Services whose hints follow from the CPU of all nodes, if that has changed."""
    if _facts(write.old) == _facts(write.new):
        return []
    return [ref_of(s).key for s in control.store.all("Service") if by_topology(s)]
