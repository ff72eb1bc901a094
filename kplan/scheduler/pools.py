"""Nodes that nobody gave: the default pool, and copies of a node for what-ifs."""

from __future__ import annotations

from typing import Any

from kplan.scheduler.fields import mapping, string_map, text
from kplan.scheduler.node import HOSTNAME, ZONE

Value = dict[str, Any]

DEFAULT_NODES = 3
_ROOM = {"cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}
_PLATFORM = {"os": "linux", "arch": "amd64"}
STATEMENT = (
    f"{DEFAULT_NODES} nodes of a default pool ({_ROOM['cpu']} CPU, {_ROOM['memory']} memory and {_ROOM['pods']} pods "
    "each, in zones a, b and c), because none were given"
)


def default_pool() -> list[Value]:
    """The nodes that are used when the input holds none."""
    return [_node(f"default-{i + 1}", "abc"[i]) for i in range(DEFAULT_NODES)]


def _node(name: str, zone: str) -> Value:
    labels = {
        HOSTNAME: name,
        ZONE: zone,
        **{f"{prefix}kubernetes.io/{key}": value for prefix in ("", "beta.") for key, value in _PLATFORM.items()},
    }
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    status = {"capacity": dict(_ROOM), "allocatable": dict(_ROOM), "conditions": [ready]}
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {}, "status": status}


def copy_of(node: Value, number: int) -> Value:
    """A fresh node of the same kind: same labels, taints and room, another name, nothing on it, not cordoned."""
    name = f"{text(node, 'metadata', 'name')}-<{number}>"
    labels = {**string_map(node, "metadata", "labels"), HOSTNAME: name}
    spec = {k: v for k, v in mapping(node, "spec").items() if k == "taints"}
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": mapping(node, "status")}
