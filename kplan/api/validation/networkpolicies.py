"""NetworkPolicies. Follows pkg/apis/networking/validation/validation.go."""

from __future__ import annotations

from kplan.api.validation import Context, addresses, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

PROTOCOLS = ("TCP", "UDP", "SCTP")
TYPES = ("Ingress", "Egress")


def _network_policy(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _spec(obj.get("spec") or {}, {}, errors, context)


def _network_policy_update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    """A changed NetworkPolicy; CIDRs that were stored stay allowed."""
    metadata.update(new, old, errors)
    _spec(new.get("spec") or {}, old.get("spec") or {}, errors, context)


def _spec(spec: Value, old: Value, errors: Errors, context: Context) -> None:
    known = tuple(_cidrs(old))
    metadata.label_selector(spec.get("podSelector") or {}, errors, "spec.podSelector")
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(spec.get(side) or ()):
            at = f"spec.{side}[{i}]"
            for n, port in enumerate((rule or {}).get("ports") or ()):
                _port(port or {}, f"{at}.ports[{n}]", errors)
            for n, peer in enumerate((rule or {}).get(peers) or ()):
                _peer(peer or {}, f"{at}.{peers}[{n}]", known, errors, context)
    types = spec.get("policyTypes") or []
    if len(types) > len(TYPES):
        errors.invalid("spec.policyTypes", types, "may not specify more than two policyTypes")
        return
    for i, type_ in enumerate(types):
        if type_ not in TYPES:
            errors.not_supported(f"spec.policyTypes[{i}]", type_ or "", TYPES, keep_order=True)


def _cidrs(spec: Value) -> list[str]:
    blocks = [
        peer.get("ipBlock") or {}
        for side, peers in (("ingress", "from"), ("egress", "to"))
        for rule in spec.get(side) or ()
        for peer in (rule or {}).get(peers) or ()
    ]
    return [cidr for block in blocks for cidr in (block.get("cidr"), *(block.get("except") or ())) if cidr]


def _port(port: Value, at: str, errors: Errors) -> None:
    protocol, number, end = port.get("protocol"), port.get("port"), port.get("endPort")
    if protocol is not None and protocol not in PROTOCOLS:
        errors.not_supported(f"{at}.protocol", protocol, PROTOCOLS, keep_order=True)
    if isinstance(number, int):
        names.invalid(errors, f"{at}.port", number, names.port_number(number))
        if end is not None:
            if end < number:
                errors.invalid(f"{at}.endPort", number, "must be greater than or equal to `port`")
            names.invalid(errors, f"{at}.endPort", end, names.port_number(end))
    elif number is not None:
        if end is not None:
            errors.invalid(f"{at}.endPort", end, "may not be specified when `port` is non-numeric")
        names.invalid(errors, f"{at}.port", number, names.port_name(number))
    elif end is not None:
        errors.invalid(f"{at}.endPort", end, "may not be specified when `port` is not specified")


def _peer(peer: Value, at: str, known: tuple[str, ...], errors: Errors, context: Context) -> None:
    given = 0
    for field in ("podSelector", "namespaceSelector"):
        if peer.get(field) is not None:
            given += 1
            metadata.label_selector(peer[field], errors, f"{at}.{field}")
    block = peer.get("ipBlock")
    if block is not None:
        given += 1
        _block(block, f"{at}.ipBlock", known, errors, context)
    if not given:
        errors.required(at, "must specify a peer")
    elif given > 1 and block is not None:
        errors.forbidden(at, "may not specify both ipBlock and another peer")


def _block(block: Value, at: str, known: tuple[str, ...], errors: Errors, context: Context) -> None:
    text = block.get("cidr") or ""
    if not text:
        errors.required(f"{at}.cidr")
        return
    before = len(errors.causes)
    if addresses.is_plain_ipv4_cidr(text) and not block.get("except"):
        return
    addresses.legacy_cidr(errors, f"{at}.cidr", text, context.minor, known)
    outer = addresses.parse_cidr(text)
    if len(errors.causes) > before or outer is None:
        return
    for i, item in enumerate(block.get("except") or ()):
        field = f"{at}.except[{i}]"
        found = len(errors.causes)
        addresses.legacy_cidr(errors, field, item or "", context.minor, known)
        inner = addresses.parse_cidr(item or "")
        if len(errors.causes) > found or inner is None:
            continue
        same_family = outer.network.version == inner.network.version
        if not same_family or inner.ip not in outer.network or inner.network.prefixlen <= outer.network.prefixlen:
            errors.invalid(field, item, "must be a strict subset of `cidr`")


CREATE = {("networking.k8s.io", "NetworkPolicy"): _network_policy}
UPDATE = {("networking.k8s.io", "NetworkPolicy"): _network_policy_update}
