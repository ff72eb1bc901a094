"""What is known of the lines that were seen: a number for all of a line but its value, and the value.

Manifests repeat their lines, and most others are a key or a dash with a usual value: those are taken apart here, by one
pattern; kplan/yamlio/lines.py knows the rest.
"""

from __future__ import annotations

from itertools import count
from operator import itemgetter

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.yamlio.lines import ITEM, LATER, LONGEST_KEPT, PAIR, SCALAR, Line, Lines, is_separator, keep, read_line
from kplan.yamlio.scalars import WORDS

NUMBER: Final = itemgetter(0)
VALUE: Final = itemgetter(1)
SEPARATOR: Final = -1  # the number of a line that separates documents; any other line with `---` has a lower one
_MOST_KINDS: Final = 50_000
# A usual value: a text in quotes without an escape, a number of digits, or a plain scalar that is no number: a text or
# a word with a meaning (kplan/yamlio/scalars.py). All of it ASCII, without comments.
_USUAL: Final = lazy(
    r'"([ !#-\[\]-~]*)"|([1-9][0-9]{0,17})|'
    r"(?:--?[A-Za-z]|[A-Za-z_/])[ !\"$-9;-~]*+(?::[!\"$-9;-~][ !\"$-9;-~]*+)*+(?<! )"
)


_UNUSUAL: Final = object()


class _Values(dict[str, Any]):
    """The values of texts: many lines have the same one. _UNUSUAL for what is no usual value."""

    def __missing__(self, text: str) -> Any:
        value: Any = _UNUSUAL
        if usual := _USUAL.fullmatch(text):
            quoted, digits = usual.groups()
            value = int(digits) if digits is not None else WORDS.get(text, text) if quoted is None else quoted
        keep(self, text, value)
        return value


class Seen(dict[str, tuple[int, Any]]):
    """Of each line a number that says all of it but the value, and the value: a scalar, the text of a flow collection,
    or None."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        self._values = _Values()
        self._numbers: dict[Any, int] = {}
        self._heads: dict[str, int] = {}  # by the key and what is before it
        self._items: dict[str, int] = {}  # by what is before the dash
        self._count = count()
        self.has_odd = False  # whether there was a line with `---` that is no usual separator

    def __missing__(self, line: str) -> tuple[int, Any]:
        head, mark, text = line.partition(": ")
        heads = self._heads
        if not mark:
            head, mark, text = line.partition("- ")
            heads = self._items
        value = self._values[text] if mark else _UNUSUAL
        number = heads.get(head) if value is not _UNUSUAL else -1
        if number is None:
            number = self._head(heads, head, mark)
        found = (number, value) if number >= 0 else self._unusual(line)
        if len(self) >= _MOST_KINDS:
            self.clear()
        if len(line) <= LONGEST_KEPT:
            self[line] = found
        return found

    def clear(self) -> None:
        """Forget all lines."""
        super().clear()
        self._values.clear()

    def _unusual(self, line: str) -> tuple[int, Any]:
        if is_separator(line):
            return SEPARATOR, None
        made = self._lines[line]
        kind, _, _, value, _ = inner(made)
        is_value = kind in (PAIR, SCALAR) or (kind == LATER and isinstance(value, str))
        number = self._number(made)
        if line[:3] == "---":
            self.has_odd = True
            number = SEPARATOR - 1 - number
        return number, value if is_value else None

    def _head(self, heads: dict[str, int], head: str, mark: str) -> int:
        """The number of the lines that start so, if nothing is unusual about their start; else -1."""
        start = f"{head}{mark}a"
        line = read_line(start)
        kind, _, _, value, _ = inner(line)
        is_usual = kind in (PAIR, SCALAR) and value == "a" and start[:3] != "---"
        found = self._number(line) if is_usual else -1
        keep(heads, head, found)
        return found

    def _number(self, line: Line) -> int:
        if len(self._numbers) >= _MOST_KINDS:  # numbers are not used again: what was learnt by them is forgotten
            for memory in (self._numbers, self._heads, self._items, self):
                memory.clear()
        return self._numbers.setdefault(_what(line), next(self._count))


def inner(line: Line) -> Line:
    """What stands behind the dashes of a line."""
    while line[0] == ITEM and line[3] is not None:
        line = line[3]
    return line


def is_whole_flow(value: Any) -> bool:
    """Whether the start of a value that may go on looks like a whole flow collection."""
    return isinstance(value, str) and value[0] in "[{" and value[-1] in "]}"


def _what(line: Line) -> tuple[Any, ...]:
    kind, col, name, value, _ = line
    if kind == ITEM:
        return (kind, col, value and _what(value))
    if kind == LATER and isinstance(value, str):
        return (kind, col, name, is_whole_flow(value))
    return (kind, col, name, value if kind == LATER else None)
