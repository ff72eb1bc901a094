"""What `kubectl drain` does to a node: it is cordoned, and its pods are evicted as far as their budgets allow.

An evicted pod comes back elsewhere only if a controller makes it again. Each is taken to be healthy again before the
next one goes, so that a budget is in the way only when it allows no eviction at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from kplan.errors import KplanError
from kplan.placement import Placement
from kplan.scheduler import budgets
from kplan.scheduler.budgets import Budget
from kplan.scheduler.fields import mapping
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import UNSCHEDULABLE

MIRROR = "kubernetes.io/config.mirror"
DRAINED = "Drained"


class Drained(NamedTuple):
    """Pods that look for another node, where each was before, those that nobody makes again, and remarks."""

    pods: list[Pod]
    before: dict[tuple[str, str], str]
    lost: list[Placement]
    notes: list[str]


def drain(cluster: Snapshot, names: Sequence[str]) -> Drained:
    """Cordon the named nodes and take their pods off them. Raises KplanError for a node that is not there."""
    nodes = []
    for name in names:
        if name not in cluster.by_name:
            raise KplanError(f"there is no node {name!r} to drain")
        nodes.append(cluster.by_name[name])
    for node in nodes:
        node.unschedulable = True
        node.taints = tuple(dict.fromkeys((*node.taints, UNSCHEDULABLE)))
    out = Drained([], {}, [], [])
    allowed = budgets.read(cluster)
    for node in nodes:
        for pod in list(node.pods):
            _evict(pod, node, allowed, cluster, out)
    return out


def _evict(pod: Pod, node: Node, allowed: Sequence[Budget], cluster: Snapshot, out: Drained) -> None:
    owner = pod.shape.owner
    if (owner is not None and owner.kind == "DaemonSet") or MIRROR in mapping(pod.value, "metadata", "annotations"):
        return
    name = f"{pod.namespace}/{pod.name}"
    if any(b.allowed <= 0 and b.covers(pod) for b in allowed):
        out.notes.append(f"pod {name} stays on {node.name}: its PodDisruptionBudget allows no eviction")
        return
    cluster.remove(pod, node)
    out.before[pod.id] = node.name
    if owner is not None:
        out.pods.append(replace(pod, node_name="", start="", nominated=""))
        return
    out.notes.append(f"pod {name} has no controller: kubectl drain asks for --force, and nobody makes it again")
    message = f"evicted from {node.name}"
    out.lost.append(Placement(pod.namespace, pod.name, None, reason=DRAINED, message=message, before=node.name))
