"""Services, Ingresses and NetworkPolicies. Layout of k8s.io/kubectl/pkg/describe."""

from __future__ import annotations

from collections.abc import Iterable

from kplan.render import age
from kplan.render.columns.cell import selector_text
from kplan.render.columns.network import addresses, join_host_port
from kplan.render.describe import events
from kplan.render.describe.context import Context, Value, namespace_of
from kplan.render.describe.lines import Lines, head, labels, notes
from kplan.render.fields import NONE, UNKNOWN, UNSET, items, mapping, number, pairs, shortened, text, texts
from kplan.workloads import dicts, get

_SERVICE_NAME = "kubernetes.io/service-name"
_SHOWN = 3
# titles of a Service's fields that are shown where they are set, before and after its ports
_BEFORE = (("External IPs:", "externalIPs"), ("Desired LoadBalancer IP:", "loadBalancerIP"))
_AFTER = (
    ("External Traffic Policy:", "externalTrafficPolicy"),
    ("Internal Traffic Policy:", "internalTrafficPolicy"),
    ("Traffic Distribution:", "trafficDistribution"),
    ("HealthCheck NodePort:", "healthCheckNodePort"),
    ("LoadBalancer Source Ranges:", "loadBalancerSourceRanges"),
)


def service(out: Lines, obj: Value, context: Context) -> None:
    """A Service."""
    spec = mapping(obj, "spec")
    head(out, obj, "name", "namespace", "labels", "annotations")
    out.add(0, "Selector:", pairs(mapping(spec, "selector")))
    out.add(0, "Type:", text(spec, "type"))
    if spec.get("ipFamilyPolicy"):
        out.add(0, "IP Family Policy:", text(spec, "ipFamilyPolicy"))
    out.add(0, "IP Families:", ",".join(texts(spec, "ipFamilies")) or NONE)
    out.add(0, "IP:", text(spec, "clusterIP"))
    out.add(0, "IPs:", ",".join(texts(spec, "clusterIPs")) or NONE)
    _set(out, spec, _BEFORE)
    given = ", ".join(map(_ingress, dicts(obj, "status", "loadBalancer", "ingress")))
    if given:
        out.add(0, "LoadBalancer Ingress:", given)
    _set(out, spec, (("External Name:", "externalName"),))
    slices = _slices(obj, text(obj, "metadata", "name"), context)
    for port in dicts(spec, "ports"):
        _port(out, port, slices)
    out.add(0, "Session Affinity:", text(spec, "sessionAffinity"))
    _set(out, spec, _AFTER)
    events.write(out, obj, context)


def _set(out: Lines, spec: Value, fields: Iterable[tuple[str, str]]) -> None:
    for title, field in fields:
        if spec.get(field):
            value = spec[field]
            out.add(0, title, ",".join(texts(spec, field)) if isinstance(value, list) else text(spec, field))


def _ingress(given: Value) -> str:
    mode = f" ({text(given, 'ipMode')})" if given.get("ipMode") else ""
    return f"{text(given, 'ip')}{mode}" if given.get("ip") else text(given, "hostname")


def _port(out: Lines, port: Value, slices: list[Value]) -> None:
    name, protocol = text(port, "name"), text(port, "protocol") or "TCP"
    out.add(0, "Port:", name or UNSET, f"{text(port, 'port')}/{protocol}")
    out.add(0, "TargetPort:", f"{text(port, 'targetPort')}/{protocol}")
    if port.get("nodePort"):
        out.add(0, "NodePort:", name or UNSET, f"{text(port, 'nodePort')}/{protocol}")
    out.add(0, "Endpoints:", endpoints(slices, name))


def _slices(obj: Value, service_name: str, context: Context) -> list[Value]:
    found = context.find("EndpointSlice", namespace_of(obj))
    return [s for s in found if text(s, "metadata", "labels", _SERVICE_NAME) == service_name]


def endpoints(slices: list[Value], port: str) -> str:
    """The ready addresses behind a port of a Service, three at most; `<none>` where there is no EndpointSlice."""
    if not slices:
        return NONE
    found = []
    for one in slices:
        ready = [e for e in dicts(one, "endpoints") if get(e, "conditions", "ready") is not False]
        hosts = [a for e in ready for a in texts(e, "addresses")]
        for p in dicts(one, "ports"):
            if text(p, "name") == port:
                number_of = text(p, "port")
                found += [join_host_port(h, number_of) if number_of else h for h in hosts]
    return shortened(found, _SHOWN)


def ingress(out: Lines, obj: Value, context: Context) -> None:
    """An Ingress."""
    spec = mapping(obj, "spec")
    head(out, obj, "name", "labels", "namespace")
    out.add(0, "Address:", ",".join(addresses(obj)))
    out.add(0, "Ingress Class:", text(spec, "ingressClassName") or NONE)
    default = _backend(obj, spec["defaultBackend"], context) if mapping(spec, "defaultBackend") else "<default>"
    out.add(0, "Default backend:", default)
    _tls(out, spec)
    out.add(0, "Rules:")
    out.add(1, "Host", "Path", "Backends")
    out.add(1, "----", "----", "--------")
    rules = [r for r in dicts(spec, "rules") if isinstance(r.get("http"), dict)]
    for rule in rules:
        out.add(1, text(rule, "host") or "*", "")
        for path in dicts(rule, "http", "paths"):
            out.add(2, "", f"{text(path, 'path')} ", _backend(obj, mapping(path, "backend"), context))
    if not rules:
        out.add(1, "*", "*", default)
    notes(out, 0, "Annotations:", mapping(obj, "metadata", "annotations"))
    events.write(out, obj, context)


def _tls(out: Lines, spec: Value) -> None:
    if items(spec, "tls"):
        out.add(0, "TLS:")
    for tls in dicts(spec, "tls"):
        hosts, secret = ",".join(texts(tls, "hosts")), text(tls, "secretName")
        out.add(1, f"{secret} terminates {hosts}" if secret else f"SNI routes {hosts}")


def _backend(obj: Value, backend: Value, context: Context) -> str:
    """`web:80 (10.0.0.1:8080)`, with an error in place of the endpoints of a Service that is not there."""
    resource = mapping(backend, "resource")
    if resource:
        kind, name = text(resource, "kind"), text(resource, "name")
        return f"APIGroup: {text(resource, 'apiGroup')}, Kind: {kind}, Name: {name}"
    name = text(backend, "service", "name")
    port = text(backend, "service", "port", "number") or text(backend, "service", "port", "name")
    services = context.find("Service", namespace_of(obj))
    behind = next((s for s in services if text(s, "metadata", "name") == name), None)
    if behind is None:
        return f'{name}:{port} (<error: services "{name}" not found>)'
    ports = (p for p in dicts(behind, "spec", "ports") if port in (text(p, "name"), text(p, "port")))
    chosen = next(ports, {})
    return f"{name}:{port} ({endpoints(_slices(obj, name, context), text(chosen, 'name'))})"


def network_policy(out: Lines, obj: Value, _: Context) -> None:
    """A NetworkPolicy, in words."""
    spec = mapping(obj, "spec")
    head(out, obj, "name", "namespace")
    created = age.read(get(obj, "metadata", "creationTimestamp"))
    out.add(0, "Created on:", f"{created:%Y-%m-%d %H:%M:%S} +0000 UTC" if created else UNKNOWN)
    head(out, obj, "labels", "annotations")
    out.add(0, "Spec:")
    chosen = selector_text(spec.get("podSelector"))
    everything = f"{NONE} (Allowing the specific traffic to all pods in this namespace)"
    out.add(1, f"PodSelector:     {everything if chosen == NONE else chosen}")
    types = texts(spec, "policyTypes")
    for kind, peers, end, side in (("ingress", "from", "From", "source"), ("egress", "to", "To", "destination")):
        if kind.capitalize() not in types:
            out.add(1, f"Not affecting {kind} traffic")
            continue
        out.add(1, f"Allowing {kind} traffic:")
        if not items(spec, kind):
            out.add(2, f"{NONE} (Selected pods are isolated for {kind} connectivity)")
        rules = dicts(spec, kind)
        for i, rule in enumerate(rules):
            _rule(out, rule, peers, end, side)
            if i < len(rules) - 1:
                out.add(2, "----------")
    out.add(1, f"Policy Types: {', '.join(types)}")


def _rule(out: Lines, rule: Value, peers: str, end: str, side: str) -> None:
    ports = dicts(rule, "ports")
    if not ports:
        out.add(2, "To Port: <any> (traffic allowed to all ports)")
    for port in ports:
        last = f"-{number(port, 'endPort')}" if port.get("endPort") else ""
        out.add(2, f"To Port: {text(port, 'port') or '<nil>'}{last}/{text(port, 'protocol') or 'TCP'}")
    if not dicts(rule, peers):
        out.add(2, f"{end}: <any> (traffic not restricted by {side})")
    for peer in dicts(rule, peers):
        out.add(2, f"{end}:")
        block = mapping(peer, "ipBlock")
        for key in ("namespaceSelector", "podSelector"):
            if peer.get(key) is not None:
                out.add(3, f"{key[0].upper()}{key[1:]}: {selector_text(peer[key])}")
        if block:
            out.add(3, "IPBlock:")
            out.add(4, f"CIDR: {text(block, 'cidr')}")
            out.add(4, f"Except: {', '.join(texts(block, 'except'))}")


def ingress_class(out: Lines, obj: Value, context: Context) -> None:
    """An IngressClass."""
    head(out, obj, "name")
    labels(out, 0, "Labels:", mapping(obj, "metadata", "labels"))
    head(out, obj, "annotations")
    out.add(0, "Controller:", text(obj, "spec", "controller"))
    parameters = mapping(obj, "spec", "parameters")
    if parameters:
        out.add(0, "Parameters:")
        for key, title in (("apiGroup", "APIGroup:"), ("kind", "Kind:"), ("name", "Name:")):
            if parameters.get(key):
                out.add(1, title, text(parameters, key))
    events.write(out, obj, context)
