"""Layouts: what stands on which line of a document, learnt once for the many documents that differ in values only.

Two documents have one layout when each line of one has the kind, the column and the key of that line of the other; the
fast parser then takes the same way through both. A layout is that way written down: which maps and lists to make of the
values of the lines. Making them needs no look at the lines any more, and what is known of a layout (kplan/lint) is
known of all its documents.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from operator import itemgetter

from kplan.hints import Any, Final
from kplan.tuples import NamedTuple
from kplan.workloads import get
from kplan.yamlio import flow, multiline
from kplan.yamlio.flow import Unusual
from kplan.yamlio.lines import (
    ITEM,
    LATER,
    OPEN,
    PAIR,
    SCALAR,
    Block,
    Line,
    Lines,
)
from kplan.yamlio.seen import VALUE, Seen, inner, is_whole_flow

LONGEST: Final = 400  # lines of a document that is remembered
_MOST_KEPT: Final = 2_000
_WORTH: Final = 3  # documents of one layout, until it is written down
_WORTH_CODE: Final = 12  # values of one tree, until code is made that makes them
_DEEPEST_FLOW: Final = 20


class Slot(NamedTuple):
    """In the tree of a layout: where the value is among those that `Layout.fill` gives.

    `flow` says where the text of a flow collection is that makes the value, -1 for none; `line` on which line of the
    document it stands, from 0 and without a separator, -1 for a block scalar.
    """

    at: int
    flow: int = -1
    line: int = -1


class _BlockPart(NamedTuple):
    """A block scalar: the line after its header, the header, the column of its key, and the line after its text."""

    line: int
    header: Block
    indent: int
    end: int


class Layout:
    """One layout: `tree` is the value with a Slot in the place of each scalar or flow collection; it starts on `line`
    of the document, from 1. `places` are the lines of which there are values, from 0; after these values come those of
    the blocks and of the flow collections. Raises Unusual for a tree that cannot be made in this way."""

    __slots__ = (
        *("_blocks", "_flows", "_last", "_parts", "_pick", "_views"),
        *("head", "is_object", "line", "make", "plans", "tree"),
    )

    def __init__(
        self, tree: Any, line: int, places: Sequence[int], blocks: Sequence[_BlockPart], flows: Sequence[int]
    ) -> None:
        self.tree = tree
        self.line = line
        self.is_object = isinstance(tree, dict) and "items" not in tree  # a list is taken apart
        self._pick = getter(places)
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

    def fill(self, seen: Sequence[tuple[int, Any]], lines: list[str]) -> Sequence[Any]:
        """The slots of a document, given its lines and what they say. Raises Unusual if its layout is another."""
        slots: Any = tuple(map(VALUE, self._pick(seen)))
        if not self._blocks and not self._flows:
            return slots  # type: ignore[no-any-return]
        slots = list(slots)
        for line, header, indent, end in self._blocks:
            text, after = multiline.block(lines, line, header, indent)
            if after != end:
                raise Unusual
            slots.append(text)
        for place in self._flows:
            slots.append(flow.parse(slots[place], _DEEPEST_FLOW))
        return slots  # type: ignore[no-any-return]

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
            return lambda slots: get(self.value(slots), *path)
        return _Maker(tree)

    def view(self, name: Hashable, slots: Sequence[Any], select: Callable[[Any], Any]) -> Any:
        """What `select` leaves of the tree, with the values of a document; asked once for each name."""
        make = self._views.get(name)
        if make is None:
            tree = select(self.tree)
            make = self._views[name] = _Maker(tree) if tree is not None else lambda _: None
        return make(slots)


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


def getter(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """What takes these places out of a list, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return lambda _: ()
    at = places[0]
    return lambda values: (values[at],)


def _slots(tree: Any) -> Iterator[Slot]:
    if isinstance(tree, Slot):
        yield tree
    elif isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _slots(part)


def _moved(tree: Any, new: Mapping[int, int]) -> Any:
    """The tree with other places for the values."""
    if isinstance(tree, Slot):
        return tree._replace(at=new[tree.at], flow=new[tree.flow])
    if isinstance(tree, dict):
        return {name: _moved(part, new) for name, part in tree.items()}
    return [_moved(part, new) for part in tree] if isinstance(tree, list) else tree


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
        self.seen = Seen(lines)
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
            places = sorted({slot.at for slot in _slots(tree) if slot.at < len(lines)}.union(flows))
            order = [*places, *range(len(lines), len(lines) + len(blocks) + len(flows))]
            new = {at: i for i, at in enumerate(order)} | {-1: -1}
            tree = _moved(tree, new)
            found = self._known[key] = Layout(tree, start + 1, places, blocks, [new[at] for at in flows])
        except Unusual:
            return None  # its count is past the one that counts
        return found

    def _with_slots(self, lines: list[str], n: int, blocks: list[_BlockPart], flows: list[int]) -> list[Line]:
        """The lines with slots in the place of values. Raises Unusual for values that go on in another line."""
        found: list[tuple[int, Line, Any]] = []
        while n < len(lines):
            line, n = self._lines[lines[n]], n + 1
            value = inner(line)
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
            slot = Slot(at, line=at)
            if isinstance(value, _BlockPart):
                slot = Slot(len(lines) + blocks.index(value))
            elif value[0] == LATER:
                if not is_whole_flow(value[3]):
                    raise Unusual
                slot = Slot(places[at], at, at)
            made.append(_replaced(line, slot))
        return made


def _replaced(line: Line, slot: Slot) -> Line:
    kind, col, name, value, _ = line
    if kind == ITEM:
        return (kind, col, name, None if value is None else _replaced(value, slot), None)
    if kind == LATER:
        kind = SCALAR if name is None else PAIR
    return (kind, col, name, slot if kind in (PAIR, OPEN, SCALAR) else value, None)
