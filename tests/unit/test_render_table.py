"""Tables and columns as kubectl sets them, ages as it prints them."""

from __future__ import annotations

import pytest

from kplan.render import age, tabs
from kplan.render.table import Table, text


def test_columns_are_three_blanks_apart_and_nothing_is_blank_at_the_end() -> None:
    table = Table(["Name", "Up", "Age"], [["a", "1", "5m"], ["long-name", "2", ""]])
    assert text(table) == "NAME        UP    AGE\na           1     5m\nlong-name   2\n"
    assert text(table, headers=False) == "a           1     5m\nlong-name   2\n"


@pytest.mark.parametrize("cell", ["one\ntwo", "one\rtwo", "one\ftwo"])
def test_cell_of_several_lines_is_cut(cell: str) -> None:
    assert text(Table(["X", "Y"], [[cell, "z"]])).splitlines()[1] == "one...   z"


@pytest.mark.parametrize("hostile", ["\x1b[31mred", "a\tb", "a\u202eb", "::error::x", "##[group]x", "\x9b31m"])
def test_no_cell_can_steer_the_terminal_or_the_build_server(hostile: str) -> None:
    shown = text(Table(["Name", "Age"], [[hostile, hostile], ["b", "1s"]]))
    assert len(shown.splitlines()) == 3
    assert not set("\x1b\t\u202e\x9b") & set(shown)
    assert not any(line.startswith("::") or "##[" in line for line in shown.splitlines())


def test_column_reaches_over_neighbouring_lines_only() -> None:
    lines = [("Name:", "a"), ("IPs:",), ("  IP:", "1"), ("Controlled By:", "b"), ("Labels:", "x=1"), ("", "y=2")]
    assert tabs.align(lines) == [
        "Name:  a",
        "IPs:",
        "  IP:           1",
        "Controlled By:  b",
        "Labels:         x=1",
        "                y=2",
    ]


def test_inner_columns_end_with_their_lines() -> None:
    lines = [("a", "bbbb", "c"), ("a", "b"), ("aaa", "b", "c")]
    assert tabs.align(lines) == ["a    bbbb  c", "a    b", "aaa  b  c"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-2, "<invalid>"),
        (-1, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (330, "5m30s"),
        (599.9, "9m59s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 3600, "8h"),
        (47 * 3600 + 3599, "47h"),
        (48 * 3600, "2d"),
        (52 * 3600, "2d4h"),
        (8 * 86400 + 3600, "8d"),
        (729 * 86400, "729d"),
        (730 * 86400, "2y"),
        (770 * 86400, "2y40d"),
        (9 * 365 * 86400 + 86400, "9y"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert age.human(seconds) == shown


def test_ages_need_both_times() -> None:
    now = age.read("2026-01-01T12:00:00Z")
    assert age.since("2026-01-01T13:54:30+02:00", now) == "5m30s"
    for time in (None, "", "soon", 7, "0001-01-01T00:00:00Z"):
        assert age.since(time, now) == "<unknown>"
    assert age.since("2026-01-01T11:00:00Z", None) == "<unknown>"
    assert age.rfc1123z("2022-02-17T16:51:01-05:00") == "Thu, 17 Feb 2022 21:51:01 +0000"
