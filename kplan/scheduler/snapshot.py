"""All that the scheduler knows of a cluster at one moment, and how it changes when pods come and go.

Follows pkg/scheduler/backend/cache (snapshot.go, cache.go): a pod is on a node when `spec.nodeName` is set and it has
not ended; what was decided in this run counts at once ("assumed").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kplan import release
from kplan.labels import Requirement
from kplan.scheduler import pod as pods
from kplan.scheduler import terms, volumes
from kplan.scheduler.fields import mapping, string_map, text
from kplan.scheduler.node import Node, in_order
from kplan.scheduler.pod import Pod, Shape
from kplan.scheduler.priority import Priorities
from kplan.store import Store

Value = dict[str, Any]
Selector = tuple[Requirement, ...]

ENDED = frozenset({"Succeeded", "Failed"})
# controllers whose selector counts for default spreading -> their API versions
_SPREADING_OWNERS = {("v1", "ReplicationController"), ("apps/v1", "ReplicaSet"), ("apps/v1", "StatefulSet")}


class Snapshot:
    """Nodes in visiting order with their pods, pods that wait, and the objects that plugins look up.

    `log` grows by one entry a change: (pod, node, +1 or -1), for whoever keeps numbers up to date. With `settled`
    the PV controller is taken to have done its work.
    """

    def __init__(self, store: Store, version: str = release.DEFAULT, *, settled: bool = True) -> None:
        self.store = store
        self.version = version
        self.minor = release.minor(version)
        self.priorities = Priorities(store.all("PriorityClass"))
        self.namespaces = dict(map(_namespace, store.all("Namespace")))
        self.volumes = volumes.read(store, settled=settled)
        arrived = [Node(n) for n in store.all("Node")]
        self.images = _images(arrived)
        self.nodes = in_order(arrived)
        self.by_name = {n.name: n for n in self.nodes}
        self.pending: dict[tuple[str, str], Pod] = {}
        self.nominated: dict[str, list[Pod]] = {}
        self.log: list[tuple[Pod, Node, int]] = []
        self._shapes: dict[bytes, Shape] = {}
        self._services = _services(store)
        self._owners = _owners(store)
        self._spreading: dict[Shape, Selector | None] = {}
        self._with_label: dict[str, dict[str, list[Node]]] = {}
        for value in store.all("Pod"):
            self._take(value)

    def _take(self, value: Value) -> None:
        if text(value, "status", "phase") in ENDED:
            return
        pod = self.pod(value)
        node = self.by_name.get(pod.node_name)
        if node is not None:
            node.add(pod)
        elif not pod.node_name and not pod.deleting:
            self.pending[pod.id] = pod
            self.nominate(pod, pod.nominated)

    def pod(self, value: Value) -> Pod:
        """A Pod object as the scheduler sees it; pods of one shape share the Shape."""
        key = pods.shape_key(value)
        shape = self._shapes.get(key)
        if shape is None:
            priority = self.priorities.of(mapping(value, "spec"))
            shape = self._shapes[key] = pods.shape_of(value, priority.value, priority.preempts, self.minor)
        meta, status = mapping(value, "metadata"), mapping(value, "status")
        return Pod(
            name=text(meta, "name"),
            shape=shape,
            value=value,
            start=text(status, "startTime"),
            deleting=bool(meta.get("deletionTimestamp")),
            nominated=text(status, "nominatedNodeName"),
            node_name=text(mapping(value, "spec"), "nodeName"),
        )

    def add(self, pod: Pod, node: Node) -> None:
        """A pod is placed on a node."""
        node.add(pod)
        pod.node_name = node.name
        self.pending.pop(pod.id, None)
        self.nominate(pod, "")
        self.log.append((pod, node, 1))

    def remove(self, pod: Pod, node: Node) -> None:
        """A pod leaves a node."""
        node.remove(pod)
        pod.node_name = ""
        self.log.append((pod, node, -1))

    def nominate(self, pod: Pod, node: str) -> None:
        """A pod that has evicted others waits for this node; the empty name takes the claim back."""
        if pod.nominated and pod in self.nominated.get(pod.nominated, ()):
            self.nominated[pod.nominated].remove(pod)
            if not self.nominated[pod.nominated]:
                del self.nominated[pod.nominated]
        pod.nominated = node
        if node:
            self.nominated.setdefault(node, []).append(pod)

    def with_label(self, key: str, value: str) -> list[Node]:
        """The nodes that carry this label."""
        return self.label_values(key).get(value, [])

    def label_values(self, key: str) -> Mapping[str, list[Node]]:
        """The values of a label among the nodes, and the nodes behind each."""
        by_value = self._with_label.get(key)
        if by_value is None:
            by_value = self._with_label[key] = {}
            for n in self.nodes:
                if key in n.labels:
                    by_value.setdefault(n.labels[key], []).append(n)
        return by_value

    def spreading_selector(self, shape: Shape) -> Selector | None:
        """The selector of default spreading: of the Services that match the pod and of its controller.

        None when nothing selects the pod, which turns default spreading off.
        """
        if shape not in self._spreading:
            self._spreading[shape] = self._find_spreading(shape)
        return self._spreading[shape]

    def _find_spreading(self, shape: Shape) -> Selector | None:
        merged: dict[str, str] = {}
        for selector in self._services.get(shape.namespace, ()):
            if all(shape.labels.get(k) == v for k, v in selector.items()):
                merged.update(selector)
        owner = self._owners.get((*shape.owner, shape.namespace)) if shape.owner else None
        found = tuple(Requirement(k, "In", (v,)) for k, v in merged.items()) + (owner or ())
        return found or None


def _namespace(value: Value) -> tuple[str, dict[str, str]]:
    """Name and labels; the API server labels every namespace with its name."""
    name = text(value, "metadata", "name")
    return name, {"kubernetes.io/metadata.name": name, **string_map(value, "metadata", "labels")}


def _images(nodes: Iterable[Node]) -> dict[str, tuple[int, int]]:
    """Image name -> (size as first reported, how many nodes have it)."""
    found: dict[str, tuple[int, int]] = {}
    for node in nodes:
        for name, size in node.images.items():
            first, count = found.get(name, (size, 0))
            found[name] = (first, count + 1)
    return found


def _services(store: Store) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for s in store.all("Service"):
        selector = string_map(s, "spec", "selector")
        if selector:
            found.setdefault(text(s, "metadata", "namespace") or "default", []).append(selector)
    return found


def _owners(store: Store) -> dict[tuple[str, str, str, str], Selector]:
    """(API version, kind, name, namespace) of a controller -> its selector."""
    found = {}
    for version, kind in _SPREADING_OWNERS:
        for o in store.all(kind):
            key = (version, kind, text(o, "metadata", "name"), text(o, "metadata", "namespace") or "default")
            if kind == "ReplicationController":
                found[key] = tuple(Requirement(k, "In", (v,)) for k, v in string_map(o, "spec", "selector").items())
            else:
                found[key] = terms.selector(mapping(o, "spec").get("selector")) or ()
    return found
