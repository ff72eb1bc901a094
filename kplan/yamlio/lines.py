"""What one line of a manifest says, by itself: the memory of the fast parser.

Manifests repeat their lines, so each distinct line is taken apart once. A line is only given a meaning here that it has
in every document; the rest is OTHER, which the fast parser leaves to the complete one.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from kplan.yamlio import flow, scalars

# Kinds. PAIR is a key with a scalar, OPEN a key without a value on the line; LATER, with or without a key, has a value
# of which the line may be only the start: a block scalar, a flow collection, a text in quotes.
PAIR, OPEN, ITEM, SCALAR, LATER, EMPTY, COMMENT, OTHER = range(8)

_LONGEST_KEPT: Final = 200
_MOST_KEPT: Final = 100_000

_PLAIN_START: Final = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[-?:][^\s]")
_MANY_DASHES: Final = "- " * 20  # lists in lists as nobody writes them; each costs a level of recursion
_QUOTED_KEY: Final = re.compile(r"""("(?:[^"\\])*"|'[^']*') *:(?= |$)""")
_QUOTED: Final = re.compile(r"""("[^"\\]*(?:\\.[^"\\]*)*"|'[^']*(?:''[^']*)*')(?: +#.*)?""")
# The first line of a scalar in quotes that goes on.
_OPEN_QUOTE: Final = re.compile(r""""[^"\\]*(?:\\.[^"\\]*)*\\?|'[^']*(?:''[^']*)*""")
_BLOCK_HEADER: Final = re.compile(r"([|>])(?:([+-])([1-9])?|([1-9])([+-])?)?(?: +#.*)?")


class Line(NamedTuple):
    """A line: its kind, the column of what stands there, the key, and the value.

    ITEM has what follows the dash as its value. `raw` is the text of a plain scalar that could go on in the next line.
    """

    kind: int
    col: int
    key: str | None = None
    value: Any = None
    raw: str | None = None


class Block(NamedTuple):
    """The header of a block scalar: folded or literal, `-`, `+` or "", and the explicit indentation or 0."""

    folded: bool
    chomp: str
    indent: int


class Lines(dict[str, Line]):
    """Every distinct line that was seen, up to a number of them."""

    def __missing__(self, line: str) -> Line:
        made = read_line(line)
        if len(line) <= _LONGEST_KEPT:
            if len(self) >= _MOST_KEPT:
                self.clear()
            self[line] = made
        return made


def read_line(line: str) -> Line:
    """The meaning of a line without its break."""
    text = line.lstrip(" ")
    col = len(line) - len(text)
    text = text.rstrip(" ")
    if not text:
        return Line(EMPTY, 0)
    if "\t" in text or text == "..." or text.startswith(_MANY_DASHES):
        return Line(OTHER, col)
    return Line(COMMENT, col) if text[0] == "#" else _node(text, col)


def _node(text: str, col: int) -> Line:
    if text[0] == "-" and text[1:2] in ("", " "):
        rest = text[1:].lstrip(" ")
        if not rest or rest[0] == "#":
            return Line(ITEM, col)
        inner = _node(rest, col + len(text) - len(rest))
        return Line(OTHER, col) if inner.kind == OTHER else Line(ITEM, col, None, inner)
    key, rest = _key(text)
    if key is None:
        return _value(text, col, None)
    return _value(rest, col, key)


def _key(text: str) -> tuple[str | None, str]:
    """The key at the start of the text, and what follows its colon."""
    if text[0] in "\"'":
        quoted = _QUOTED_KEY.match(text)
        if quoted is None or quoted.end() > flow.LONGEST_KEY:
            return None, text
        return quoted[1][1:-1], text[quoted.end() :].lstrip(" ")
    end = text.find(": ")
    if end < 0 and text[-1] == ":":
        end = len(text) - 1
    key = text[:end].rstrip(" ")
    if end < 1 or end > flow.LONGEST_KEY or " #" in key or key == "<<" or not _PLAIN_START.match(key):
        return None, text
    try:
        return scalars.key(scalars.resolve(key)), text[end + 1 :].lstrip(" ")
    except scalars.ScalarError:
        return None, text


def _value(text: str, col: int, key: str | None) -> Line:
    if not text or text[0] == "#":
        return Line(OPEN, col, key)
    kind = SCALAR if key is None else PAIR
    start = text[0]
    if start in "\"'":
        return _quoted(text, kind, col, key)
    if start in "|>":
        header = _BLOCK_HEADER.fullmatch(text)
        if header is None:
            return Line(OTHER, col)
        chomp, indent = header[2] or header[5] or "", header[3] or header[4] or "0"
        return Line(LATER, col, key, Block(start == ">", chomp, int(indent)))
    if start in "[{":
        return Line(LATER, col, key, text)
    return _plain(text, kind, col, key)


def _plain(text: str, kind: int, col: int, key: str | None) -> Line:
    plain, comment, _ = text.partition(" #")
    plain = plain.rstrip(" ")
    if not _PLAIN_START.match(plain) or ": " in plain or plain[-1] == ":":
        return Line(OTHER, col)
    try:
        return Line(kind, col, key, scalars.value(scalars.resolve(plain)), None if comment else plain)
    except scalars.ScalarError:
        return Line(OTHER, col)


def _quoted(text: str, kind: int, col: int, key: str | None) -> Line:
    if found := _QUOTED.fullmatch(text):
        try:
            return Line(kind, col, key, flow.unescape(found[1][1:-1], text[0]))
        except flow.Unusual:
            return Line(OTHER, col)
    return Line(LATER, col, key, text) if _OPEN_QUOTE.fullmatch(text) else Line(OTHER, col)
