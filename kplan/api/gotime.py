"""Times as Go's time.Parse reads them, in the two layouts of the Kubernetes API, with Go's words for what is wrong.

Follows time/format.go; metav1.Time keeps seconds (RFC 3339), metav1.MicroTime microseconds. Both are written in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kplan.hints import TYPE_CHECKING
from kplan.patterns import lazy

if TYPE_CHECKING:
    from typing import Literal

    Layout = Literal["2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05.000000Z07:00"]
SECONDS: Layout = "2006-01-02T15:04:05Z07:00"
MICROSECONDS: Layout = "2006-01-02T15:04:05.000000Z07:00"

_ELEMENTS = lazy(r"(?P<before>[-T:]?)(?P<element>2006|01|02|15|04|05|\.000000|Z07:00)")
# How many digits an element has, and the limits that are looked at while parsing.
_DIGITS: Mapping[str, str] = {"2006": r"(\d{4})", "15": r"(\d\d?)"}
_TWO_DIGITS = r"(\d\d)"
_RANGES: Mapping[str, tuple[str, int, int]] = {
    "01": ("month", 1, 12),
    "15": ("hour", 0, 23),
    "04": ("minute", 0, 59),
    "05": ("second", 0, 59),
}
_CYCLE = 400  # years after which the calendar repeats


class TimeError(ValueError):
    """A text that is no time; the message is Go's."""


@lru_cache(maxsize=1024)
def canonical(text: str, layout: Layout) -> str | None:
    """The text that the server writes for a time; None for Go's zero time, which is written as null.

    Raises TimeError.
    """
    from datetime import datetime, timedelta

    numbers, fraction, offset = _parse(text, layout)
    year, month, day, hour, minute, second = numbers
    # datetime knows the years 1 to 9999 only, so the sum is done in a year like this one.
    like = 2000 + year % _CYCLE
    try:
        local = datetime(like, month, day, hour, minute, second)  # noqa: DTZ001 - the zone is `offset`
    except ValueError:
        raise TimeError(f"parsing time {_quote(text)}: day out of range") from None
    utc = local - timedelta(seconds=offset)
    written = f"{utc.year - like + year:04d}-{utc:%m-%dT%H:%M:%S}"
    if written == "0001-01-01T00:00:00" and not fraction.strip("0"):
        return None
    return written + (f".{fraction:0<6.6}Z" if layout == MICROSECONDS else "Z")


def _parse(text: str, layout: Layout) -> tuple[list[int], str, int]:
    """The six numbers of a time, the digits after the point and the offset from UTC in seconds."""
    rest, numbers, fraction, offset = text, [], "", 0
    for m in _ELEMENTS.finditer(layout):
        before, element = m["before"], m["element"]
        if not rest.startswith(before):
            raise _cannot(text, layout, rest, before)
        rest = rest[len(before) :]
        if element == ".000000":
            fraction, rest = _take(r"[.,](\d{6})", rest, text, layout, element)
        elif element == "Z07:00":
            offset, rest = _zone(rest, text, layout)
        else:
            digits, rest = _take(_DIGITS.get(element, _TWO_DIGITS), rest, text, layout, element)
            numbers.append(_in_range(int(digits), element, text))
            if element == "05" and layout == SECONDS and (more := re.match(r"[.,]([0-9]+)", rest)):
                fraction, rest = more[1], rest[more.end() :]
    if rest:
        raise TimeError(f"parsing time {_quote(text)}: extra text: {_quote(rest)}")
    return numbers, fraction, offset


def _take(pattern: str, rest: str, text: str, layout: Layout, element: str) -> tuple[str, str]:
    m = re.match(pattern, rest, re.ASCII)
    if m is None:
        raise _cannot(text, layout, rest, element)
    return m[1], rest[m.end() :]


def _in_range(number: int, element: str, text: str) -> int:
    name, low, high = _RANGES.get(element, ("", number, number))
    if not low <= number <= high:
        raise TimeError(f"parsing time {_quote(text)}: {name} out of range")
    return number


def _zone(rest: str, text: str, layout: Layout) -> tuple[int, str]:
    if rest.startswith("Z"):
        return 0, rest[1:]
    m = re.match(r"(.)(..):(..)", rest, re.DOTALL)
    if m is None:
        raise _cannot(text, layout, rest, "Z07:00")
    hours = int(m[2]) if m[2].isascii() and m[2].isdigit() else -1
    minutes = int(m[3]) if m[3].isascii() and m[3].isdigit() else -1
    # Go allows an offset of 24 hours or 60 minutes, and looks at the limits before anything else.
    for name, number, limit in (("hour", hours, 24), ("minute", minutes if hours >= 0 else 0, 60)):
        if number > limit:
            raise TimeError(f"parsing time {_quote(text)}: time zone offset {name} out of range")
    if hours < 0 or minutes < 0 or m[1] not in "+-":
        raise _cannot(text, layout, rest, "Z07:00")
    seconds = (hours * 60 + minutes) * 60
    return (-seconds if m[1] == "-" else seconds), rest[m.end() :]


def _cannot(text: str, layout: str, rest: str, element: str) -> TimeError:
    return TimeError(
        f"parsing time {_quote(text)} as {_quote(layout)}: cannot parse {_quote(rest)} as {_quote(element)}"
    )


def _quote(text: str) -> str:
    """Go's own quoting of times: every byte outside printable ASCII as \\x.."""
    out = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif " " <= c < "\x80":
            out.append(c)
        else:
            out.extend(f"\\x{b:02x}" for b in c.encode("utf-8", "replace"))
    return '"' + "".join(out) + '"'
