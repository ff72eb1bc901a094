"""The nodes of a YAML document with their places, from its lines: the same as kplan/yamlio/yamltree.py gives.

The complete parser takes longer to load than most runs take. What the fast parser has read is known to be right, so
here columns alone say what belongs to what. Raises Unusual for what goes beyond: yamltree then does it.
"""

from __future__ import annotations

from kplan.hints import Final
from kplan.patterns import lazy
from kplan.yamlio import flow, multiline, scalars
from kplan.yamlio.flow import Unusual
from kplan.yamlio.lines import COMMENT, EMPTY, END, ITEM, LATER, OPEN, PAIR, SCALAR, Block, Line, Lines
from kplan.yamlio.positions import Entry, Node, Place, Tree

_KINDS: Final = frozenset((ITEM, LATER, OPEN, PAIR, SCALAR))
_BREAKS: Final = "\r\x85\u2028\u2029"  # what libyaml counts as the end of a line and the fast parser does not
_QUOTED: Final = lazy(r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^']*(?:''[^']*)*'""")
_TO_QUOTE: Final = {'"': lazy(r'[^"\\]*(?:\\.[^"\\]*)*"'), "'": lazy(r"[^']*(?:''[^']*)*'")}
_PLAIN_KEY: Final = lazy(r"[^:]+(?::[^ ][^:]*)*(?=:(?: |$))")
_PLAIN_IN_FLOW: Final = lazy(r"[^\s,\[\]{}:]+(?:(?: +|:)[^\s,\[\]{}:]+)*")


def line_tree(text: str, start: int, known: Lines) -> Tree:
    """The nodes of a document that the fast parser has read from its line `start` on (0 is the first); `known` is its
    memory of lines. Raises Unusual."""
    if any(character in text for character in _BREAKS):
        raise Unusual
    lines = text.split("\n")
    lines.pop()
    return Tree(_Reader(lines, known).root(start), [])


class _Reader:
    """Goes through the lines; `line` is what stands on the n-th, or None at the end."""

    def __init__(self, lines: list[str], known: Lines) -> None:
        self.lines = lines
        self.known = known
        self.n = 0
        self.line: Line | None = None

    def root(self, start: int) -> Node:
        self.go_to(start)
        found = self.node(-1)
        if self.line is not None:
            raise Unusual
        return found

    def go_to(self, n: int) -> None:
        """Take the next line from the n-th on that is neither empty nor a comment."""
        while n < len(self.lines) and self.known[self.lines[n]][0] in (EMPTY, COMMENT):
            n += 1
        self.n = n
        self.line = self.known[self.lines[n]] if n < len(self.lines) else None
        if self.line is not None and self.line[0] == END:
            self.line = None

    def node(self, parent: int) -> Node:
        """The node that starts here, in a map or list at the column `parent`."""
        line = self.line
        if line is None or line[0] not in _KINDS:
            raise Unusual
        if line[0] == ITEM:
            return self.list(line[1])
        if line[2] is not None:
            return self.map(line[1])
        return self.scalar(line, line[1], parent)

    def list(self, col: int) -> Node:
        start, children = (self.n, col), []
        while self.line is not None and self.line[0] == ITEM and self.line[1] == col:
            dash = (self.n, col + 1)
            if self.line[3] is not None:
                self.line = self.line[3]
                children.append(self.node(col))
            else:
                self.go_to(self.n + 1)
                is_inside = self.line is not None and self.line[1] > col
                children.append(self.node(col) if is_inside else Node(dash, dash))
        return Node(start, children[-1].end, children)

    def map(self, col: int) -> Node:
        start, children = (self.n, col), {}
        while (line := self.line) is not None and line[1] == col and line[2] is not None:
            n, end, colon, at = self.n, *_key(self.lines[self.n], col)
            if line[0] == OPEN:
                self.go_to(n + 1)
                value = self.node(col) if self.opens(col) else Node((n, colon), (n, colon))
            else:
                value = self.scalar(line, at, col)
            children[line[2]] = Entry((n, col), (n, end), value)
        return Node(start, next(reversed(children.values())).value.end, children)

    def opens(self, col: int) -> bool:
        """Whether what stands here is the value of the key before, at the column `col`."""
        return self.line is not None and (self.line[1] > col or (self.line[0] == ITEM and self.line[1] == col))

    def scalar(self, line: Line, at: int, parent: int) -> Node:
        """The scalar or flow collection at the column `at` of the n-th line."""
        n, text = self.n, self.lines[self.n][at:]
        kind, value = line[0], line[3]
        if kind == LATER and isinstance(value, Block):
            _, after = multiline.block(self.lines, n + 1, value, parent)
            end = self.before(after, n, at)
        elif kind == LATER and text[0] in "[{":
            found = _Flow(text, n, at)
            self.go_to(n + 1)
            return found.whole()
        elif kind == LATER:
            _, after = multiline.quoted(self.lines, n + 1, text.rstrip(" "))
            end = self.last_quote(after - 1, text[0])
        elif quoted := _QUOTED.match(text) if text[0] in "\"'" else None:
            end, after = (n, at + quoted.end()), n + 1
        else:
            end, after = (n, at + len(text.partition(" #")[0].rstrip(" "))), n + 1
            self.go_to(after)
            if self.line is not None and self.line[1] > parent:
                _, after = multiline.plain(self.lines, self.known, self.n, n, parent)
                end = self.before(after, n, at)
        self.go_to(after)
        return Node((n, at), end)

    def before(self, after: int, first: int, at: int) -> Place:
        """The end of the last text before a line; the scalar starts on `first`, at a column."""
        last = after - 1
        while last > first and not self.lines[last].strip():
            last -= 1
        return (last, at + len(self.lines[first][at:].rstrip()) if last == first else len(self.lines[last].rstrip()))

    def last_quote(self, n: int, quote: str) -> Place:
        """The end of a scalar in quotes on its last line."""
        found = _TO_QUOTE[quote].match(self.lines[n])
        if found is None:
            raise Unusual
        return (n, found.end())


def _key(line: str, col: int) -> tuple[int, int, int]:
    """Where the key at a column of a line ends, where its colon does, and where its value starts."""
    found = _QUOTED.match(line, col) if line[col] in "\"'" else _PLAIN_KEY.match(line, col)
    if found is None:
        raise Unusual
    at = colon = line.index(":", found.end()) + 1
    while line[at : at + 1] == " ":
        at += 1
    return len(line[: found.end()].rstrip(" ")), colon, at


class _Flow:
    """A flow collection that is whole on one line."""

    def __init__(self, text: str, line: int, col: int) -> None:
        self.text = text
        self.line = line
        self.col = col
        self.at = 0

    def place(self) -> Place:
        return (self.line, self.col + self.at)

    def whole(self) -> Node:
        found = self.node()
        rest = self.text[self.at :].lstrip(" ")
        if rest and rest[0] != "#":
            raise Unusual
        return found

    def next(self) -> str:
        while self.text[self.at : self.at + 1] == " ":
            self.at += 1
        return self.text[self.at : self.at + 1]

    def node(self) -> Node:
        start = self.place()
        opening = self.text[self.at : self.at + 1]
        if opening not in ("[", "{"):
            self.scalar()
            return Node(start, self.place())
        self.at += 1
        items: list[Node] = []
        entries: dict[str, Entry] = {}
        closing = "]" if opening == "[" else "}"
        while self.next() != closing:
            if opening == "[":
                items.append(self.node())
            else:
                self.entry(entries)
            if self.next() == ",":
                self.at += 1
            elif self.next() != closing:
                raise Unusual
        self.at += 1
        return Node(start, self.place(), items if opening == "[" else entries)

    def entry(self, entries: dict[str, Entry]) -> None:
        start = self.place()
        text = self.scalar()
        end = self.place()
        if text[0] in "\"'":
            key = flow.unescape(text[1:-1], text[0])
        else:
            key = scalars.key(scalars.resolve(text))
        if self.next() != ":":
            raise Unusual
        self.at += 1
        self.next()
        entries[key] = Entry(start, end, self.node())

    def scalar(self) -> str:
        is_quoted = self.text[self.at : self.at + 1] in ('"', "'")
        found = (_QUOTED if is_quoted else _PLAIN_IN_FLOW).match(self.text, self.at)
        if found is None:
            raise Unusual
        self.at = found.end()
        return found[0]
