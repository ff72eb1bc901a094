"""Check kinds about label selectors: `selects-nothing`, `selector-mismatch`, `spread-misses-own-pods`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kplan.labels import matches, matches_map
from kplan.lint.site import Check, Place, Problem, Site
from kplan.model import Path
from kplan.workloads import get, pod_template

_PLAIN_SELECTOR = "ReplicationController"
_TERMS = ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution")


def selects_nothing(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Objects whose selector matches no pod of the input, where pods of that namespace are in the input at all."""

    def check(site: Site) -> Iterable[Problem]:
        if site.world.selects_nothing(site.object):
            yield Problem(())

    return check


def selector_mismatch(parameters: Any, trusted: bool) -> Check:  # noqa: ARG001
    """Workloads whose selector does not match the labels of their own pod template."""

    def check(site: Site) -> Iterable[Problem]:
        obj = site.object.value
        selector = get(obj, "spec", "selector")
        pod = pod_template(obj)
        if not isinstance(selector, dict) or not selector or pod is None or site.object.ref.kind in ("Pod", "Job"):
            return
        if site.object.ref.kind == _PLAIN_SELECTOR:
            fits = matches_map(selector, pod.labels)
        elif selector.keys() & {"matchLabels", "matchExpressions"}:
            fits = matches(selector, pod.labels)
        else:
            return
        if not fits:
            there = Place("the selector is here", site.object, ("spec", "selector"))
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
