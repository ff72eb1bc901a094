"""The virtual clock: where it starts, and the times that objects can carry."""

from __future__ import annotations

from datetime import datetime

import pytest

from kplan.clock import START, Clock, seconds, stamp


def test_a_clock_starts_where_it_says() -> None:
    assert Clock().now == datetime.fromisoformat(START).timestamp() == Clock("2026-01-01T01:00:00+01:00").now
    assert Clock().text == START


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("0000-05-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("-0001-05-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("10000-05-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_years_without_four_digits_count_as_the_nearest_that_have(text: str, end: str) -> None:
    assert seconds(text) == datetime.fromisoformat(end).timestamp()
    assert stamp(seconds(text)) == end


def test_times_beyond_the_calendar() -> None:
    assert (stamp(-1e15), stamp(1e15)) == ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
