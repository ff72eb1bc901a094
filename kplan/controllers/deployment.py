"""Deployment: rollouts by scaling ReplicaSets, one step a sync.

Follows pkg/controller/deployment (deployment_controller.go, sync.go, rolling.go, recreate.go): each sync makes one
change at most and writes the status; the change comes back as an event and leads to the next sync.
"""

from __future__ import annotations

from typing import Any

from kplan import labels
from kplan.controllers import pods
from kplan.controllers.claims import claim
from kplan.controllers.control import WARNING, Control, controller_of
from kplan.controllers.deploymentrollback import roll_back, rollback_to
from kplan.controllers.deploymentscale import scale_in_proportion, scale_set, unavailable
from kplan.controllers.deploymentsets import (
    DESIRED,
    Sets,
    age,
    is_active,
    is_number,
    old_of,
    revision_of,
    size,
    with_new_set,
)
from kplan.controllers.deploymentstatus import is_complete, note_pause, write_rollout, write_status
from kplan.controllers.manager import Controller, itself
from kplan.controllers.podroutes import of_controlled
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]


def reconcile(key: Key, control: Control) -> None:
    """One sync of one Deployment."""
    deployment = control.get(key)
    if deployment is None:
        return
    selector = deployment["spec"].get("selector") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        _refuse(deployment, control)
        return
    owned = claim(deployment, "ReplicaSet", control, lambda s: labels.matches(selector, s["metadata"].get("labels")))
    sets = old_of(deployment, owned)
    if deployment["metadata"].get("deletionTimestamp"):
        write_status(*with_new_set(deployment, sets, control, create=False), control)
        return
    deployment = note_pause(deployment, control)
    paused = bool(deployment["spec"].get("paused"))
    revision = None if paused else rollback_to(deployment)
    if revision is not None:
        roll_back(deployment, sets, revision, control)
    elif paused or _is_scaled(deployment, sets):
        _scale_only(deployment, sets, control)
    elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        _recreate(deployment, sets, control)
    else:
        _roll(deployment, sets, control)


def _refuse(deployment: Value, control: Control) -> None:
    """An empty selector, which no server accepts: nothing is done."""
    message = "This deployment is selecting all pods. A non-empty selector is required."
    control.event(deployment, WARNING, "SelectingAll", message)
    status, generation = deployment.get("status") or {}, deployment["metadata"].get("generation") or 0
    if status.get("observedGeneration", 0) < generation:
        control.status(deployment, {**status, "observedGeneration": generation})


def _is_scaled(deployment: Value, sets: Sets) -> bool:
    """Whether `spec.replicas` changed since the sets were last scaled."""
    noted = [(s["metadata"].get("annotations") or {}).get(DESIRED, "") for s in sets.all if is_active(s)]
    return any(is_number(n) and int(n) != size(deployment) for n in noted)


def _scale_only(deployment: Value, sets: Sets, control: Control) -> None:
    deployment, sets = with_new_set(deployment, sets, control, create=False)
    sets = scale_in_proportion(deployment, sets, control)
    if deployment["spec"].get("paused") and rollback_to(deployment) is None:
        _prune(deployment, sets, control)
    write_status(deployment, sets, control)


def _roll(deployment: Value, sets: Sets, control: Control) -> None:
    deployment, sets = with_new_set(deployment, sets, control, create=True)
    if sets.new is None:  # it could not be created, and the sync ends with that error
        return
    scaled, sets = _scale_new(deployment, sets, control)
    if not scaled:
        scaled, sets = _scale_old(deployment, sets, control)
    if not scaled and is_complete(deployment, deployment.get("status") or {}):
        _prune(deployment, sets, control)
    write_rollout(deployment, sets, control)


def _scale_new(deployment: Value, sets: Sets, control: Control) -> tuple[bool, Sets]:
    assert sets.new is not None
    wanted = sets.wanted_size(deployment)
    if wanted == size(sets.new):
        return False, sets
    return True, sets.replace(scale_set(deployment, sets.new, wanted, control))


def _scale_old(deployment: Value, sets: Sets, control: Control) -> tuple[bool, Sets]:
    """Take down old pods as far as enough others are available: those that do not work first."""
    assert sets.new is not None
    if not sum(map(size, sets.old)):
        return False, sets
    least = size(deployment) - unavailable(deployment)
    not_up = size(sets.new) - _available(sets.new)
    budget = sum(map(size, sets.all)) - least - not_up
    if budget <= 0:
        return False, sets
    before = sets
    for old in sorted(sets.old, key=age):
        broken = min(size(old) - _available(old), budget)
        if size(old) and broken > 0:
            sets = sets.replace(scale_set(deployment, old, size(old) - broken, control))
            budget -= broken
    spare = sum(map(_available, sets.all)) - least
    for old in sorted(sets.old, key=age):
        step = min(size(old), spare)
        if step > 0:
            sets = sets.replace(scale_set(deployment, old, size(old) - step, control))
            spare -= step
    return sets is not before, sets


def _recreate(deployment: Value, sets: Sets, control: Control) -> None:
    deployment, sets = with_new_set(deployment, sets, control, create=False)
    running = [s for s in sets.old if size(s)]
    for old in running:
        sets = sets.replace(scale_set(deployment, old, 0, control))
    if running or _old_pods_run(sets, control):
        write_rollout(deployment, sets, control)
        return
    if sets.new is None:
        deployment, sets = with_new_set(deployment, sets, control, create=True)
        if sets.new is None:
            return
    if size(sets.new) != size(deployment):
        sets = sets.replace(scale_set(deployment, sets.new, size(deployment), control))
    if is_complete(deployment, deployment.get("status") or {}):
        _prune(deployment, sets, control)
    write_rollout(deployment, sets, control)


def _old_pods_run(sets: Sets, control: Control) -> bool:
    if sum((s.get("status") or {}).get("replicas", 0) for s in sets.old):
        return True
    return any(not pods.has_ended(p) for s in sets.old for p in control.owned(s, "Pod"))


def _prune(deployment: Value, sets: Sets, control: Control) -> None:
    """Delete old sets beyond revisionHistoryLimit, the lowest revisions first; none that still has pods."""
    limit = deployment["spec"].get("revisionHistoryLimit")
    if limit is None or limit == 2**31 - 1:
        return
    alive = [s for s in sets.old if not s["metadata"].get("deletionTimestamp")]
    for old in sorted(alive, key=lambda s: (revision_of(s), *age(s)))[: max(0, len(alive) - limit)]:
        status = old.get("status") or {}
        seen = old["metadata"].get("generation", 0) <= status.get("observedGeneration", 0)
        if not size(old) and not status.get("replicas") and seen:
            control.delete(old)


def _available(replica_set: Value) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas") or 0)


def _of_pod(write: Write, control: Control) -> list[Key]:
    """Recreate waits for the last pod to go."""
    ref = controller_of(write.old) if write.old is not None and write.new is None else None
    owner = (
        control.find("ReplicaSet", ref["name"], write.key.namespace) if ref and ref["kind"] == "ReplicaSet" else None
    )
    above = controller_of(owner) if owner is not None else None
    if above is None or above["kind"] != "Deployment":
        return []
    return [Key("apps", "Deployment", write.key.namespace, above["name"])]


CONTROLLER = Controller(
    "deployment", {"Deployment": itself, "ReplicaSet": of_controlled("apps", "Deployment"), "Pod": _of_pod}, reconcile
)
