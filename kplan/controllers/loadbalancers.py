"""A stand-in for whoever gives addresses to Services of type LoadBalancer: a cloud, or MetalLB on bare machines.

Kubernetes itself has nobody: without a pool of addresses the status of such a Service stays empty (`<pending>`). With
one, addresses go out in order, and come back when the Service goes or changes its type. Follows
k8s.io/cloud-provider/controllers/service for the finalizer and the events.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.manager import Controller, itself
from kplan.controllers.metadata import with_finalizer, without_finalizer
from kplan.errors import KplanError
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

_FINALIZER = "service.kubernetes.io/load-balancer-cleanup"
_MOST = 65536


def addresses(pool: Iterable[str]) -> tuple[str, ...]:
    """The addresses of a pool of networks (`192.0.2.0/28`), ranges (`192.0.2.1-192.0.2.9`) and single ones.

    Raises KplanError for what is none of these, and for a pool that is too large to be meant.
    """
    found: dict[str, None] = {}
    for text in pool:
        for address in _of(text):
            found[address] = None
            if len(found) > _MOST:
                raise KplanError(f"the pool of load balancer addresses has more than {_MOST} addresses", hint=text)
    return tuple(found)


def _of(text: str) -> Iterator[str]:
    try:
        first, dash, last = text.partition("-")
        if dash:
            low, high = (ipaddress.ip_address(t.strip()) for t in (first, last))
            if low.version != high.version or int(high) < int(low):
                raise ValueError(text)
            yield from (str(type(low)(n)) for n in range(int(low), int(high) + 1))
        else:
            yield from map(str, ipaddress.ip_network(text.strip()))
    except ValueError:
        raise KplanError(f"{text!r} is no address, network or range of load balancer addresses") from None


def reconcile(key: Key, control: Control) -> None:
    """Give one Service its address, or take it back."""
    service = control.get(key)
    if service is None or not control.pool:
        return
    given = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if service["metadata"].get("deletionTimestamp") or service["spec"].get("type") != "LoadBalancer":
        if _FINALIZER in (service["metadata"].get("finalizers") or ()):
            _release(service, control)
        return
    if given or service["spec"].get("loadBalancerClass"):
        return  # a class of its own is somebody else's
    address = _free(service, control)
    control.event(service, NORMAL, "EnsuringLoadBalancer", "Ensuring load balancer")
    if not address:
        why = "Error syncing load balancer: failed to ensure load balancer: no address of the pool is free"
        control.event(service, WARNING, "SyncLoadBalancerFailed", why)
        control.retry()
        return
    service = control.update(with_finalizer(service, _FINALIZER))
    ingress = [{"ip": address, "ipMode": "VIP"}]
    control.status(service, {**(service.get("status") or {}), "loadBalancer": {"ingress": ingress}})
    control.event(service, NORMAL, "EnsuredLoadBalancer", "Ensured load balancer")


def _free(service: Value, control: Control) -> str:
    taken = {
        i.get("ip")
        for s in control.store.all("Service")
        for i in ((s.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    }
    wanted = service["spec"].get("loadBalancerIP")
    candidates = (wanted,) if wanted else control.pool
    return next((a for a in candidates if a in control.pool and a not in taken), "")


def _release(service: Value, control: Control) -> None:
    control.status(service, {**(service.get("status") or {}), "loadBalancer": {}})
    control.update(without_finalizer(service, _FINALIZER))


def _waiting(write: Write, control: Control) -> list[Key]:
    """The Service that changed; when one gives its address back, all that wait for one."""
    if write.new is not None:
        return itself(write, control)
    services = control.store.all("Service")
    return [ref_of(s).key for s in services if (s.get("spec") or {}).get("type") == "LoadBalancer"]


CONTROLLER = Controller("service", {"Service": _waiting}, reconcile)
