"""What every controller asks about pods, and how pods come from a template.

Follows pkg/controller/controller_utils.go and pkg/api/v1/pod/util.go.
"""

from __future__ import annotations

from typing import Any

from kplan.clock import seconds
from kplan.controllers.conditions import find
from kplan.controllers.control import reference

Value = dict[str, Any]

MOST_AT_ONCE = 500  # BurstReplicas: what one sync creates or deletes at most


def is_active(pod: Value) -> bool:
    """Whether a pod counts as a replica: it has not ended and is not being deleted."""
    return not has_ended(pod) and not is_terminating(pod)


def has_ended(pod: Value) -> bool:
    """Whether a pod is Succeeded or Failed."""
    return phase(pod) in ("Succeeded", "Failed")


def is_terminating(pod: Value) -> bool:
    """Whether a pod is being deleted."""
    return bool(pod["metadata"].get("deletionTimestamp"))


def phase(pod: Value) -> str:
    """The phase; Pending where there is no status."""
    return str((pod.get("status") or {}).get("phase") or "Pending")


def condition(obj: Value, kind: str) -> Value | None:
    """The condition of this type in the status of an object, or None."""
    return find(obj.get("status") or {}, kind)


def is_ready(pod: Value) -> bool:
    """Whether the Ready condition is True."""
    ready = condition(pod, "Ready")
    return ready is not None and ready.get("status") == "True"


def ready_since(pod: Value) -> float:
    """When a pod became ready, in seconds since 1970; 0 if that is not known."""
    ready = condition(pod, "Ready")
    time = ready.get("lastTransitionTime") if ready is not None and ready.get("status") == "True" else None
    return seconds(time) if time else 0.0


def is_available(pod: Value, min_ready: int, now: float) -> bool:
    """Whether a pod has been ready for `min_ready` seconds."""
    if not is_ready(pod):
        return False
    return not min_ready or (ready_since(pod) > 0 and ready_since(pod) + min_ready <= now)


def until_available(pods: list[Value], min_ready: int, now: float) -> float | None:
    """Seconds until the next ready pod becomes available; None if none will."""
    coming = (p for p in pods if ready_since(p) and not is_available(p, min_ready, now))
    waits = [ready_since(p) + min_ready - now for p in coming]
    return min(waits, default=None)


def restarts(pod: Value) -> int:
    """How often the containers of a pod have restarted, the worst of them."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return max((int(s.get("restartCount") or 0) for s in statuses), default=0)


def from_template(owner: Value, template: Value, *, generate_name: str = "") -> Value:
    """A pod as a controller makes it: labels, annotations and finalizers of the template, and its owner."""
    given = template.get("metadata") or {}
    meta: Value = {"namespace": owner["metadata"]["namespace"], "ownerReferences": [reference(owner)]}
    if generate_name:
        meta["generateName"] = generate_name
    for field in ("labels", "annotations", "finalizers"):
        if given.get(field):
            meta[field] = given[field]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
