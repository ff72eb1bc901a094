"""Endpoints and EndpointSlices.

Follows pkg/apis/core/validation/validation.go (ValidateEndpointsCreate) and pkg/apis/discovery/validation.
"""

from __future__ import annotations

from kplan.api.validation import Context, addresses, metadata, names
from kplan.api.validation.field import Errors
from kplan.api.validation.services import PROTOCOLS, endpoint_ip
from kplan.hints import Any

Value = dict[str, Any]

DISCOVERY = "discovery.k8s.io"
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS, MAX_PORTS, MAX_ADDRESSES, MAX_ZONE_HINTS, MAX_NODE_HINTS = 1000, 20000, 100, 8, 8
PLAIN_IP = "must be a valid IP address"


def _endpoints(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _subsets(obj, set(), errors, context)


def _subsets(obj: Value, known: set[str], errors: Errors, context: Context) -> None:
    for i, subset in enumerate(obj.get("subsets") or ()):
        at, ready, other = f"subsets[{i}]", subset.get("addresses") or [], subset.get("notReadyAddresses") or []
        if not ready and not other:
            errors.required(at, "must specify `addresses` or `notReadyAddresses`")
        for field, found in (("addresses", ready), ("notReadyAddresses", other)):
            for n, address in enumerate(found):
                _address(address or {}, f"{at}.{field}[{n}]", known, errors, context)
        ports = subset.get("ports") or []
        for n, port in enumerate(ports):
            _port(port or {}, len(ports) > 1, f"{at}.ports[{n}]", errors)


def _address(address: Value, at: str, known: set[str], errors: Errors, context: Context) -> None:
    ip = address.get("ip") or ""
    addresses.legacy_ip(errors, f"{at}.ip", ip, context.minor, tuple(known))
    if address.get("hostname"):
        names.invalid(errors, f"{at}.hostname", address["hostname"], names.dns1123_label(address["hostname"]))
    node = address.get("nodeName")
    if node is not None:
        names.invalid(errors, f"{at}.nodeName", node, names.dns1123_subdomain(node))
    if addresses.parse_ip(ip) is None:
        errors.invalid(f"{at}.ip", ip, PLAIN_IP)
    else:
        endpoint_ip(errors, f"{at}.ip", ip)


def _port(port: Value, needs_name: bool, at: str, errors: Errors) -> None:
    name, number, protocol = port.get("name") or "", port.get("port") or 0, port.get("protocol") or ""
    if name:
        names.invalid(errors, f"{at}.name", name, names.dns1123_label(name))
    elif needs_name:
        errors.required(f"{at}.name")
    names.invalid(errors, f"{at}.port", number, names.port_number(number))
    _protocol(protocol, f"{at}.protocol", errors)
    if port.get("appProtocol") is not None:
        names.label_name(errors, f"{at}.appProtocol", port["appProtocol"])


def _protocol(protocol: str, field: str, errors: Errors) -> None:
    if protocol not in PROTOCOLS:
        errors.not_supported(field, protocol, PROTOCOLS)


def _endpoints_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    known = {
        a.get("ip") or ""
        for subset in old.get("subsets") or ()
        for field in ("addresses", "notReadyAddresses")
        for a in subset.get(field) or ()
    }
    _subsets(new, known, errors, context)


def _slice(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _slice_body(obj, {}, errors, context)


def _slice_body(obj: Value, old: Value, errors: Errors, context: Context) -> None:
    type_ = obj.get("addressType") or ""
    if not type_:
        errors.required("addressType")
    elif type_ not in ADDRESS_TYPES:
        errors.not_supported("addressType", type_, ADDRESS_TYPES)
    known = tuple(a for e in old.get("endpoints") or () for a in e.get("addresses") or ())
    endpoints = obj.get("endpoints") or []
    if len(endpoints) > MAX_ENDPOINTS:
        errors.too_many("endpoints", len(endpoints), MAX_ENDPOINTS)
    else:
        for i, endpoint in enumerate(endpoints):
            _endpoint(endpoint or {}, type_, f"endpoints[{i}]", known, errors, context)
    _slice_ports(obj.get("ports") or [], errors)


def _endpoint(endpoint: Value, type_: str, at: str, known: tuple[str, ...], errors: Errors, context: Context) -> None:
    found = endpoint.get("addresses") or []
    if not found:
        errors.required(f"{at}.addresses", "must contain at least 1 address")
    elif len(found) > MAX_ADDRESSES:
        errors.too_many(f"{at}.addresses", len(found), MAX_ADDRESSES)
    for i, address in enumerate(found):
        _typed_address(address or "", type_, f"{at}.addresses[{i}]", known, errors, context)
    for field, check in (("nodeName", names.dns1123_subdomain), ("hostname", names.dns1123_label)):
        value = endpoint.get(field)
        if value is not None:
            names.invalid(errors, f"{at}.{field}", value, check(value))
    hints = endpoint.get("hints")
    if hints is not None:
        _hints(hints.get("forZones") or [], f"{at}.hints.forZones", MAX_ZONE_HINTS, names.label_value, errors)
        _hints(hints.get("forNodes") or [], f"{at}.hints.forNodes", MAX_NODE_HINTS, names.dns1123_subdomain, errors)


def _typed_address(
    address: str, type_: str, field: str, known: tuple[str, ...], errors: Errors, context: Context
) -> None:
    if type_ == "FQDN":
        _fully_qualified(address, field, errors)
    elif type_ in ("IPv4", "IPv6"):
        before = len(errors.causes)
        addresses.legacy_ip(errors, field, address, context.minor, known)
        if len(errors.causes) > before:
            return
        ip = addresses.parse_ip(address)
        if ip is not None and addresses.is_ipv6(ip) != (type_ == "IPv6"):
            errors.invalid(field, address, f"must be an {type_} address")
        endpoint_ip(errors, field, address)


def _fully_qualified(name: str, field: str, errors: Errors) -> None:
    """A domain of two labels or more; the first fault is told, in one sentence."""
    if not name:
        errors.required(field)
        return
    bare = name.removesuffix(".")
    wrong = names.dns1123_subdomain(bare)
    labels = bare.split(".")
    bad = next((label for label in labels if names.dns1123_label(label)), None)
    if wrong:
        errors.invalid(field, bare, ",".join(wrong))
    elif len(labels) < 2:
        errors.invalid(field, bare, "should be a domain with at least two segments separated by dots")
    elif bad is not None:
        errors.invalid(field, bad, ",".join(names.dns1123_label(bad)))


def _hints(hints: list[Value], at: str, limit: int, check: names.Check, errors: Errors) -> None:
    if len(hints) > limit:
        errors.too_many(at, len(hints), limit)
        return
    seen: set[str] = set()
    for i, hint in enumerate(hints):
        name = (hint or {}).get("name") or ""
        if name in seen:
            errors.duplicate(f"{at}[{i}].name", name)
        else:
            seen.add(name)
            names.invalid(errors, f"{at}[{i}].name", name, check(name))


def _slice_ports(ports: list[Value], errors: Errors) -> None:
    if len(ports) > MAX_PORTS:
        errors.too_many("ports", len(ports), MAX_PORTS)
        return
    seen: set[str] = set()
    for i, port in enumerate(ports):
        at, name = f"ports[{i}]", port.get("name") or ""
        if name:
            names.invalid(errors, f"{at}.name", name, names.dns1123_label(name))
        if name in seen:
            errors.duplicate(f"{at}.name", name)
        seen.add(name)
        if port.get("protocol") is None:
            errors.required(f"{at}.protocol")
        else:
            _protocol(port["protocol"], f"{at}.protocol", errors)
        if port.get("appProtocol") is not None:
            names.label_name(errors, f"{at}.appProtocol", port["appProtocol"])


def _slice_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.create(new, errors, context)
    _slice_body(new, old, errors, context)
    if new.get("addressType") != old.get("addressType"):
        errors.invalid("addressType", new.get("addressType") or "", names.IMMUTABLE)


CREATE = {("", "Endpoints"): _endpoints, (DISCOVERY, "EndpointSlice"): _slice}
UPDATE = {("", "Endpoints"): _endpoints_update, (DISCOVERY, "EndpointSlice"): _slice_update}
