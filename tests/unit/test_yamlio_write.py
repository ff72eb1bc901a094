"""YAML that is written: kubectl reads it back to the same values, and what is safe stays plain."""

from __future__ import annotations

import json

import pytest

from kplan.yamlio import load_value
from kplan.yamlio.write import dump, dump_all

TEXTS = """yes No on y ~ null 1 -1 +1 0x1F 0o17 0b1 1_000 1.5 1e3 .5 .inf 1:30 1:30:00 2001-01-01 = << 10.0.0.1 1.2.3 v1
- -a ? ?a %a @a `a {a [a !a &a *a | > a:b #a a#b ' " \\""".split()
AWKWARD = [
    "",
    " a",
    "a ",
    "a: b",
    "a #b",
    "a:",
    "- a",
    "é",
    "😀\nx",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\na",
    "  a\nb",
    "a\n  b\n",
]
AWKWARD += ["a\n---\nb", "a \nb", "a\tb", "\x7f", "\u2028", "a\r\nb", "a\x00b", "a\nb\x85"]


@pytest.mark.parametrize("text", [*TEXTS, *AWKWARD])
def test_text_is_read_back_wherever_it_stands(text: str) -> None:
    value = {"a": text, text: "x", "b": [text, [text], {"c": text}]}
    assert load_value(dump(value), "x") == value


@pytest.mark.parametrize("value", [None, True, False, 0, -3, 2**62, 1.5, {}, [], {"a": None, "b": {}, "c": []}])
def test_other_values_are_read_back(value: object) -> None:
    back = load_value(dump({"v": value}), "x")
    assert json.dumps(back) == json.dumps({"v": value})


def test_layout_is_that_of_kubectl() -> None:
    value = {"b": ["10.0.0.1", "1.20", "v1"], "a": "x\ny\n", "c": [{"k": "on", "j": 1}]}
    assert dump(value) == 'a: |\n  x\n  y\nb:\n- 10.0.0.1\n- "1.20"\n- v1\nc:\n- j: 1\n  k: "on"\n'
    assert dump_all([{"a": 1}, {"b": 2}]) == "a: 1\n---\nb: 2\n"
