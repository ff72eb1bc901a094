"""What one sync of a Job knows: its pods, what of them is new, and how the Job ends if it does.

Follows syncJob in pkg/controller/job/job_controller.go, whose syncJobCtx this is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kplan.controllers import jobindexes, jobpods, pods
from kplan.controllers.control import Control
from kplan.controllers.jobbackoff import FAR, Backoff
from kplan.controllers.jobpolicies import enough, judge

Value = dict[str, Any]

MET, TARGET, COMPLETE, FAILED = "SuccessCriteriaMet", "FailureTarget", "Complete", "Failed"
POLICY = "PodFailurePolicy"
REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
_OVER_LIMIT = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LATE = ("DeadlineExceeded", "Job was active longer than specified deadline")
_TOO_MANY_INDEXES = ("MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes")
_FAILED_INDEXES = ("FailedIndexes", "Job has failed indexes")


class End(NamedTuple):
    """How a Job ends: with success or not, and the reason and message of its conditions."""

    success: bool
    reason: str
    message: str

    @property
    def interim(self) -> str:
        """The condition that it gets at once."""
        return MET if self.success else TARGET

    @property
    def final(self) -> str:
        """The condition that it gets when no pod is left."""
        return COMPLETE if self.success else FAILED


@dataclass(slots=True)
class Sync:
    """One sync. `pods` are as they were at its beginning; `active`, `ready` and `terminating` follow what it does."""

    job: Value
    pods: list[Value]
    control: Control
    active_pods: list[Value]
    active: int
    ready: int
    terminating: int
    conditions: list[Value]
    start_time: str
    uncounted: dict[str, list[str]]
    backoff: Backoff
    succeeded: int = 0
    failed: int = 0
    succeeded_indexes: set[int] = field(default_factory=set)
    failed_indexes: set[int] | None = None
    delayed: dict[int, Value] = field(default_factory=dict)
    end: End | None = None
    more: bool = False

    @property
    def spec(self) -> Value:
        """The spec of the Job."""
        found: Value = self.job["spec"]
        return found

    @property
    def completions(self) -> int | None:
        """The wanted number of successes; None if one is enough."""
        wanted = self.spec.get("completions")
        return None if wanted is None else int(wanted)

    @property
    def is_suspended(self) -> bool:
        """Whether the Job is to have no pods for now."""
        return bool(self.spec.get("suspend"))

    @property
    def is_leaving(self) -> bool:
        """Whether the Job is being deleted."""
        return bool(self.job["metadata"].get("deletionTimestamp"))


def look(job: Value, owned: list[Value], backoff: Backoff, control: Control) -> Sync:
    """A sync as it begins: everything counted, and whether the Job is over."""
    status = job.get("status") or {}
    active = [p for p in owned if pods.is_active(p)]
    terminating = [p for p in owned if pods.is_terminating(p) and not pods.has_ended(p)]
    uncounted = status.get("uncountedTerminatedPods") or {}
    sync = Sync(
        job=job,
        pods=owned,
        control=control,
        active_pods=active,
        active=len(active),
        ready=sum(map(pods.is_ready, active)),
        terminating=len(terminating),
        conditions=list(status.get("conditions") or ()),
        start_time=status.get("startTime") or "",
        uncounted={k: list(uncounted.get(k) or ()) for k in ("succeeded", "failed")},
        backoff=backoff,
    )
    if not sync.start_time and not sync.is_suspended:
        sync.start_time = control.now
    _count(sync)
    sync.end = _known_end(sync) or _failure(sync)
    if jobpods.is_indexed(job):
        _count_indexes(sync)
        sync.end = sync.end or _end_by_indexes(sync)
    return sync


def _count(sync: Sync) -> None:
    """Succeeded and failed pods with those that have ended since they were counted last."""
    status, uncounted = sync.job.get("status") or {}, sync.uncounted
    good = _new(sync, "succeeded", lambda p: pods.phase(p) == "Succeeded")
    bad = _new(sync, "failed", lambda p: jobpods.has_failed(p, sync.job))
    sync.succeeded = int(status.get("succeeded") or 0) + len(good) + len(uncounted["succeeded"])
    counting = sum(judge(p, sync.job).counts for p in bad)
    sync.failed = int(status.get("failed") or 0) + counting + len(uncounted["failed"])
    sync.backoff = sync.backoff.after(good, bad)


def _new(sync: Sync, kind: str, is_meant: Callable[[Value], bool]) -> list[Value]:
    known = sync.uncounted[kind]
    return [
        p
        for p in sync.pods
        if jobpods.is_tracked(p)
        and jobpods.uid(p) not in known
        and (not jobpods.is_indexed(sync.job) or jobpods.valid_index(p, sync.job) is not None)
        and is_meant(p)
    ]


def _known_end(sync: Sync) -> End | None:
    """How it was decided before that the Job ends."""
    for kind in (MET, TARGET):
        said = pods.condition(sync.job, kind)
        if said is not None and said.get("status") == "True":
            return End(kind == MET, said.get("reason", ""), said.get("message", ""))
    return None


def _failure(sync: Sync) -> End | None:
    """Whether the Job fails, by the first of the reasons that hold for all Jobs."""
    if sync.spec.get("podFailurePolicy") is not None:
        for pod in sync.pods:
            message = judge(pod, sync.job).message if jobpods.has_failed(pod, sync.job) else ""
            if message:
                return End(False, POLICY, message)
    if sync.failed > _limit(sync) or _restarted_too_often(sync):
        return End(False, *_OVER_LIMIT)
    left = _time_left(sync)
    if left is None:
        return None
    if left <= 0:
        return End(False, *_TOO_LATE)
    sync.control.wake(left, lazy=left > FAR)
    return None


def _limit(sync: Sync) -> int:
    limit = sync.spec.get("backoffLimit")
    return 6 if limit is None else int(limit)


def _restarted_too_often(sync: Sync) -> bool:
    """Whether containers that are restarted in place have used up the limit."""
    if sync.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    count = sum(jobpods.restarts(p) for p in sync.pods if pods.phase(p) in ("Running", "Pending"))
    return count >= max(1, _limit(sync))


def _time_left(sync: Sync) -> float | None:
    """Seconds until the Job has been active for too long; None if there is no such limit, or while it is suspended."""
    limit = sync.spec.get("activeDeadlineSeconds")
    if limit is None or sync.is_suspended or not sync.start_time:
        return None
    return float(limit) - sync.control.since(sync.start_time)


def _count_indexes(sync: Sync) -> None:
    job, status = sync.job, sync.job.get("status") or {}
    completions = sync.completions or 0
    succeeded = jobindexes.parse(status.get("completedIndexes") or "", completions)
    failed = jobindexes.parse(status.get("failedIndexes") or "", completions)
    for pod in sync.pods:
        index = jobpods.valid_index(pod, job)
        if index is None or not jobpods.is_tracked(pod):
            continue
        if pods.phase(pod) == "Succeeded":
            succeeded.add(index)
        elif jobpods.is_limited_per_index(job) and _uses_up_index(pod, job):
            failed.add(index)
    sync.succeeded_indexes, sync.succeeded = succeeded, len(succeeded)
    if jobpods.is_limited_per_index(job):
        sync.failed_indexes = failed
        sync.delayed = _awaiting_replacement(sync)


def _uses_up_index(pod: Value, job: Value) -> bool:
    """Whether the failure of a pod makes its index fail."""
    if not jobpods.has_failed(pod, job):
        return False
    said = judge(pod, job)
    if said.action == "FailIndex":
        return True
    return said.counts and jobpods.failures_before(pod)[0] >= int(job["spec"]["backoffLimitPerIndex"])


def _awaiting_replacement(sync: Sync) -> dict[int, Value]:
    """For each index, the failed pod that carries its count of failures until another pod has taken that over."""
    settled = {jobpods.index_of(p) for p in sync.active_pods} | sync.succeeded_indexes | (sync.failed_indexes or set())
    found: dict[int, Value] = {}
    for pod in sync.pods:
        index = jobpods.valid_index(pod, sync.job)
        if index is None or index in settled or not jobpods.is_tracked(pod) or not jobpods.has_failed(pod, sync.job):
            continue
        if index not in found or _order(pod) >= _order(found[index]):
            found[index] = pod
    return found


def _order(pod: Value) -> tuple[int, float]:
    return sum(jobpods.failures_before(pod)), jobpods.ended_at(pod)


def _end_by_indexes(sync: Sync) -> End | None:
    """Whether failed indexes make the Job fail, or succeeded ones are enough."""
    failed, most = sync.failed_indexes, sync.spec.get("maxFailedIndexes")
    if failed:
        if most is not None and len(failed) > int(most):
            return End(False, *_TOO_MANY_INDEXES)
        if len(failed) + len(sync.succeeded_indexes) >= (sync.completions or 0):
            return End(False, *_FAILED_INDEXES)
    message = enough(sync.job, sync.succeeded_indexes)
    return End(True, "SuccessPolicy", message) if message else None
