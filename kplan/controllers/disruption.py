"""PodDisruptionBudgets: how many of their pods may be evicted now.

Follows pkg/controller/disruption/disruption.go. A budget is looked at when it or one of its pods changes, not when
the controllers of its pods do.
"""

from __future__ import annotations

from typing import Any

from kplan import labels
from kplan.api.budgets import with_condition
from kplan.clock import seconds
from kplan.controllers import pods
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.disruptionscale import Unknown, expected_scale
from kplan.controllers.manager import Controller
from kplan.controllers.rounding import resolve
from kplan.controllers.selecting import Selecting, go_text, required
from kplan.model import Key
from kplan.store import Write, labels_of, ref_of

Value = dict[str, Any]

NAME = "disruption"
_MAKERS = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job")
DELETION_TIMEOUT = 120.0  # seconds after which an evicted pod that is still there counts again


def reconcile(key: Key, control: Control) -> None:
    """Bring the status of one budget up to date."""
    budget = control.get(key)
    if budget is None:
        return
    selected = _pods(budget, control)
    if not selected and ("observedGeneration" in _status(budget) or not _are_coming(budget, control)):
        control.event(budget, NORMAL, "NoPods", "No matching pods found")
    try:
        expected, desired, unmanaged = _expected(budget, selected, control)
    except Unknown as no:
        what = f"Failed to calculate the number of expected pods: {no}"
        control.event(budget, WARNING, "CalculateExpectedPodCountFailed", what)
        _write(budget, with_condition({**_status(budget), "disruptionsAllowed": 0}, control.now, str(no)), control)
        return
    if unmanaged:
        control.event(budget, WARNING, "UnmanagedPods", _unmanaged(budget))
    going = _going(budget, selected, control)
    healthy = sum(_is_healthy(p, going) for p in selected)
    status = {
        "observedGeneration": budget["metadata"].get("generation", 0),
        **({"disruptedPods": going} if going else {}),
        "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "conditions": _status(budget).get("conditions") or [],
    }
    _write(budget, with_condition(status, control.now), control)
    if going:
        control.wake(min(seconds(t) for t in going.values()) + DELETION_TIMEOUT - control.clock.now)


def _status(budget: Value) -> Value:
    return budget.get("status") or {}


def _write(budget: Value, status: Value, control: Control) -> None:
    written = control.status(budget, status)
    if status.get("expectedPods"):
        _memory(control).written[ref_of(budget).key] = written


def _pods(budget: Value, control: Control) -> list[Value]:
    """The pods that a budget selects, whatever their state."""
    selector = (budget.get("spec") or {}).get("selector")
    if selector is None:
        return []
    found = control.store.labelled("Pod", budget["metadata"]["namespace"], required(selector))
    if not selector.get("matchExpressions"):
        return found
    return [p for p in found if labels.matches(selector, labels_of(p))]


def _are_coming(budget: Value, control: Control) -> bool:
    """Whether a new budget may still get pods from a workload that came before it.

    They are mostly there when a real controller looks at the budget. Without pods there is a second look.
    """
    namespace, selector = budget["metadata"]["namespace"], (budget.get("spec") or {}).get("selector")
    born, store = control.store.born, control.store
    since = born(ref_of(budget).key)
    earlier = (w for kind in _MAKERS for w in store.all(kind, namespace) if born(ref_of(w).key) < since)
    templates = ((w.get("spec") or {}).get("template") for w in earlier)
    return selector is not None and any(labels.matches(selector, labels_of(t)) for t in templates)


def _expected(budget: Value, selected: list[Value], control: Control) -> tuple[int, int, bool]:
    """How many pods there should be, how many must be healthy, and whether pods without a controller stand in the way.

    Raises Unknown.
    """
    least, most = (budget["spec"].get(f) for f in ("minAvailable", "maxUnavailable"))
    if isinstance(least, int) and most is None:
        return len(selected), least, False
    if least is None and most is None:
        return 0, 0, False
    expected, unmanaged = expected_scale(selected, control)
    if most is not None:
        return expected, max(0, expected - resolve(most, expected, up=True)), unmanaged
    return expected, resolve(least, expected, up=True), unmanaged


def _going(budget: Value, selected: list[Value], control: Control) -> dict[str, str]:
    """The evicted pods that are still to be deleted, each with the time of its eviction."""
    known: dict[str, str] = _status(budget).get("disruptedPods") or {}
    going = {}
    for pod in selected if known else ():
        name, namespace = pod["metadata"]["name"], budget["metadata"]["namespace"]
        if name not in known or pods.is_terminating(pod):
            continue
        if seconds(known[name]) + DELETION_TIMEOUT < control.clock.now:
            what = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
            control.event(pod, WARNING, "NotDeleted", what)
        else:
            going[name] = known[name]
    return going


def _is_healthy(pod: Value, going: dict[str, str]) -> bool:
    return not pods.is_terminating(pod) and pod["metadata"]["name"] not in going and pods.is_ready(pod)


def _unmanaged(budget: Value) -> str:
    return (
        f"Pods selected by this PodDisruptionBudget (selector: {go_text(budget['spec'].get('selector'))}) "
        "were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may "
        "result in undefined behavior. To account for these pods please set "
        '".spec.minAvailable" field of the PDB to an integer value.'
    )


class _Memory:
    """The selectors of a cluster's budgets, and the budgets as this controller left them."""

    def __init__(self) -> None:
        self.budgets = Selecting(lambda budget: (budget.get("spec") or {}).get("selector"))
        self.written: dict[Key, Value] = {}


def _memory(control: Control) -> _Memory:
    return control.remembered(NAME, _Memory)


def _of_budget(write: Write, control: Control) -> list[Key]:
    """A budget that someone else has changed."""
    memory = _memory(control)
    memory.budgets.see(write)
    if write.new is None:
        memory.written.pop(write.key, None)
    return [] if memory.written.get(write.key) is write.new else [write.key]


def _of_pod(write: Write, control: Control) -> list[Key]:
    """The budget of a pod as it is now. Of several one is taken, and a warning given; the others learn nothing."""
    pod = write.new or write.old
    assert pod is not None
    found = _memory(control).budgets.matching(write.key.namespace, labels_of(pod))
    if not found:
        return []
    first = min(found, key=lambda k: k.name)
    if len(found) > 1:
        what = f'Pod "{write.key.namespace}"/"{write.key.name}" matches multiple PodDisruptionBudgets.'
        text = f'{what}  Chose "{first.name}" arbitrarily.'
        control.event(pod, WARNING, "MultiplePodDisruptionBudgets", text)
    return [first]


CONTROLLER = Controller(NAME, {"PodDisruptionBudget": _of_budget, "Pod": _of_pod}, reconcile)
