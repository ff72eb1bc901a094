"""How long a Job waits before it replaces failed pods.

Follows pkg/controller/job/backoff_utils.go: 10 s after the first failure since the last success, twice as long after
each further one, at most 10 min. The real controller keeps this in memory too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers.jobpods import ended_at, failures_before

Value = dict[str, Any]

FIRST, LONGEST = 10.0, 600.0  # seconds
FAR = 60.0  # seconds beyond which an appointment counts as one for some day


class Backoff(NamedTuple):
    """How many pods failed since the last success, and when the last of them did (seconds since 1970)."""

    failures: int = 0
    last: float = 0.0

    def after(self, succeeded: list[Value], failed: list[Value]) -> Backoff:
        """The record with pods that have ended since."""
        if not failed:
            return Backoff() if succeeded else self
        ends = sorted(map(ended_at, failed))
        if not succeeded:
            return Backoff(self.failures + len(failed), ends[-1])
        success = max(map(ended_at, succeeded))
        later = [end for end in ends if end > success]
        return Backoff(len(later), later[-1]) if later else Backoff()

    def remaining(self, now: float) -> float:
        """Seconds to wait still."""
        if not self.failures:
            return 0.0
        pause = LONGEST if self.failures > 10 else min(LONGEST, FIRST * 2 ** (self.failures - 1))
        return max(0.0, self.last + pause - now)


def remaining_of_index(replaced: Value | None, now: float) -> float:
    """Seconds to wait before the pod of an index that failed last is replaced; none for an index without one."""
    if replaced is None:
        return 0.0
    return Backoff(sum(failures_before(replaced)) + 1, ended_at(replaced)).remaining(now)
