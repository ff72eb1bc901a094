"""How a Job makes and removes pods.

Follows manageJob in pkg/controller/job/job_controller.go: at most 500 pods a sync, in batches that double; one sync
either removes or makes pods.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.api.request import Refused
from kplan.clock import seconds
from kplan.controllers import jobindexes, jobpods, pods
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.jobbackoff import FAR, remaining_of_index
from kplan.controllers.jobpolicies import judge
from kplan.controllers.jobstate import Sync
from kplan.store import ref_of

Value = dict[str, Any]

_LONGEST_PREFIX = 58  # what generateName keeps of its prefix
_ENV = "JOB_COMPLETION_INDEX"
_FROM_LABEL_SINCE = 32  # before, the variable comes from the annotation
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def wanted(sync: Sync) -> int:
    """How many pods are to be active.

    Without `completions` that is the parallelism until one pod has succeeded, and then whatever is left.
    """
    parallelism = int(sync.spec.get("parallelism", 1))
    if sync.completions is None:
        return sync.active if sync.succeeded else parallelism
    return max(0, min(parallelism, sync.completions - sync.succeeded))


def manage(sync: Sync) -> bool:
    """Bring the number of active pods to what is wanted; whether the API server refused a pod."""
    if sync.is_suspended:
        remove(sync, _surplus(sync, sync.active), forget=True)
        return False
    want = wanted(sync)
    surplus = _surplus(sync, max(0, sync.active - want))[: pods.MOST_AT_ONCE]
    if surplus:
        remove(sync, surplus, forget=True)
        return False
    waited_for = sync.terminating if jobpods.replaces_only_failed(sync.job) else 0
    missing = want - waited_for - sync.active
    return missing > 0 and _create(sync, _places(sync, min(missing, pods.MOST_AT_ONCE)))


def remove(sync: Sync, surplus: Iterable[Value], *, forget: bool) -> None:
    """Delete pods; those to `forget` are not counted, whatever becomes of them."""
    control = sync.control
    for pod in surplus:
        current = control.get(ref_of(pod).key)
        if current is None:
            continue
        if forget and jobpods.is_tracked(current):
            current = control.update(jobpods.without_tracking(current))
        control.delete(current)
        control.event(sync.job, NORMAL, "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        sync.active -= 1
        sync.ready -= pods.is_ready(pod)
        sync.terminating += 1


def _surplus(sync: Sync, count: int) -> list[Value]:
    """The pods to remove: those whose index is not needed, and at least `count`."""
    out, left = _misplaced(sync) if jobpods.is_indexed(sync.job) else ([], sync.active_pods)
    more = max(0, count - len(out))
    return out + _in_order(left)[:more] if more else out


def _misplaced(sync: Sync) -> tuple[list[Value], list[Value]]:
    """Active pods without an index or with one beyond the last, all but the best of each index; and the others."""
    indexes = {jobpods.valid_index(p, sync.job) for p in sync.active_pods}
    if None not in indexes and len(indexes) == len(sync.active_pods):
        return [], sync.active_pods
    best: dict[int, Value] = {}
    out = []
    for pod in _in_order(sync.active_pods):
        index = jobpods.valid_index(pod, sync.job)
        if index is None:
            out.append(pod)
        else:
            out += [best[index]] if index in best else []
            best[index] = pod
    return out, [p for p in sync.active_pods if any(p is b for b in best.values())]


def _in_order(active: list[Value]) -> list[Value]:
    """First what goes first; of what is equal the real one takes any, here it is the newest."""
    newest_first = list(reversed(active))
    return sorted(newest_first, key=_rank)


def _rank(pod: Value) -> tuple[bool, int, bool, float, int, float]:
    """Less for what goes earlier (ActivePods in pkg/controller/controller_utils.go)."""
    created = pod["metadata"].get("creationTimestamp")
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(pods.phase(pod), 2),
        pods.is_ready(pod),
        -pods.ready_since(pod),
        -pods.restarts(pod),
        -seconds(created) if created else float("-inf"),
    )


def _places(sync: Sync, count: int) -> list[int | None]:
    """The indexes of the pods to make now (None: a pod without one); asks for another sync if it is to be waited."""
    now = sync.control.clock.now
    if not jobpods.is_limited_per_index(sync.job):
        pause = sync.backoff.remaining(now)
        if pause > 0:
            sync.control.wake(pause, lazy=pause > FAR)
            return []
    if not jobpods.is_indexed(sync.job):
        return [None] * count
    pending = jobindexes.free(_taken(sync), sync.completions or 0, count)
    pauses = {index: remaining_of_index(sync.delayed.get(index), now) for index in pending}
    due: list[int | None] = [index for index in pending if pauses[index] <= 0]
    if pending and not due:
        pause = min(pauses.values())
        sync.control.wake(pause, lazy=pause > FAR)
    return due


def _taken(sync: Sync) -> set[int]:
    """The indexes that need no pod now."""
    holders = list(sync.active_pods)
    if jobpods.replaces_only_failed(sync.job):
        holders += [p for p in sync.pods if pods.is_terminating(p) and not pods.has_ended(p)]
    held = {index for p in holders if (index := jobpods.index_of(p)) is not None}
    return held | sync.succeeded_indexes | (sync.failed_indexes or set())


def _create(sync: Sync, places: list[int | None]) -> bool:
    """Make pods, in batches of 1, 2, 4 …; no further batch once one was refused. Whether one was."""
    batch = 1
    while places:
        now, places = places[:batch], places[batch:]
        made = [_create_one(sync.job, _pod(sync, index), sync.control) for index in now]
        sync.active += sum(made)
        if not all(made):
            return True
        batch *= 2
    return False


def _create_one(job: Value, pod: Value, control: Control) -> bool:
    try:
        made = control.create(pod)
    except Refused as no:
        if not no.by_terminating_namespace:
            control.event(job, WARNING, "FailedCreate", f"Error creating: {no.message}")
        return False
    control.event(job, NORMAL, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
    return True


def _pod(sync: Sync, index: int | None) -> Value:
    """A pod of the Job's template, with the finalizer and what belongs to its index."""
    job, template = sync.job, sync.spec["template"]
    name = job["metadata"]["name"]
    prefix = f"{name}-"
    meta, spec = template.get("metadata") or {}, template["spec"]
    finalizers = [f for f in meta.get("finalizers") or () if f != jobpods.TRACKING]
    meta = {**meta, "finalizers": [*finalizers, jobpods.TRACKING]}
    if index is not None:
        suffix = f"-{index}-"
        prefix = name[: _LONGEST_PREFIX - len(suffix)] + suffix
        notes = {jobpods.INDEX: str(index), **_failure_counts(sync, index)}
        meta["annotations"] = {**(meta.get("annotations") or {}), **notes}
        meta["labels"] = {**(meta.get("labels") or {}), jobpods.INDEX: str(index)}
        spec = {**spec, "hostname": f"{name}-{index}"}
        for kind in ("initContainers", "containers"):
            if spec.get(kind):
                spec[kind] = [_with_index(c, sync.control.minor) for c in spec[kind]]
    return pods.from_template(job, {"metadata": meta, "spec": spec}, generate_name=prefix)


def _with_index(container: Value, minor: int) -> Value:
    env = container.get("env") or []
    if any(e.get("name") == _ENV for e in env):
        return container
    where = "labels" if minor >= _FROM_LABEL_SINCE else "annotations"
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.{where}['{jobpods.INDEX}']"}}
    return {**container, "env": [*env, {"name": _ENV, "valueFrom": source}]}


def _failure_counts(sync: Sync, index: int) -> dict[str, str]:
    """The annotations that carry on how often an index has failed."""
    if not jobpods.is_limited_per_index(sync.job):
        return {}
    counted, ignored = 0, 0
    replaced = sync.delayed.get(index)
    if replaced is not None:
        counted, ignored = jobpods.failures_before(replaced)
        if judge(replaced, sync.job).counts:
            counted += 1
        else:
            ignored += 1
    notes = {jobpods.FAILURES: str(counted)}
    return {**notes, jobpods.IGNORED_FAILURES: str(ignored)} if ignored else notes
