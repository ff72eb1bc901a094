"""What one line of a manifest says, by itself: the memory of the fast parser.

Manifests repeat their lines, so each distinct line is taken apart once. A line is only given a meaning here that it has
in every document; the rest is OTHER, which the fast parser leaves to the complete one.
"""

from __future__ import annotations

import re

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.tuples import NamedTuple
from kplan.yamlio import flow, scalars

# Kinds. PAIR is a key with a scalar, OPEN a key without a value on the line; LATER, with or without a key, has a value
# of which the line may be only the start: a block scalar, a flow collection, a text in quotes. END is a line `...`.
PAIR, OPEN, ITEM, SCALAR, LATER, EMPTY, COMMENT, END, OTHER = range(9)

LONGEST_KEPT: Final = 200
_MOST_KEPT: Final = 50_000

# What nearly every line is: a key of letters, and nothing or a plain scalar that starts with a letter or digit.
_COMMON: Final = lazy(
    r"(- )?([A-Za-z_][A-Za-z0-9_./-]{0,200}):(?: ([A-Za-z0-9_/][^:#]*+(?::[^: #][^:#]*+)*+))?", re.ASCII
)
_NAMES: Final[dict[str, str]] = {}  # what keys of letters mean
_LONGEST_WORD: Final = max(map(len, scalars.WORDS))
_DIGITS: Final = "0123456789"
# Characters that YAML refuses, or takes for line breaks or marks.
_SPECIAL: Final = lazy("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SEPARATOR: Final = lazy(r"---(?: *| +#[\t\x20-\x7e]*)")
_PLAIN_START: Final = lazy(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]|[-?:][^\s]")
_MANY_DASHES: Final = "- " * 20  # lists in lists as nobody writes them; each costs a level of recursion
_QUOTED_KEY: Final = lazy(r"""("(?:[^"\\])*"|'[^']*') *:(?= |$)""")
_QUOTED: Final = lazy(r"""("[^"\\]*(?:\\.[^"\\]*)*"|'[^']*(?:''[^']*)*')(?: +#.*)?""")
# The first line of a scalar in quotes that goes on.
_OPEN_QUOTE: Final = lazy(r""""[^"\\]*(?:\\.[^"\\]*)*\\?|'[^']*(?:''[^']*)*""")
_BLOCK_HEADER: Final = lazy(r"([|>])(?:([+-])([1-9])?|([1-9])([+-])?)?(?: +#.*)?")


# A line: its kind, the column of what stands there, the key, the value, and the text of a plain scalar that could go on
# in the next line. ITEM has as its value the Line of what follows the dash, or None. A bare tuple: they are many.
Line = tuple[int, int, str | None, Any, str | None]


class Block(NamedTuple):
    """The header of a block scalar: folded or literal, `-`, `+` or "", and the explicit indentation or 0."""

    folded: bool
    chomp: str
    indent: int


class Lines(dict[str, Line]):
    """Every distinct line that was seen, up to a number of them."""

    def __missing__(self, line: str) -> Line:
        made = read_line(line)
        keep(self, line, made)
        return made


def is_separator(line: str) -> bool:
    """Whether a line separates documents in a way that needs no closer look."""
    return line[:3] == "---" and _SEPARATOR.fullmatch(line) is not None


def has_special(text: str) -> bool:
    """Whether characters stand in a text that YAML does not take, or takes for something else."""
    return not text.replace("\n", "").isprintable() and _SPECIAL.search(text) is not None


def keep(memory: dict[str, Any], line: str, what: Any) -> None:
    """Remember something of a line, within limits."""
    if len(line) <= LONGEST_KEPT:
        if len(memory) >= _MOST_KEPT:
            memory.clear()
        memory[line] = what


def read_line(line: str) -> Line:
    """The meaning of a line without its break."""
    text = line.lstrip(" ")
    col = len(line) - len(text)
    if not text:
        return (EMPTY, 0, None, None, None)
    if not text.isprintable():  # a tab is not printable either
        kind = COMMENT if text[0] == "#" and not has_special(text) else OTHER
        return (kind, col, None, None, None)
    if text[0] == "#":
        return (COMMENT, col, None, None, None)
    if usual := _usual(text.rstrip(" "), col):
        return usual
    if found := _COMMON.fullmatch(text):
        return _common(col, *found.groups())
    if line[:3] == "..." and line[3:4] in ("", " "):
        return (END, 0, None, None, None)
    if text.startswith(_MANY_DASHES):
        return (OTHER, col, None, None, None)
    return _node(text.rstrip(" "), col)


def _usual(text: str, col: int) -> Line | None:
    """A key that was met before with nothing or with words, or words alone: what most of a definition is."""
    key, mark, words = text.partition(":")
    if not mark:
        return (SCALAR, col, None, text, text) if _is_words(text) else None
    name = _NAMES.get(key)
    if name is None:
        return None
    if not words:
        return (OPEN, col, name, None, None)
    value = words[1:]
    return (PAIR, col, name, value, value) if words[0] == " " and _is_words(value) else None


def _is_words(text: str) -> bool:
    """Whether this is a plain scalar that is surely a text."""
    return len(text) > _LONGEST_WORD and text[0].isalpha() and ":" not in text and "#" not in text


def _common(col: int, dash: str | None, key: str, text: str | None) -> Line:
    name = _NAMES.get(key)
    if name is None:
        try:
            name = scalars.key(scalars.resolve(key))
        except scalars.ScalarError:
            return (OTHER, col, None, None, None)
        keep(_NAMES, key, name)
    inner = col + 2 if dash else col
    if text is None:
        line: Line = (OPEN, inner, name, None, None)
    else:
        text = text.rstrip(" ")
        is_text = len(text) > _LONGEST_WORD and text[0] not in _DIGITS
        line = (PAIR, inner, name, text if is_text else scalars.value(scalars.resolve(text)), text)
    return (ITEM, col, None, line, None) if dash else line


def _node(text: str, col: int) -> Line:
    if text[0] == "-" and text[1:2] in ("", " "):
        rest = text[1:].lstrip(" ")
        if not rest or rest[0] == "#":
            return (ITEM, col, None, None, None)
        inner = _node(rest, col + len(text) - len(rest))
        return (OTHER, col, None, None, None) if inner[0] == OTHER else (ITEM, col, None, inner, None)
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
    if end < 1 or end > flow.LONGEST_KEY or " #" in key or key == "<<" or not _starts_plain(key):
        return None, text
    try:
        return scalars.key(scalars.resolve(key)), text[end + 1 :].lstrip(" ")
    except scalars.ScalarError:
        return None, text


def _starts_plain(text: str) -> bool:
    """Whether a plain scalar can start like this."""
    return text[:1].isalnum() or _PLAIN_START.match(text) is not None


def _value(text: str, col: int, key: str | None) -> Line:
    if not text or text[0] == "#":
        return (OPEN, col, key, None, None)
    kind = SCALAR if key is None else PAIR
    start = text[0]
    if start in "\"'":
        return _quoted(text, kind, col, key)
    if start in "|>":
        if text[1:] in ("", "-", "+"):
            return (LATER, col, key, Block(start == ">", text[1:], 0), None)
        header = _BLOCK_HEADER.fullmatch(text)
        if header is None:
            return (OTHER, col, None, None, None)
        chomp, indent = header[2] or header[5] or "", header[3] or header[4] or "0"
        return (LATER, col, key, Block(start == ">", chomp, int(indent)), None)
    if start in "[{":
        return (LATER, col, key, text, None)
    return _plain(text, kind, col, key)


def _plain(text: str, kind: int, col: int, key: str | None) -> Line:
    plain, comment, _ = text.partition(" #")
    plain = plain.rstrip(" ")
    if not _starts_plain(plain) or ": " in plain or plain[-1] == ":":
        return (OTHER, col, None, None, None)
    try:
        return (kind, col, key, scalars.value(scalars.resolve(plain)), None if comment else plain)
    except scalars.ScalarError:
        return (OTHER, col, None, None, None)


def _quoted(text: str, kind: int, col: int, key: str | None) -> Line:
    if text[-1] == text[0] and text.count(text[0]) == 2 and "\\" not in text:
        return (kind, col, key, text[1:-1], None)
    if found := _QUOTED.fullmatch(text):
        try:
            return (kind, col, key, flow.unescape(found[1][1:-1], text[0]), None)
        except flow.Unusual:
            return (OTHER, col, None, None, None)
    if _OPEN_QUOTE.fullmatch(text):
        return (LATER, col, key, text, None)
    return (OTHER, col, None, None, None)
