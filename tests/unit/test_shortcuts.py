"""What is answered without a library or a pattern, because loading it would take longer, is what that would answer."""

from __future__ import annotations

import difflib
import ipaddress
import json
import random
import re
from itertools import product

import pytest

from kplan import likewords, quantity
from kplan.api.defaults import images
from kplan.api.validation import addresses, names
from kplan.render import sanitise
from kplan.resources import data_dir, read_table
from kplan.yamlio import lines, scalars


def words(seed: int, alphabets: list[str], longest: int, count: int) -> list[str]:
    r = random.Random(seed)
    return ["".join(r.choices(r.choice(alphabets), k=r.randint(0, longest))) for _ in range(count)]


@pytest.mark.parametrize("cutoff", [0.1, 0.5, 0.6, 0.75, 0.84, 1.0])
def test_nearest_is_that_of_difflib(cutoff: float) -> None:
    some = words(1, ["ab", "abc", "abcdefgh", "imagePulPolicy"], 14, 4000)
    for at in range(0, len(some) - 8, 8):
        word, *others = some[at : at + 8]
        expected = difflib.get_close_matches(word, others, 1, cutoff)
        assert likewords.nearest(word, others, cutoff) == (expected[0] if expected else "")


def test_nearest_of_a_long_word() -> None:
    word = "ab" * 150
    assert likewords.nearest(word, [word + "c"]) == "".join(difflib.get_close_matches(word, [word + "c"], 1))


@pytest.mark.parametrize("name", ["kubernetes/core.v1", "kubernetes/index", "facts/references", "kplan/rules"])
def test_tables_are_json(name: str) -> None:
    text = (data_dir("schemas") / f"{name}.json").read_text(encoding="utf-8")
    assert read_table(text) == json.loads(text)


def test_names_are_those_of_their_patterns() -> None:
    texts = {"".join(p) for n in range(6) for p in product("a-.Z_", repeat=n)} | set(words(2, ["a0-. _é\n/"], 9, 3000))
    for text in texts:
        assert names._label(text) == bool(re.fullmatch(names._LABEL, text))
        assert names._subdomain(text) == bool(re.fullmatch(names._SUBDOMAIN, text))
        assert names._key(text) == bool(re.fullmatch(names._KEY, text))
        assert (names.label_value(text) == ()) == bool(re.fullmatch(f"({names._KEY})?", text))
        assert (names._config_key(text) == ()) == bool(re.fullmatch("[-._a-zA-Z0-9]+", text))


def test_whole_numbers() -> None:
    for text in {"", "-", "0", "-0", "01", "10", "-7", "+7", "٣", "1\n", "--1", *words(3, ["-01"], 4, 200)}:
        fits = re.fullmatch("0|-?[1-9][0-9]*", text) is not None
        assert (names.decimal_integer(text) == ()) == fits


def test_plain_addresses_and_networks() -> None:
    for text in {
        "1.2.3.4",
        "1.2.3.04",
        "256.1.1.1",
        "1.2.3",
        "",
        "1.2.3.4.5",
        "1.2.3.٣",
        *words(4, ["0125."], 12, 3000),
    }:
        try:
            expected = str(ipaddress.IPv4Address(text)) == text
        except ValueError:
            expected = False
        assert addresses.is_plain_ipv4(text) == expected
        for length in ("0", "8", "24", "32", "33", "08", "", "-1"):
            try:
                strict = (
                    expected and length != "" and str(ipaddress.IPv4Network(f"{text}/{length}")) == f"{text}/{length}"
                )
            except ValueError:
                strict = False
            assert addresses.is_plain_ipv4_cidr(f"{text}/{length}") == strict


def test_plain_quantities() -> None:
    for text in {"1", "007", "100m", "64Mi", "5e3", "1E", "0", "k", "", "12345678901234567890", "3Ki3"}:
        whole = quantity._PARTS.match(text)
        if whole is None or (not whole[2] and not whole[3]):
            continue
        try:
            assert quantity.parse(text) == quantity.parse(f"+{text}")  # with a sign it goes the long way
        except quantity.QuantityError:
            with pytest.raises(quantity.QuantityError):
                quantity.parse(f"+{text}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", "100m"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0", 0),
        ("010", 8),
        ("08", 8.0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("1e3", 1000.0),
        ("+.5", 0.5),
        ("123456789012345678", 123456789012345678),
        ("12:30", "12:30"),
        ("-", "-"),
    ],
)
def test_numbers(text: str, value: object) -> None:
    found = scalars.resolve(text)
    assert (found, type(found)) == (value, type(value))


def test_special_characters_and_quotes() -> None:
    for code in (*range(0x100), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF, 0x20AC):
        assert lines.has_special(f"a{chr(code)}b") == bool(lines._SPECIAL.search(chr(code)))
    for text in ('"a"', "'a'", "'it''s'", '"a\\nb"', '"a" # c', "''", '""', '"a"b"', "'", "|", "|-", ">+", "|2", ">-2"):
        assert lines.read_line(f"k: {text}") == lines.read_line(f"k: {text} # c") or "#" in text or len(text) == 1


def test_printed_text() -> None:
    for text in ("plain", "a\nb", "a\x7fb", "::error::x", "a::b", "##[group]", "#x", "tab\tx", "é", "\u202e"):
        unsafe = re.sub(sanitise._UNSAFE_IN_LINE, sanitise._escape, text)
        assert sanitise.one_line(text) == re.sub(
            sanitise._COMMAND, lambda m: "\\x23" if m[0] == "#" else f"{m[1]}\\x3a", unsafe
        )


def test_pull_policy() -> None:
    for image in (
        "a",
        "a:latest",
        "a:1",
        "r.io/a:1",
        "r.io:5000/a",
        "a:latest@sha256:1",
        "A:1",
        ":1",
        "a:",
        "a:b:latest",
    ):
        assert images.pull_policy(image) == ("Always" if images._tag(image) == "latest" else "IfNotPresent")
