"""Resource lists (cpu, memory, …) as numbers: what a container, a pod asks for.

Follows k8s.io/component-helpers/resource/helpers.go. Amounts are nano-units (kplan.quantity); a missing resource is
absent, not zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan import quantity
from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Literal

    Side = Literal["requests", "limits"]

Value = dict[str, Any]
Amounts = dict[str, int]

POD_LEVEL = ("cpu", "memory")


def amounts(resources: Mapping[str, Any] | None) -> Amounts:
    """A resource list of an object as numbers; what is no quantity is left out."""
    out = {}
    for name, value in (resources or {}).items():
        try:
            out[name] = quantity.parse(str(value)).nanos
        except quantity.QuantityError:
            continue
    return out


def add(into: Amounts, other: Mapping[str, int]) -> None:
    """Add `other` to `into`."""
    for name, n in other.items():
        into[name] = into.get(name, 0) + n


def raise_to(into: Amounts, other: Mapping[str, int]) -> None:
    """Raise `into` to at least `other`, resource by resource."""
    for name, n in other.items():
        if n > into.get(name, 0) or name not in into:
            into[name] = n


def of_container(container: Value, side: Side) -> Amounts:
    """What one container asks for or is limited to."""
    return amounts((container.get("resources") or {}).get(side))


def of_pod(
    spec: Value, side: Side, *, of: Callable[[Value, Side], Amounts] = of_container, pod_level: bool = True
) -> Amounts:
    """What a whole pod asks for or is limited to.

    Containers and sidecars add up; an init container needs room beside the sidecars started before it; pod-level
    resources stand in place of the sum; overhead comes on top (of limits only where there is one). `of` says what
    one container counts, `pod_level` whether pod-level resources are looked at.
    """
    total: Amounts = {}
    for c in spec.get("containers") or ():
        add(total, of(c, side))
    sidecars: Amounts = {}
    peak: Amounts = {}
    for c in spec.get("initContainers") or ():
        own = of(c, side)
        if c.get("restartPolicy") == "Always":
            add(total, own)
            add(sidecars, own)
            raise_to(peak, sidecars)
        else:
            add(own, sidecars)
            raise_to(peak, own)
    raise_to(total, peak)
    for name, n in amounts((spec.get("resources") or {}).get(side) if pod_level else None).items():
        if name in POD_LEVEL or name.startswith("hugepages-"):
            total[name] = n
    for name, n in amounts(spec.get("overhead")).items():
        if side == "requests" or name in total:
            total[name] = total.get(name, 0) + n
    return total


def text(name: str, nanos: int) -> str:
    """An amount as the server prints it: memory and storage in binary units, all else in decimal ones."""
    binary = name.endswith(("memory", "storage")) or "hugepages-" in name
    return quantity.canonical(quantity.Quantity(nanos, quantity.BINARY if binary else quantity.DECIMAL))
