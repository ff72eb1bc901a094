"""Patterns that are compiled late are patterns."""

from __future__ import annotations

import re

import pytest

from kplan.patterns import lazy


def test_a_lazy_pattern_is_one() -> None:
    p = lazy("(a)(b)?", re.IGNORECASE)
    m = p.match("AB")
    assert m is not None
    assert m.groups() == ("A", "B")
    assert p.fullmatch("x") is None
    assert p.sub("-", "abxa") == "-x-"
    assert (p.groups, p.pattern) == (2, "(a)(b)?")


def test_a_fault_is_told_when_it_is_used() -> None:
    p = lazy("(")
    with pytest.raises(re.error):
        p.match("")
