"""Addresses and node ports of a Service, picked from its name so that a plan is the same twice.

Follows pkg/registry/core/service/storage (alloc.go, storage.go) and ipallocator, for a cluster with IPv4 services only.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan.api.validation import services
from kplan.api.validation.addresses import is_plain_ipv4
from kplan.api.validation.field import Errors
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Cause

if TYPE_CHECKING:
    from kplan.store import Store

Value = dict[str, Any]

_RANGE = "10.96."  # with the two numbers of an address of the range after it
SERVICE_RANGE = f"{_RANGE}0.0/16"
_SIZE = 1 << 16
_RESERVED = 16  # the server keeps the first addresses of its range for those whom a user asks for
_FIRST_PORT, _PORTS = 30000, 2768
_NEAR = 16  # how far from the first choice for a Service the node ports picked for it mostly are
_EXTERNAL = ("NodePort", "LoadBalancer")
_FAMILIES = ("IPv4", "IPv6")
_SINGLE, _REQUIRE, _PREFER = "SingleStack", "RequireDualStack", "PreferDualStack"


def allocate(service: Value, minor: int, store: Store | None, old: Value | None = None) -> list[Cause]:
    """Fill in cluster IPs, families and node ports, in place; the causes if that cannot be.

    `old` is the Service that is replaced: what stays as it was there needs no allocation.
    Addresses that are malformed are all that the server speaks of then. Node ports out of the range, which each cluster
    sets itself, are left to validation.
    """
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        if old is None:
            _write_both(spec)
        return []
    meta, before = service["metadata"], (old or {}).get("spec") or {}
    neighbours = list(_others(store, meta))
    others = [other.get("spec") or {} for other in neighbours]
    seed = _seed(meta)
    _write_both(spec)
    headless_to_all = spec.get("clusterIP") == "None" and not spec.get("selector")
    errors = Errors()
    services.cluster_ips(spec, before, errors, minor)
    if errors:
        return errors.causes
    if not headless_to_all:
        _stacks(spec, errors)
    _families(spec, headless_to_all)
    if not spec.get("clusterIP") and not spec.get("clusterIPs"):
        taken = {ip for other in others for ip in other.get("clusterIPs") or ()}
        spec["clusterIP"] = next(ip for ip in _addresses(seed) if ip not in taken)
        spec["clusterIPs"] = [spec["clusterIP"]]
    elif not errors and spec["clusterIP"] != before.get("clusterIP"):
        _given_address(spec, others, errors)
    if spec.get("type") in _EXTERNAL:
        if not errors:
            _given_ports(spec, before, neighbours, errors)
        _node_ports(spec, _free_ports(seed, [spec, *others]))
    return errors.causes


def _seed(meta: Value) -> int:
    from zlib import crc32  # slow to load

    return crc32(f"{meta.get('namespace')}/{meta.get('name')}".encode(errors="replace"))


def _write_both(spec: Value) -> None:
    """A client that knows one address only says as much as one that knows the list."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _stacks(spec: Value, errors: Errors) -> None:
    """What a cluster of one stack says about two."""
    policy, families, ips = (
        spec.get("ipFamilyPolicy", _SINGLE),
        spec.get("ipFamilies") or [],
        spec.get("clusterIPs") or [],
    )
    if policy == _SINGLE:
        for name, values in (("cluster IPs", ips), ("IP families", families)):
            if len(values) == 2:
                detail = f"must be '{_REQUIRE}' or '{_PREFER}' when multiple {name} are specified"
                errors.invalid("spec.ipFamilyPolicy", policy, detail)
    for i, ip in enumerate(ips[len(families) :], len(families)):
        if _family(ip) == "IPv6":
            errors.invalid(f"spec.clusterIPs[{i}]", ips, "IPv6 is not configured on this cluster")
    if errors:
        return
    if policy == _REQUIRE:
        errors.invalid("spec.ipFamilyPolicy", policy, "this cluster is not configured for dual-stack services")
    for i, family in enumerate(families):
        if family == "IPv6":
            errors.invalid(f"spec.ipFamilies[{i}]", family, "not configured on this cluster")


def _families(spec: Value, headless_to_all: bool) -> None:
    policy = spec.setdefault("ipFamilyPolicy", _REQUIRE if headless_to_all else _SINGLE)
    families = list(spec.get("ipFamilies") or ())
    families += [f for ip in (spec.get("clusterIPs") or ())[len(families) :] if (f := _family(ip))]
    families = families or ["IPv4"]
    if headless_to_all and len(families) == 1 and policy != _SINGLE:
        families.append("IPv6" if families[0] == "IPv4" else "IPv4")
    spec["ipFamilies"] = families


def _family(address: str) -> str:
    """IPv4 or IPv6; "" for what is no address."""
    if is_plain_ipv4(address):
        return "IPv4"
    from ipaddress import ip_address  # slow to load

    try:
        return f"IPv{ip_address(address).version}"
    except ValueError:
        return ""


def _given_address(spec: Value, others: list[Value], errors: Errors) -> None:
    """An address that is asked for must be free, and of the range unless other Services show that theirs is another."""
    ip = spec["clusterIP"]
    if ip == "None":
        return
    taken = {str(other.get("clusterIP") or "None") for other in others} - {"None"}
    why = ""
    if ip in taken:
        why = "provided IP is already allocated"
    elif not _in_range(ip) and all(_in_range(other) for other in taken):
        why = f"the provided IP ({ip}) is not in the valid range. The range of valid IPs is {SERVICE_RANGE}"
    if why:
        errors.invalid("spec.clusterIPs", spec["clusterIPs"], f"failed to allocate IP {ip}: {why}")


def _in_range(address: str) -> bool:
    return _family(address) == "IPv4" and address.startswith(_RANGE)


def _addresses(seed: int) -> Iterator[str]:
    usable = _SIZE - _RESERVED - 1
    for i in range(usable):
        high, low = divmod(_RESERVED + (seed + i) % usable, 256)
        yield f"{_RANGE}{high}.{low}"


def _node_ports(spec: Value, free: Iterator[int]) -> None:
    """Ports of one number share a node port over their protocols."""
    wanted = spec.get("type") == "NodePort" or spec.get("allocateLoadBalancerNodePorts")
    by_port = {p["port"]: p["nodePort"] for p in reversed(spec.get("ports") or ()) if p.get("nodePort")}
    for p in spec.get("ports") or ():
        if not p.get("nodePort") and wanted:
            p["nodePort"] = by_port[p["port"]] = by_port.get(p["port"]) or next(free)
    is_local = spec.get("externalTrafficPolicy") == "Local"
    if spec.get("type") == "LoadBalancer" and is_local and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = next(free)


def _given_ports(spec: Value, before: Value, services: list[Value], errors: Errors) -> None:
    """Node ports that are asked for must be free: the first that another Service has is reported."""
    kept = _ports_of(before)
    for i, port in enumerate(spec.get("ports") or ()):
        number = port.get("nodePort")
        if number and number not in kept and any(_has(other, number) for other in services):
            errors.invalid(f"spec.ports[{i}].nodePort", number, "provided port is already allocated")
            return


def _has(service: Value, number: int) -> bool:
    return number in _ports_of(service.get("spec") or {}) and not _is_drawn(number, service)


def _is_drawn(number: int, service: Value) -> bool:
    """Whether a node port is one that is picked here for a Service of this name: a real server picks another."""
    return 0 <= (number - _FIRST_PORT - _seed(service["metadata"])) % _PORTS < _NEAR


def _ports_of(spec: Value) -> set[int]:
    numbers = [spec.get("healthCheckNodePort"), *(p.get("nodePort") for p in spec.get("ports") or ())]
    return {n for n in numbers if n}


def _free_ports(seed: int, specs: list[Value]) -> Iterator[int]:
    taken = {number for s in specs for number in _ports_of(s)}
    for i in range(_PORTS):
        port = _FIRST_PORT + (seed + i) % _PORTS
        if port not in taken:
            yield port
    while True:  # a range that is full is not what is being asked about
        yield _FIRST_PORT


def _others(store: Store | None, own: Value) -> Iterator[Value]:
    """The other Services."""
    for service in store.all("Service") if store is not None else ():
        meta = service["metadata"]
        if (meta.get("namespace"), meta.get("name")) != (own.get("namespace"), own.get("name")):
            yield service
