"""Defaults of pods, pod templates and what is in them (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan import quantity, resourcelist
from kplan.api.defaults.images import pull_policy
from kplan.hints import Any

Value = dict[str, Any]

_MILLI = 10**6  # nano-units
_IMAGE_VOLUMES = 35  # the minors since which a feature is on by default
_POD_LEVEL_RESOURCES = 34
# What the sum of the containers' requests is filled in for; hugepages come from the limits.
_OVERCOMMITTED = ("cpu", "memory")


def _pod(pod: Value, minor: int) -> None:
    """What only real pods get, and templates do not."""
    spec = pod["spec"]
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        spec["terminationGracePeriodSeconds"] = 1  # pkg/apis/core/v1/conversion.go
    containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    for c in containers:
        limits = c["resources"].get("limits")
        if limits:
            c["resources"]["requests"] = {**limits, **(c["resources"].get("requests") or {})}
    if minor >= _POD_LEVEL_RESOURCES and spec.get("resources"):
        _pod_level_resources(spec)
    if spec.get("hostNetwork"):
        for port in (p for c in containers for p in c.get("ports") or ()):
            if not port.get("hostPort") and port.get("containerPort"):
                port["hostPort"] = port["containerPort"]


def _pod_level_resources(spec: Value) -> None:
    """KEP-2837: pod-level limits and requests that follow from those of the containers."""
    own = spec["resources"]
    limits, requests = dict(own.get("limits") or {}), dict(own.get("requests") or {})
    if not limits and not requests:
        return
    for name, total in _totals(spec, "limits").items():
        if name.startswith("hugepages-") and name not in requests:
            limits.setdefault(name, total)
    if limits:
        own["limits"] = limits
        for name, total in _totals(spec, "requests").items():
            if name in _OVERCOMMITTED:
                requests.setdefault(name, total)
        for name, limit in limits.items():
            if name in _OVERCOMMITTED or name.startswith("hugepages-"):
                requests.setdefault(name, limit)
    if requests:
        own["requests"] = requests


def _totals(spec: Value, side: resourcelist.Side) -> dict[str, str]:
    """What the containers of a pod sum up to, in the notation of the first that has a resource."""
    parts: Value = {k: spec[k] for k in ("containers", "initContainers") if k in spec}
    sums = resourcelist.of_pod(parts, side)
    notation: dict[str, str] = {}
    for c in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        for name, text in (c["resources"].get(side) or {}).items():
            notation.setdefault(name, quantity.parse(text).format)
    return {n: quantity.canonical(quantity.Quantity(nanos, notation[n])) for n, nanos in sums.items()}


def _pod_spec(spec: Value, minor: int) -> None:  # noqa: ARG001
    """`serviceAccount` is the old name of serviceAccountName; the server writes both."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _container(container: Value, minor: int) -> None:  # noqa: ARG001
    if not container.get("imagePullPolicy"):
        container["imagePullPolicy"] = pull_policy(container.get("image") or "")


def _volume(volume: Value, minor: int) -> None:
    if volume.keys() == {"name"}:
        volume["emptyDir"] = {}
    image = volume.get("image")
    if image is not None and minor >= _IMAGE_VOLUMES and not image.get("pullPolicy"):
        image["pullPolicy"] = pull_policy(image.get("reference") or "")


def _resource_list(amounts: Value, minor: int) -> None:  # noqa: ARG001
    """Nothing finer than a thousandth is kept."""
    for name, text in amounts.items():
        if text.endswith(("n", "u")) or "." in text or "e-" in text or "E-" in text:
            q = quantity.parse(text)
            if q.nanos % _MILLI:
                amounts[name] = quantity.canonical(q._replace(nanos=-(-q.nanos // _MILLI) * _MILLI))


RULES: Mapping[str, Callable[[Value, int], None]] = {
    "core.v1.Pod": _pod,
    "core.v1.PodSpec": _pod_spec,
    "core.v1.Container": _container,
    "core.v1.EphemeralContainer": _container,
    "core.v1.Volume": _volume,
    "v1.ResourceList": _resource_list,
}
