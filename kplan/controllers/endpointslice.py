"""EndpointSlices: the addresses and ports behind each Service with a selector.

Follows pkg/controller/endpointslice/endpointslice_controller.go and k8s.io/endpointslice/{reconciler,utils}.go.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from kplan.api.request import Refused
from kplan.controllers import endpointslicehints as hints
from kplan.controllers import endpointsliceparts as parts
from kplan.controllers import servicepods
from kplan.controllers.control import WARNING, Control, controller_of
from kplan.controllers.endpointslicepacking import Changes, Ports, pack, port_key
from kplan.controllers.manager import Controller
from kplan.controllers.servicepods import Made, Triggers, memory
from kplan.model import Key
from kplan.store import Write, labels_of, ref_of

Value = dict[str, Any]

_FAMILIES = ("IPv4", "IPv6")
_NO_NODE: Value = {}


class _Group(NamedTuple):
    """Endpoints with the same ports."""

    ports: list[Value]
    endpoints: list[Value]


def reconcile(key: Key, control: Control) -> None:
    """Bring the EndpointSlices of one Service up to date."""
    service = control.get(key)
    triggers = memory(control).triggers.setdefault(parts.OURS, Triggers())
    if service is None:
        triggers.forget(key)
        for family in _FAMILIES:
            memory(control).made.pop((family, key), None)
        return
    selector = servicepods.selector_of(service)
    if selector is None:
        return
    behind = control.store.labelled("Pod", key.namespace, selector)
    mine = {parts.SERVICE_NAME: key.name, parts.MANAGED_BY: parts.OURS}
    existing = [
        s
        for s in control.store.labelled("EndpointSlice", key.namespace, mine)
        if not s["metadata"].get("deletionTimestamp")
    ]
    began = triggers.since(key, service, behind)
    found, lost = _located(service, behind, control)
    families = servicepods.families(service)
    try:
        for family in families:
            old = [s for s in existing if s.get("addressType") == family]
            _write(_changes(service, family, found, old, control), service, began, control)
    except Refused as no:
        control.retry()
        if not servicepods.is_leaving(key.namespace, control):
            name = f"{key.namespace}/{key.name}"
            lost.append(f"failed to create EndpointSlice for Service {name}: {no.message}")
    for s in existing:
        if s.get("addressType") not in families:
            control.delete(s)
    if lost:
        why = lost[0] if len(lost) == 1 else f"[{', '.join(lost)}]"
        what = f"Error updating Endpoint Slices for Service {key.namespace}/{key.name}: {why}"
        control.event(service, WARNING, "FailedToUpdateEndpointSlices", what)


def _located(service: Value, behind: list[Value], control: Control) -> tuple[list[tuple[Value, Value]], list[str]]:
    """The pods that count, each with its node, and what is to be said about those whose node is not there.

    They are left out unless the Service publishes what is not ready. Where no node is known at all, all are there.
    """
    found: list[tuple[Value, Value]] = []
    lost: list[str] = []
    meta = service["metadata"]
    publishes = bool(service["spec"].get("publishNotReadyAddresses"))
    for pod in behind:
        if not servicepods.counts(pod, terminating=True):
            continue
        name = pod["spec"].get("nodeName") or ""
        node = control.get(Key("", "Node", "", name))
        if node is None and not publishes and next(control.store.all("Node"), None) is not None:
            where = f"for Service {meta['namespace']}/{meta['name']}: Node {name} Not Found"
            lost.append(f"skipping Pod {pod['metadata']['name']} {where}")
            continue
        found.append((pod, node or _NO_NODE))
    return found, lost


def _changes(
    service: Value, family: str, found: list[tuple[Value, Value]], existing: list[Value], control: Control
) -> Changes:
    """What has to be done to the slices of one address family."""
    uid = service["metadata"].get("uid")
    owned = [s for s in existing if (controller_of(s) or {}).get("uid") == uid]
    out = Changes([], [], [s for s in existing if s not in owned])
    by_ports: dict[Ports, list[Value]] = {}
    for s in owned:
        by_ports.setdefault(port_key(s.get("ports") or ()), []).append(s)
    groups = _groups(service, family, found, control)
    hints.give(service, family, [g.endpoints for g in groups.values()], owned, control)
    for key, group in groups.items():
        changes = pack(
            by_ports.pop(key, []),
            group.endpoints,
            parts.labels_for(service),
            parts.new_slice(service, family, group.ports),
        )
        for all_, more in zip(out, changes, strict=True):
            all_.extend(more)
    out.delete.extend(s for slices in by_ports.values() for s in slices)
    if len(out.delete) == len(existing) and not out.create:
        _keep_one(service, family, out)
    _reuse(out, service)
    return out


def _groups(service: Value, family: str, found: list[tuple[Value, Value]], control: Control) -> dict[Ports, _Group]:
    made = memory(control).made.setdefault((family, ref_of(service).key), Made(_MAKERS[family]))
    groups: dict[Ports, _Group] = {}
    for key, ports, endpoint in made.of(service, found):
        group = groups.setdefault(key, _Group(ports, []))
        if endpoint["addresses"]:
            group.endpoints.append(endpoint)
    return groups


def _made(service: Value, pod: Value, node: Value, family: str) -> tuple[Ports, list[Value], Value]:
    """What one pod adds: its ports and its endpoint."""
    ports = parts.ports_of(service, pod)
    return port_key(ports), ports, parts.endpoint_of(service, pod, node, family)


_MAKERS = {family: partial(_made, family=family) for family in _FAMILIES}


def _keep_one(service: Value, family: str, out: Changes) -> None:
    """Without endpoints there is still one slice, so that the Service is seen to have none."""
    empty = parts.new_slice(service, family, [])
    if len(out.delete) == 1 and _is_empty(out.delete[0], empty):
        out.delete.clear()
    else:
        out.create.append(empty)


def _is_empty(old: Value, empty: Value) -> bool:
    same = labels_of(old) == empty["metadata"]["labels"] and old["metadata"].get("ownerReferences")
    return bool(same) and not old.get("endpoints") and not old.get("ports")


def _reuse(out: Changes, service: Value) -> None:
    """A slice that would be deleted takes the place of one that would be created."""
    uid = service["metadata"].get("uid")
    for old in list(out.delete):
        if not out.create:
            return
        if old.get("addressType") == out.create[-1]["addressType"] and (controller_of(old) or {}).get("uid") == uid:
            new = out.create.pop()
            out.delete.remove(old)
            out.update.append({**old, **new, "metadata": {**old["metadata"], **new["metadata"]}})


def _write(changes: Changes, service: Value, began: str, control: Control) -> None:
    new = changes.create if not service["metadata"].get("deletionTimestamp") else []
    for s in (*new, *changes.update):
        parts.write(parts.since(_stored(s), began), control)
    for old in changes.delete:
        control.delete(old)


def _stored(slice_: Value) -> Value:
    """Empty lists are not stored."""
    return {k: v for k, v in slice_.items() if v or k not in ("endpoints", "ports")}


def of_slice(write: Write, control: Control) -> list[Key]:
    """The Service of a slice that someone else has changed or deleted."""
    return parts.touched(write, control, parts.OURS)


CONTROLLER = Controller(
    "endpointslice",
    {
        "Service": servicepods.of_service,
        "Pod": servicepods.of_pod,
        "EndpointSlice": of_slice,
        "Node": hints.of_node,
    },
    reconcile,
)
