"""CronJob: a Job for each time of its schedule.

Follows pkg/controller/cronjob/cronjob_controllerv2.go: finished Jobs beyond the history limits go first, then the list
of active Jobs is brought up to date, then the latest run that is due is started.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Any

from kplan.api.deletion import BACKGROUND
from kplan.api.request import Refused
from kplan.clock import seconds, stamp
from kplan.controllers.control import NORMAL, WARNING, Control, Timer, controller_of, reference
from kplan.controllers.cronruns import NeverDueError, missed, pause, too_many
from kplan.controllers.job import finished_as
from kplan.controllers.jobstate import COMPLETE, FAILED
from kplan.controllers.manager import Controller
from kplan.controllers.schedule import Schedule, parse, zone_of
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

NAME = "cronjob"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


def reconcile(key: Key, control: Control) -> None:
    """One sync of one CronJob."""
    control.sleep()
    cron_job = control.get(key)
    if cron_job is None:
        return
    status = dict(cron_job.get("status") or {})
    jobs = control.owned(cron_job, "Job")
    _clean_up(cron_job, jobs, status, control)
    _review(cron_job, jobs, status, control)
    if not cron_job["metadata"].get("deletionTimestamp"):
        _start(cron_job, status, control)
    status = {k: v for k, v in status.items() if v}
    if status != (cron_job.get("status") or {}):
        control.status(cron_job, status)


def _clean_up(cron_job: Value, jobs: list[Value], status: Value, control: Control) -> None:
    """Delete the oldest finished Jobs beyond the history limits."""
    for kind, limit in ((COMPLETE, "successfulJobsHistoryLimit"), (FAILED, "failedJobsHistoryLimit")):
        most = cron_job["spec"].get(limit)
        done = sorted((j for j in jobs if (finished_as(j) or {}).get("type") == kind), key=_age)
        for job in done[: max(0, len(done) - int(most))] if most is not None else ():
            _delete(cron_job, job, status, control)


def _age(job: Value) -> tuple[bool, str, str]:
    start = (job.get("status") or {}).get("startTime") or ""
    return not start, start, job["metadata"]["name"]


def _delete(cron_job: Value, job: Value, status: Value, control: Control) -> None:
    control.delete(job, BACKGROUND)
    _forget(status, job["metadata"].get("uid"))
    control.event(cron_job, NORMAL, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")


def _forget(status: Value, uid: object) -> None:
    status["active"] = [r for r in status.get("active") or () if r.get("uid") != uid]


def _review(cron_job: Value, jobs: list[Value], status: Value, control: Control) -> None:
    """Take finished and missing Jobs off the list of active ones, and note the last success."""
    listed = {r.get("uid") for r in status.get("active") or ()}
    for job in jobs:
        name, end, known = job["metadata"]["name"], finished_as(job), job["metadata"].get("uid") in listed
        if end is None and not known:
            message = f"Saw a job that the controller did not create or forgot: {name}"
            control.event(cron_job, WARNING, "UnexpectedJob", message)
        elif end is not None and known:
            _forget(status, job["metadata"].get("uid"))
            message = f"Saw completed job: {name}, condition: {end['type']}"
            control.event(cron_job, NORMAL, "SawCompletedJob", message)
        done = (job.get("status") or {}).get("completionTime")
        if end is not None and end["type"] == COMPLETE and done:
            status["lastSuccessfulTime"] = max(done, status.get("lastSuccessfulTime") or "", key=_time)
    there = {j["metadata"].get("uid") for j in jobs}
    for ref in status.get("active") or ():
        if ref.get("uid") not in there and control.find("Job", ref.get("name", ""), ref.get("namespace", "")) is None:
            _forget(status, ref.get("uid"))
            control.event(cron_job, NORMAL, "MissingJob", f"Active job went missing: {ref.get('name')}")


def _time(text: str) -> float:
    return seconds(text) if text else 0.0


def _start(cron_job: Value, status: Value, control: Control) -> None:
    """Start the run that is due, if there is one and nothing stands against it."""
    zone = _zone(cron_job, control)
    if zone is None or cron_job["spec"].get("suspend"):
        return
    schedule = _parsed(cron_job, control)
    if schedule is None:
        return
    now = control.clock.now
    try:
        runs = missed({**cron_job, "status": status}, schedule, zone, now)
    except NeverDueError as no:
        message = f"invalid schedule schedule: {cron_job['spec']['schedule']} : {no}"
        control.event(cron_job, WARNING, "InvalidSchedule", message)
        return
    if too_many(runs):
        advice = "Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        control.event(cron_job, WARNING, "TooManyMissedTimes", f"too many missed start times. {advice}")
    due = runs.latest if runs.latest is not None and _may_run(cron_job, runs.latest, status, control) else None
    if due is not None and not _run(cron_job, due, zone, status, control):
        return
    wait = pause({**cron_job, "status": status}, schedule, zone, now)
    if wait is not None:
        control.wake(wait, lazy=True)


def _zone(cron_job: Value, control: Control) -> tzinfo | None:
    """The time zone of the schedule; None, and an event, if the machine does not know it."""
    name = cron_job["spec"].get("timeZone") or ""
    zone = zone_of(name)
    if zone is None:
        message = f'invalid timeZone: "{name}": unknown time zone {name}'
        control.event(cron_job, WARNING, "UnknownTimeZone", message)
    return zone


def _parsed(cron_job: Value, control: Control) -> Schedule | None:
    """The schedule; None, and an event, if it cannot be read."""
    text = str(cron_job["spec"].get("schedule") or "")
    if "TZ" in text:
        page = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/"
        message = f'CRON_TZ or TZ used in schedule "{text}" is not officially supported, see {page} for more details'
        control.event(cron_job, WARNING, "UnsupportedSchedule", message)
    try:
        return parse(text)
    except ValueError as no:
        control.event(cron_job, WARNING, "UnparseableSchedule", f'unparseable schedule: "{text}" : {no}')
        return None


def _may_run(cron_job: Value, at: int, status: Value, control: Control) -> bool:
    """Whether a run that is due may start: not too late, not started before, not against the concurrencyPolicy."""
    spec, last = cron_job["spec"], status.get("lastScheduleTime")
    deadline = spec.get("startingDeadlineSeconds")
    if deadline is not None and at + float(deadline) < control.clock.now:
        when = datetime.fromtimestamp(at, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        control.event(cron_job, WARNING, "MissSchedule", f"Missed scheduled time to start a job: {when}")
        return False
    if last and seconds(last) == at:
        return False
    if spec.get("concurrencyPolicy") == "Forbid" and status.get("active"):
        message = "Not starting job because prior execution is running and concurrency policy is Forbid"
        control.event(cron_job, NORMAL, "JobAlreadyActive", message)
        return False
    return True


def _run(cron_job: Value, at: int, zone: tzinfo, status: Value, control: Control) -> bool:
    """Start a run, in place of those that are active where the policy says so; whether to go on to the next.

    A Job of that name which somebody else made stops the CronJob until it changes.
    """
    if cron_job["spec"].get("concurrencyPolicy") == "Replace":
        for ref in list(status.get("active") or ()):
            active = control.find("Job", ref.get("name", ""), ref.get("namespace", ""))
            if active is not None:
                _delete(cron_job, active, status, control)
    job = _existing(cron_job, at, control)
    if job is None:
        try:
            job = control.create(_job(cron_job, at, zone, control))
        except Refused as no:
            if not no.by_terminating_namespace:
                control.event(cron_job, WARNING, "FailedCreate", f"Error creating job: {no.message}")
            control.retry()
            return False
        control.event(cron_job, NORMAL, "SuccessfulCreate", f"Created job {job['metadata']['name']}")
    elif (controller_of(job) or {}).get("uid") != cron_job["metadata"].get("uid"):
        return False
    status["active"] = [*(status.get("active") or ()), _ref(job)]
    status["lastScheduleTime"] = stamp(at)
    return True


def _ref(job: Value) -> Value:
    meta = job["metadata"]
    named = {k: meta[k] for k in ("name", "namespace", "resourceVersion", "uid") if meta.get(k)}
    return {"apiVersion": job["apiVersion"], "kind": job["kind"], **named}


def _job(cron_job: Value, at: int, zone: tzinfo, control: Control) -> Value:
    template = cron_job["spec"].get("jobTemplate") or {}
    given = template.get("metadata") or {}
    meta: Value = {
        "name": _new_name(cron_job, control),
        "namespace": cron_job["metadata"]["namespace"],
        "annotations": {**(given.get("annotations") or {}), SCHEDULED: _written(at, zone)},
        "ownerReferences": [reference(cron_job)],
    }
    if given.get("labels"):
        meta["labels"] = given["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template.get("spec") or {}}


def _written(at: int, zone: tzinfo) -> str:
    text = datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _new_name(cron_job: Value, control: Control) -> str:
    """`<cronjob>-<t1>` for its first run, `<cronjob>-<t2>` for the second.

    A real one is called `<cronjob>-<minutes since 1970>`. The clock here is virtual, so such a number would say
    something about a date that nobody has chosen: like a random suffix it is left open. The time for which the run was
    scheduled stands in the annotation of the Job and in the status of the CronJob.
    """
    meta = cron_job["metadata"]
    own = re.compile(re.escape(meta["name"]) + r"-<t(\d+)>")
    names = (j["metadata"]["name"] for j in control.store.all("Job", meta["namespace"]))
    serials = [int(m[1]) for name in names if (m := own.fullmatch(name))]
    place = (NAME, ref_of(cron_job).key)
    control.memory[place] = serial = max([control.memory.get(place, 0), *serials]) + 1
    return f"{meta['name']}-<t{serial}>"


def _existing(cron_job: Value, at: int, control: Control) -> Value | None:
    """The Job of a run that has been started before, under its real name or one of those made here."""
    meta = cron_job["metadata"]
    real = control.find("Job", f"{meta['name']}-{at // 60}", meta["namespace"])
    if real is not None:
        return real
    own = (j for j in control.owned(cron_job, "Job") if "<" in j["metadata"]["name"])
    return next((j for j in own if _scheduled(j) == at), None)


def _scheduled(job: Value) -> float | None:
    """The time for which a Job was started, by its annotation; None if that is no time."""
    try:
        return seconds((job["metadata"].get("annotations") or {}).get(SCHEDULED, ""))
    except ValueError:
        return None


def _itself(write: Write, control: Control) -> list[Key]:
    """A CronJob that changed; one with another schedule is looked at when that is due."""
    old, new = write.old, write.new
    if old is None or new is None or _schedule(old) == _schedule(new):
        return [write.key]
    schedule, zone = _parsed(new, control), _zone(new, control)
    wait = pause(new, schedule, zone, control.clock.now) if schedule is not None and zone is not None else None
    if wait is not None:
        control.timers[(NAME, write.key)] = Timer(control.clock.now + wait, NAME, write.key, lazy=True)
    return []


def _schedule(cron_job: Value) -> tuple[object, object]:
    return cron_job["spec"].get("schedule"), cron_job["spec"].get("timeZone")


def _of_job(write: Write, control: Control) -> list[Key]:
    """From a Job to its CronJob."""
    found: dict[Key, None] = {}
    for job in (write.old, write.new):
        ref = controller_of(job) if job is not None else None
        if ref is not None and ref["kind"] == "CronJob":
            owner = control.get(Key("batch", "CronJob", write.key.namespace, ref["name"]))
            if owner is not None and owner["metadata"].get("uid") == ref.get("uid"):
                found[ref_of(owner).key] = None
    return list(found)


CONTROLLER = Controller(NAME, {"CronJob": _itself, "Job": _of_job}, reconcile)
