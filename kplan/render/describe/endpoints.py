"""What stands behind Services, and the address objects. Layout of k8s.io/kubectl/pkg/describe."""

from __future__ import annotations

from kplan.render.describe import events
from kplan.render.describe.context import Context, Value
from kplan.render.describe.lines import Lines, head
from kplan.render.fields import NONE, UNSET, mapping, plain, text, texts
from kplan.workloads import dicts, get

_PORTS = (("Name", "Port", "Protocol"), ("----", "----", "--------"))


def endpoints(out: Lines, obj: Value, context: Context) -> None:
    """An Endpoints object."""
    head(out, obj, "name", "namespace", "labels", "annotations")
    out.add(0, "Subsets:")
    for subset in dicts(obj, "subsets"):
        for title, field in (("Addresses:", "addresses"), ("NotReadyAddresses:", "notReadyAddresses")):
            out.add(1, title, ",".join(text(a, "ip") for a in dicts(subset, field)) or NONE)
        ports = dicts(subset, "ports")
        if ports:
            out.add(1, "Ports:")
            _ports(out, 2, ports)
        out.add(0)
    events.write(out, obj, context)


def _ports(out: Lines, level: int, ports: list[Value]) -> None:
    for line in _PORTS:
        out.add(level, *line)
    for port in ports:
        out.add(level, text(port, "name") or UNSET, text(port, "port") or UNSET, text(port, "protocol"))


def endpoint_slice(out: Lines, obj: Value, context: Context) -> None:
    """An EndpointSlice."""
    head(out, obj, "name", "namespace", "labels", "annotations")
    out.add(0, "AddressType:", text(obj, "addressType"))
    ports = dicts(obj, "ports")
    out.add(0, "Ports:" if ports else f"Ports: {UNSET}")
    if ports:
        _ports(out, 1, ports)
    found = dicts(obj, "endpoints")
    out.add(0, "Endpoints:" if found else f"Endpoints: {NONE}")
    for endpoint in found:
        out.add(1, "- Addresses:", ", ".join(texts(endpoint, "addresses")))
        out.add(2, "Conditions:")
        out.add(3, "Ready:", text(endpoint, "conditions", "ready") or UNSET)
        out.add(2, "Hostname:", text(endpoint, "hostname") or UNSET)
        target = mapping(endpoint, "targetRef")
        if target:
            out.add(2, "TargetRef:", f"{text(target, 'kind')}/{text(target, 'name')}")
        out.add(2, "NodeName:", text(endpoint, "nodeName") or UNSET)
        out.add(2, "Zone:", text(endpoint, "zone") or UNSET)
    events.write(out, obj, context)


def service_cidr(out: Lines, obj: Value, context: Context) -> None:
    """A ServiceCIDR."""
    head(out, obj, "name", "labels", "annotations")
    out.add(0, "CIDRs:", ", ".join(texts(obj, "spec", "cidrs")))
    found = dicts(obj, "status", "conditions")
    if found:
        out.add(0, "Status:")
        out.add(0, "Conditions:")
        out.add(1, "Type", "Status", "LastTransitionTime", "Reason", "Message")
        out.add(1, "----", "------", "------------------", "------", "-------")
    for c in found:
        out.add(1, *(text(c, k) for k in ("type", "status", "lastTransitionTime", "reason", "message")))
    events.write(out, obj, context)


def ip_address(out: Lines, obj: Value, context: Context) -> None:
    """An IPAddress."""
    head(out, obj, "name", "labels", "annotations")
    parent = get(obj, "spec", "parentRef")
    if isinstance(parent, dict):
        out.add(0, "Parent Reference:")
        for field in ("group", "resource", "namespace", "name"):
            out.add(1, f"{field.capitalize()}:", plain(parent.get(field)))
    events.write(out, obj, context)
