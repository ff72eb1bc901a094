"""ReplicaSet and ReplicationController: as many pods of one template as `spec.replicas` says.

Follows pkg/controller/replicaset/replica_set.go and replica_set_utils.go; the ReplicationController runs through the
same code under another kind (pkg/controller/replication/conversion.go).
"""

from __future__ import annotations

from typing import Any

from kplan import labels
from kplan.api.request import Refused
from kplan.controllers import deletionorder, pods
from kplan.controllers.claims import claim
from kplan.controllers.control import NORMAL, WARNING, Control, controller_of
from kplan.controllers.manager import Controller
from kplan.controllers.podroutes import of_controlled
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]

FAILURE = "ReplicaFailure"


def reconcile(key: Key, control: Control) -> None:
    """Bring the pods of one ReplicaSet or ReplicationController to the wanted number, and its status up to date."""
    owner = control.get(key)
    if owner is None:
        return
    active = claim(owner, "Pod", control, lambda p: selects(owner, p), pods.is_active)
    leaving = [p for p in control.owned(owner, "Pod") if pods.is_terminating(p) and not pods.has_ended(p)]
    terminating = sum(selects(owner, p) for p in leaving)
    failure = ""
    if not owner["metadata"].get("deletionTimestamp"):
        failure = _manage(owner, active, control)
    control.status(owner, _status(owner, active, terminating, failure, control))
    if failure:
        control.retry()
        return
    min_ready = owner["spec"].get("minReadySeconds") or 0
    wait = pods.until_available(active, min_ready, control.clock.now) if min_ready else None
    if wait is not None:
        control.wake(wait)


def selects(owner: Value, pod: Value) -> bool:
    """Whether the selector matches the labels of a pod."""
    selector, have = owner["spec"].get("selector"), pod["metadata"].get("labels")
    if owner["kind"] == "ReplicationController":
        return labels.matches_map(selector, have)
    return bool(selector) and labels.matches(selector, have)


def replicas(owner: Value) -> int:
    """The wanted number of pods."""
    wanted = owner["spec"].get("replicas")
    return 1 if wanted is None else int(wanted)


def _manage(owner: Value, active: list[Value], control: Control) -> str:
    """Create or delete pods; the error that ended it, if any."""
    missing = replicas(owner) - len(active)
    if missing > 0:
        return _create(owner, min(missing, pods.MOST_AT_ONCE), control)
    if missing < 0:
        related = _related(owner, control)
        for pod in deletionorder.surplus(active, related, min(-missing, pods.MOST_AT_ONCE)):
            control.delete(pod)
            control.event(owner, NORMAL, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
    return ""


def _create(owner: Value, count: int, control: Control) -> str:
    """Create pods, in batches that double (1, 2, 4 …) so that a refusal shows after the first of a batch."""
    batch = 1
    while count > 0:
        batch = min(batch, count)
        failures = [failure for _ in range(batch) if (failure := _create_one(owner, control))]
        if failures:
            return failures[0]
        count -= batch
        batch *= 2
    return ""


def _create_one(owner: Value, control: Control) -> str:
    template = owner["spec"]["template"]
    try:
        made = control.create(pods.from_template(owner, template, generate_name=f"{owner['metadata']['name']}-"))
    except Refused as no:
        if no.by_terminating_namespace:
            return ""
        control.event(owner, WARNING, "FailedCreate", f"Error creating: {no.message}")
        return no.message
    control.event(owner, NORMAL, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    return ""


def _related(owner: Value, control: Control) -> list[Value]:
    """The pods of all sets under the same controller; none for a set that nobody owns."""
    ref = controller_of(owner)
    if ref is None:
        return []
    siblings = [
        s
        for s in control.store.dependents(ref.get("uid", ""))
        if s["kind"] == owner["kind"] and (controller_of(s) or {}).get("uid") == ref.get("uid")
    ]
    return [p for s in siblings for p in control.owned(s, "Pod")]


def _status(owner: Value, active: list[Value], terminating: int, failure: str, control: Control) -> Value:
    spec, old = owner["spec"], owner.get("status") or {}
    wanted = (spec["template"].get("metadata") or {}).get("labels") or {}
    min_ready = spec.get("minReadySeconds") or 0
    ready = [p for p in active if pods.is_ready(p)]
    counts = {
        "fullyLabeledReplicas": sum(_carries(p, wanted) for p in active),
        "readyReplicas": len(ready),
        "availableReplicas": sum(not min_ready or pods.is_available(p, min_ready, control.clock.now) for p in ready),
    }
    status: Value = {"replicas": len(active), **{k: n for k, n in counts.items() if n}}
    if owner["kind"] == "ReplicaSet" and control.minor >= 35:  # KEP-3973, on by default since 1.35
        status["terminatingReplicas"] = terminating
    status["observedGeneration"] = owner["metadata"].get("generation", 1)
    conditions = _conditions(owner, active, failure, old.get("conditions") or [], control)
    if conditions:
        status["conditions"] = conditions
    return status


def _carries(pod: Value, wanted: dict[str, str]) -> bool:
    return wanted.items() <= (pod["metadata"].get("labels") or {}).items()


def _conditions(owner: Value, active: list[Value], failure: str, old: list[Value], control: Control) -> list[Value]:
    """ReplicaFailure comes with the first failure and goes with the first success."""
    known = any(c["type"] == FAILURE for c in old)
    if not failure:
        return [c for c in old if c["type"] != FAILURE]
    if known:
        return old
    reason = "FailedCreate" if len(active) < replicas(owner) else "FailedDelete"
    made = {"type": FAILURE, "status": "True", "lastTransitionTime": control.now, "reason": reason, "message": failure}
    return [*old, made]


def _itself(write: Write, control: Control) -> list[Key]:
    """The set that changed, unless it has just written its own status: that leads to nothing new."""
    old, new = write.old, write.new
    reported = old is not None and new is not None and old.get("spec") is new.get("spec")
    same = reported and old is not None and new is not None and _meta(old) == _meta(new)
    return [] if same and control.current[1] == write.key else [write.key]


def _meta(obj: Value) -> Value:
    return {k: v for k, v in obj["metadata"].items() if k != "resourceVersion"}


CONTROLLER = Controller(
    "replicaset", {"ReplicaSet": _itself, "Pod": of_controlled("apps", "ReplicaSet", selects)}, reconcile
)
REPLICATION = Controller(
    "replicationcontroller",
    {"ReplicationController": _itself, "Pod": of_controlled("", "ReplicationController", selects)},
    reconcile,
)
