"""What an EndpointSlice is made of: endpoints and ports out of pods, labels out of the Service; and how it is written.

Follows k8s.io/endpointslice/utils.go and pkg/registry/discovery/endpointslice/strategy.go.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import pods, servicepods
from kplan.controllers.control import Control, reference
from kplan.controllers.servicepods import HEADLESS, TRIGGERED, memory
from kplan.model import Key
from kplan.store import Write, labels_of, ref_of

Value = dict[str, Any]

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
OURS = "endpointslice-controller.k8s.io"
_RESERVED = (SERVICE_NAME, MANAGED_BY, HEADLESS)
_LONGEST_NAME = 63


def ports_of(service: Value, pod: Value) -> list[Value]:
    """The ports of a Service as this pod has them; one that leads to no port of the pod is left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = servicepods.port_number(pod, port)
        if number is not None:
            made = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": number}
            if port.get("appProtocol") is not None:
                made["appProtocol"] = port["appProtocol"]
            found.append(made)
    return found


def endpoint_of(service: Value, pod: Value, node: Value, family: str) -> Value:
    """A pod as an endpoint; without addresses if it has none of the family."""
    publishes = bool(service["spec"].get("publishNotReadyAddresses"))
    serving, terminating = pods.is_ready(pod), pods.is_terminating(pod)
    made: Value = {
        "addresses": [a for a in servicepods.addresses(pod) if servicepods.family(a) == family],
        "conditions": {
            "ready": publishes or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
    }
    name = servicepods.host_name(pod, service)
    if name:
        made["hostname"] = name
    made["targetRef"] = servicepods.target(pod)
    if pod["spec"].get("nodeName"):
        made["nodeName"] = pod["spec"]["nodeName"]
    zone = labels_of(node).get(servicepods.ZONE)
    if zone:
        made["zone"] = zone
    return made


def new_slice(service: Value, family: str, ports: list[Value]) -> Value:
    """A slice without endpoints and without a name."""
    meta = service["metadata"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": prefix(meta["name"]),
            "namespace": meta["namespace"],
            "labels": labels_for(service),
            "ownerReferences": [reference(service)],
        },
        "addressType": family,
        "endpoints": [],
        "ports": ports,
    }


def prefix(name: str) -> str:
    """The start of the names of a Service's slices."""
    return f"{name}-" if len(name) < _LONGEST_NAME else name


def labels_for(service: Value) -> dict[str, str]:
    """The labels of a slice: those of its Service and three of its own."""
    given = {k: v for k, v in labels_of(service).items() if k not in _RESERVED}
    headless = {HEADLESS: ""} if servicepods.is_headless(service) else {}
    return {**given, **headless, SERVICE_NAME: service["metadata"]["name"], MANAGED_BY: OURS}


def since(slice_: Value, began: str) -> Value:
    """The slice with the time at which its last change began; without one if that is not known."""
    meta = {k: v for k, v in slice_["metadata"].items() if k != "annotations"}
    notes = {k: v for k, v in (slice_["metadata"].get("annotations") or {}).items() if k != TRIGGERED}
    if began:
        notes[TRIGGERED] = began
    return {**slice_, "metadata": {**meta, **({"annotations": notes} if notes else {})}}


def write(slice_: Value, control: Control) -> None:
    """Create a slice without a name, or replace one; a controller does not look again at what it wrote itself.

    The generation counts what is not metadata, and labels. Raises Refused.
    """
    old = control.get(ref_of(slice_).key) if slice_["metadata"].get("name") else None
    if old is None:
        written = control.create(slice_)
    else:
        same = all(old.get(f) == slice_.get(f) for f in ("addressType", "endpoints", "ports"))
        if not same or labels_of(old) != labels_of(slice_):
            generation = old["metadata"].get("generation", 0) + 1
            slice_ = {**slice_, "metadata": {**slice_["metadata"], "generation": generation}}
        written = control.update(slice_)
    memory(control).written[ref_of(written).key] = written


def touched(change: Write, control: Control, manager: str) -> list[Key]:
    """The name behind a slice of a controller that someone else has changed or deleted."""
    written = memory(control).written
    if change.new is not None and written.get(change.key) is change.new:
        return []
    if change.new is None:
        written.pop(change.key, None)
    names = [
        labels_of(o).get(SERVICE_NAME) for o in (change.old, change.new) if labels_of(o).get(MANAGED_BY) == manager
    ]
    return [Key("", "Service", change.key.namespace, name) for name in dict.fromkeys(names) if name]
