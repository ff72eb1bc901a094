"""Check kinds about label selectors: `selects-nothing`, `selector-mismatch`, `spread-misses-own-pods`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kplan.graph import MISSING
from kplan.labels import matches
from kplan.lint.site import Check, Place, Problem, Site
from kplan.model import Path
from kplan.workloads import get, pod_template

_TERMS = ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution")


def selects_nothing(kind: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Selectors that match nothing in the input. The parameter is the sort of selector, as the graph calls it:
    `selector` (of a Service), `disruption`, `network-policy`, `network-peer`, `monitor` ..."""

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.edges(site.object):
            if edge.kind == kind and site.world.is_missing(edge):
                yield Problem(edge.path, {"selection": str(edge.target)})

    return check


def selector_mismatch(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Workloads whose selector does not match the labels of their own pod template."""

    def check(site: Site) -> Iterable[Problem]:
        pod = pod_template(site.object.value)
        for edge in site.world.edges(site.object) if pod else ():
            if edge.kind == "own-pods" and edge.state == MISSING and pod:
                there = Place("the selector is here", site.object, edge.path)
                yield Problem((*pod.path, "metadata", "labels"), related=(there,))

    return check


def spread_misses_own_pods(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Topology spread constraints and pod anti-affinity whose selector does not match the pod that carries them."""

    def check(site: Site) -> Iterable[Problem]:
        if site.pod is None or not isinstance(site.value, dict):
            return
        for path, what, selector in (*_spreads(site.value), *_anti_affinities(site.value)):
            if isinstance(selector, dict) and not matches(selector, site.pod.labels):
                yield Problem((*site.path, *path), {"what": what})

    return check


def _spreads(spec: Any) -> Iterator[tuple[Path, str, Any]]:
    for i, constraint in enumerate(_items(spec.get("topologySpreadConstraints"))):
        path: Path = ("topologySpreadConstraints", i, "labelSelector")
        yield path, "topology spread constraint", get(constraint, "labelSelector")


def _anti_affinities(spec: Any) -> Iterator[tuple[Path, str, Any]]:
    """Only terms that could be meant for the own pods: those that look at no other namespace."""
    for word in _TERMS:
        base: Path = ("affinity", "podAntiAffinity", word)
        for i, term in enumerate(_items(get(spec, *base))):
            path: Path = (*base, i, "podAffinityTerm") if "podAffinityTerm" in term else (*base, i)
            term = get(spec, *path)
            if not get(term, "namespaces") and get(term, "namespaceSelector") is None:
                yield (*path, "labelSelector"), "pod anti-affinity", get(term, "labelSelector")


def _items(value: Any) -> list[Any]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
