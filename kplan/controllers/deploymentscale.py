"""Scaling the ReplicaSets of a Deployment: one by one, or all in proportion when the Deployment was scaled.

Follows pkg/controller/deployment/sync.go (scale, scaleReplicaSet) and util/deployment_util.go (GetProportion).
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.control import NORMAL, Control
from kplan.controllers.deploymentsets import DESIRED, MAXIMUM, Sets, age, is_active, limits, size, surge
from kplan.controllers.rounding import resolve

Value = dict[str, Any]


def scale_set(deployment: Value, replica_set: Value, wanted: int, control: Control) -> Value:
    """Scale a set and note for what it was scaled; the set as it is now."""
    before = size(replica_set)
    notes = replica_set["metadata"].get("annotations") or {}
    noted = notes | limits(deployment)
    if wanted == before and noted == notes:
        return replica_set
    meta = {**replica_set["metadata"], "annotations": noted}
    changed = control.update({**replica_set, "metadata": meta, "spec": {**replica_set["spec"], "replicas": wanted}})
    if wanted != before:
        way = "up" if wanted > before else "down"
        message = f"Scaled {way} replica set {meta['name']} from {before} to {wanted}"
        control.event(deployment, NORMAL, "ScalingReplicaSet", message)
    return changed


def unavailable(deployment: Value) -> int:
    """How many of `spec.replicas` may be unavailable during a rollout; at least 1 if there may be no surge."""
    strategy, wanted = deployment["spec"].get("strategy") or {}, size(deployment)
    if strategy.get("type") == "Recreate" or not wanted:
        return 0
    allowed = resolve((strategy.get("rollingUpdate") or {}).get("maxUnavailable", 0), wanted, up=False)
    if not allowed and not surge(deployment):
        allowed = 1
    return min(allowed, wanted)


def scale_in_proportion(deployment: Value, sets: Sets, control: Control) -> Sets:
    """Follow a change of `spec.replicas`: in the middle of a rollout each set gets its share."""
    wanted = size(deployment)
    only = _only_one(sets)
    if only is not None:
        # The real one leaves the note as it is where the size fits already, and so never gets on. That takes a set
        # scaled by hand in the moment in which its Deployment is: here what is done before a rest is one moment.
        noted = (only["metadata"].get("annotations") or {}).get(DESIRED, str(wanted))
        if size(only) == wanted and noted == str(wanted):
            return sets
        return sets.replace(scale_set(deployment, only, wanted, control))
    if _is_saturated(deployment, sets.new):
        for old in sets.old:
            if is_active(old):
                sets = sets.replace(scale_set(deployment, old, 0, control))
        return sets
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
        return sets
    return _share(deployment, sets, control)


def _only_one(sets: Sets) -> Value | None:
    """The set to scale where there is no choice: the one that has replicas, or the newest if none has."""
    active = [s for s in sets.all if is_active(s)]
    if not active:
        return sets.new if sets.new is not None else max(sets.old, key=age, default=None)
    return active[0] if len(active) == 1 else None


def _is_saturated(deployment: Value, new: Value | None) -> bool:
    if new is None:
        return False
    wanted = size(deployment)
    noted = (new["metadata"].get("annotations") or {}).get(DESIRED)
    available = (new.get("status") or {}).get("availableReplicas") or 0
    return size(new) == wanted and noted == str(wanted) and available == wanted


def _share(deployment: Value, sets: Sets, control: Control) -> Sets:
    """Give what is to be added or removed to the active sets by their size; what is left over goes to the first."""
    active = [s for s in sets.all if is_active(s)]
    allowed = size(deployment) + surge(deployment) if size(deployment) > 0 else 0
    to_add = allowed - sum(map(size, active))
    # the larger first; of equals the newer when growing, the older when shrinking
    ordered = sorted(active, key=age, reverse=to_add > 0)
    ordered.sort(key=size, reverse=True)
    left, sizes = to_add, {}
    for s in ordered:
        part = _part(_fraction(deployment, s, allowed), left, to_add)
        sizes[s["metadata"]["name"]] = size(s) + part
        left -= part
    if ordered and to_add:
        first = ordered[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + left)
    for s in ordered:
        sets = sets.replace(scale_set(deployment, s, sizes[s["metadata"]["name"]], control))
    return sets


def _part(fraction: int, left: int, to_add: int) -> int:
    """The part of one set: its fraction, as far as there is something left to add or to remove."""
    if not left:
        return 0
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(deployment: Value, replica_set: Value, allowed: int) -> int:
    """What a set gains or loses if it keeps its part of the whole; halves are rounded away from zero."""
    if size(deployment) == 0:
        return -size(replica_set)
    noted = (replica_set["metadata"].get("annotations") or {}).get(MAXIMUM, "")
    before = int(noted) if noted.isdigit() and int(noted) else (deployment.get("status") or {}).get("replicas", 0)
    if not before:
        return 0
    return (2 * size(replica_set) * allowed + before) // (2 * before) - size(replica_set)
