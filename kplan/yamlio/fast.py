"""The fast parser: block YAML as manifests have it, line by line, in Python alone.

It takes the common subset with the meaning that the complete parser gives it, and raises Unusual for everything else:
anchors, tags, merge keys, duplicate keys, tabs, whatever is wrong. tools/differential.py holds the two together.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from kplan.yamlio import flow, multiline
from kplan.yamlio.flow import Unusual
from kplan.yamlio.limits import Limits
from kplan.yamlio.lines import COMMENT, EMPTY, END, ITEM, LATER, OPEN, OTHER, SCALAR, Block, Lines

_SEPARATOR: Final = re.compile(r"---(?: *| +#[\t\x20-\x7e]*)")
_LONGEST_FLOW: Final = 10_000  # in lines: it may have no end
_MOST_BRACKETS: Final = 1_000  # on one line that does not end with one
_NOTHING: Final = (EMPTY, COMMENT)
_LINES: Final = Lines()


class Parsed(NamedTuple):
    """The value and the line of the text it starts on, from 1."""

    value: Any
    line: int


def parse(text: str, limits: Limits) -> Parsed:
    """The document in a text that ends with a newline. Raises Unusual."""
    lines = text.split("\n")
    lines.pop()
    start = 1 if _SEPARATOR.fullmatch(lines[0]) else 0
    while start < len(lines) and _LINES[lines[start]][0] in _NOTHING:
        start += 1
    if start == len(lines):
        return Parsed(None, 0)
    return Parsed(_document(lines, start, limits.depth), start + 1)


def _document(lines: list[str], n: int, depth: int) -> Any:  # noqa: C901 - one loop, where all the time goes
    """The value of the lines from the n-th on.

    `top` is the open map or list, `indent` its column, `mapping` whether it is a map; `stack` holds those around it.
    `key` is where the last value went (in a list, the last item), and `waiting` says that it has none so far.
    """
    known = _LINES
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
    if value.count("[") + value.count("{") > _MOST_BRACKETS:
        raise Unusual
    parts = [value]
    still_open = flow.open_brackets(value)
    while still_open > 0 and n < len(lines) and not lines[n].startswith("..."):
        if len(parts) > _LONGEST_FLOW or not lines[n].isprintable():
            raise Unusual
        if lines[n].lstrip(" ")[:1] != "#":
            parts.append(lines[n])
            still_open += flow.open_brackets(lines[n])
        n += 1
    return flow.parse("\n".join(parts), depth), n
