"""Cron schedules and time zones, as far as the server judges them.

Follows github.com/robfig/cron/v3 (parser.go, spec.go; the standard five fields and descriptors) and Go's
time.LoadLocation with the zones of the IANA database (schemas/facts/time-zones.json).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from kplan.api.validation.field import go_quote
from kplan.api.validation.names import OK, Messages, int64_fault
from kplan.schema.definitions import read
from kplan.tuples import NamedTuple

_MONTHS = {name: i for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_DAYS = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
# What a descriptor stands for, in the five fields.
DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EVERY = "@every "


class Bounds(NamedTuple):
    """The numbers that a field may have, and names for some of them."""

    low: int
    high: int
    names: dict[str, int]


FIELDS = (Bounds(0, 59, {}), Bounds(0, 23, {}), Bounds(1, 31, {}), Bounds(1, 12, _MONTHS), Bounds(0, 6, _DAYS))

# The units of a Go duration in nanoseconds.
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "\u00b5s": 10**3,
    "\u03bcs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DURATION = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([^0-9.]*)")
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")


@lru_cache(maxsize=1024)
def schedule_fault(spec: str) -> str:
    """What is wrong with a schedule, in the parser's words; "" if nothing is."""
    if not spec:
        return "empty spec string"
    if spec.startswith(("TZ=", "CRON_TZ=")):
        zone, space, rest = spec.partition(" ")
        if not space:
            # The parser cuts at a space that is not there; the server recovers and says so.
            return "invalid schedule format: runtime error: slice bounds out of range [:-1]"
        name = zone.partition("=")[2]
        fault = _location_fault(name)
        if fault:
            return f"provided bad location {name}: {fault}"
        spec = rest.strip()
    if spec.startswith("@"):
        return _descriptor_fault(spec)
    fields = spec.split()
    if len(fields) != len(FIELDS):
        return f"expected exactly {len(FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]"
    return next((fault for f, bounds in zip(fields, FIELDS, strict=True) if (fault := _field_fault(f, bounds))), "")


def _descriptor_fault(text: str) -> str:
    if text in DESCRIPTORS:
        return ""
    if not text.startswith(EVERY):
        return f"unrecognized descriptor: {text}"
    duration = text.removeprefix(EVERY)
    fault = _duration_fault(duration)
    return f"failed to parse duration {text}: time: {fault} {go_quote(duration)}" if fault else ""


def _duration_fault(text: str) -> str:
    """What Go's time.ParseDuration has against a text: the words between "time:" and the text itself."""
    rest = text[1:] if text[:1] in {"+", "-"} else text
    if rest == "0":
        return ""
    at = 0
    while at < len(rest) or not rest:
        m = _DURATION.match(rest, at)
        if m is None:
            return "invalid duration"
        if not m[2]:
            return "missing unit in duration"
        if m[2] not in _UNITS:
            return f"unknown unit {go_quote(m[2])} in duration"
        at = m.end()
    return ""


def duration_of(text: str) -> Fraction:
    """A valid Go duration in seconds."""
    total = sum(Fraction(m[1].rstrip(".") or 0) * _UNITS[m[2]] for m in _DURATION.finditer(text) if m[2])
    return Fraction(-total if text.startswith("-") else total, 10**9)


def _field_fault(field: str, bounds: Bounds) -> str:
    """The fault of one field: a list of ranges, of which empty ones do not count."""
    return next((fault for part in field.split(",") if part and (fault := _range_fault(part, bounds))), "")


def _range_fault(text: str, bounds: Bounds) -> str:
    try:
        start, end, step = span_of(text, bounds)
    except ValueError as fault:
        return str(fault)
    if start < bounds.low:
        return f"beginning of range ({start}) below minimum ({bounds.low}): {text}"
    if end > bounds.high:
        return f"end of range ({end}) above maximum ({bounds.high}): {text}"
    if start > end:
        return f"beginning of range ({start}) beyond end of range ({end}): {text}"
    if step == 0:
        return f"step of range should be a positive number: {text}"
    return ""


def span_of(text: str, bounds: Bounds) -> tuple[int, int, int]:
    """First number, last number and step of one item of a field. Raises ValueError with the parser's words."""
    parts = text.split("/")
    ends = parts[0].split("-")
    single = len(ends) == 1
    if ends[0] in {"*", "?"}:
        start, end = bounds.low, bounds.high
    else:
        start = _number(ends[0], bounds.names)
        if len(ends) > 2:
            raise ValueError(f"too many hyphens: {text}")
        end = start if single else _number(ends[1], bounds.names)
    if len(parts) > 2:
        raise ValueError(f"too many slashes: {text}")
    if len(parts) == 1:
        return start, end, 1
    step = _integer(parts[1])
    return start, bounds.high if single else end, step


def _number(text: str, names: dict[str, int]) -> int:
    named = names.get(text.lower())
    return named if named is not None else _integer(text)


def _integer(text: str) -> int:
    fault = int64_fault(text)
    if fault:
        raise ValueError(f"failed to parse int from {text}: strconv.Atoi: parsing {go_quote(text)}: {fault}")
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)


def time_zone_fault(name: str) -> Messages:
    """What is wrong with the name of a time zone."""
    if not name:
        return ("timeZone must be nil or non-empty string",)
    unknown = f"unknown time zone {name}"
    for part in name.split("/"):
        if part in {".", ".."} or part.startswith("-") or not _ZONE_PART.fullmatch(part):
            return (unknown,)
    out: Messages = OK
    if name.lower() == "local":
        out = ("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",)
    fault = _location_fault(name)
    return (*out, fault) if fault else out


def _location_fault(name: str) -> str:
    if ".." in name or name.startswith(("/", "\\")):
        return "time: invalid location name"
    return "" if name in {"", "UTC", "Local"} or name in _zones() else f"unknown time zone {name}"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """The names of the IANA database; the file has them by the part before the first slash."""
    regions = read("facts/time-zones").items()
    return frozenset(f"{region}/{name}" if region else name for region, found in regions for name in found.split())
