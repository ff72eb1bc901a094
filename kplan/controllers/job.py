"""Job: pods until enough of them have succeeded, or too many have failed.

Follows syncJob and its handlers in pkg/controller/job/job_controller.go (KEP-2307 tracking finalizers, KEP-3850 limits
per index, KEP-3329 podFailurePolicy, KEP-3998 successPolicy, KEP-3939 podReplacementPolicy, KEP-4368 managedBy).
"""

from __future__ import annotations

from typing import Any

from kplan import labels
from kplan.controllers import jobpods, pods
from kplan.controllers.claims import claim
from kplan.controllers.control import Control, controller_of
from kplan.controllers.jobbackoff import Backoff
from kplan.controllers.jobscale import manage, remove
from kplan.controllers.jobstate import COMPLETE, FAILED, REACHED, End, Sync, look
from kplan.controllers.jobstatus import note_suspension, track
from kplan.controllers.manager import Controller, itself
from kplan.controllers.podroutes import of_controlled, selects
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

MANAGER = "kubernetes.io/job-controller"


def reconcile(key: Key, control: Control) -> None:
    """One sync of one Job."""
    control.sleep()
    job = control.get(key)
    if job is None or is_finished(job):
        control.memory.pop(("job", key), None)
        return
    if not _is_ours(job) or not _is_whole(job):
        return
    owned = claim(job, "Pod", control, lambda p: selects(job, p), finalizer=jobpods.TRACKING)
    sync = look(job, owned, control.memory.get(("job", key), Backoff()), control)
    refused = _act(sync)
    track(sync)
    control.memory[("job", key)] = sync.backoff
    if refused:
        control.retry()


def _act(sync: Sync) -> bool:
    """Make or remove pods; whether the API server refused one."""
    if sync.end is not None:
        remove(sync, sync.active_pods, forget=False)
        return False
    refused = False if sync.is_leaving else manage(sync)
    if _is_complete(sync):
        sync.end = End(True, *REACHED)
    elif not sync.is_leaving:
        note_suspension(sync)
    return refused


def _is_complete(sync: Sync) -> bool:
    if sync.completions is None:
        return sync.succeeded > 0 and not sync.active
    return sync.succeeded >= sync.completions and not sync.active


def finished_as(job: Value) -> Value | None:
    """The condition with which a Job ended, Complete or Failed; None while it has not."""
    for c in (job.get("status") or {}).get("conditions") or ():
        if c.get("type") in (COMPLETE, FAILED) and c.get("status") == "True":
            found: Value = c
            return found
    return None


def is_finished(job: Value) -> bool:
    """Whether a Job has ended."""
    return finished_as(job) is not None


def _is_ours(job: Value) -> bool:
    """Whether no other controller is to look after a Job."""
    return job["spec"].get("managedBy") in (None, MANAGER)


def _is_whole(job: Value) -> bool:
    """Whether a Job selects the pods it makes; the API server sees to that, and one that does not would never stop."""
    selector = job["spec"].get("selector")
    template = job["spec"].get("template") or {}
    return bool(selector and template.get("spec")) and labels.matches(
        selector, (template.get("metadata") or {}).get("labels")
    )


def _job_of(pod: Value, control: Control) -> Value | None:
    ref = controller_of(pod)
    if ref is None or ref["kind"] != "Job":
        return None
    job = control.get(Key("batch", "Job", pod["metadata"].get("namespace", ""), ref["name"]))
    return job if job is not None and job["metadata"].get("uid") == ref.get("uid") else None


def release(key: Key, control: Control) -> None:
    """Let a pod go that no Job will count any more (syncOrphanPod)."""
    pod = control.get(key)
    if pod is not None and _is_forgotten(pod, control):
        control.update(jobpods.without_tracking(pod))


def _is_forgotten(pod: Value, control: Control) -> bool:
    if not jobpods.is_tracked(pod):
        return False
    ref = controller_of(pod)
    if ref is not None and ref["kind"] != "Job":
        return False
    job = _job_of(pod, control)
    return job is None or (_is_ours(job) and is_finished(job) and (pods.has_ended(pod) or pods.is_terminating(pod)))


def _forgotten_pod(write: Write, control: Control) -> list[Key]:
    return [write.key] if write.new is not None and _is_forgotten(write.new, control) else []


def _pods_of_gone(write: Write, control: Control) -> list[Key]:
    """The pods that a Job leaves behind."""
    if write.new is not None or write.old is None:
        return []
    left = control.store.dependents(write.old["metadata"].get("uid") or "")
    return [ref_of(p).key for p in left if p["kind"] == "Pod" and jobpods.is_tracked(p)]


CONTROLLER = Controller("job", {"Job": itself, "Pod": of_controlled("batch", "Job")}, reconcile)
ORPHANS = Controller("joborphans", {"Job": _pods_of_gone, "Pod": _forgotten_pod}, release)
