"""The fast parser: block YAML as manifests have it, line by line, in Python alone.

It takes the common subset with the meaning that the complete parser gives it, and raises Unusual for everything else:
anchors, tags, merge keys, duplicate keys, tabs, whatever is wrong. tools/differential.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

from kplan.hints import TYPE_CHECKING, Any, Final
from kplan.tuples import NamedTuple
from kplan.yamlio import flow, multiline
from kplan.yamlio.flow import Unusual
from kplan.yamlio.layout import LONGEST, Layout, Layouts
from kplan.yamlio.limits import Limits
from kplan.yamlio.lines import COMMENT, EMPTY, END, ITEM, LATER, OPEN, OTHER, SCALAR, Block, Line, Lines, is_separator
from kplan.yamlio.seen import NUMBER, SEPARATOR

if TYPE_CHECKING:
    from kplan.yamlio.positions import Tree

_NOTHING: Final = (EMPTY, COMMENT)
_LINES: Final = Lines()
_LAYOUTS: Final = Layouts(_LINES)
_SEEN: Final = _LAYOUTS.seen.__getitem__
_DEPTH: Final = Limits().depth
_tuple: Final = tuple.__new__  # takes a third of the time of a constructor
# What a layout may be nested, so that a flow collection in it stays within the limit.
_LAYOUT_DEPTH: Final = 50


class Parsed(NamedTuple):
    """The value and the line of the text it starts on, from 1; or a layout and the values in its slots, of which the
    value is made when it is asked for."""

    content: Any
    line: int
    layout: Layout | None = None

    @property
    def value(self) -> Any:
        """The value of the document."""
        return self.content if self.layout is None else self.layout.value(self.content)

    @property
    def slots(self) -> Sequence[Any]:
        """The values in the slots of the layout."""
        return () if self.layout is None else self.content


def parse(text: str, limits: Limits) -> Parsed:
    """The document in a text that ends with a newline. Raises Unusual."""
    lines = text.split("\n")
    lines.pop()
    if len(lines) > LONGEST:
        before = 1 if is_separator(lines[0]) else 0
        return _parsed(lines[before:], before, limits.depth)
    seen = look_up(lines)
    return document(lines, seen, tuple(map(NUMBER, seen)), limits)


def look_up(lines: list[str]) -> list[tuple[int, Any]]:
    """Of each line the number of its kind and the value (kplan/yamlio/layout.py)."""
    return list(map(_SEEN, lines))


def is_divided(numbers: tuple[int, ...]) -> bool:
    """Whether lines with these numbers are divided into documents by separators, as they should be."""
    return not _LAYOUTS.seen.has_odd or min(numbers) >= SEPARATOR


def document(lines: list[str], seen: list[tuple[int, Any]], numbers: tuple[int, ...], limits: Limits) -> Parsed:
    """The document in lines, given what `look_up` says of them, and the numbers by themselves. Raises Unusual."""
    before = 0
    if numbers[0] == SEPARATOR:
        before, lines, seen, numbers = 1, lines[1:], seen[1:], numbers[1:]
    if limits.depth != _DEPTH or len(lines) > LONGEST:
        return _parsed(lines, before, limits.depth)
    layout = _LAYOUTS.find(numbers)
    if isinstance(layout, Layout):
        laid_out = _laid_out(layout, seen, lines, before)
        if laid_out is not None:
            return laid_out
    found = _parsed(lines, before, limits.depth)
    if layout is True and found.line:
        learnt = _LAYOUTS.learn(numbers, lines, found.line - before - 1, _tree)
        return (_laid_out(learnt, seen, lines, before) if learnt else None) or found
    return found


def tree(text: str) -> Tree:
    """The places in a text that `parse` has taken. Raises Unusual, now or when one is asked for."""
    from kplan.yamlio.linetree import LineTree  # for documents of which something is to be said

    start = 1 if is_separator(text[: text.index("\n")]) else 0
    return LineTree(text, start, _LINES)


def forget() -> None:
    """Drop the values of lines, once all is read that repeats itself: they take as much room as the lines do.

    What lines mean stays known, for places are found by that.
    """
    _LAYOUTS.seen.clear()


def _laid_out(layout: Layout, seen: list[tuple[int, Any]], lines: list[str], before: int) -> Parsed | None:
    try:
        slots = layout.fill(seen, lines)
    except Unusual:
        return None
    return _tuple(Parsed, (slots, before + layout.line, layout))


def _parsed(lines: list[str], before: int, depth: int) -> Parsed:
    """The document in the lines; there are some `before` them."""
    start = 0
    while start < len(lines) and _LINES[lines[start]][0] in _NOTHING:
        start += 1
    if start == len(lines):
        return Parsed(None, 0)
    return Parsed(_document(lines, _LINES, start, depth), before + start + 1)


def _tree(entries: list[Line]) -> Any:
    """The value of lines whose values are slots. Raises Unusual."""
    return _document(range(len(entries)), entries, 0, _LAYOUT_DEPTH)


def _document(lines: Any, known: Any, n: int, depth: int) -> Any:  # noqa: C901 - one loop, where all the time goes
    """The value of the lines from the n-th on; `known` says what each line is.

    `top` is the open map or list, `indent` its column, `mapping` whether it is a map; `stack` holds those around it.
    `key` is where the last value went (in a list, the last item), and `waiting` says that it has none so far.
    """
    root: list[Any] = [None]
    top: Any = root
    key: Any = -1
    indent, mapping, waiting = -1, False, True
    stack: list[tuple[Any, int, bool]] = []
    taken = n  # lines before this one belong to a scalar or flow collection of several lines
    count = len(lines)
    while n < count:
        kind, col, name, value, _ = known[lines[n]]
        n += 1
        while kind == ITEM:
            if waiting and (col > indent or (col == indent and mapping)):
                stack.append((top, indent, mapping))
                top[key] = top = []
                indent, mapping = col, False
            else:
                while indent > col:
                    top, indent, mapping = stack.pop()
                if mapping or indent != col:
                    raise Unusual
            top.append(None)
            key, waiting = -1, True
            if value is None:
                kind = EMPTY
            else:
                kind, col, name, value, _ = value
        if name is not None:
            if col != indent or not mapping:
                if waiting and col > indent:
                    stack.append((top, indent, mapping))
                    top[key] = top = {}
                    indent, mapping = col, True
                    if len(stack) > depth:
                        raise Unusual
                else:
                    while indent > col or (indent == col and not mapping):
                        top, indent, mapping = stack.pop()
                    if indent != col:
                        raise Unusual
            if name in top:
                raise Unusual
            key = name
            if kind == LATER:
                top[key], n = _later(lines, n, value, col, depth - len(stack))
                waiting, taken = False, n
            else:
                top[key] = value
                waiting = kind == OPEN
        elif kind in _NOTHING:
            continue
        elif waiting and col > indent and kind != OTHER:
            if kind == SCALAR and indent >= 0:
                top[key] = value
            elif kind == LATER:
                top[key], n = _later(lines, n, value, indent, depth - len(stack))
                taken = n
            else:
                raise Unusual
            waiting = False
        elif not waiting and col > indent:
            if known is not _LINES:
                raise Unusual
            top[key], n = multiline.plain(lines, known, n - 1, taken, indent)
            taken = n
        elif kind == END and indent >= 0:
            break
        else:
            raise Unusual
    if len(stack) > depth:
        raise Unusual
    return root[0]


def _later(lines: list[str], n: int, value: Any, indent: int, depth: int) -> tuple[Any, int]:
    """A value that may go on in the n-th line, and the line after it."""
    if isinstance(value, Block):
        return multiline.block(lines, n, value, indent)
    if value[0] in "\"'":
        return multiline.quoted(lines, n, value)
    if value[-1] in "]}":
        return flow.parse(value, depth), n
    text, n = multiline.collection(lines, n, value)
    return flow.parse(text, depth), n
