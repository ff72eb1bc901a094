"""Mirroring: EndpointSlices for Endpoints that are written by hand, of Services without a selector.

Follows pkg/controller/endpointslicemirroring/{endpointslicemirroring_controller,reconciler}.go.
"""

from __future__ import annotations

from typing import Any

from kplan.api.request import Refused
from kplan.controllers import servicepods
from kplan.controllers.control import WARNING, Control, reference
from kplan.controllers.endpointslicepacking import Ports, identity, port_key
from kplan.controllers.endpointsliceparts import MANAGED_BY, SERVICE_NAME, prefix, touched, write
from kplan.controllers.endpointsubsets import repack
from kplan.controllers.manager import Controller
from kplan.controllers.servicepods import TRIGGERED
from kplan.model import Key
from kplan.store import Write, labels_of

Value = dict[str, Any]
_Place = tuple[str, Ports]  # address family and ports

OURS = "endpointslicemirroring-controller.k8s.io"
MOST_ADDRESSES = 1000  # --mirroring-max-endpoints-per-subset
_SKIP = "endpointslice.kubernetes.io/skip-mirror"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_TRUE = ("1", "t", "T", "true", "TRUE", "True")


def reconcile(key: Key, control: Control) -> None:
    """Bring the mirror of one Endpoints object up to date; `key` is that of its Service."""
    mine = {SERVICE_NAME: key.name, MANAGED_BY: OURS}
    existing = control.store.labelled("EndpointSlice", key.namespace, mine)
    endpoints = control.get(Key("", "Endpoints", key.namespace, key.name))
    service = control.get(key)
    if endpoints is None or service is None or not _mirrored(endpoints) or (service.get("spec") or {}).get("selector"):
        for s in existing:
            control.delete(s)
        return
    try:
        _mirror(endpoints, existing, control)
    except Refused as no:
        control.retry()
        if not servicepods.is_leaving(key.namespace, control):
            what = f"Error updating Endpoint Slices for Endpoints {key.namespace}/{key.name}: {no.message}"
            control.event(endpoints, WARNING, "FailedToUpdateEndpointSlices", what)


def _mirrored(endpoints: Value) -> bool:
    """Whether Endpoints are mirrored: not those that ask not to be, nor leader election records."""
    notes = endpoints["metadata"].get("annotations") or {}
    return labels_of(endpoints).get(_SKIP) not in _TRUE and _LEADER not in notes


def _mirror(endpoints: Value, existing: list[Value], control: Control) -> None:
    labels, notes = _labels(endpoints), _annotations(endpoints)
    places: dict[_Place, list[Value]] = {}
    for s in existing:
        places.setdefault((s["addressType"], port_key(s.get("ports") or ())), []).append(s)
    for place, (ports, wanted) in _desired(endpoints, control).items():
        slices = places.get(place, [])
        first = slices.pop(0) if slices else None
        if first is None or not _says(first, wanted, labels, notes):
            _write(endpoints, first, place[0], ports, wanted, control)
    for slices in places.values():
        for s in slices:
            control.delete(s)


def _desired(endpoints: Value, control: Control) -> dict[_Place, tuple[list[Value], list[Value]]]:
    """Ports and endpoints of each slice that there should be."""
    found: dict[_Place, tuple[list[Value], list[Value]]] = {}
    for subset in repack(endpoints.get("subsets") or []):
        ports = [_port(p) for p in subset.get("ports") or ()]
        listed = [(a, f == "addresses") for f in ("addresses", "notReadyAddresses") for a in subset.get(f) or ()]
        if len(listed) > MOST_ADDRESSES:
            most = f"A max of {MOST_ADDRESSES} addresses can be mirrored to EndpointSlices per Endpoints subset."
            what = f"{most} {len(listed) - MOST_ADDRESSES} addresses were skipped"
            control.event(endpoints, WARNING, "TooManyAddressesToMirror", what)
        for address, ready in listed[:MOST_ADDRESSES]:
            family = servicepods.family(address["ip"])
            found.setdefault((family, port_key(ports)), (ports, []))[1].append(_endpoint(address, ready))
    return found


def _port(port: Value) -> Value:
    made = {"name": port.get("name") or "", "protocol": port.get("protocol", "TCP"), "port": port["port"]}
    return {**made, **({"appProtocol": port["appProtocol"]} if port.get("appProtocol") is not None else {})}


def _endpoint(address: Value, ready: bool) -> Value:
    made: Value = {"addresses": [address["ip"]], "conditions": {"ready": ready}}
    for field in ("hostname", "targetRef", "nodeName"):
        if address.get(field):
            made[field] = address[field]
    return made


def _says(old: Value, wanted: list[Value], labels: dict[str, str], notes: dict[str, str]) -> bool:
    """Whether a slice is up to date already; the order of endpoints does not matter."""
    same = {identity(e): e for e in old.get("endpoints") or ()} == {identity(e): e for e in wanted}
    return same and labels_of(old) == labels and (old["metadata"].get("annotations") or {}) == notes


def _labels(endpoints: Value) -> dict[str, str]:
    given = {k: v for k, v in labels_of(endpoints).items() if k != servicepods.HEADLESS}
    return {**given, SERVICE_NAME: endpoints["metadata"]["name"], MANAGED_BY: OURS}


def _annotations(endpoints: Value) -> dict[str, str]:
    given = endpoints["metadata"].get("annotations") or {}
    return {k: v for k, v in given.items() if k not in (TRIGGERED, _LAST_APPLIED)}


def _write(
    endpoints: Value, old: Value | None, family: str, ports: list[Value], wanted: list[Value], control: Control
) -> None:
    """Create a slice, or replace all of one; a replaced one loses its generateName."""
    meta = endpoints["metadata"]
    notes = _annotations(endpoints)
    new: Value = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "namespace": meta["namespace"],
            "labels": _labels(endpoints),
            **({"annotations": notes} if notes else {}),
            "ownerReferences": [reference(endpoints)],
        },
        "addressType": family,
        "endpoints": wanted,
        **({"ports": ports} if ports else {}),
    }
    if old is None:
        new["metadata"]["generateName"] = prefix(meta["name"])
    else:
        kept = {k: v for k, v in old["metadata"].items() if k not in ("generateName", "annotations")}
        new["metadata"] = {**kept, **new["metadata"]}
    write(new, control)


def _of_endpoints(change: Write, control: Control) -> list[Key]:
    """The Service of Endpoints that are mirrored, or were; those of a Service with a selector never are."""
    key = Key("", "Service", change.key.namespace, change.key.name)
    service = control.get(key)
    if service is not None and (service.get("spec") or {}).get("selector"):
        return []
    return [key] if any(_mirrored(o) for o in (change.old, change.new) if o is not None) else []


def _of_service(change: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    """A Service that has come or gone, or whose selector has."""
    had, has = ((o.get("spec") or {}).get("selector") if o is not None else None for o in (change.old, change.new))
    came_or_went = change.old is None or change.new is None
    return [change.key] if came_or_went or had != has else []


def _of_slice(change: Write, control: Control) -> list[Key]:
    return touched(change, control, OURS)


CONTROLLER = Controller(
    "endpointslicemirroring",
    {"Endpoints": _of_endpoints, "Service": _of_service, "EndpointSlice": _of_slice},
    reconcile,
)
