"""Check kinds about what stands behind a Service: `target-port`, `headless-service` and `unprobed-pods`."""

from __future__ import annotations

from collections.abc import Iterable

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.lint.site import Check, Place, Problem, Site
from kplan.model import Key, Object
from kplan.workloads import containers, get, slim_pod


def target_port(which: Any, trusted: bool) -> Check:  # noqa: ARG001
    """`named` or `number`: target ports of this form that no container of the selected pods declares."""
    if which not in ("named", "number"):
        raise KplanError("target-port takes `named` or `number`")
    kind = str if which == "named" else int

    def check(site: Site) -> Iterable[Problem]:
        asked = [(i, port) for i, port in site.world.once(_ports, site.object) if type(port) is kind]
        pods = site.world.targets(site.object, "selector") if asked else []
        declared = [p for o in pods for p in site.world.once(_declared, o)]
        if not pods or (kind is int and not declared):
            return
        key = "name" if kind is str else "containerPort"
        there = [p.get(key) for p in declared]
        for i, port in asked:
            if port not in there:
                path = ("spec", "ports", i, "targetPort")
                yield Problem(path, {"port": port}, (Place("these are the pods", pods[0], ()),))

    return check


def _ports(service: Object) -> list[tuple[int, Any]]:
    """The ports of the pods that the ports of a Service lead to, with their places."""
    ports = service.part("spec", "ports")
    return [(i, _wanted(p)) for i, p in enumerate(ports)] if isinstance(ports, list) else []


def _wanted(port: Any) -> Any:
    """The port of the pods that a port of a Service leads to."""
    target = get(port, "targetPort")
    return target if target not in (None, "", 0) else get(port, "port")


def _declared(workload: Object) -> list[dict[str, Any]]:
    pod = slim_pod(workload, "ports")
    running = [c.value.get("ports") for c in (containers(pod) if pod else ()) if c.runs_along]
    return [p for ports in running if isinstance(ports, list) for p in ports if isinstance(p, dict)]


def headless_service(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """StatefulSets whose serviceName names no headless Service of the input."""

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.edges(site.object):
            if edge.kind == "service-name" and isinstance(edge.target, Key):
                name, service = edge.target.name, site.world.closest(edge.target, site.object)
                if site.world.is_missing(edge):
                    yield Problem(edge.path, {"service": name, "problem": "which is not in the input"})
                elif service and service.part("spec", "clusterIP") != "None":
                    place = Place("the Service is here", service, ("spec", "clusterIP"))
                    yield Problem(edge.path, {"service": name, "problem": "which is not headless"}, (place,))

    return check


def unprobed_pods(probe: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Workloads behind a Service in which no container that runs along has this probe."""

    def check(site: Site) -> Iterable[Problem]:
        if site.object.ref.kind in ("Job", "CronJob"):
            return
        pod = slim_pod(site.object, probe)
        if pod is None:
            return
        running = [c for c in containers(pod) if c.runs_along]
        if not running or any(c.value.get(probe) for c in running):
            return
        services = site.world.sources(site.object, "selector")
        if services:
            place = Place(f"Service {services[0].ref.name}", services[0], ("spec", "selector"))
            yield Problem((*pod.path, "spec", "containers"), related=(place,))

    return check
