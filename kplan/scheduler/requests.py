"""How much of each resource a pod counts for.

Follows k8s.io/component-helpers/resource (helpers.go) and pkg/scheduler/framework/types.go (calculateResource).
Amounts here are whole: cpu in millicores, everything else in its unit, rounded up once after summing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kplan import resourcelist
from kplan.resourcelist import Amounts
from kplan.scheduler.fields import items, mapping, text

if TYPE_CHECKING:
    from kplan.resourcelist import Side

Value = dict[str, Any]

CPU, MEMORY, STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"
_NANO, _MILLI = 10**9, 10**6
# What a container counts for in scores when it names no amount: 100 millicores and 200 MiB.
UNNAMED: Mapping[str, int] = {CPU: 100 * _MILLI, MEMORY: 200 * 2**20 * _NANO}


class Requests(NamedTuple):
    """One pod's amounts: `real` fills nodes, `cpu` and `memory` count in scores, `scored` is the Fit scorer's view.

    They differ where a container names no amount; the Fit scorer leaves pod-level resources out as well.
    """

    real: Mapping[str, int]
    cpu: int
    memory: int
    scored: Mapping[str, int]


def is_sidecar(container: Value) -> bool:
    """Whether an init container keeps running beside the main ones."""
    return container.get("restartPolicy") == "Always"


def is_scalar(name: str) -> bool:
    """Whether this is an extended resource, huge pages, another kubernetes.io resource or a volume count."""
    if name.startswith(("hugepages-", "attachable-volumes-")) or "kubernetes.io/" in name:
        return True
    return "/" in name and not name.startswith("requests.")


def is_extended(name: str) -> bool:
    """Whether this is an extended resource, such as nvidia.com/gpu."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def whole(nanos: Mapping[str, int]) -> dict[str, int]:
    """Nano-amounts in the units that the scheduler counts in; unknown bare names are dropped."""
    out = {}
    for name, n in nanos.items():
        if name == CPU:
            out[name] = -(-n // _MILLI)
        elif name in (MEMORY, STORAGE, PODS) or is_scalar(name):
            out[name] = -(-n // _NANO)
    return out


def allocatable(node: Value) -> dict[str, int]:
    """What a Node has to give; its capacity where it does not say."""
    status = mapping(node, "status")
    return whole(resourcelist.amounts(mapping(status, "allocatable") or mapping(status, "capacity")))


def of_pod(pod: Value, *, pod_level: bool = True) -> Requests:
    """The amounts of a Pod; `pod_level` says whether this release honours `spec.resources`.

    A pod that runs counts what its status reports too, as during an in-place resize.
    """
    spec = _clean(pod)
    running = _Running(pod)
    total = resourcelist.of_pod(spec, "requests", of=running.container, pod_level=pod_level)
    unnamed = UNNAMED
    if pod_level and mapping(spec, "resources", "requests"):
        unnamed = {name: n for name, n in UNNAMED.items() if name not in total}
    counted = resourcelist.of_pod(spec, "requests", of=_at_least(running, unnamed), pod_level=pod_level)
    scored = resourcelist.of_pod(spec, "requests", of=_at_least(_Running({}), UNNAMED), pod_level=False)
    minimum = whole(counted)
    return Requests(whole(total), minimum.get(CPU, 0), minimum.get(MEMORY, 0), whole(scored))


def _clean(pod: Value) -> Value:
    spec = mapping(pod, "spec")
    out: Value = {k: items(spec, k) for k in ("containers", "initContainers")}
    out["resources"] = {"requests": mapping(spec, "resources", "requests")}
    out["overhead"] = mapping(spec, "overhead")
    return out


class _Running:
    """What each container of a pod really holds, by name, where the status says so."""

    def __init__(self, pod: Value) -> None:
        statuses = (*items(pod, "status", "containerStatuses"), *items(pod, "status", "initContainerStatuses"))
        done = {text(c, "name") for c in items(pod, "spec", "initContainers") if not is_sidecar(c)}
        self.held = {
            name: s for s in statuses if s.get("resources") is not None and (name := text(s, "name")) not in done
        }
        self.infeasible = any(
            text(c, "type") == "PodResizePending" and text(c, "reason") == "Infeasible"
            for c in items(pod, "status", "conditions")
        )

    def container(self, container: Value, side: Side) -> Amounts:
        """The most of what is asked for, allocated and in use."""
        asked = _asked(container, side)
        held = self.held.get(text(container, "name"))
        if held is None:
            return asked
        most: Amounts = {} if self.infeasible else asked
        resourcelist.raise_to(most, resourcelist.amounts(mapping(held, "resources", side)))
        resourcelist.raise_to(most, resourcelist.amounts(mapping(held, "allocatedResources")))
        return most


def _asked(container: Value, side: Side) -> Amounts:
    """What a container requests; a limit stands for the request that is not there, as the API server fills in."""
    limits = resourcelist.amounts(mapping(container, "resources", "limits"))
    return {**limits, **resourcelist.amounts(mapping(container, "resources", side))}


def _at_least(running: _Running, unnamed: Mapping[str, int]) -> Any:
    def container(container: Value, side: Side) -> Amounts:
        return {**unnamed, **running.container(container, side)}

    return container
