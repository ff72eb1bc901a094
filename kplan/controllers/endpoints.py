"""Endpoints: the older form of what EndpointSlices say, one object for each Service with a selector.

Follows pkg/controller/endpoint/endpoints_controller.go.
"""

from __future__ import annotations

from typing import Any

from kplan.api.request import Refused
from kplan.controllers import pods, servicepods
from kplan.controllers.control import WARNING, Control
from kplan.controllers.endpointsubsets import Entry, pack, truncated
from kplan.controllers.manager import Controller
from kplan.controllers.servicepods import HEADLESS, TRIGGERED, Made, Triggers, memory
from kplan.model import Key
from kplan.store import Write, labels_of

Value = dict[str, Any]

MANAGED_BY = "endpoints.kubernetes.io/managed-by"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
OURS = "endpoint-controller"
_MANAGED_SINCE = 33
_NO_NODE: Value = {}


def reconcile(key: Key, control: Control) -> None:
    """Bring the Endpoints of one Service up to date; without the Service they go."""
    triggers = memory(control).triggers.setdefault(OURS, Triggers())
    service = control.get(key)
    current = control.get(Key("", "Endpoints", key.namespace, key.name))
    if service is None:
        triggers.forget(key)
        memory(control).made.pop((OURS, key), None)
        if current is not None:
            control.delete(current)
        return
    selector = servicepods.selector_of(service)
    if selector is None:
        return
    behind = control.store.labelled("Pod", key.namespace, selector)
    began = triggers.since(key, service, behind)
    made = memory(control).made.setdefault((OURS, key), Made(_entries))
    subsets, cut = truncated(
        pack(entry for entries in made.of(service, [(p, _NO_NODE) for p in behind]) for entry in entries)
    )
    labels = _labels(service, control)
    if current is not None and _says(current, subsets, labels, cut):
        return
    _write(service, current, subsets, labels, _notes(current, began, cut), control)


def _entries(service: Value, pod: Value, _: Value) -> list[Entry]:
    """What one pod adds: its address behind each port of the Service that it has."""
    spec = service["spec"]
    publishes = bool(spec.get("publishNotReadyAddresses"))
    if not servicepods.counts(pod, terminating=publishes):
        return []
    address = _address(service, pod, servicepods.families(service)[0])
    if address is None:
        return []
    ready = publishes or pods.is_ready(pod)
    if not spec.get("ports"):
        return [(None, address, ready)] if servicepods.is_headless(service) else []
    numbers = ((port, servicepods.port_number(pod, port)) for port in spec["ports"])
    return [(_port(port, number), address, ready) for port, number in numbers if number is not None]


def _address(service: Value, pod: Value, family: str) -> Value | None:
    """The first address of a pod in the family of the Service."""
    ip = next((a for a in servicepods.addresses(pod) if servicepods.family(a) == family), None)
    if ip is None:
        return None
    made: Value = {"ip": ip}
    name = servicepods.host_name(pod, service)
    if name:
        made["hostname"] = name
    if pod["spec"].get("nodeName"):
        made["nodeName"] = pod["spec"]["nodeName"]
    made["targetRef"] = servicepods.target(pod)
    return made


def _port(port: Value, number: int) -> Value:
    made: Value = {"name": port["name"]} if port.get("name") else {}
    made |= {"port": number, "protocol": port.get("protocol", "TCP")}
    if port.get("appProtocol") is not None:
        made["appProtocol"] = port["appProtocol"]
    return made


def _labels(service: Value, control: Control) -> dict[str, str]:
    labels = {k: v for k, v in labels_of(service).items() if k != HEADLESS}
    if servicepods.is_headless(service):
        labels[HEADLESS] = ""
    if control.minor >= _MANAGED_SINCE:
        labels[MANAGED_BY] = OURS
    return labels


def _says(current: Value, subsets: list[Value], labels: dict[str, str], cut: bool) -> bool:
    """Whether Endpoints are up to date already."""
    marked = OVER_CAPACITY in (current["metadata"].get("annotations") or {})
    same_labels = labels_of(current) == labels
    return same_labels and marked == cut and (current.get("subsets") or []) == subsets


def _notes(current: Value | None, began: str, cut: bool) -> dict[str, str]:
    given = (current["metadata"].get("annotations") or {}) if current is not None else {}
    notes = {k: v for k, v in given.items() if k not in (TRIGGERED, OVER_CAPACITY)}
    if began:
        notes[TRIGGERED] = began
    if cut:
        notes[OVER_CAPACITY] = "truncated"
    return notes


def _write(
    service: Value,
    current: Value | None,
    subsets: list[Value],
    labels: dict[str, str],
    notes: dict[str, str],
    control: Control,
) -> None:
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    base = current or {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name, "namespace": namespace}}
    meta = {k: v for k, v in base["metadata"].items() if k != "annotations"}
    meta |= {"labels": labels, **({"annotations": notes} if notes else {})}
    rest = {k: v for k, v in base.items() if k != "subsets"}
    new = {**rest, "metadata": meta, **({"subsets": subsets} if subsets else {})}
    if current is not None:
        control.update(new)
        return
    try:
        control.create(new)
    except Refused as no:
        control.retry()
        if not servicepods.is_leaving(namespace, control):
            what = f"Failed to create endpoint for service {namespace}/{name}: {no.message}"
            control.event(service, WARNING, "FailedToCreateEndpoint", what)


def _deleted(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    """Endpoints that someone has deleted come back; changes by hand stay until the Service or a pod changes."""
    return [Key("", "Service", write.key.namespace, write.key.name)] if write.new is None else []


CONTROLLER = Controller(
    "endpoints",
    {"Service": servicepods.of_service, "Pod": servicepods.of_pod, "Endpoints": _deleted},
    reconcile,
)
