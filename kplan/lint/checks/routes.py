"""Check kinds about Ingresses: `ingress-port` and `duplicate-route`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kplan.lint.site import Check, Place, Problem, Site
from kplan.model import Object, Path
from kplan.workloads import get

_CLASS = "kubernetes.io/ingress.class"


class Route(NamedTuple):
    """One path of an Ingress; the path in the object, and what makes two routes the same."""

    path: Path
    host: str
    match: str
    type: str

    def __str__(self) -> str:
        return f"{self.host or '*'}{self.match}"


def ingress_port(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Backends whose Service is in the input and has no such port."""

    def check(site: Site) -> Iterable[Problem]:
        for path, backend in _backends(site.object.value):
            name, port, at = _named(backend)
            service = site.world.find("Service", name, site.object) if name else None
            if service and port not in (None, "", 0) and not _has_port(service, port):
                place = Place("the ports are here", service, ("spec", "ports"))
                yield Problem((*path, *at), {"service": name, "port": port}, (place,))

    return check


def _backends(obj: Any) -> Iterator[tuple[Path, Any]]:
    spec = obj.get("spec")
    for key in ("defaultBackend", "backend"):
        if get(spec, key) is not None:
            yield ("spec", key), get(spec, key)
    for path, _, rule in _paths(obj):
        yield (*path, "backend"), get(rule, "backend")


def _paths(obj: Any) -> Iterator[tuple[Path, str, Any]]:
    """(path in the object, host, HTTP path) of every route."""
    for i, rule in enumerate(_items(get(obj, "spec", "rules"))):
        for j, path in enumerate(_items(get(rule, "http", "paths"))):
            host = get(rule, "host")
            yield ("spec", "rules", i, "http", "paths", j), host if isinstance(host, str) else "", path


def _named(backend: Any) -> tuple[str, Any, Path]:
    """(Service, port, where the port is): networking.k8s.io/v1, or the form before it."""
    service = get(backend, "service")
    if service is not None:
        number, name = get(service, "port", "number"), get(service, "port", "name")
        at: Path = ("service", "port", "number" if number else "name")
        return str(get(service, "name") or ""), number or name, at
    return str(get(backend, "serviceName") or ""), get(backend, "servicePort"), ("servicePort",)


def _has_port(service: Object, port: Any) -> bool:
    ports = _items(get(service.value, "spec", "ports"))
    if get(service.value, "spec", "type") == "ExternalName" and not ports:
        return True
    return any(port in (p.get("port"), p.get("name")) for p in ports)


def duplicate_route(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Routes of an Ingress that an earlier Ingress of the same class and namespace has."""

    def check(site: Site) -> Iterable[Problem]:
        own = list(_routes(site.object))
        for other in site.world.by_kind.get("Ingress", ()) if own else ():
            if other is site.object:
                return
            if _class(other) != _class(site.object) or not site.world.together(other, site.object):
                continue
            taken = {r[1:]: r for r in _routes(other)}
            for route in own:
                if route[1:] in taken:
                    place = Place("also here", other, taken[route[1:]].path)
                    yield Problem((*route.path, "path"), {"other": other.ref.name, "route": str(route)}, (place,))

    return check


def _routes(ingress: Object) -> Iterator[Route]:
    for path, host, rule in _paths(ingress.value):
        yield Route(path, host, str(get(rule, "path") or "/"), str(get(rule, "pathType") or ""))


def _class(ingress: Object) -> Any:
    return get(ingress.value, "spec", "ingressClassName") or get(ingress.value, "metadata", "annotations", _CLASS)


def _items(value: Any) -> list[Any]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
