"""The pods of a DaemonSet by node, and how they are made and deleted.

Follows pkg/controller/daemon/daemon_controller.go (getNodesToDaemonPods, syncNodes) and util/daemonset_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from kplan.api.request import Refused
from kplan.controllers import pods, revisions
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.daemonsethistory import History, code_of
from kplan.controllers.slowstart import side_by_side
from kplan.scheduler import daemons
from kplan.scheduler.daemons import Demands, Fit
from kplan.store import ref_of

Value = dict[str, Any]

MOST_AT_ONCE = 250  # BurstReplicas: what one sync creates or deletes at most
GENERATION = "deprecated.daemonset.template.generation"
_POD_GENERATION = "pod-template-generation"


class Daemons(NamedTuple):
    """A DaemonSet during one sync: how it fits each node, in the order of the nodes, and its pods by node."""

    owner: Value
    history: History
    fits: dict[str, Fit]
    own: dict[str, list[Value]]
    control: Control

    @property
    def min_ready(self) -> int:
        """Seconds that a pod has to be ready before it counts as available."""
        return int(self.owner["spec"].get("minReadySeconds") or 0)

    def is_available(self, pod: Value) -> bool:
        """Whether a pod has been ready for long enough."""
        return pods.is_available(pod, self.min_ready, self.control.clock.now)

    def has_code(self, pod: Value) -> bool:
        """Whether a pod carries the hash of the current template."""
        return bool(self.history.code) and code_of(pod) == self.history.code

    def is_updated(self, pod: Value) -> bool:
        """Whether a pod is of the current template: by its hash, or by the number of the template."""
        if self.has_code(pod):
            return True
        number = _generation(self.owner)
        return number != "" and (pod["metadata"].get("labels") or {}).get(_POD_GENERATION) == number

    def oldest_first(self, some: list[Value]) -> list[Value]:
        """Pods with those first that have a node, then by age."""
        if len(some) < 2:
            return some

        def age(pod: Value) -> tuple[bool, str, int]:
            meta = pod["metadata"]
            born = self.control.store.born(ref_of(pod).key)
            return not pod["spec"].get("nodeName"), meta.get("creationTimestamp") or "", born

        return sorted(some, key=age)


def fits_of(owner: Value, control: Control) -> dict[str, Fit]:
    """How a DaemonSet fits each node, in the order of the nodes; remembered until either of them changes."""
    nodes, template = control.store.changes("Node"), owner["spec"]["template"]
    memory = ("daemonset.fits", ref_of(owner).key)
    known = control.memory.get(memory)
    if known is None or known[0] != nodes or known[1] is not template:
        demands = Demands.of(template)
        found = {n["metadata"]["name"]: demands.fit_node(n) for n in control.store.all("Node")}
        control.memory[memory] = known = (nodes, template, found)
    fits: dict[str, Fit] = known[2]
    return fits


def by_node(own: list[Value]) -> dict[str, list[Value]]:
    """Pods by the node that they are on or meant for, without those that have ended and are being deleted.

    A pod that somebody else made, and that is not placed yet, is meant for no node and left alone.
    """
    found: dict[str, list[Value]] = {}
    for pod in own:
        node = daemons.target_node(pod)
        if node and not (pods.has_ended(pod) and pods.is_terminating(pod)):
            found.setdefault(node, []).append(pod)
    return found


def sync_nodes(sync: Daemons, surplus: Sequence[Value], lacking: Sequence[str]) -> bool:
    """Create pods for some nodes and delete some pods; whether all of that worked."""
    good = _create(sync, lacking[:MOST_AT_ONCE])
    for pod in surplus[:MOST_AT_ONCE]:
        sync.control.delete(pod)
        sync.control.event(sync.owner, NORMAL, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
    return good


def _create(sync: Daemons, nodes: Sequence[str]) -> bool:
    """Create a pod for each node, in batches that double (1, 2, 4 …) so that a refusal shows after a few."""
    done, batch = 0, 1
    template = _template(sync) if nodes else {}
    while done < len(nodes):
        worked = [_create_one(sync, template, node) for node in side_by_side(nodes[done : done + batch])]
        if not all(worked):
            return False
        done += batch
        batch *= 2
    return True


def _create_one(sync: Daemons, template: Value, node: str) -> bool:
    owner, spec = sync.owner, template["spec"]
    pinned = {**template, "spec": {**spec, "affinity": daemons.pinned(spec.get("affinity") or {}, node)}}
    new = pods.from_template(owner, pinned, generate_name=f"{owner['metadata']['name']}-")
    try:
        made = sync.control.create(new)
    except Refused as no:
        if any(c.reason == "NamespaceTerminating" for c in no.causes):
            return True
        sync.control.event(owner, WARNING, "FailedCreate", f"Error creating: {no.message}")
        return False
    sync.control.event(owner, NORMAL, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    return True


def _template(sync: Daemons) -> Value:
    """The template of the DaemonSet with the tolerations and labels that its pods get."""
    template = daemons.tolerant(sync.owner["spec"]["template"])
    meta, number = template.get("metadata") or {}, _generation(sync.owner)
    labels = {**(meta.get("labels") or {}), **({_POD_GENERATION: number} if number else {})}
    return {**template, "metadata": {**meta, "labels": {**labels, revisions.POD_HASH: sync.history.code}}}


def _generation(owner: Value) -> str:
    """The number of the template in the annotations of a DaemonSet; empty if there is none that can be read."""
    text = str((owner["metadata"].get("annotations") or {}).get(GENERATION) or "")
    return str(int(text)) if text.lstrip("+-").isascii() and text.lstrip("+-").isdigit() else ""
