"""When a cron schedule is due next.

Follows github.com/robfig/cron/v3 (parser.go, spec.go, constantdelay.go): a run is due at the first whole minute whose
reading of the local clock fits all five fields. So a local time that a change of the clocks skips has no run, and one
that comes twice has two. What has no run within five years is never due. Parsing and its errors are those of
kplan.api.validation.cron.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from kplan.api.validation.cron import DESCRIPTORS, EVERY, FIELDS, Bounds, duration_of, schedule_fault, span_of

_YEARS = 5  # how far ahead the parser's library looks
_DAY = timedelta(days=1)


class Field(NamedTuple):
    """The numbers of one field in ascending order; `star` if it says `*` or `?` without a step above 1."""

    numbers: tuple[int, ...]
    star: bool


class Schedule(NamedTuple):
    """A parsed schedule: five fields, or `every` so many seconds where that is not 0. `zone` is that of `TZ=`."""

    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field
    every: int = 0
    zone: str = ""

    def fits(self, day: date) -> bool:
        """Whether there are runs on a day: both day fields must fit if one of them is a star, else one is enough."""
        if day.month not in self.month.numbers:
            return False
        fits = (day.day in self.day.numbers, day.isoweekday() % 7 in self.weekday.numbers)
        return all(fits) if self.day.star or self.weekday.star else any(fits)


@lru_cache(maxsize=1024)
def parse(text: str) -> Schedule:
    """A schedule as the standard parser reads it. Raises ValueError with the parser's words."""
    fault = schedule_fault(text)
    if fault:
        raise ValueError(fault)
    zone = ""
    if text.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, text = text.partition(" ")
        zone, text = prefix.partition("=")[2], text.strip()
    every = 0
    if text.startswith(EVERY):
        every = max(1, math.floor(duration_of(text.removeprefix(EVERY))))
    parts = DESCRIPTORS.get(text, "* * * * *" if every else text).split()
    minute, hour, day, month, weekday = (_field(p, b) for p, b in zip(parts, FIELDS, strict=True))
    return Schedule(minute, hour, day, month, weekday, every, zone)


def _field(text: str, bounds: Bounds) -> Field:
    numbers: set[int] = set()
    star = False
    for item in filter(None, text.split(",")):
        start, end, step = span_of(item, bounds)
        numbers.update(range(start, end + 1, step))
        star = star or (item[0] in "*?" and step <= 1)
    return Field(tuple(sorted(numbers)), star)


def zone_of(name: str) -> tzinfo | None:
    """The time zone of a name, UTC for none; None if the machine does not know it."""
    if name in {"", "UTC", "Local"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


# No calendar goes further than this, and objects may carry any time: years 2 to 9998, away from both ends.
_LAST_YEAR = 9998
_EARLIEST = int(datetime(2, 1, 1, tzinfo=UTC).timestamp())
_LATEST = int(datetime(_LAST_YEAR, 12, 1, tzinfo=UTC).timestamp())


def next_run(schedule: Schedule, after: float, zone: tzinfo = UTC) -> int | None:
    """The first time a run is due after a time; both in seconds since 1970. None if it never is."""
    if schedule.every:
        return math.floor(after) + schedule.every
    zone = zone_of(schedule.zone) or zone if schedule.zone else zone
    first = max(math.floor(after) + 1, _EARLIEST)
    if first > _LATEST:
        return None
    local = datetime.fromtimestamp(first, zone)
    for day in _days(schedule, local.date(), min(local.year + _YEARS, _LAST_YEAR)):
        found = _in_day(schedule, day, first, zone)
        if found is not None:
            return found
    return None


def _days(schedule: Schedule, day: date, last_year: int) -> Iterator[date]:
    """The days on which there are runs."""
    while day.year <= last_year:
        if day.month not in schedule.month.numbers:
            day = (day.replace(day=1) + 31 * _DAY).replace(day=1)
            continue
        if schedule.fits(day):
            yield day
        day += _DAY


def _in_day(schedule: Schedule, day: date, first: int, zone: tzinfo) -> int | None:
    """The first run of a day that is not before `first`."""
    start, end = (datetime(d.year, d.month, d.day, tzinfo=zone) for d in (day, day + _DAY))
    midnight = int(start.timestamp())
    earliest = max(0, -((midnight - first) // 60))  # in minutes of the day, rounded up
    if start.utcoffset() != end.utcoffset():
        return _in_odd_day(schedule, range(midnight + 60 * earliest, int(end.timestamp()), 60), zone)
    for hour in schedule.hour.numbers:
        if hour * 60 + 59 >= earliest:
            for minute in schedule.minute.numbers:
                if hour * 60 + minute >= earliest:
                    return midnight + (hour * 60 + minute) * 60
    return None


def _in_odd_day(schedule: Schedule, minutes: Iterable[int], zone: tzinfo) -> int | None:
    """The same on a day on which clocks change: of all its minutes the first that reads as one of the schedule."""
    for at in minutes:
        local = datetime.fromtimestamp(at, zone)
        if local.hour in schedule.hour.numbers and local.minute in schedule.minute.numbers:
            return at
    return None
