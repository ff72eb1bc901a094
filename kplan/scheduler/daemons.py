"""What sets daemon pods apart: the taints they tolerate, the node they are meant for, the nodes they may run on.

Follows pkg/controller/daemon/daemon_controller.go (NodeShouldRunDaemonPod) and util/daemonset_util.go.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.scheduler.fields import items, mapping, string_map, text
from kplan.scheduler.terms import NO_EXECUTE, NodeTerm, Taint, Toleration, node_terms, taints, tolerations, untolerated

Value = dict[str, Any]

# taints that every daemon pod tolerates, and with which effect
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_NETWORK_UNAVAILABLE = ("node.kubernetes.io/network-unavailable", "NoSchedule")
_NODE_NAME = "metadata.name"


class Fit(NamedTuple):
    """Whether a daemon pod is to be on a node, and whether one that is there may stay."""

    runs: bool
    stays: bool


class Demands(NamedTuple):
    """What the template of a DaemonSet asks of a node."""

    node_name: str
    selector: dict[str, str]
    required: tuple[NodeTerm, ...] | None
    tolerations: tuple[Toleration, ...]

    @classmethod
    def of(cls, template: Value) -> Demands:
        """Of a pod template as it stands in the DaemonSet, without the tolerations that its pods get."""
        spec = mapping(tolerant(template), "spec")
        required = mapping(spec, "affinity", "nodeAffinity").get("requiredDuringSchedulingIgnoredDuringExecution")
        return cls(text(spec, "nodeName"), string_map(spec, "nodeSelector"), node_terms(required), tolerations(spec))

    def fit(self, name: str, labels: dict[str, str], marks: tuple[Taint, ...]) -> Fit:
        """How a node of this name, with these labels and taints, meets the demands."""
        if self.node_name not in ("", name) or any(labels.get(k) != v for k, v in self.selector.items()):
            return Fit(False, False)
        if self.required is not None and not any(t.matches(name, labels) for t in self.required):
            return Fit(False, False)
        if untolerated(marks, self.tolerations) is None:
            return Fit(True, True)
        return Fit(False, untolerated(marks, self.tolerations, frozenset((NO_EXECUTE,))) is None)

    def fit_node(self, node: Value) -> Fit:
        """How a Node meets the demands."""
        return self.fit(text(node, "metadata", "name"), string_map(node, "metadata", "labels"), taints(node))


def tolerant(template: Value) -> Value:
    """A pod template with the tolerations that daemon pods get, unless it has them already.

    One for the same key, operator, value and effect is replaced (pkg/apis/core/v1/helper, AddOrUpdateToleration).
    """
    spec = mapping(template, "spec")
    found = items(spec, "tolerations")
    for key, effect in _TOLERATED + ((_NETWORK_UNAVAILABLE,) if spec.get("hostNetwork") is True else ()):
        new: Value = {"key": key, "operator": "Exists", "effect": effect}
        alike = [i for i, t in enumerate(found) if _alike(t, new)]
        found = [new if i in alike else t for i, t in enumerate(found)] if alike else [*found, new]
    return {**template, "spec": {**spec, "tolerations": found}}


def _alike(a: Value, b: Value) -> bool:
    return all((a.get(k) or "") == (b.get(k) or "") for k in ("key", "operator", "value", "effect"))


def pinned(affinity: Value, node: str) -> Value:
    """An affinity whose required part for nodes is replaced by the name of one node."""
    term = {"matchFields": [{"key": _NODE_NAME, "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {**affinity, "nodeAffinity": {**mapping(affinity, "nodeAffinity"), **required}}


def target_node(pod: Value) -> str:
    """The node of a daemon pod: the one that it is on, or else the one that its affinity names; empty for none."""
    name = text(pod, "spec", "nodeName")
    if name:
        return name
    required = mapping(pod, "spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    for term in items(required, "nodeSelectorTerms"):
        for f in items(term, "matchFields"):
            values = f.get("values")
            named = f.get("key") == _NODE_NAME and f.get("operator") == "In"
            if named and isinstance(values, list) and len(values) == 1 and isinstance(values[0], str):
                return values[0]
    return ""
