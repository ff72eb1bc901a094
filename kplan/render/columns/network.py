"""The columns of Services, endpoints, Ingresses and their like.

Follows pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from kplan.render.columns.cell import AGE, NAME, Now, Value, columns, field, labels, listed, selector
from kplan.render.fields import NONE, UNKNOWN, UNSET, items, mapping, shortened, text, texts
from kplan.workloads import dicts, get

PENDING = "<pending>"
_SHOWN = 3


def addresses(obj: Value) -> list[str]:
    """What a load balancer gave: the addresses, or else the host names, of `status.loadBalancer`, sorted."""
    ingress = dicts(obj, "status", "loadBalancer", "ingress")
    return sorted({text(i, "ip") or text(i, "hostname") for i in ingress} - {""})


def _external(service: Value, _: Now) -> str:
    own = texts(service, "spec", "externalIPs")
    match get(service, "spec", "type"):
        case "ClusterIP" | "NodePort":
            return ",".join(own) or NONE
        case "LoadBalancer":
            return ",".join([*addresses(service), *own]) or PENDING
        case "ExternalName":
            return text(service, "spec", "externalName")
    return UNKNOWN


def _cluster_ip(service: Value, _: Now) -> str:
    return text(service, "spec", "clusterIPs", 0) or text(service, "spec", "clusterIP") or NONE


def _ports(service: Value, _: Now) -> str:
    return ",".join(map(_port, dicts(service, "spec", "ports"))) or NONE


def _port(port: Value) -> str:
    node = f":{text(port, 'nodePort')}" if port.get("nodePort") else ""
    return f"{text(port, 'port')}{node}/{text(port, 'protocol') or 'TCP'}"


def join_host_port(host: str, port: str) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def endpoints_text(endpoints: Value) -> str:
    """The ready addresses of an Endpoints object with their ports, three at most."""
    if not items(endpoints, "subsets"):
        return NONE
    found = []
    for subset in dicts(endpoints, "subsets"):
        hosts = [text(a, "ip") for a in dicts(subset, "addresses")]
        ports = dicts(subset, "ports")
        found += [join_host_port(h, text(p, "port")) for p in ports for h in hosts] if ports else hosts
    return shortened(found, _SHOWN)


def _slice_ports(obj: Value, _: Now) -> str:
    return _some(text(p, "port") or text(p, "name") or "*" for p in dicts(obj, "ports"))


def _slice_endpoints(obj: Value, _: Now) -> str:
    return _some(a for e in dicts(obj, "endpoints") for a in texts(e, "addresses"))


def _some(found: Iterable[str]) -> str:
    return shortened(list(found), _SHOWN) or UNSET


def hosts_text(ingress: Value) -> str:
    """The hosts of an Ingress, three at most; `*` for any."""
    rules = [text(r, "host") for r in dicts(ingress, "spec", "rules")]
    shown: list[str] = []
    for host in rules:
        if host and len(shown) < _SHOWN:
            shown.append(host)
    if not shown:
        return "*"
    more = len(rules) - _SHOWN
    return ",".join(shown) + (f" + {more} more..." if more > 0 and len(shown) == _SHOWN else "")


def _ingress_ports(ingress: Value, _: Now) -> str:
    return "80, 443" if items(ingress, "spec", "tls") else "80"


def _parameters(obj: Value, _: Now) -> str:
    p = mapping(obj, "spec", "parameters")
    group = f".{text(p, 'apiGroup')}" if p.get("apiGroup") else ""
    return f"{text(p, 'kind')}{group}/{text(p, 'name')}" if p else NONE


def _parent(obj: Value, _: Now) -> str:
    p = mapping(obj, "spec", "parentRef")
    group = f".{text(p, 'group')}" if p.get("group") else ""
    parts = (f"{text(p, 'resource')}{group}", text(p, "namespace"), text(p, "name"))
    return "/".join(filter(None, parts)) if p else NONE


SERVICES = columns(
    NAME,
    ("Type", "spec.type"),
    ("Cluster-IP", _cluster_ip),
    ("External-IP", _external),
    ("Port(s)", _ports),
    AGE,
    ("*Selector", labels("spec", "selector")),
)
ENDPOINTS = columns(NAME, ("Endpoints", lambda obj, _: endpoints_text(obj)), AGE)
ENDPOINT_SLICES = columns(
    NAME, ("AddressType", "addressType"), ("Ports", _slice_ports), ("Endpoints", _slice_endpoints), AGE
)
INGRESSES = columns(
    NAME,
    ("Class", field("spec.ingressClassName", NONE)),
    ("Hosts", lambda obj, _: hosts_text(obj)),
    ("Address", lambda obj, _: ",".join(addresses(obj))),
    ("Ports", _ingress_ports),
    AGE,
)
INGRESS_CLASSES = columns(NAME, ("Controller", "spec.controller"), ("Parameters", _parameters), AGE)
NETWORK_POLICIES = columns(NAME, ("Pod-Selector", selector("spec", "podSelector")), AGE)
IP_ADDRESSES = columns(NAME, ("ParentRef", _parent))
SERVICE_CIDRS = columns(NAME, ("CIDRs", listed("spec", "cidrs", absent="")), AGE)
