"""Times and ages as kubectl prints them.

Ages follow k8s.io/apimachinery/pkg/util/duration (HumanDuration): two units where both matter, one where not.
"""

from __future__ import annotations

from datetime import UTC, datetime

from kplan.render.fields import UNKNOWN

INVALID = "<invalid>"
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400
# below this many seconds: the unit, its name, and the smaller unit that stands behind it, if any
_STEPS = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)
_ZERO = "0001-01-01T00:00:00"


def read(time: object) -> datetime | None:
    """An RFC 3339 time; None for the zero time and for what is no time."""
    if not isinstance(time, str) or len(time) < 20 or time.startswith(_ZERO):
        return None
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def human(seconds: float) -> str:
    """A duration: `45s`, `5m30s`, `42m`, `3h5m`, `2d4h`, `12d`, `3y40d`; up to two seconds below zero count as 0."""
    if seconds <= -2:
        return INVALID
    whole = max(0, int(seconds))
    for limit, unit, name, smaller, its_name in _STEPS:
        if whole < limit:
            rest = whole % unit // smaller if smaller else 0
            return f"{whole // unit}{name}" + (f"{rest}{its_name}" if rest else "")
    return f"{whole // _YEAR}y"


def since(time: object, now: datetime | None) -> str:
    """The age of a time at `now`; `<unknown>` without either."""
    then = read(time)
    return human((now - then).total_seconds()) if then and now else UNKNOWN


def between(start: object, end: object) -> str:
    """The duration between two times; `<unknown>` without either."""
    return since(start, read(end))


def rfc1123z(time: object) -> str:
    """`Thu, 17 Feb 2022 16:51:01 +0000`, in UTC; a time that cannot be read as it is, none as `<unknown>`."""
    found = read(time)
    if found is None:
        return time if isinstance(time, str) and time else UNKNOWN
    return _english(found.astimezone(UTC))


def _english(t: datetime) -> str:
    """Days and months by number, for strftime follows the locale."""
    day = "Mon Tue Wed Thu Fri Sat Sun".split()[t.weekday()]
    month = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()[t.month - 1]
    return f"{day}, {t.day:02d} {month} {t.year:04d} {t:%H:%M:%S} +0000"
