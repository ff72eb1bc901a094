"""The virtual clock of a simulated cluster: nothing in kplan reads the real one."""

from __future__ import annotations

import re

START = "2026-01-01T00:00:00Z"
_START = 1_767_225_600.0  # the same in seconds: most clocks never move, and `datetime` takes long to load
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the first second of the year 1, the last one of 9999


class Clock:
    """Time that moves only when it is told to. `now` is in seconds since 1970."""

    __slots__ = ("now",)

    def __init__(self, start: str = START) -> None:
        self.now = _START if start == START else seconds(start)

    def advance(self, by: float) -> None:
        """Let so many seconds pass. Raises ValueError for a negative number."""
        if by < 0:
            raise ValueError("time does not run backwards")
        self.now += by

    @property
    def text(self) -> str:
        """The time as objects carry it: RFC 3339 in UTC, whole seconds."""
        return stamp(self.now)


def stamp(now: float) -> str:
    """Seconds since 1970 as RFC 3339 in UTC, whole seconds; at most the year 9999, at least the year 1."""
    from datetime import UTC, datetime, timedelta

    whole = min(max(int(now), _FIRST), _LAST)
    return (
        (datetime.fromtimestamp(0, UTC) + timedelta(seconds=whole)).isoformat(timespec="seconds").replace("+00:00", "Z")
    )


def seconds(text: str) -> float:
    """An RFC 3339 time as seconds since 1970. Raises ValueError for another text.

    A year of five digits counts as the end of 9999, and one below 1 as the beginning of 1: objects may carry both.
    """
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        if re.fullmatch(r"(0000|-\d{3,4})-\d\d-\d\dT[\d:.]{8,}Z", text):
            return float(_FIRST)
        if re.fullmatch(r"\d{5}-\d\d-\d\dT[\d:.]{8,}Z", text):
            return float(_LAST)
        raise
