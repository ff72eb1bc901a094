"""What a Job asks about its pods: whether they are tracked, which index they are, how and when they ended.

Follows pkg/controller/job (tracking_utils.go, indexed_job_utils.go, backoff_utils.go) and isPodFailed of
job_controller.go.
"""

from __future__ import annotations

from typing import Any

from kplan.clock import seconds
from kplan.controllers import pods
from kplan.controllers.metadata import without_finalizer

Value = dict[str, Any]

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"


def is_tracked(pod: Value) -> bool:
    """Whether a pod has the finalizer by which it waits to be counted."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def without_tracking(pod: Value) -> Value:
    """The pod without that finalizer."""
    return without_finalizer(pod, TRACKING)


def uid(pod: Value) -> str:
    """The uid of a pod."""
    return str(pod["metadata"].get("uid") or "")


def is_indexed(job: Value) -> bool:
    """Whether the pods of a Job have indexes."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_limited_per_index(job: Value) -> bool:
    """Whether failures are counted for each index."""
    return is_indexed(job) and job["spec"].get("backoffLimitPerIndex") is not None


def index_of(pod: Value) -> int | None:
    """The completion index of a pod; None if it has none that is a number."""
    text = str((pod["metadata"].get("annotations") or {}).get(INDEX, ""))
    return int(text) if text.isascii() and text.isdigit() else None


def valid_index(pod: Value, job: Value) -> int | None:
    """The completion index of a pod if it is one that the Job still has."""
    index = index_of(pod)
    return index if index is not None and index < int(job["spec"].get("completions") or 0) else None


def replaces_only_failed(job: Value) -> bool:
    """Whether a pod that is being deleted is replaced only when it has really ended."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or job["spec"].get("podFailurePolicy") is not None


def has_failed(pod: Value, job: Value) -> bool:
    """Whether a pod counts as failed; one that is being deleted does so at once unless it is to be waited for."""
    phase = pods.phase(pod)
    if phase == "Failed":
        return True
    return not replaces_only_failed(job) and pods.is_terminating(pod) and phase != "Succeeded"


def ended_at(pod: Value) -> float:
    """When a pod ended, in seconds since 1970: when its containers did, or was not ready, or was told to go."""
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    ends = [((s.get("state") or {}).get("terminated") or {}).get("finishedAt") or "" for s in states]
    if ends and all(ends):
        return max(map(seconds, ends))
    ready, meta = pods.condition(pod, "Ready"), pod["metadata"]
    if ready is not None and ready.get("status") == "False" and ready.get("lastTransitionTime"):
        return seconds(ready["lastTransitionTime"])
    if meta.get("deletionTimestamp"):
        return seconds(meta["deletionTimestamp"]) - (meta.get("deletionGracePeriodSeconds") or 0)
    return seconds(meta["creationTimestamp"]) if meta.get("creationTimestamp") else 0.0


def restarts(pod: Value) -> int:
    """How often the containers of a pod have restarted, all together."""
    status = pod.get("status") or {}
    states = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return sum(int(s.get("restartCount") or 0) for s in states)


def failures_before(pod: Value) -> tuple[int, int]:
    """How often the index of a pod failed before it was made: failures that count, and those that were ignored."""
    notes = pod["metadata"].get("annotations") or {}
    counted, ignored = (str(notes.get(k, "")) for k in (FAILURES, IGNORED_FAILURES))
    return (int(counted) if counted.isdigit() else 0, int(ignored) if ignored.isdigit() else 0)
