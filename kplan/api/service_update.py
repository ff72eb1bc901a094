"""What a Service keeps of its addresses and ports when it is replaced, and what it loses with its type.

Follows pkg/registry/core/service/storage/storage.go (patchAllocatedValues, normalizeClusterIPs) and
pkg/registry/core/service/strategy.go (dropTypeDependentFields).
"""

from __future__ import annotations

from typing import Any

from kplan.api.allocation import allocate
from kplan.api.request import Request, invalid

Value = dict[str, Any]

_EXTERNAL_NAME, _NODE_PORT, _LOAD_BALANCER = "ExternalName", "NodePort", "LoadBalancer"
_ADDRESSES = ("clusterIP", "clusterIPs")


def prepare(new: Value, old: Value, request: Request) -> None:
    """Carry over what the user left out, allocate what is new, drop what the new type does not have, in place."""
    spec, before = new["spec"], old.get("spec") or {}
    _keep_allocated(spec, before)
    _agree(spec, before)
    causes = allocate(new, request.minor, request.store, old)
    if causes:
        raise invalid(request.group, new, causes)
    _drop_for_type(spec, before)


def has_address(spec: Value) -> bool:
    """Whether Services of this type have a cluster IP, be it "None"."""
    return spec.get("type") != _EXTERNAL_NAME


def has_node_ports(spec: Value) -> bool:
    """Whether the ports of this Service get node ports."""
    kind = spec.get("type")
    return kind == _NODE_PORT or (kind == _LOAD_BALANCER and spec.get("allocateLoadBalancerNodePorts") is not False)


def has_health_port(spec: Value) -> bool:
    """Whether load balancers ask nodes for the health of this Service."""
    return spec.get("type") == _LOAD_BALANCER and spec.get("externalTrafficPolicy") == "Local"


def _is_external(spec: Value) -> bool:
    """Whether the Service can be reached from outside."""
    return spec.get("type") in (_NODE_PORT, _LOAD_BALANCER) or (has_address(spec) and bool(spec.get("externalIPs")))


def _keep_allocated(spec: Value, before: Value) -> None:
    if has_address(before) and has_address(spec):
        if not spec.get("clusterIP") and before.get("clusterIP"):
            spec["clusterIP"] = before["clusterIP"]
        if not spec.get("clusterIPs") and spec.get("clusterIP") == before.get("clusterIP") and before.get("clusterIPs"):
            spec["clusterIPs"] = list(before["clusterIPs"])
    if has_node_ports(before) and has_node_ports(spec):
        _keep_node_ports(spec, before)
    if has_health_port(before) and has_health_port(spec) and not spec.get("healthCheckNodePort"):
        _set(spec, "healthCheckNodePort", before.get("healthCheckNodePort"))


def _keep_node_ports(spec: Value, before: Value) -> None:
    """Ports are known by their names; a number that another port has taken over is not given back."""
    used = _node_ports(before) & _node_ports(spec)
    known = {p.get("name", ""): p.get("nodePort", 0) for p in before.get("ports") or ()}
    for port in spec.get("ports") or ():
        number = known.get(port.get("name", ""), 0)
        if not port.get("nodePort") and number not in used:
            _set(port, "nodePort", number)
            used.add(number)


def _node_ports(spec: Value) -> set[int]:
    return {p["nodePort"] for p in spec.get("ports") or () if p.get("nodePort")}


def _agree(spec: Value, before: Value) -> None:
    """A client that knows one address only changes that one."""
    same = [spec.get(name) == before.get(name) for name in _ADDRESSES]
    if same == [False, True] and has_address(before):
        _set(spec, "clusterIPs", [spec["clusterIP"]] if spec.get("clusterIP") else None)
    elif same == [True, False] and not spec.get("clusterIPs"):
        spec.pop("clusterIP", None)


def _drop_for_type(spec: Value, before: Value) -> None:
    """What the old type had, the new one has not, and the user did not touch; the rest is for validation to refuse."""
    if has_address(before) and not has_address(spec):
        if all(spec.get(name) == before.get(name) for name in _ADDRESSES):
            _drop(spec, *_ADDRESSES)
        _drop_untouched(spec, before, "ipFamilies", "ipFamilyPolicy")
    if has_node_ports(before) and not has_node_ports(spec) and _node_ports(spec) <= _node_ports(before):
        for port in spec.get("ports") or ():
            port.pop("nodePort", None)
    if has_health_port(before) and not has_health_port(spec):
        _drop_untouched(spec, before, "healthCheckNodePort")
    if before.get("type") == _LOAD_BALANCER != spec.get("type"):
        _drop_untouched(spec, before, "allocateLoadBalancerNodePorts", "loadBalancerClass")
    if _is_external(before) and not _is_external(spec):
        _drop_untouched(spec, before, "externalTrafficPolicy")


def _drop_untouched(spec: Value, before: Value, *names: str) -> None:
    _drop(spec, *(name for name in names if spec.get(name) == before.get(name)))


def _drop(spec: Value, *names: str) -> None:
    for name in names:
        spec.pop(name, None)


def _set(holder: Value, name: str, value: Any) -> None:
    """Set a field, or remove it if there is no value."""
    if value:
        holder[name] = value
    else:
        holder.pop(name, None)
