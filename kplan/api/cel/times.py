"""Timestamps and durations. Follows cel-go's common/types/timestamp.go and duration.go, and Go's time package."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from kplan.api.cel.errors import EvalError
from kplan.api.cel.values import SECOND, Duration, Timestamp
from kplan.hints import Any

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[-+]\d\d:\d\d)", re.ASCII)
_UNITS = {"ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
_DURATION = re.compile(r"[-+]?(?:0|(?:(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:ns|us|µs|μs|ms|s|m|h))+)")
_PART = re.compile(r"(\d*(?:\.\d*)?)(ns|us|µs|μs|ms|s|m|h)")
_OFFSET = re.compile(r"([-+]?)(\d\d):(\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timestamp(value: Any) -> Timestamp:
    """A moment out of RFC 3339 text or seconds; raises EvalError."""
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, int):
        return Timestamp(value * SECOND)
    m = _RFC3339.fullmatch(value)
    try:
        if m is None:
            raise ValueError
        year, month, day, hour, minute, second = map(int, m.groups()[:6])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(m[8].upper()))
    except (ValueError, OverflowError):
        raise EvalError("type conversion error from 'string' to 'google.protobuf.Timestamp'") from None
    return Timestamp(_whole_seconds(moment) * SECOND + int((m[7] or "0").ljust(9, "0")))


def _whole_seconds(moment: datetime) -> int:
    span = moment - _EPOCH
    return span.days * 86400 + span.seconds


def duration(value: Any) -> Duration:
    """A span of time out of Go's notation ("1h30m") or seconds; raises EvalError."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, int):
        return Duration(value * SECOND)
    if not _DURATION.fullmatch(value):
        raise EvalError("type conversion error from 'string' to 'google.protobuf.Duration'")
    total = 0
    for number, unit in _PART.findall(value):
        whole, _, fraction = number.partition(".")
        total += int(whole or "0") * _UNITS[unit] + int((fraction or "0").ljust(20, "0")) * _UNITS[unit] // 10**20
    return Duration(-total if value.startswith("-") else total)


def _zone(name: str) -> tzinfo:
    if name in ("Z", "UTC", ""):
        return UTC
    m = _OFFSET.fullmatch(name)
    if m is not None:
        offset = timedelta(hours=int(m[2]), minutes=int(m[3]))
        return timezone(-offset if m[1] == "-" else offset)
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise EvalError(f"unknown time zone {name}") from None


def _local(moment: Timestamp, zone: str) -> datetime:
    try:
        return (_EPOCH + timedelta(seconds=moment.nanos // SECOND)).astimezone(_zone(zone))
    except OverflowError:
        raise EvalError("timestamp overflow") from None


_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "getFullYear": lambda t: t.year,
    "getMonth": lambda t: t.month - 1,
    "getDayOfYear": lambda t: t.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda t: t.day - 1,
    "getDate": lambda t: t.day,
    "getDayOfWeek": lambda t: t.isoweekday() % 7,
    "getHours": lambda t: t.hour,
    "getMinutes": lambda t: t.minute,
    "getSeconds": lambda t: t.second,
}
_SPANS = {"getHours": 3600 * SECOND, "getMinutes": 60 * SECOND, "getSeconds": SECOND, "getMilliseconds": 10**6}


def _part(read: Callable[[datetime], int]) -> Callable[..., int]:
    return lambda moment, zone="UTC": read(_local(moment, zone))


def _span(unit: int) -> Callable[[Duration], int]:
    return lambda span: abs(span.nanos) // unit * (-1 if span.nanos < 0 else 1)


def _timestamp_text(moment: Timestamp) -> str:
    text = f"{_local(moment, 'UTC'):%Y-%m-%dT%H:%M:%S}"
    fraction = f"{moment.nanos % SECOND:09d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def _duration_text(span: Duration) -> str:
    sign = "-" if span.nanos < 0 else ""
    seconds, nanos = divmod(abs(span.nanos), SECOND)
    fraction = f"{nanos:09d}".rstrip("0")
    return f"{sign}{seconds}.{fraction}s" if fraction else f"{sign}{seconds}s"


FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    **{(name, "google.protobuf.Timestamp"): _part(read) for name, read in _PARTS.items()},
    ("getMilliseconds", "google.protobuf.Timestamp"): lambda t, _="UTC": t.nanos // 10**6 % 1000,
    **{(name, "google.protobuf.Duration"): _span(unit) for name, unit in _SPANS.items()},
    ("timestamp", ""): timestamp,
    ("duration", ""): duration,
    ("string", "google.protobuf.Timestamp"): _timestamp_text,
    ("string", "google.protobuf.Duration"): _duration_text,
}
