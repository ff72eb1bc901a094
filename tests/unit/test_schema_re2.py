"""Go's regular expressions: verdicts recorded from Go's regexp package, and patterns made to take for ever."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from kplan.schema import re2

DATA = Path(__file__).parents[1] / "data" / "schema" / "go-regexp.jsonl"
CASES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


def test_matches_what_go_matches() -> None:
    compared = 0
    for pattern, verdicts in CASES:
        for text, found in (verdicts or {}).items():
            assert re2.Pattern(pattern).search(text) == found, (pattern, text)
            compared += 1
    assert compared > 2000


def test_refuses_what_go_refuses() -> None:
    refused = [pattern for pattern, verdicts in CASES if verdicts is None]
    assert len(refused) > 50
    for pattern in refused:
        with pytest.raises(re2.PatternError):
            re2.Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^(a+)+$", "a" * 20_000 + "b"),
        (r"(x+x+)+y", "x" * 20_000),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 20_000),
        ("a?" * 200 + "a" * 200, "a" * 200),
        (r"(.*a){50}$", "ab" * 2_000),
    ],
)
def test_no_pattern_takes_for_ever(pattern: str, text: str) -> None:
    started = time.process_time()
    try:
        re2.Pattern(pattern).search(text)
    except re2.PatternError as e:
        assert str(e) == "the pattern is too costly for this text"  # noqa: PT017 - either end is right
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "pattern",
    ["(a{1000}){1000}", "(((){1000}){1000}){1000}", "(" * 5_000, "(?:" * 5_000 + ")" * 5_000, "[a-z]{1000}" * 11],
)
def test_no_pattern_becomes_too_large(pattern: str) -> None:
    with pytest.raises(re2.PatternError):
        re2.Pattern(pattern)


def test_forgetting_states_changes_nothing() -> None:
    pattern = re2.Pattern(r"^[^a]*a$")
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 6_000)))
    assert not pattern.search(text)
    assert pattern.search(text + "a")


def test_a_pattern_is_compiled_once() -> None:
    assert re2.compile("a+") is re2.compile("a+")
