"""Which run of a CronJob is due, and when to look again.

Follows pkg/controller/cronjob/utils.go (mostRecentScheduleTime, nextScheduleTime, nextScheduleTimeDuration): of all
runs that were missed only the latest is started.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, NamedTuple

from kplan.clock import START, seconds
from kplan.controllers.schedule import Schedule, next_run

Value = dict[str, Any]

_MANY = 100  # missed runs above which something is wrong
_MARGIN = 0.1  # seconds after a run is due at which the controller looks


class NeverDueError(ValueError):
    """A schedule that has no two runs."""


class Missed(NamedTuple):
    """The latest run that is due (None if there is none), how many were missed, and since when."""

    latest: int | None
    missed: int
    since: float


def missed(cron_job: Value, schedule: Schedule, zone: tzinfo, now: float, *, within_deadline: bool = True) -> Missed:
    """The runs that were due since the last one, or since the CronJob came, and not longer ago than its deadline.

    Times are in seconds since 1970. The number of runs is estimated from the distance of the first two. Raises
    NeverDueError.
    """
    meta, status = cron_job["metadata"], cron_job.get("status") or {}
    since = seconds(status.get("lastScheduleTime") or meta.get("creationTimestamp") or START)
    deadline = cron_job["spec"].get("startingDeadlineSeconds")
    if within_deadline and deadline is not None:
        since = max(since, now - float(deadline))
    first = next_run(schedule, since, zone)
    second = next_run(schedule, first, zone) if first is not None else None
    if first is None or (second is None and now >= first):
        raise NeverDueError("time difference between two schedules is less than 1 second")
    if now < first:
        return Missed(None, 0, since)
    if second is None or now < second:
        return Missed(first, 0, since)
    between = second - first
    count = int(now - first) // between + 1
    latest = None
    at = next_run(schedule, first + (count - 2) * between, zone)
    while at is not None and at <= now:
        latest, at = at, next_run(schedule, at, zone)
    return Missed(latest, count, since)


def too_many(runs: Missed) -> bool:
    """Whether so many runs were missed that the clock or the deadline must be wrong."""
    return runs.latest is not None and runs.missed > _MANY


def pause(cron_job: Value, schedule: Schedule, zone: tzinfo, now: float) -> float | None:
    """Seconds until the CronJob is to be looked at again; None if it never is."""
    try:
        runs = missed(cron_job, schedule, zone, now, within_deadline=False)
        base = runs.latest if runs.latest is not None else now if runs.missed else runs.since
    except NeverDueError:
        base = now
    at = next_run(schedule, base, zone)
    return None if at is None else at + _MARGIN - now
