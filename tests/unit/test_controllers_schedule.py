"""Cron schedules: what their fields mean, and when they are due next."""

from __future__ import annotations

import re
from datetime import UTC

import pytest

from kplan.clock import seconds, stamp
from kplan.controllers.schedule import next_run, parse, zone_of

ZONED = pytest.mark.skipif(zone_of("America/New_York") is None, reason="the machine has no time zones")


def runs(text: str, after: str, count: int = 3, zone: str = "UTC") -> list[str]:
    """The next runs, in UTC without the zero seconds."""
    where = zone_of(zone)
    assert where is not None
    found: list[str] = []
    at: float | None = seconds(after)
    for _ in range(count):
        assert at is not None
        at = next_run(parse(text), at, where)
        found.append(stamp(at).removesuffix(":00Z") if at is not None else "never")
        if at is None:
            break
    return found


FIELDS = [
    ("*/15 * * * *", "minute", (0, 15, 30, 45)),
    ("5/20 * * * *", "minute", (5, 25, 45)),
    ("10-20/5 * * * *", "minute", (10, 15, 20)),
    ("1,,3,1 * * * *", "minute", (1, 3)),
    ("0 22-23 * * *", "hour", (22, 23)),
    ("0 0 31 * *", "day", (31,)),
    ("0 0 1 jan,MAR-may *", "month", (1, 3, 4, 5)),
    ("0 0 * * Sun-tue", "weekday", (0, 1, 2)),
    ("0 0 * * ?", "weekday", (0, 1, 2, 3, 4, 5, 6)),
]


@pytest.mark.parametrize(("text", "field", "numbers"), FIELDS)
def test_fields(text: str, field: str, numbers: tuple[int, ...]) -> None:
    assert getattr(parse(text), field).numbers == numbers


@pytest.mark.parametrize(
    ("text", "star"), [("*", True), ("?", True), ("*/1", True), ("*/2", False), ("1-31", False), ("5,*", True)]
)
def test_a_step_takes_the_star_away(text: str, star: bool) -> None:
    assert parse(f"0 0 {text} * 1").day.star is star


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
        ("@Daily", "unrecognized descriptor: @Daily"),
        ("@every 5", 'failed to parse duration @every 5: time: missing unit in duration "5"'),
    ],
)
def test_faults(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        parse(text)


START = "2026-01-01T00:00:00Z"  # a Thursday

NEXT = [
    ("* * * * *", START, ["2026-01-01T00:01", "2026-01-01T00:02", "2026-01-01T00:03"]),
    ("* * * * *", "2026-01-01T00:00:59Z", ["2026-01-01T00:01", "2026-01-01T00:02", "2026-01-01T00:03"]),
    ("59 23 31 12 *", START, ["2026-12-31T23:59", "2027-12-31T23:59", "2028-12-31T23:59"]),
    ("30 6-16/4 * * 1-5", START, ["2026-01-01T06:30", "2026-01-01T10:30", "2026-01-01T14:30"]),
    ("0 0 1 */6 *", START, ["2026-07-01T00:00", "2027-01-01T00:00", "2027-07-01T00:00"]),
    ("@hourly", START, ["2026-01-01T01:00", "2026-01-01T02:00", "2026-01-01T03:00"]),
    ("@daily", START, ["2026-01-02T00:00", "2026-01-03T00:00", "2026-01-04T00:00"]),
    ("@weekly", START, ["2026-01-04T00:00", "2026-01-11T00:00", "2026-01-18T00:00"]),
    ("@monthly", START, ["2026-02-01T00:00", "2026-03-01T00:00", "2026-04-01T00:00"]),
    ("@yearly", START, ["2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"]),
    ("@every 90m", START, ["2026-01-01T01:30", "2026-01-01T03:00", "2026-01-01T04:30"]),
    ("@every 1h0.5m", START, ["2026-01-01T01:00:30Z", "2026-01-01T02:01", "2026-01-01T03:01:30Z"]),
    ("@every 1ms", START, ["2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z", "2026-01-01T00:00:03Z"]),
    # Day of month and day of week: either of them, unless one is a star.
    ("0 0 13 * 5", START, ["2026-01-02T00:00", "2026-01-09T00:00", "2026-01-13T00:00"]),
    ("0 0 13 * *", START, ["2026-01-13T00:00", "2026-02-13T00:00", "2026-03-13T00:00"]),
    ("0 0 * * 5", START, ["2026-01-02T00:00", "2026-01-09T00:00", "2026-01-16T00:00"]),
    ("0 0 */10 * 5", START, ["2026-01-02T00:00", "2026-01-09T00:00", "2026-01-11T00:00"]),
    # Leap days; what is not due within five years never is.
    ("0 0 29 2 *", START, ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
    ("0 0 29 2 *", "2096-03-01T00:00:00Z", ["never"]),
    ("0 0 31 2 *", START, ["never"]),
    ("0 0 30 2,4,6 *", START, ["2026-04-30T00:00", "2026-06-30T00:00", "2027-04-30T00:00"]),
]


@pytest.mark.parametrize(("text", "after", "expected"), NEXT)
def test_next_runs(text: str, after: str, expected: list[str]) -> None:
    assert runs(text, after, len(expected)) == expected


ZONES = [
    # Local midnight.
    ("0 0 * * *", "Asia/Kolkata", START, ["2026-01-01T18:30", "2026-01-02T18:30"]),
    # 02:30 does not exist on 8 March in New York: no run that day.
    ("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", ["2026-03-09T06:30", "2026-03-10T06:30"]),
    ("0 */2 * * *", "America/New_York", "2026-03-08T04:30:00Z", ["2026-03-08T05:00", "2026-03-08T08:00"]),
    # 01:30 comes twice on 1 November, and so does the run.
    ("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", ["2026-11-01T05:30", "2026-11-01T06:30"]),
    ("30 1 * * *", "America/New_York", "2026-11-01T06:30:00Z", ["2026-11-02T06:30", "2026-11-03T06:30"]),
    ("*/30 * * * *", "America/New_York", "2026-11-01T05:30:00Z", ["2026-11-01T06:00", "2026-11-01T06:30"]),
    # Half an hour that is skipped and repeated.
    ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", ["2026-10-04T15:15", "2026-10-05T15:15"]),
    ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", ["2026-04-04T14:45", "2026-04-04T15:15"]),
]


@ZONED
@pytest.mark.parametrize(("text", "zone", "after", "expected"), ZONES)
def test_next_runs_in_a_time_zone(text: str, zone: str, after: str, expected: list[str]) -> None:
    assert runs(text, after, len(expected), zone) == expected


@ZONED
def test_a_zone_in_the_schedule_wins() -> None:
    assert runs("CRON_TZ=Asia/Tokyo 0 9 * * *", START, 1, "America/New_York") == ["2026-01-02T00:00"]


@pytest.mark.parametrize("name", ["Nowhere/City", "../etc/passwd", "/etc/localtime", "America", "a\0b"])
def test_unknown_zones(name: str) -> None:
    assert zone_of(name) is None
    assert zone_of("") is UTC


@ZONED
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Australia/Lord_Howe"])
def test_every_minute_is_every_minute(zone: str) -> None:
    """Whatever the clocks do, nothing is left out of a schedule that is always due."""
    where = zone_of(zone)
    assert where is not None
    for start in ("2026-03-08T06:50:00Z", "2026-11-01T04:50:00Z", "2026-04-04T14:20:00Z", "2026-10-03T15:20:00Z"):
        at = seconds(start)
        for _ in range(90):
            following = next_run(parse("* * * * *"), at, where)
            assert following == at + 60
            at = following
