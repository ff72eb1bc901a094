"""The small conditions that pods and nodes are matched by: taints, node selector terms, pod affinity terms.

Semantics of k8s.io/component-helpers/scheduling/corev1 (helpers.go, nodeaffinity/nodeaffinity.go) and of
pkg/scheduler/framework/types.go (AffinityTerm).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from kplan import labels
from kplan.labels import Requirement
from kplan.scheduler.fields import items, mapping, number, string_map, strings, text

Value = dict[str, Any]
Labels = Mapping[str, str]

NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "PreferNoSchedule", "NoExecute"
KEEPS_OUT = frozenset({NO_SCHEDULE, NO_EXECUTE})

# operator -> how many values it takes at least and at most; a term that breaks this matches nothing
_ARITY = {"In": (1, None), "NotIn": (1, None), "Exists": (0, 0), "DoesNotExist": (0, 0), "Gt": (1, 1), "Lt": (1, 1)}


class Taint(NamedTuple):
    """A mark on a node that keeps pods away."""

    key: str
    value: str
    effect: str


class Toleration(NamedTuple):
    """A pod's leave to ignore a taint; an empty key or effect stands for every one."""

    key: str
    operator: str
    value: str
    effect: str

    def tolerates(self, taint: Taint) -> bool:
        """Whether this toleration covers the taint; Gt and Lt are gated off and never do."""
        if (self.effect and self.effect != taint.effect) or (self.key and self.key != taint.key):
            return False
        if self.operator == "Exists":
            return True
        return self.operator in ("", "Equal") and self.value == taint.value


UNSCHEDULABLE = Taint("node.kubernetes.io/unschedulable", "", NO_SCHEDULE)
# node condition and its status -> the taint that stands for it
_CONDITIONS = {
    ("Ready", "False"): "not-ready",
    ("Ready", "Unknown"): "unreachable",
    ("MemoryPressure", "True"): "memory-pressure",
    ("DiskPressure", "True"): "disk-pressure",
    ("PIDPressure", "True"): "pid-pressure",
    ("NetworkUnavailable", "True"): "network-unavailable",
}


def taints(node: Value) -> tuple[Taint, ...]:
    """The taints of a Node, and those that the node lifecycle controller gives it for being cordoned or unwell.

    The scheduler itself looks at no conditions (pkg/controller/nodelifecycle turns them into taints).
    """
    found = [Taint(text(t, "key"), text(t, "value"), text(t, "effect")) for t in items(node, "spec", "taints")]
    if mapping(node, "spec").get("unschedulable") is True:
        found.append(UNSCHEDULABLE)
    for c in items(node, "status", "conditions"):
        kind = _CONDITIONS.get((text(c, "type"), text(c, "status")))
        if kind is not None:
            found.append(Taint(f"node.kubernetes.io/{kind}", "", NO_SCHEDULE))
    return tuple(dict.fromkeys(found))


def tolerations(spec: Value) -> tuple[Toleration, ...]:
    """The tolerations of a pod spec."""
    return tuple(
        Toleration(text(t, "key"), text(t, "operator"), text(t, "value"), text(t, "effect"))
        for t in items(spec, "tolerations")
    )


def untolerated(
    found: Iterable[Taint], allowed: Iterable[Toleration], effects: frozenset[str] = KEEPS_OUT
) -> Taint | None:
    """The first taint of these effects that nothing tolerates, or None."""
    for taint in found:
        if taint.effect in effects and not any(t.tolerates(taint) for t in allowed):
            return taint
    return None


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One NodeSelectorTerm: all its conditions on labels and on the name must hold."""

    expressions: tuple[Requirement, ...]
    names: tuple[Requirement, ...]
    weight: int = 0
    valid: bool = True

    def matches(self, name: str, have: Labels) -> bool:
        """Whether a node of this name and labels is meant; a term without conditions means none."""
        if not self.valid or not (self.expressions or self.names):
            return False
        return all(r.matches(have) for r in self.expressions) and all(
            r.matches({"metadata.name": name}) for r in self.names
        )

    @property
    def pinned(self) -> frozenset[str] | None:
        """The names that this term is confined to by `metadata.name In`; None when it is not."""
        pinned: frozenset[str] | None = None
        for r in self.names:
            if r.key == "metadata.name" and r.operator == "In":
                pinned = frozenset(r.values) if pinned is None else pinned & frozenset(r.values)
        return pinned


def node_term(term: Value, weight: int = 0) -> NodeTerm:
    """A NodeSelectorTerm as read from an object."""
    expressions, names = _conditions(term, "matchExpressions"), _conditions(term, "matchFields")
    valid = all(_well_formed(r) for r in (*expressions, *names)) and all(
        r.key == "metadata.name" and r.operator in ("In", "NotIn") and len(r.values) == 1 for r in names
    )
    return NodeTerm(expressions, names, weight, valid)


def _conditions(term: Value, field: str) -> tuple[Requirement, ...]:
    return tuple(Requirement(text(e, "key"), text(e, "operator"), strings(e, "values")) for e in items(term, field))


def _well_formed(r: Requirement) -> bool:
    least, most = _ARITY.get(r.operator, (1, 0))
    return len(r.values) >= least and (most is None or len(r.values) <= most)


def node_terms(selector: object) -> tuple[NodeTerm, ...] | None:
    """The alternatives of a NodeSelector (`nodeSelectorTerms`); None when there is no selector."""
    if not isinstance(selector, dict):
        return None
    return tuple(node_term(t) for t in items(selector, "nodeSelectorTerms"))


def preferred_node_terms(affinity: Value) -> tuple[NodeTerm, ...]:
    """The weighted wishes of a nodeAffinity; those of weight 0 do not count."""
    found = items(affinity, "preferredDuringSchedulingIgnoredDuringExecution")
    return tuple(node_term(mapping(p, "preference"), n) for p in found if (n := number(p, "weight")))


def topology_terms(terms: object) -> tuple[tuple[Requirement, ...], ...]:
    """A list of TopologySelectorTerms (`allowedTopologies`), each a set of conditions on labels."""
    return tuple(
        tuple(Requirement(text(e, "key"), "In", strings(e, "values")) for e in items(t, "matchLabelExpressions"))
        for t in items({"terms": terms}, "terms")
    )


@dataclass(frozen=True, slots=True, eq=False)
class PodTerm:
    """One PodAffinityTerm: pods that `selector` selects, in the named namespaces or those that `in_namespaces` selects.

    A selector that is None selects nothing, () everything.
    """

    topology_key: str
    namespaces: frozenset[str]
    in_namespaces: tuple[Requirement, ...] | None
    selector: tuple[Requirement, ...] | None
    weight: int = 0

    def matches(self, namespace: str, namespace_labels: Labels, have: Labels) -> bool:
        """Whether a pod with these labels, in a namespace with those, is meant."""
        if self.selector is None:
            return False
        if namespace not in self.namespaces and (
            self.in_namespaces is None or not labels.match_all(self.in_namespaces, namespace_labels)
        ):
            return False
        return labels.match_all(self.selector, have)


def pod_term(term: Value, namespace: str, own: Labels, weight: int = 0) -> PodTerm:
    """A PodAffinityTerm of a pod in `namespace` whose labels are `own`."""
    by_selector = selector(term.get("namespaceSelector"))
    namespaces = frozenset(strings(term, "namespaces"))
    if not namespaces and by_selector is None:
        namespaces = frozenset((namespace,))
    wanted = selector(term.get("labelSelector"))
    if wanted is not None:
        wanted += label_keys(term, "matchLabelKeys", "In", own)
        wanted += label_keys(term, "mismatchLabelKeys", "NotIn", own)
    return PodTerm(text(term, "topologyKey"), namespaces, by_selector, wanted, weight)


def pod_terms(affinity: Value, namespace: str, own: Labels) -> tuple[PodTerm, ...]:
    """The required terms of a podAffinity or podAntiAffinity."""
    required = items(affinity, "requiredDuringSchedulingIgnoredDuringExecution")
    return tuple(pod_term(t, namespace, own) for t in required)


def preferred_pod_terms(affinity: Value, namespace: str, own: Labels) -> tuple[PodTerm, ...]:
    """The weighted terms of a podAffinity or podAntiAffinity."""
    preferred = items(affinity, "preferredDuringSchedulingIgnoredDuringExecution")
    return tuple(pod_term(mapping(p, "podAffinityTerm"), namespace, own, number(p, "weight")) for p in preferred)


def selector(value: object) -> tuple[Requirement, ...] | None:
    """A metav1.LabelSelector as conditions; None (selects nothing) when absent, () for the empty one."""
    if not isinstance(value, dict):
        return None
    expressions = items(value, "matchExpressions")
    if not all(isinstance(e.get("values") or [], list) for e in expressions):
        return None
    pairs = {"matchLabels": string_map(value, "matchLabels"), "matchExpressions": expressions}
    return tuple(labels.requirements(pairs))


def label_keys(term: Value, field: str, operator: str, own: Labels) -> tuple[Requirement, ...]:
    """The conditions that matchLabelKeys stands for: the pod's own value of each label that it has."""
    return tuple(Requirement(k, operator, (own[k],)) for k in strings(term, field) if k in own)
