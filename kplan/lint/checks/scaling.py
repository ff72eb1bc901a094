"""Check kinds about HorizontalPodAutoscalers: `scaled-replicas` and `metric-without-request`.

A utilization is measured against requests, and one container without a request makes it unmeasurable
(pkg/controller/podautoscaler/replica_calculator.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kplan.hints import Any
from kplan.lint.site import Check, Place, Problem, Site, resources_of
from kplan.model import Object, Path
from kplan.workloads import containers, get, slim_pod


def scaled_replicas(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Workloads that set a number of replicas although an autoscaler does."""

    def check(site: Site) -> Iterable[Problem]:
        if site.object.part("spec", "replicas") is None:
            return
        for autoscaler in site.world.sources(site.object, "scale-target"):
            named = f"{autoscaler.ref.kind} {autoscaler.ref.name}"
            place = Place("scaled here", autoscaler, ("spec", "scaleTargetRef"))
            yield Problem(("spec", "replicas"), {"autoscaler": named}, (place,))

    return check


def metric_without_request(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Utilization metrics of a resource that a container of the target does not request."""

    def check(site: Site) -> Iterable[Problem]:
        wanted = list(_utilizations(site.object.value))
        for target in site.world.targets(site.object, "scale-target") if wanted else ():
            for path, resource in wanted:
                yield from _unmeasured(target, path, resource)

    return check


def _utilizations(hpa: Any) -> Iterator[tuple[Path, str]]:
    spec = hpa.get("spec")
    if hpa.get("apiVersion") == "autoscaling/v1" and get(spec, "targetCPUUtilizationPercentage") is not None:
        yield ("spec", "targetCPUUtilizationPercentage"), "cpu"
    metrics = get(spec, "metrics")
    for i, metric in enumerate(metrics if isinstance(metrics, list) else ()):
        resource = get(metric, "resource")
        kind = get(resource, "target", "type") or ("Utilization" if get(resource, "targetAverageUtilization") else "")
        name = get(resource, "name")
        if kind == "Utilization" and isinstance(name, str):
            yield ("spec", "metrics", i, "resource"), name


def _unmeasured(target: Object, path: Path, resource: str) -> Iterator[Problem]:
    pod = slim_pod(target, "resources")
    for c in containers(pod) if pod else ():
        resources = resources_of(c.value, pod.spec if pod else {})
        given = get(resources, "requests", resource) or get(resources, "limits", resource)
        if c.runs_along and given is None:
            data = {"resource": resource, "container": c.value.get("name", ""), "target": str(target.ref)}
            yield Problem(path, data, (Place("this container", target, c.path),))
            return
