"""The virtual clock of a simulated cluster: nothing in kplan reads the real one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = "2026-01-01T00:00:00Z"


class Clock:
    """Time that moves only when it is told to. `now` is in seconds since 1970."""

    __slots__ = ("now",)

    def __init__(self, start: str = START) -> None:
        self.now = seconds(start)

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
    """Seconds since 1970 as RFC 3339 in UTC, whole seconds."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(now))).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """An RFC 3339 time as seconds since 1970. Raises ValueError for another text."""
    return datetime.fromisoformat(text).timestamp()
