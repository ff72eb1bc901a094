"""Subsets of Endpoints: addresses that share a set of ports.

Follows pkg/api/v1/endpoints/util.go (RepackSubsets) and pkg/controller/endpoint (truncateEndpoints).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Any

Value = dict[str, Any]
_Address = tuple[str, str]
_Port = tuple[str, int, str, str | None]

MOST_ADDRESSES = 1000  # of one Endpoints object
_NO_PORT: _Port = ("", -1, "", None)  # stands for "without ports"


Entry = tuple[Value | None, Value, bool]  # a port (None: no port), an address behind it, whether that is ready


def repack(subsets: list[Value]) -> list[Value]:
    """The same addresses and ports in as few subsets as there are different sets of addresses behind a port."""
    return pack(
        (port, address, ready)
        for subset in subsets
        for port in subset.get("ports") or (None,)
        for ready, field in ((True, "addresses"), (False, "notReadyAddresses"))
        for address in subset.get(field) or ()
    )


def pack(entries: Iterable[Entry]) -> list[Value]:
    """The subsets of these addresses: one for each different set of addresses, with all ports that lead to it."""
    known: dict[_Address, Value] = {}
    behind: dict[_Port, dict[_Address, bool]] = {}
    ports: dict[_Port, Value] = {}
    for port, address, ready in entries:
        key = _NO_PORT
        if port is not None:
            key = _port_key(port)
            ports[key] = port
        place = (address["ip"], (address.get("targetRef") or {}).get("uid") or "")
        known.setdefault(place, address)
        behind.setdefault(key, {})[place] = ready
    grouped: dict[frozenset[tuple[_Address, bool]], list[Value]] = {}
    for key, addresses in behind.items():
        group = grouped.setdefault(frozenset(addresses.items()), [])
        if key != _NO_PORT:
            group.append(ports[key])
    made = [_subset(known, dict(addresses), found) for addresses, found in grouped.items()]
    return sorted(made, key=_order)


def _subset(known: dict[_Address, Value], ready: dict[_Address, bool], ports: list[Value]) -> Value:
    made: Value = {}
    for wanted, field in ((True, "addresses"), (False, "notReadyAddresses")):
        listed = [known[key] for key in sorted(ready) if ready[key] is wanted]
        if listed:
            made[field] = listed
    if ports:
        made["ports"] = sorted(ports, key=_port_hash) if len(ports) > 1 else ports
    return made


def _port_key(port: Value) -> _Port:
    return (port.get("name") or "", port["port"], port.get("protocol", "TCP"), port.get("appProtocol"))


def _port_hash(port: Value) -> bytes:
    """Ports stand in the order of their hashes: of the Go struct as go-spew prints it (util/hash, DeepHashObject)."""
    name, number, protocol, app = _port_key(port)
    text = (
        f"(v1.EndpointPort){{Name:(string){name} Port:(int32){number} Protocol:(v1.Protocol){protocol} "
        f"AppProtocol:(*string){'<nil>' if app is None else app}}}"
    )
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()


def _order(subset: Value) -> tuple[Any, ...]:
    """Where a subset stands. A real server goes by a hash over uids and addresses, which are drawn at random."""
    counted = len(subset.get("addresses") or ()) + len(subset.get("notReadyAddresses") or ())
    return (-counted, [(p.get("name") or "", p["port"], p.get("protocol") or "") for p in subset.get("ports") or ()])


def truncated(subsets: list[Value]) -> tuple[list[Value], bool]:
    """The subsets cut down to 1000 addresses, ready ones first and each subset by its share; whether they were cut."""
    ready = sum(len(s.get("addresses") or ()) for s in subsets)
    other = sum(len(s.get("notReadyAddresses") or ()) for s in subsets)
    if ready + other <= MOST_ADDRESSES:
        return subsets, False
    field, total, room = "addresses", ready, MOST_ADDRESSES
    if ready <= MOST_ADDRESSES:
        field, total, room = "notReadyAddresses", other, MOST_ADDRESSES - ready
    left, out = room, []
    for subset in subsets:
        listed = subset.get(field) or []
        kept = listed[: min(left, math.ceil(len(listed) / total * room))]
        left -= len(kept)
        rest = {k: v for k, v in subset.items() if k not in (field, "notReadyAddresses")}
        out.append({**rest, **({field: kept} if kept else {})})
    return out, True
