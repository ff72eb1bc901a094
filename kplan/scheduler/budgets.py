"""How many evictions each PodDisruptionBudget still allows.

The number is the status's where the disruption controller has written one; for a budget that was never observed it
is computed from the pods in the snapshot as pkg/controller/disruption does. A placed pod without a status counts as
healthy, one that runs only if it says that it is ready.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from kplan import labels
from kplan.labels import Requirement
from kplan.scheduler import terms
from kplan.scheduler.fields import items, mapping, number, text
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot

Value = dict[str, Any]


class Budget(NamedTuple):
    """A budget: which pods it covers, how many of them may go, and those that are going already."""

    namespace: str
    selector: tuple[Requirement, ...]
    allowed: int
    going: frozenset[str]

    def covers(self, pod: Pod) -> bool:
        """Whether evicting this pod uses up the budget; an empty selector covers nothing here."""
        shape = pod.shape
        if not self.selector or not shape.labels or shape.namespace != self.namespace or pod.name in self.going:
            return False
        return labels.match_all(self.selector, shape.labels)


def read(cluster: Snapshot) -> list[Budget]:
    """All budgets of a cluster as they stand."""
    found = []
    for value in cluster.store.all("PodDisruptionBudget"):
        selector = terms.selector(mapping(value, "spec").get("selector")) or ()
        namespace = text(value, "metadata", "namespace") or "default"
        going = frozenset(mapping(value, "status", "disruptedPods"))
        found.append(Budget(namespace, selector, _allowed(value, namespace, selector, cluster), going))
    return found


def _allowed(value: Value, namespace: str, selector: tuple[Requirement, ...], cluster: Snapshot) -> int:
    status = mapping(value, "status")
    if "observedGeneration" in status:
        return number(status, "disruptionsAllowed")
    covered = [p for p in _pods(cluster) if p.namespace == namespace and _selected(selector, p)]
    healthy = sum(_healthy(p) for p in covered)
    return max(0, healthy - _desired(mapping(value, "spec"), covered, cluster))


def _pods(cluster: Snapshot) -> Iterable[Pod]:
    for node in cluster.nodes:
        yield from node.pods
    yield from cluster.pending.values()


def _selected(selector: tuple[Requirement, ...], pod: Pod) -> bool:
    return bool(selector) and labels.match_all(selector, pod.shape.labels)


def _healthy(pod: Pod) -> bool:
    ready = [text(c, "status") for c in items(pod.value, "status", "conditions") if text(c, "type") == "Ready"]
    unsaid = not ready and text(pod.value, "status", "phase") != "Running"
    return not pod.deleting and bool(pod.node_name) and (unsaid or ready == ["True"])


def _desired(spec: Value, covered: list[Pod], cluster: Snapshot) -> int:
    """How many pods must stay healthy; shares are of what the pods' controllers ask for, and round up."""
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if most is not None:
        expected = _expected(covered, cluster)
        return max(0, expected - _share(most, expected))
    if isinstance(least, int):
        return least
    return _share(least, _expected(covered, cluster))


def _share(amount: object, whole: int) -> int:
    if isinstance(amount, int):
        return amount
    if isinstance(amount, str) and amount.endswith("%") and amount[:-1].isdecimal():
        return math.ceil(whole * int(amount[:-1]) / 100)
    return 0


def _expected(covered: list[Pod], cluster: Snapshot) -> int:
    """The replicas of all controllers behind the pods; pods without one count for nothing."""
    owners = {(p.namespace, *p.shape.owner) for p in covered if p.shape.owner is not None}
    return sum(
        number(cluster.store.find(kind, name, namespace) or {}, "spec", "replicas", default=1)
        for namespace, _, kind, name in owners
        if cluster.store.find(kind, name, namespace)
    )
