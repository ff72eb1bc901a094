"""The columns of the kinds that make pods, and of what belongs to them.

Follows pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from kplan.render import age
from kplan.render.columns.cell import (
    AGE,
    NAME,
    Cell,
    Column,
    Now,
    Value,
    columns,
    container_images,
    container_names,
    count,
    field,
    labels,
    number,
    selector,
)
from kplan.render.fields import NONE, UNSET, condition, text
from kplan.workloads import dicts, get

# the first condition that is true says what a Job is at
_JOB_ENDS = ("Complete", "Failed")
_JOB_STATES = ("Suspended", "FailureTarget", "SuccessCriteriaMet")


def _of(done: str, wanted: str) -> Cell:
    """`3/5` from two numbers of the object."""
    some, all_ = number(done), number(wanted)
    return lambda obj, now: f"{some(obj, now)}/{all_(obj, now)}"


def _template(*path: str, chosen: Cell | None = None) -> tuple[tuple[str, Cell], ...]:
    """The wide columns about the pods: containers, images and, if there is one, the selector."""
    found: tuple[tuple[str, Cell], ...] = (
        ("*Containers", container_names(*path)),
        ("*Images", container_images(*path)),
    )
    return (*found, ("*Selector", chosen)) if chosen else found


def _completions(job: Value, _: Now) -> str:
    done, wanted = text(job, "status", "succeeded") or "0", get(job, "spec", "completions")
    if wanted is not None:
        return f"{done}/{text(job, 'spec', 'completions')}"
    parallel = get(job, "spec", "parallelism")
    return f"{done}/1 of {parallel}" if isinstance(parallel, int) and parallel > 1 else f"{done}/1"


def job_status(job: Value, _: Now = None) -> str:
    """What a Job is at, in one word."""
    for state in (*_JOB_ENDS, "Terminating", *_JOB_STATES):
        if state == "Terminating":
            if get(job, "metadata", "deletionTimestamp"):
                return state
        elif (condition(job, state) or {}).get("status") == "True":
            return state
    return "Running"


def _duration(job: Value, now: Now) -> str:
    start, end = get(job, "status", "startTime"), get(job, "status", "completionTime")
    if not start:
        return ""
    return age.between(start, end) if end else age.since(start, now)


def yes_no(path: str) -> Cell:
    """True, False or `<unset>`."""
    steps = path.split(".")

    def cell(obj: Value, _: Now) -> str:
        found = get(obj, *steps)
        return str(found) if isinstance(found, bool) else UNSET

    return cell


def _last_schedule(job: Value, now: Now) -> str:
    time = get(job, "status", "lastScheduleTime")
    return age.since(time, now) if time else NONE


def _owner(obj: Value, _: Now) -> str:
    """The controller as `statefulset.apps/db`."""
    for ref in dicts(obj, "metadata", "ownerReferences"):
        if ref.get("controller") is True:
            group, slash, _version = text(ref, "apiVersion").rpartition("/")
            kind = text(ref, "kind").lower() + (f".{group}" if slash else "")
            return f"{kind}/{text(ref, 'name')}"
    return NONE


def _replicas(chosen: Cell) -> tuple[Column, ...]:
    return columns(
        NAME,
        ("Desired", number("spec.replicas")),
        ("Current", number("status.replicas")),
        ("Ready", number("status.readyReplicas")),
        AGE,
        *_template("spec", "template", "spec", chosen=chosen),
    )


DEPLOYMENTS = columns(
    NAME,
    ("Ready", _of("status.readyReplicas", "spec.replicas")),
    ("Up-to-date", number("status.updatedReplicas")),
    ("Available", number("status.availableReplicas")),
    AGE,
    *_template("spec", "template", "spec", chosen=selector("spec", "selector")),
)
REPLICA_SETS = _replicas(selector("spec", "selector"))
REPLICATION_CONTROLLERS = _replicas(labels("spec", "selector"))
STATEFUL_SETS = columns(
    NAME,
    ("Ready", _of("status.readyReplicas", "spec.replicas")),
    AGE,
    *_template("spec", "template", "spec"),
)
DAEMON_SETS = columns(
    NAME,
    ("Desired", number("status.desiredNumberScheduled")),
    ("Current", number("status.currentNumberScheduled")),
    ("Ready", number("status.numberReady")),
    ("Up-to-date", number("status.updatedNumberScheduled")),
    ("Available", number("status.numberAvailable")),
    ("Node Selector", labels("spec", "template", "spec", "nodeSelector")),
    AGE,
    *_template("spec", "template", "spec", chosen=selector("spec", "selector")),
)
JOBS = columns(
    NAME,
    ("Status", job_status),
    ("Completions", _completions),
    ("Duration", _duration),
    AGE,
    *_template("spec", "template", "spec", chosen=selector("spec", "selector")),
)
_JOB = ("spec", "jobTemplate", "spec")
CRON_JOBS = columns(
    NAME,
    ("Schedule", "spec.schedule"),
    ("Timezone", field("spec.timeZone", NONE)),
    ("Suspend", yes_no("spec.suspend")),
    ("Active", count("status", "active")),
    ("Last Schedule", _last_schedule),
    AGE,
    *_template(*_JOB, "template", "spec", chosen=selector(*_JOB, "selector")),
)
CONTROLLER_REVISIONS = columns(NAME, ("Controller", _owner), ("Revision", number("revision")), AGE)
