"""A node as the scheduler sees it: what it offers, and what the pods on it have taken.

Follows NodeInfo of pkg/scheduler/framework/types.go and the node order of pkg/scheduler/backend/cache/node_tree.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

from kplan.scheduler import requests, terms
from kplan.scheduler.fields import items, mapping, number, string_map, strings, text
from kplan.scheduler.pod import HostPort, Pod

Value = dict[str, Any]

HOSTNAME, ZONE, REGION = (
    "kubernetes.io/hostname",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
)
_BETA_ZONE, _BETA_REGION = "failure-domain.beta.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region"


class Node:
    """One node. `index` is its place in the snapshot's order; amounts are in the units of `requests`.

    `requested` is what the pods really ask for, `free` what that leaves, `cpu` and `memory` what they count for in
    scores.
    """

    __slots__ = (
        "affine",
        "all_cpu",
        "all_memory",
        "allocatable",
        "cpu",
        "free",
        "guarded",
        "images",
        "index",
        "labels",
        "max_pods",
        "memory",
        "name",
        "pods",
        "ports",
        "requested",
        "taints",
        "unschedulable",
    )

    def __init__(self, value: Value) -> None:
        self.index = 0
        self.name = text(value, "metadata", "name")
        self.labels = string_map(value, "metadata", "labels")
        self.taints = terms.taints(value)
        self.unschedulable = mapping(value, "spec").get("unschedulable") is True
        self.allocatable = requests.allocatable(value)
        self.max_pods = self.allocatable.pop(requests.PODS, 0)
        self.all_cpu = self.allocatable.get(requests.CPU, 0)
        self.all_memory = self.allocatable.get(requests.MEMORY, 0)
        self.images = {
            name: number(image, "sizeBytes")
            for image in items(value, "status", "images")
            for name in strings(image, "names")
        }
        self.requested: dict[str, int] = dict.fromkeys(self.allocatable, 0)
        self.free = dict(self.allocatable)
        self.cpu = 0
        self.memory = 0
        self.pods: list[Pod] = []
        self.affine: list[Pod] = []
        self.guarded: list[Pod] = []
        self.ports: dict[HostPort, int] = {}

    def add(self, pod: Pod) -> None:
        """Put a pod on this node."""
        self.pods.append(pod)
        if pod.shape.has_affinity:
            self.affine.append(pod)
            if pod.shape.anti_affinity:
                self.guarded.append(pod)
        self._count(pod, 1)

    def remove(self, pod: Pod) -> None:
        """Take a pod off this node; it must be there."""
        for pods in (self.pods, self.affine, self.guarded):
            if pod in pods:
                pods.remove(pod)
        self._count(pod, -1)

    def _count(self, pod: Pod, sign: int) -> None:
        amounts = pod.shape.requests
        requested, free = self.requested, self.free
        for name, n in amounts.real.items():
            requested[name] = requested.get(name, 0) + sign * n
            free[name] = free.get(name, 0) - sign * n
        self.cpu += sign * amounts.cpu
        self.memory += sign * amounts.memory
        for port in pod.shape.ports:
            left = self.ports.get(port, 0) + sign
            if left:
                self.ports[port] = left
            else:
                del self.ports[port]


def in_order(nodes: Iterable[Node]) -> list[Node]:
    """The nodes in the order in which the scheduler visits them: one of each zone in turn. Numbers them."""
    zones: dict[tuple[str, str], list[Node]] = {}
    for node in nodes:
        zones.setdefault(_zone(node), []).append(node)
    ordered = [n for turn in zip_longest(*zones.values()) for n in turn if n is not None]
    for i, node in enumerate(ordered):
        node.index = i
    return ordered


def _zone(node: Node) -> tuple[str, str]:
    have = node.labels
    return have.get(_BETA_REGION, have.get(REGION, "")), have.get(_BETA_ZONE, have.get(ZONE, ""))
