"""Check kinds about label selectors: `selects-nothing`, `selector-mismatch`, `spread-misses-own-pods`."""

from __future__ import annotations

from collections.abc import Iterable

from kplan.graph import UNKNOWN, Edge
from kplan.hints import Any
from kplan.lint.site import Check, Place, Problem, Site
from kplan.lint.world import APART
from kplan.model import Path
from kplan.workloads import slim_pod

_APART = dict(zip(APART, ("topology spread constraint", "pod anti-affinity"), strict=True))


def selects_nothing(kind: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Selectors that match nothing in the input. The parameter is the sort of selector, as the graph calls it:
    `selector` (of a Service), `disruption`, `network-policy`, `network-peer`, `monitor` ..."""

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.missing(site.object):
            if edge.kind == kind and site.world.is_missing(edge):
                yield Problem(edge.path, {"selection": str(edge.target)})

    return check


def selector_mismatch(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Workloads whose selector does not match the labels of their own pod template."""

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.missing(site.object):
            pod = slim_pod(site.object) if edge.kind == "own-pods" else None
            if pod is not None:
                there = Place("the selector is here", site.object, edge.path)
                yield Problem((*pod.path, "metadata", "labels"), related=(there,))

    return check


def spread_misses_own_pods(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Topology spread constraints whose selector does not match the pod that carries them, and pod anti-affinity that
    matches no pod at all (to keep away from others is what it is for, too)."""

    def check(site: Site) -> Iterable[Problem]:
        for edge in site.world.apart(site.object):
            if edge.state != UNKNOWN:
                matched = site.world.graph.matches(edge)
                if not matched or (edge.kind == "spread" and site.object.ref.key not in matched):
                    yield Problem(_selector_of(edge), {"what": _APART[edge.kind]})

    return check


def _selector_of(edge: Edge) -> Path:
    return edge.path if edge.kind == "spread" else (*edge.path, "labelSelector")
