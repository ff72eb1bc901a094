"""Values that the cluster picks when an object is created: known after apply."""

from __future__ import annotations

from kplan.hints import Any
from kplan.model import KNOWN_AFTER_APPLY

Value = dict[str, Any]


def with_unknown(value: Value) -> Value:
    """The object with a mark where the server will put a value of its choice; the same object if it puts none."""
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return value
    match value.get("apiVersion"), value.get("kind"):
        case "v1", "Service":
            added = _service(spec)
        case "v1", "PersistentVolumeClaim" if not spec.get("volumeName"):
            added = {"volumeName": KNOWN_AFTER_APPLY}
        case "v1", "Pod" if not spec.get("nodeName"):
            added = {"nodeName": KNOWN_AFTER_APPLY}
        case _:
            return value
    return {**value, "spec": {**spec, **added}} if added else value


def _service(spec: Value) -> Value:
    kind = spec.get("type") or "ClusterIP"
    added: Value = {}
    if kind != "ExternalName" and not spec.get("clusterIP"):
        added["clusterIP"] = KNOWN_AFTER_APPLY
    ports = spec.get("ports")
    gets_node_ports = kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts", True))
    if gets_node_ports and isinstance(ports, list):
        added["ports"] = [{"nodePort": KNOWN_AFTER_APPLY, **p} if isinstance(p, dict) else p for p in ports]
    return added
