"""The eviction subresource of pods: a delete call that budgets may refuse.

Follows pkg/registry/core/pod/storage/eviction.go. Budgets are charged at once; the disruption controller confirms it
afterwards.
"""

from __future__ import annotations

from typing import Any

from kplan import labels
from kplan.api.budgets import SYNC_FAILED, condition, with_condition
from kplan.api.deletion import deleted
from kplan.api.request import Refused, Server
from kplan.clock import stamp
from kplan.model import Applied, Cause, Key
from kplan.store import Store, ref_of

Value = dict[str, Any]

_UNCHECKED = ("Pending", "Succeeded", "Failed")
_MOST_GOING = 2000  # evictions that the controller may not have confirmed yet
_SYNC_FAILURE_SHOWN = 35
_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


def evict(name: str, server: Server, now: float) -> Applied:
    """Evict a pod; `now` is in seconds since 1970.

    Status 201 and the pod as it is stored then (the last state of one that went at once), 404, 429 with the cause
    DisruptionBudget, or 500 for a pod under several budgets.
    """
    store = server.store
    assert store is not None
    pod = store.get(Key("", "Pod", server.namespace, name))
    if pod is None:
        return Applied(False, 404, f'pods "{name}" not found')
    try:
        charged = _charged(pod, server, now)
    except Refused as no:
        return Applied(False, no.status, no.message, no.causes)
    if charged is not None:
        _put(charged, store)
    marked = _put(_marked(pod, stamp(now)), store)
    left = deleted(marked, now)
    if left is None:
        store.remove(ref_of(pod).key)
        return Applied(True, 201, object=marked)
    return Applied(True, 201, object=_put(left, store))


def _charged(pod: Value, server: Server, now: float) -> Value | None:
    """The budget of a pod after its eviction; None if no budget is touched. Raises Refused."""
    phase = (pod.get("status") or {}).get("phase") or "Pending"
    if phase in _UNCHECKED or pod["metadata"].get("deletionTimestamp"):
        return None
    assert server.store is not None
    budgets = _budgets(pod, server.store)
    if not budgets:
        return None
    if len(budgets) > 1:
        raise Refused(500, _SEVERAL)
    budget = budgets[0]
    if not _is_ready(pod) and _spares_unready(budget):
        return None
    status = _checked(budget, server.minor)
    going = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: stamp(now)}
    left = status["disruptionsAllowed"] - 1
    status = {**status, "disruptionsAllowed": left, "disruptedPods": going}
    return {**budget, "status": status if left else with_condition(status, stamp(now))}


def _budgets(pod: Value, store: Store) -> list[Value]:
    """The budgets that select a pod; one without labels has none."""
    have, namespace = pod["metadata"].get("labels"), pod["metadata"]["namespace"]
    if not have:
        return []
    found = store.all("PodDisruptionBudget", namespace)
    return [b for b in found if labels.matches((b.get("spec") or {}).get("selector"), have)]


def _is_ready(pod: Value) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in conditions)


def _spares_unready(budget: Value) -> bool:
    """Whether a pod that is not ready may go without being counted (KEP-3017, unhealthyPodEvictionPolicy)."""
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    desired = status.get("desiredHealthy", 0)
    return bool(desired > 0 and status.get("currentHealthy", 0) >= desired)


def _checked(budget: Value, minor: int) -> Value:
    """The status of a budget that allows a disruption. Raises Refused."""
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 1):
        raise _too_many(f"The disruption budget {name} is still being processed by the server.")
    allowed = status.get("disruptionsAllowed", 0)
    if allowed < 0:
        raise _forbidden(name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > _MOST_GOING:
        raise _forbidden(name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    if allowed:
        return status
    said = condition(status) or {}
    if minor >= _SYNC_FAILURE_SHOWN and said.get("reason") == SYNC_FAILED:
        why = f"does not allow evicting pods currently because it failed sync: {said.get('message', '')}"
    else:
        why = (
            f"needs {status.get('desiredHealthy', 0)} healthy pods and has {status.get('currentHealthy', 0)} currently"
        )
    raise _too_many(f"The disruption budget {name} {why}")


def _too_many(why: str) -> Refused:
    return Refused(429, _VIOLATES, (Cause("", "DisruptionBudget", why),))


def _forbidden(name: str, why: str) -> Refused:
    return Refused(403, f'poddisruptionbudget.policy "{name}" is forbidden: {why}')


def _marked(pod: Value, now: str) -> Value:
    """The pod with the condition that says why it is being deleted (KEP-3329)."""
    said = {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
    status = pod.get("status") or {}
    conditions = list(status.get("conditions") or ())
    at = next((i for i, c in enumerate(conditions) if c.get("type") == said["type"]), len(conditions))
    known = conditions[at] if at < len(conditions) else {}
    changed = known.get("lastTransitionTime") if known.get("status") == said["status"] else None
    conditions[at : at + 1] = [{**said, "lastTransitionTime": changed or now}]
    return {**pod, "status": {**status, "conditions": conditions}}


def _put(obj: Value, store: Store) -> Value:
    stamped = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(store.revision + 1)}}
    store.put(stamped)
    return stamped
