"""InterPodAffinity: be near some pods and away from others, as this pod and the pods in place ask for.

Follows pkg/scheduler/framework/plugins/interpodaffinity (filtering.go, scoring.go). All counting is over (topology
key, value) pairs; a node without the key counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.scheduler.args import Args
from kplan.scheduler.framework import MAX_SCORE, Filtering, Rejection, Scaling
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod, Shape
from kplan.scheduler.snapshot import Snapshot
from kplan.scheduler.terms import PodTerm

NAME = "InterPodAffinity"
NOT_NEAR = Rejection(("node(s) didn't match pod affinity rules",), final=True)
NOT_AWAY = Rejection(("node(s) didn't match pod anti-affinity rules",))
UNWELCOME = Rejection(("node(s) didn't satisfy existing pods anti-affinity rules",))

Pair = tuple[str, str]
_MANY = 64


def filtering(pod: Pod, cluster: Snapshot, _: Args) -> Filtering:
    """Refuse nodes that the required terms of this pod, or of pods in place, exclude."""
    rules = _Required(pod.shape, cluster)
    idle = not (rules.forbidden or pod.shape.affinity or pod.shape.anti_affinity)
    return Filtering(rules.check, update=rules.update, concerns=rules.concerns, idle=idle)


def scoring(pod: Pod, cluster: Snapshot, args: Args) -> Scaling | None:
    """Mark nodes by the weights of the terms, of this pod and of pods in place, that they satisfy."""
    shape = pod.shape
    wishes = bool(shape.preferred_affinity or shape.preferred_anti_affinity)
    if args.ignore_preferred_of_others and not wishes:
        return None
    preferred = _Preferred(shape, cluster, args.hard_affinity_weight)
    return Scaling(
        preferred.signature,
        preferred.scale,
        update=preferred.update,
        concerns=preferred.concerns,
        idle=lambda: not preferred.weights,
    )


def _matches(term: PodTerm, shape: Shape, cluster: Snapshot) -> bool:
    return term.matches(shape.namespace, cluster.namespaces.get(shape.namespace, {}), shape.labels)


class _Tally(dict[Pair, int]):
    """How many pods count for each pair; a pair with none is not there."""

    def shift(self, key: str, node: Node, sign: int) -> bool:
        """Count one pod more or less; whether the pair appeared or vanished."""
        value = node.labels.get(key)
        if value is None:
            return False
        pair = (key, value)
        left = self.get(pair, 0) + sign
        if left:
            appeared = pair not in self
            self[pair] = left
            return appeared
        return self.pop(pair, 0) != 0


class _Required:
    """The required terms that matter to one pod, counted over all nodes.

    `near` counts pods that match all its affinity terms, `avoided` those that match one of its anti-affinity terms,
    `forbidden` those whose own anti-affinity terms match it.
    """

    def __init__(self, shape: Shape, cluster: Snapshot) -> None:
        self.shape, self.cluster = shape, cluster
        self.near, self.avoided, self.forbidden = _Tally(), _Tally(), _Tally()
        self.near_keys = tuple(t.topology_key for t in shape.affinity)
        self.away_keys = tuple(t.topology_key for t in shape.anti_affinity)
        self.own_company = self._joins(shape)
        self._known: dict[Shape, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {}
        everyone = bool(shape.affinity or shape.anti_affinity)
        for node in cluster.nodes:
            for p in node.pods if everyone else node.guarded:
                self._count(p, node, 1)

    def _joins(self, other: Shape) -> bool:
        mine = self.shape.affinity
        return bool(mine) and all(_matches(t, other, self.cluster) for t in mine)

    def _keys(self, other: Shape) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """The topology keys under which a pod of this shape counts in `near`, `avoided` and `forbidden`."""
        found = self._known.get(other)
        if found is None:
            near = self.near_keys if self._joins(other) else ()
            avoided = _keys_of(self.shape.anti_affinity, other, self.cluster)
            forbidden = _keys_of(other.anti_affinity, self.shape, self.cluster)
            found = self._known[other] = (near, avoided, forbidden)
        return found

    def concerns(self, other: Shape) -> bool:
        """Whether pods of this shape count at all."""
        return any(self._keys(other))

    def _count(self, pod: Pod, node: Node, sign: int) -> set[str]:
        """Count a pod that comes or goes; the topology keys under which a pair appeared or vanished."""
        near, avoided, forbidden = self._keys(pod.shape)
        changed = {k for k in near if self.near.shift(k, node, sign)}
        changed |= {k for k in avoided if self.avoided.shift(k, node, sign)}
        changed |= {k for k in forbidden if self.forbidden.shift(k, node, sign)}
        return changed

    def update(self, pod: Pod, node: Node, sign: int) -> Iterable[Node]:
        alone = not self.near
        changed = self._count(pod, node, sign)
        if alone != (not self.near):
            return self.cluster.nodes
        return [n for k in changed for n in self.cluster.with_label(k, node.labels[k])]

    def check(self, node: Node) -> Rejection | None:
        have = node.labels
        if self.near_keys and not self._in_company(node):
            return NOT_NEAR
        if self.avoided and any((k, have.get(k)) in self.avoided for k in self.away_keys):
            return NOT_AWAY
        if self.forbidden and not self.forbidden.keys().isdisjoint(have.items()):
            return UNWELCOME
        return None

    def _in_company(self, node: Node) -> bool:
        """Whether the wanted pods are there; the first pod of a group that wants itself may go anywhere."""
        together = True
        for key in self.near_keys:
            value = node.labels.get(key)
            if value is None:
                return False
            together = together and (key, value) in self.near
        return together or (not self.near and self.own_company)


def _keys_of(terms: Iterable[PodTerm], shape: Shape, cluster: Snapshot) -> tuple[str, ...]:
    return tuple(t.topology_key for t in terms if _matches(t, shape, cluster))


class _Preferred:
    """The weight of every pair for one pod: `weights[key][value]`.

    The signature of a node is, for each key, its value; for keys like the hostname, of which nearly every node has
    another value, the weight of its value.
    """

    def __init__(self, shape: Shape, cluster: Snapshot, hard_weight: int) -> None:
        self.shape, self.cluster, self.hard_weight = shape, cluster, hard_weight
        self.weights: dict[str, dict[str, int]] = {}
        self.many: set[str] = set()
        self._known: dict[Shape, tuple[tuple[str, int], ...]] = {}
        everyone = bool(shape.preferred_affinity or shape.preferred_anti_affinity)
        for node in cluster.nodes:
            for p in node.pods if everyone else node.affine:
                self._count(p, node, 1)

    def _worth(self, other: Shape) -> tuple[tuple[str, int], ...]:
        """(topology key, weight) of every term, of either side, that brings the two shapes together or apart."""
        found = self._known.get(other)
        if found is None:
            ours, theirs = self.shape, other
            worth: list[tuple[str, int]] = []
            for terms, seen, sign in (
                (ours.preferred_affinity, theirs, 1),
                (ours.preferred_anti_affinity, theirs, -1),
                (theirs.preferred_affinity, ours, 1),
                (theirs.preferred_anti_affinity, ours, -1),
            ):
                worth += [(t.topology_key, sign * t.weight) for t in terms if _matches(t, seen, self.cluster)]
            if self.hard_weight > 0:
                worth += [(k, self.hard_weight) for k in _keys_of(theirs.affinity, ours, self.cluster)]
            found = self._known[other] = tuple(worth)
        return found

    def concerns(self, other: Shape) -> bool:
        """Whether pods of this shape weigh anything."""
        return bool(self._worth(other))

    def _count(self, pod: Pod, node: Node, sign: int) -> list[str]:
        """Weigh a pod that comes or goes; the topology keys under which a weight changed."""
        changed = []
        for key, weight in self._worth(pod.shape):
            value = node.labels.get(key)
            if value is not None:
                if key not in self.weights:
                    self.weights[key] = {}
                    if len(self.cluster.label_values(key)) > _MANY:
                        self.many.add(key)
                values = self.weights[key]
                values[value] = values.get(value, 0) + sign * weight
                changed.append(key)
        return changed

    def update(self, pod: Pod, node: Node, sign: int) -> Iterable[Node]:
        keys = len(self.weights)
        changed = self._count(pod, node, sign)
        if keys != len(self.weights):
            return self.cluster.nodes
        return [n for k in changed if k in self.many for n in self.cluster.with_label(k, node.labels[k])]

    def signature(self, node: Node) -> tuple[str | int | None, ...]:
        have = node.labels
        return tuple(
            values.get(have.get(key, ""), 0) if key in self.many else have.get(key)
            for key, values in self.weights.items()
        )

    def scale(self, signatures: Iterable[tuple[str | int | None, ...]]) -> dict[Any, int]:
        raw = {s: sum(map(self._weight, self.weights.values(), s)) for s in signatures}
        least, most = min(raw.values()), max(raw.values())
        span = most - least
        # this order of floating-point operations is the scheduler's: 29 of 100 becomes 28
        return {s: int(MAX_SCORE * ((n - least) / span)) if span else 0 for s, n in raw.items()}

    @staticmethod
    def _weight(values: dict[str, int], part: str | int | None) -> int:
        return part if isinstance(part, int) else values.get(part or "", 0)
