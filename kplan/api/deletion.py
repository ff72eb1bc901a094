"""What a delete call does to a stored object.

Follows k8s.io/apiserver/pkg/registry/generic/registry/store.go (Delete, deletionFinalizersForGarbageCollection),
registry/rest/delete.go and pkg/registry/core/{pod,namespace}: a pod that runs gets its grace period, what has
finalizers waits for them, the rest goes at once.
"""

from __future__ import annotations

from typing import Any

from kplan.clock import seconds, stamp

Value = dict[str, Any]

BACKGROUND, FOREGROUND, ORPHAN = "Background", "Foreground", "Orphan"
FOREGROUND_FINALIZER, ORPHAN_FINALIZER = "foregroundDeletion", "orphan"
PROPAGATIONS = (BACKGROUND, FOREGROUND, ORPHAN)
# Kinds whose registry orphans the dependents where the call does not say.
_ORPHANING = frozenset([("v1", "ReplicationController"), ("batch/v1", "Job")])
_ENDED = ("Succeeded", "Failed")


def deleted(obj: Value, now: float, propagation: str | None = None, grace: int | None = None) -> Value | None:
    """The object after a delete call, None if it is gone; `grace` is gracePeriodSeconds of the call.

    An object that was being deleted already comes back with what the call changes: finalizers, or a shorter grace
    period. A pod whose grace period runs comes back as it is otherwise.
    """
    meta = obj["metadata"]
    known, running = meta.get("deletionTimestamp"), _running_grace(obj)
    period = _grace(obj, grace) if not known else 0
    if running:
        period = running if grace is None else 1 if grace < 0 else grace
        if period >= running:
            return obj
    finalizers = _finalizers(obj, propagation)
    if not finalizers and not period and not _is_namespace_in_use(obj):
        return None
    new_meta = {**meta, "finalizers": finalizers}
    if not finalizers:
        new_meta.pop("finalizers")
    if not known or running:
        new_meta["deletionTimestamp"] = stamp(
            (seconds(known) - _duration(running) if known else now) + _duration(period)
        )
        new_meta["deletionGracePeriodSeconds"] = period
    if not known and "generation" in meta:
        new_meta["generation"] = meta["generation"] + 1
    new = {**obj, "metadata": new_meta}
    if obj["kind"] == "Namespace" and obj["apiVersion"] == "v1":
        new["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        if not known:
            new_meta.pop("deletionGracePeriodSeconds")  # the registry of namespaces writes the time alone
            new["spec"] = {**(obj.get("spec") or {}), "finalizers": _namespace_finalizers(obj)}
    return new


def _running_grace(obj: Value) -> int:
    """The grace period of a pod that is being deleted; 0 where none runs."""
    meta = obj["metadata"]
    is_pod = obj["kind"] == "Pod" and obj["apiVersion"] == "v1"
    return int(meta.get("deletionGracePeriodSeconds") or 0) if is_pod and meta.get("deletionTimestamp") else 0


def _finalizers(obj: Value, propagation: str | None) -> list[str]:
    """The finalizers with those of the garbage collector that the way of deletion asks for."""
    given = list(obj["metadata"].get("finalizers") or ())
    if propagation is None:
        if ORPHAN_FINALIZER in given or FOREGROUND_FINALIZER in given:
            return given
        orphaning = (obj["apiVersion"], obj["kind"]) in _ORPHANING
        propagation = ORPHAN if orphaning else BACKGROUND
    kept = [f for f in given if f not in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER)]
    if propagation == ORPHAN:
        kept.append(ORPHAN_FINALIZER)
    elif propagation == FOREGROUND:
        kept.append(FOREGROUND_FINALIZER)
    return given if set(kept) == set(given) else kept


def _grace(obj: Value, grace: int | None) -> int:
    """Seconds that a pod gets to end; 0 for one that never ran or has ended, and for every other kind."""
    if obj["kind"] != "Pod" or obj["apiVersion"] != "v1":
        return 0
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    if not spec.get("nodeName") or status.get("phase") in _ENDED:
        return 0
    period = spec.get("terminationGracePeriodSeconds", 30) if grace is None else grace
    return max(int(period), 1 if period < 0 else 0)


def _duration(period: int) -> float:
    """So many seconds as a Go Duration holds them: 64 bits of nanoseconds, what is more starts anew (time.Duration)."""
    return ((period * 10**9 + 2**63) % 2**64 - 2**63) / 10**9


def _is_namespace_in_use(obj: Value) -> bool:
    if obj["kind"] != "Namespace" or obj["apiVersion"] != "v1":
        return False
    return bool(_namespace_finalizers(obj))


def _namespace_finalizers(obj: Value) -> list[str]:
    """`spec.finalizers`, which the server gives to each new namespace: a manifest that counts as stored has none."""
    given: list[str] | None = (obj.get("spec") or {}).get("finalizers")
    if given is None and not obj["metadata"].get("deletionTimestamp"):
        return ["kubernetes"]
    return given or []
