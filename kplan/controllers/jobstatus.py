"""The status of a Job: pods that ended are counted once and let go, and the Job ends when none is left.

Follows trackJobStatusAndRemoveFinalizers in pkg/controller/job/job_controller.go (KEP-2307): the uids of the pods are
written down, their finalizers removed, then the counters raised; a crash in between loses and doubles nothing.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers import jobindexes, jobpods, pods
from kplan.controllers.control import NORMAL, WARNING
from kplan.controllers.jobpolicies import judge
from kplan.controllers.jobstate import POLICY, End, Sync
from kplan.store import ref_of

Value = dict[str, Any]

SUSPENDED = "Suspended"
_MOST_UNCOUNTED = 500
_WAITS_FOR_PODS_SINCE = 31  # before, a Job had ended as soon as it was decided, with pods still terminating
_CLEARS_START_SINCE = 36  # KEP-5440: the start time goes while the Job is suspended


def note_suspension(sync: Sync) -> None:
    """The Suspended condition, which comes with the first suspension and stays; a resumed Job starts anew."""
    control = sync.control
    if sync.is_suspended:
        if _say(sync, SUSPENDED, "True", "JobSuspended", "Job suspended"):
            control.event(sync.job, NORMAL, "Suspended", "Job suspended")
            if control.minor >= _CLEARS_START_SINCE:
                sync.start_time = ""
    elif _say(sync, SUSPENDED, "False", "JobResumed", "Job resumed"):
        control.event(sync.job, NORMAL, "Resumed", "Job resumed")
        sync.start_time = control.now


def track(sync: Sync) -> None:
    """Count what has ended, let those pods go, write the status, and end the Job if it is over."""
    counts = {k: int((sync.job.get("status") or {}).get(k) or 0) for k in ("succeeded", "failed")}
    _settle(sync, counts, {jobpods.uid(p) for p in sync.pods if jobpods.is_tracked(p)})
    done = _note_ended(sync)
    if jobpods.is_indexed(sync.job):
        counts["succeeded"] = len(sync.succeeded_indexes)
    waits = sync.control.minor >= _WAITS_FOR_PODS_SINCE
    if sync.end is not None and (waits or sync.end.reason == POLICY):
        _say(sync, sync.end.interim, "True", sync.end.reason, sync.end.message)
    _write(sync, counts)
    for pod in done:
        current = sync.control.get(ref_of(pod).key)
        if current is not None:
            sync.control.update(jobpods.without_tracking(current))
    gone = {jobpods.uid(p) for p in done}
    _settle(sync, counts, {jobpods.uid(p) for p in sync.pods if jobpods.is_tracked(p)} - gone)
    left = sync.more or any(sync.uncounted.values()) or (waits and sync.terminating)
    if sync.end is not None and not left:
        _finish(sync, sync.end)
    _write(sync, counts)


def _settle(sync: Sync, counts: dict[str, int], tracked: set[str]) -> None:
    """Pods that were written down and are no longer held become part of the counters."""
    for kind, uids in sync.uncounted.items():
        held = [u for u in uids if u in tracked]
        counts[kind] += len(uids) - len(held)
        sync.uncounted[kind] = held


def _note_ended(sync: Sync) -> list[Value]:
    """Write down the pods that have ended; returns those to let go."""
    done: list[Value] = []
    for pod in sorted(sync.pods, key=_by_index) if jobpods.is_indexed(sync.job) else sync.pods:
        if not jobpods.is_tracked(pod) or not _may_go(sync, pod):
            continue
        done.append(pod)
        kind, known = _counted_as(sync, pod), jobpods.uid(pod)
        if kind and known not in sync.uncounted["failed"] and known not in sync.uncounted[kind]:
            sync.uncounted[kind].append(known)
        sync.more = sum(map(len, sync.uncounted.values())) >= _MOST_UNCOUNTED
        if sync.more:
            break
    return done


def _by_index(pod: Value) -> int:
    index = jobpods.index_of(pod)
    return -1 if index is None else index


def _may_go(sync: Sync, pod: Value) -> bool:
    """Whether a pod need not be held any more."""
    if sync.is_leaving or sync.end is not None or pods.phase(pod) == "Succeeded":
        return True
    return jobpods.has_failed(pod, sync.job) and not any(pod is p for p in sync.delayed.values())


def _counted_as(sync: Sync, pod: Value) -> str:
    """The counter that a pod goes into; when the Job fails, every pod that was still running has failed."""
    indexed = jobpods.is_indexed(sync.job)
    if pods.phase(pod) == "Succeeded":
        return "" if indexed else "succeeded"
    fails_all = sync.end is not None and not sync.end.success
    if not (fails_all or jobpods.has_failed(pod, sync.job)):
        return ""
    if indexed and jobpods.valid_index(pod, sync.job) is None:
        return ""
    return "failed" if judge(pod, sync.job).counts else ""


def _finish(sync: Sync, end: End) -> None:
    job, control, completions = sync.job, sync.control, sync.completions
    _say(sync, end.final, "True", end.reason, end.message)
    if not end.success:
        control.event(job, WARNING, end.reason, end.message)
        return
    if completions is not None and sync.succeeded > completions:
        message = "Too many succeeded pods running after completion count reached"
        control.event(job, WARNING, "TooManySucceededPods", message)
    control.event(job, NORMAL, "Completed", "Job completed")


def _say(sync: Sync, kind: str, status: str, reason: str, message: str) -> bool:
    """Set a condition in its place; one that would be new is not added as False. Whether anything changed."""
    now = sync.control.now
    made = {
        "type": kind,
        "status": status,
        "lastProbeTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }
    for at, known in enumerate(sync.conditions):
        if known["type"] == kind:
            if (known["status"], known.get("reason"), known.get("message")) == (status, reason, message):
                return False
            sync.conditions = [*sync.conditions[:at], made, *sync.conditions[at + 1 :]]
            return True
    if status != "True":
        return False
    sync.conditions = [*sync.conditions, made]
    return True


def _write(sync: Sync, counts: dict[str, int]) -> None:
    status: Value = {}
    if sync.conditions:
        status["conditions"] = sync.conditions
    if sync.start_time:
        status["startTime"] = sync.start_time
    complete = next((c for c in sync.conditions if c["type"] == "Complete" and c["status"] == "True"), None)
    if complete is not None:
        status["completionTime"] = complete["lastTransitionTime"]
    counters = {"active": sync.active, **counts}
    status.update({k: n for k, n in counters.items() if n})
    status["terminating"] = sync.terminating
    if sync.succeeded_indexes:
        status["completedIndexes"] = jobindexes.text(sync.succeeded_indexes)
    if sync.failed_indexes is not None:
        status["failedIndexes"] = jobindexes.text(sync.failed_indexes)
    status["uncountedTerminatedPods"] = {k: list(uids) for k, uids in sync.uncounted.items() if uids}
    status["ready"] = sync.ready
    sync.control.status(sync.job, status)
