"""Layouts: what stands on which line of a document, learnt once for the many documents that differ in values only.

Two documents have one layout when each line of one has the kind, the column and the key of that line of the other; the
fast parser then takes the same way through both. A layout is that way written down: which maps and lists to make of the
values of the lines. Making them needs no look at the lines any more, and what is known of a layout (kplan/lint) is
known of all its documents.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import count

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.tuples import NamedTuple
from kplan.yamlio import flow, multiline
from kplan.yamlio.flow import Unusual
from kplan.yamlio.lines import (
    ITEM,
    LATER,
    LONGEST_KEPT,
    OPEN,
    PAIR,
    SCALAR,
    Block,
    Line,
    Lines,
    is_separator,
    keep,
    read_line,
)
from kplan.yamlio.scalars import WORDS

SEPARATOR: Final = -1  # the number of a line that separates documents; any other line with `---` has a lower one
LONGEST: Final = 400  # lines of a document that is remembered
_MOST_KEPT: Final = 2_000
_MOST_KINDS: Final = 50_000
_WORTH: Final = 3  # documents of one layout, until it is written down
_WORTH_CODE: Final = 12  # values of one tree, until code is made that makes them
_DEEPEST_FLOW: Final = 20
# A usual value: a text in quotes without an escape, a number of digits, or a plain scalar that is no number: a text or
# a word with a meaning (kplan/yamlio/scalars.py). All of it ASCII, without comments.
_USUAL: Final = lazy(
    r'"([ !#-\[\]-~]*)"|([1-9][0-9]{0,17})|'
    r"(?:--?[A-Za-z]|[A-Za-z_/])[ !\"$-9;-~]*+(?::[!\"$-9;-~][ !\"$-9;-~]*+)*+(?<! )"
)


class Slot(NamedTuple):
    """In the tree of a layout: where the value is in the list that `Layout.build` fills.

    `flow` says where the text of a flow collection is that makes the value, -1 for none.
    """

    at: int
    flow: int = -1


class _BlockPart(NamedTuple):
    """A block scalar: the line after its header, the header, the column of its key, and the line after its text."""

    line: int
    header: Block
    indent: int
    end: int


class Layout:
    """One layout: `tree` is the value with a Slot in the place of each scalar or flow collection; it starts on `line`
    of the document, from 1. Raises Unusual for a tree that cannot be made in this way."""

    __slots__ = (
        *("_blocks", "_flows", "_last", "_parts", "_views"),
        *("head", "is_object", "line", "make", "plans", "tree"),
    )

    def __init__(self, tree: Any, line: int, blocks: Sequence[_BlockPart], flows: Sequence[int]) -> None:
        self.tree = tree
        self.line = line
        self.is_object = isinstance(tree, dict) and "items" not in tree  # a list is taken apart
        self._blocks = tuple(blocks)
        self._flows = tuple(flows)
        _check(tree)
        self.make = _Maker(tree)
        # The value, but of what is in maps and lists only the plain values of `metadata`.
        self.head = _Maker(_head_of(tree))
        self._last: tuple[Any, Any] = (None, None)
        self._views: dict[Hashable, Callable[[Sequence[Any]], Any]] = {}
        self._parts: dict[tuple[str | int, ...], Callable[[Sequence[Any]], Any]] = {}
        self.plans: dict[Any, Any] = {}  # what users of the layout know of it

    def fill(self, values: Sequence[Any], lines: list[str]) -> Sequence[Any]:
        """The slots of a document, given the values of its lines. Raises Unusual for one that has another layout."""
        if not self._blocks and not self._flows:
            return values
        slots = list(values)
        for line, header, indent, end in self._blocks:
            text, after = multiline.block(lines, line, header, indent)
            if after != end:
                raise Unusual
            slots.append(text)
        for place in self._flows:
            slots.append(flow.parse(slots[place], _DEEPEST_FLOW))
        return slots

    def value(self, slots: Sequence[Any]) -> Any:
        """The value of a document. The last one is remembered, for it is mostly asked for again."""
        known, value = self._last
        if known is not slots:
            value = self.make(slots)
            self._last = (slots, value)
        return value

    def part(self, slots: Sequence[Any], path: tuple[str | int, ...]) -> Any:
        """The part of the value at a path, None where there is none."""
        make = self._parts.get(path)
        if make is None:
            make = self._parts[path] = self._part(path)
        return make(slots)

    def at(self, path: tuple[str | int, ...]) -> Any:
        """The tree at a path: a slot of a flow collection that the path leads into, None where there is nothing."""
        tree = self.tree
        for step in path:
            if isinstance(tree, Slot) and tree.flow >= 0:
                return tree
            if isinstance(tree, dict):
                tree = tree.get(step)
            elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
                tree = tree[step]
            else:
                return None
        return tree

    def _part(self, path: tuple[str | int, ...]) -> Callable[[Sequence[Any]], Any]:
        tree = self.at(path)
        if tree is None:
            return lambda _: None
        if isinstance(tree, Slot) and tree.flow >= 0:
            return lambda slots: _inside(self.value(slots), path)
        return _Maker(tree)

    def view(self, name: Hashable, slots: Sequence[Any], select: Callable[[Any], Any]) -> Any:
        """What `select` leaves of the tree, with the values of a document; asked once for each name."""
        make = self._views.get(name)
        if make is None:
            tree = select(self.tree)
            make = self._views[name] = _Maker(tree) if tree is not None else lambda _: None
        return make(slots)


def _inside(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _head_of(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree if isinstance(tree, Slot) else []
    head: dict[str, Any] = {name: part if isinstance(part, Slot) else {} for name, part in tree.items()}
    if isinstance(tree.get("metadata"), dict):
        head["metadata"] = {name: part for name, part in tree["metadata"].items() if isinstance(part, Slot)}
    return head


class _Maker:
    """Makes the value of a tree from what is in the slots: part by part at first, by code once that is worth it.

    The code is nothing but literals: a value made by literals takes a third of the time of one made part by part.
    """

    __slots__ = ("_make", "_tree", "_used")

    def __init__(self, tree: Any) -> None:
        self._tree = tree
        self._used = 0
        self._make: Callable[[Sequence[Any]], Any] | None = None

    def __call__(self, slots: Sequence[Any]) -> Any:
        if self._make is not None:
            return self._make(slots)
        self._used += 1
        if self._used >= _WORTH_CODE:
            self._make = eval(f"lambda v: {_code(self._tree)}", {"__builtins__": {}})  # noqa: S307
        return _filled(self._tree, slots)


def _filled(tree: Any, slots: Sequence[Any]) -> Any:
    if isinstance(tree, Slot):
        return slots[tree.at]
    if isinstance(tree, dict):
        return {name: _filled(part, slots) for name, part in tree.items()}
    return [_filled(part, slots) for part in tree]


def _code(tree: Any) -> str:
    if isinstance(tree, Slot):
        return f"v[{tree.at:d}]"
    if isinstance(tree, dict):
        return "{" + ",".join(f"{name!r}:{_code(part)}" for name, part in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(map(_code, tree)) + "]"
    raise TypeError(f"no part of a layout: {tree!r}")


def _check(tree: Any) -> None:
    """Raise Unusual for a tree that holds anything but maps, lists and slots, such as a list item without a value."""
    if not isinstance(tree, Slot):
        if not isinstance(tree, dict | list):
            raise Unusual
        for part in tree.values() if isinstance(tree, dict) else tree:
            _check(part)


class Layouts:
    """The layouts that were seen, by the kinds of lines."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.seen = _Seen(lines)
        self._known: dict[tuple[int, ...], Layout | int] = {}

    def find(self, key: tuple[int, ...]) -> Layout | bool:
        """The layout of a document with these kinds of lines; True if it is worth to be learnt now."""
        known = self._known.get(key, 0)
        if not isinstance(known, int):
            return known
        if not known and len(self._known) >= _MOST_KEPT:
            self._known.clear()
        self._known[key] = known + 1
        return known + 1 == _WORTH

    def learn(
        self, key: tuple[int, ...], lines: list[str], start: int, read: Callable[[list[Line]], Any]
    ) -> Layout | None:
        """Write the layout of a document down; `read` gives the value of a list of lines. Not all have one."""
        blocks: list[_BlockPart] = []
        flows: list[int] = []
        try:
            tree = read(self._with_slots(lines, start, blocks, flows))
            found = self._known[key] = Layout(tree, start + 1, blocks, flows)
        except Unusual:
            return None  # its count is past the one that counts
        return found

    def _with_slots(self, lines: list[str], n: int, blocks: list[_BlockPart], flows: list[int]) -> list[Line]:
        """The lines with slots in the place of values. Raises Unusual for values that go on in another line."""
        found: list[tuple[int, Line, Any]] = []
        while n < len(lines):
            line, n = self._lines[lines[n]], n + 1
            value = _inner(line)
            if value[0] == LATER and isinstance(value[3], Block):
                if value[2] is None:
                    raise Unusual
                _, end = multiline.block(lines, n, value[3], value[1])
                blocks.append(_BlockPart(n, value[3], value[1], end))
                found.append((n - 1, line, blocks[-1]))
                n = end
            else:
                found.append((n - 1, line, value))
        flows += [at for at, _, v in found if not isinstance(v, _BlockPart) and v[0] == LATER]
        places = {at: len(lines) + len(blocks) + i for i, at in enumerate(flows)}
        made = []
        for at, line, value in found:
            slot = Slot(at)
            if isinstance(value, _BlockPart):
                slot = Slot(len(lines) + blocks.index(value))
            elif value[0] == LATER:
                if not _is_whole_flow(value[3]):
                    raise Unusual
                slot = Slot(places[at], at)
            made.append(_replaced(line, slot))
        return made


def _inner(line: Line) -> Line:
    while line[0] == ITEM and line[3] is not None:
        line = line[3]
    return line


def _is_whole_flow(value: Any) -> bool:
    return isinstance(value, str) and value[0] in "[{" and value[-1] in "]}"


def _replaced(line: Line, slot: Slot) -> Line:
    kind, col, name, value, _ = line
    if kind == ITEM:
        return (kind, col, name, None if value is None else _replaced(value, slot), None)
    if kind == LATER:
        kind = SCALAR if name is None else PAIR
    return (kind, col, name, slot if kind in (PAIR, OPEN, SCALAR) else value, None)


class _Seen(dict[str, tuple[int, Any]]):
    """Of each line a number that says all of it but the value, and the value: a scalar, the text of a flow collection,
    or None."""

    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines
        self._numbers: dict[Any, int] = {}
        self._heads: dict[str, int] = {}  # by the key and what is before it
        self._items: dict[str, int] = {}  # by what is before the dash
        self._count = count()

    def __missing__(self, line: str) -> tuple[int, Any]:
        head, mark, text = line.partition(": ")
        heads = self._heads
        if not mark:
            head, mark, text = line.partition("- ")
            heads = self._items
        usual = _USUAL.fullmatch(text) if mark else None
        number = heads.get(head) if usual is not None else -1
        if number is None:
            number = self._head(heads, head, mark)
        if usual is not None and number >= 0:
            quoted, digits = usual.groups()
            value = int(digits) if digits is not None else WORDS.get(text, text) if quoted is None else quoted
            found = (number, value)
        else:
            found = self._unusual(line)
        if len(self) >= _MOST_KINDS:
            self.clear()
        if len(line) <= LONGEST_KEPT:
            self[line] = found
        return found

    def _unusual(self, line: str) -> tuple[int, Any]:
        if is_separator(line):
            return SEPARATOR, None
        made = self._lines[line]
        kind, _, _, value, _ = _inner(made)
        is_value = kind in (PAIR, SCALAR) or (kind == LATER and isinstance(value, str))
        number = self._number(made)
        return SEPARATOR - 1 - number if line[:3] == "---" else number, value if is_value else None

    def _head(self, heads: dict[str, int], head: str, mark: str) -> int:
        """The number of the lines that start so, if nothing is unusual about their start; else -1."""
        start = f"{head}{mark}a"
        line = read_line(start)
        kind, _, _, value, _ = _inner(line)
        is_usual = kind in (PAIR, SCALAR) and value == "a" and start[:3] != "---"
        found = self._number(line) if is_usual else -1
        keep(heads, head, found)
        return found

    def _number(self, line: Line) -> int:
        if len(self._numbers) >= _MOST_KINDS:  # numbers are not used again: what was learnt by them is forgotten
            for memory in (self._numbers, self._heads, self._items, self):
                memory.clear()
        return self._numbers.setdefault(_what(line), next(self._count))


def _what(line: Line) -> tuple[Any, ...]:
    kind, col, name, value, _ = line
    if kind == ITEM:
        return (kind, col, value and _what(value))
    if kind == LATER and isinstance(value, str):
        return (kind, col, name, _is_whole_flow(value))
    return (kind, col, name, value if kind == LATER else None)
