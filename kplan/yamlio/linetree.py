"""The places in a YAML document, from its lines: the same as kplan/yamlio/yamltree.py gives.

The complete parser takes longer to load than most runs take. What the fast parser has read is known to be right, so
here columns alone say what belongs to what, and no more is looked at than is asked for. Raises Unusual for what goes
beyond: yamltree then does it.
"""

from __future__ import annotations

from kplan.hints import Final
from kplan.model import Path
from kplan.patterns import lazy
from kplan.yamlio import flow, multiline, scalars
from kplan.yamlio.flow import Unusual
from kplan.yamlio.lines import COMMENT, EMPTY, END, ITEM, LATER, OPEN, OTHER, PAIR, Block, Line, Lines
from kplan.yamlio.positions import Entry, Node, Place, Tree

_BREAKS: Final = "\r\x85\u2028\u2029"  # what libyaml counts as the end of a line and the fast parser does not
_SPACES: Final = (" ", "\n")
_NOTHING: Final[Line] = (EMPTY, 0, None, None, None)
_QUOTED: Final = lazy(r""""[^"\\]*(?:\\.[^"\\]*)*"|'[^']*(?:''[^']*)*'""")
_TO_QUOTE: Final = {'"': lazy(r'[^"\\]*(?:\\.[^"\\]*)*"'), "'": lazy(r"[^']*(?:''[^']*)*'")}
_PLAIN_KEY: Final = lazy(r"[^:]+(?::[^ ][^:]*)*(?=:(?: |$))")
_PLAIN_IN_FLOW: Final = lazy(r"[^\s,\[\]{}:]+(?:(?: +|:)[^\s,\[\]{}:]+)*")


class LineTree(Tree):
    """The places in a document that the fast parser has read from its line `start` on (0 is the first); `known` is its
    memory of lines. What is unusual may be noticed when it is made or when a place is asked for.

    What stands where is a row of entries: the items of lists, the keys of maps, with the scalar or flow collection on
    their line, and those that stand alone. A collection is meant by its first entry.
    """

    __slots__ = ("after", "at", "collections", "entries", "known", "lines")

    def __init__(self, text: str, start: int, known: Lines) -> None:
        super().__init__()  # the fast parser takes no key twice
        if any(character in text for character in _BREAKS):
            raise Unusual
        self.lines = text.split("\n")
        self.lines.pop()
        self.known = known
        self.at: list[int] = []  # the line of each entry
        self.entries: list[Line] = []
        self.after: dict[int, int] = {}  # of an entry that takes several lines the line after it
        self.collections: dict[int, tuple[dict[str | int, int], int]] = {}
        self._read(start)

    def _read(self, n: int) -> None:
        at, entries, lines, known = self.at, self.entries, self.lines, self.known
        count = len(lines)
        while n < count:
            line = known[lines[n]]
            while line[0] == ITEM:
                at.append(n)
                entries.append(line)
                line = line[3] or _NOTHING
            kind = line[0]
            if kind in (PAIR, OPEN):
                at.append(n)
                entries.append(line)
                n += 1
            elif kind in (EMPTY, COMMENT):
                n += 1
            elif kind == END:
                break
            else:
                n = self._longer(line, n)
        if not entries:
            raise Unusual

    def _longer(self, line: Line, n: int) -> int:
        """Take what stands alone on the n-th line, or may go on; the line after it."""
        last = len(self.entries) - 1
        if line[2] is None and last >= 0 and self.entries[last][0] not in (OPEN, ITEM):
            _, self.after[last] = multiline.plain(self.lines, self.known, n, self.at[last], self._parent(last))
            return self.after[last]
        if line[0] == OTHER:
            raise Unusual
        self.at.append(n)
        self.entries.append(line)
        value = line[3]
        if line[0] != LATER:
            return n + 1
        if isinstance(value, Block):
            _, after = multiline.block(self.lines, n + 1, value, self._parent(last + 1))
        elif value[0] in "\"'":
            _, after = multiline.quoted(self.lines, n + 1, value)
        elif value[-1] in "]}":
            return n + 1
        else:
            _, after = multiline.collection(self.lines, n + 1, value)
        self.after[last + 1] = after
        return after

    def _parent(self, i: int) -> int:
        """The column of the map or list that an entry is the scalar of."""
        if self.entries[i][2] is not None:
            return self.entries[i][1]
        return self.entries[i - 1][1] if i else -1

    def find(self, path: Path, *, key: bool = False) -> tuple[Place, Place]:
        """The extent of the value at `path`, or of the key that leads to it; else of the nearest parent there is."""
        first, named = 0, None
        for depth, step in enumerate(path):
            if self._is_leaf(first):
                return self._leaf(first).find(path[depth:], key=key)
            members = self._members(first)[0]
            named = members.get(step, members.get(str(step)))
            if named is None:
                break
            if not self._opens(named):
                if key and depth + 1 == len(path) and self.entries[named][2] is not None:
                    break
                return self._leaf(named).find(path[depth + 1 :], key=key)
            first = named + 1
        if key and named is not None and self.entries[named][2] is not None:
            n, col = self.at[named], self.entries[named][1]
            return (n, col), (n, _key(self.lines[n], col)[0])
        if self._is_leaf(first):
            return self._leaf(first).find((), key=key)
        return (self.at[first], self.entries[first][1]), self._leaf(self._members(first)[1]).end

    def _is_leaf(self, i: int) -> bool:
        """Whether what starts with an entry is no collection."""
        return self.entries[i][0] != ITEM and self.entries[i][2] is None

    def _members(self, first: int) -> tuple[dict[str | int, int], int]:
        """The entries of a collection by key or place, and the last entry in it."""
        if first not in self.collections:
            found: dict[str | int, int] = {}
            col, is_list = self.entries[first][1], self.entries[first][0] == ITEM
            end = len(self.entries)
            for i in range(first, end):
                line = self.entries[i]
                if line[1] == col and (line[0] == ITEM) == is_list:
                    found[len(found) if line[2] is None else line[2]] = i
                elif line[1] < col or (line[1] == col and is_list):
                    end = i
                    break
            self.collections[first] = found, end - 1
        return self.collections[first]

    def _opens(self, i: int) -> bool:
        """Whether the value of an entry is what the next one starts."""
        line, n = self.entries[i], i + 1
        if line[0] not in (OPEN, ITEM) or n == len(self.entries):
            return False
        following = self.entries[n]
        return following[1] > line[1] or (line[0] == OPEN and following[0] == ITEM and following[1] == line[1])

    def _leaf(self, i: int) -> Node:
        """The scalar or flow collection on the line of an entry, or that there is none."""
        kind, col, name, value, _ = self.entries[i]
        n = self.at[i]
        if kind == ITEM:
            return Node((n, col + 1), (n, col + 1))
        line, colon, at = self.lines[n], 0, col
        if name is not None:
            _, colon, at = _key(line, col)
        if kind == OPEN:
            return Node((n, colon), (n, colon))
        text, after = line[at:], self.after.get(i, n + 1)
        if kind == LATER and text[0] in "[{":
            return _Flow(multiline.collection(self.lines, n + 1, text)[0] if after > n + 1 else text, n, at).whole()
        if kind == LATER and not isinstance(value, Block):
            end = self._last_quote(after - 1, text[0])
        elif kind == LATER or after > n + 1:
            end = self._before(after, n, at)
        elif quoted := _QUOTED.match(text) if text[0] in "\"'" else None:
            end = (n, at + quoted.end())
        else:
            end = (n, at + len(text.partition(" #")[0].rstrip(" ")))
        return Node((n, at), end)

    def _before(self, after: int, first: int, at: int) -> Place:
        """The end of the last text before a line; the scalar starts on `first`, at a column."""
        last = after - 1
        while last > first and not self.lines[last].strip():
            last -= 1
        return (last, at + len(self.lines[first][at:].rstrip()) if last == first else len(self.lines[last].rstrip()))

    def _last_quote(self, n: int, quote: str) -> Place:
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
    """A flow collection, by its text from its first bracket on: that is at a column of a line."""

    def __init__(self, text: str, line: int, col: int) -> None:
        self.text = text
        self.line = line
        self.col = col
        self.at = 0

    def place(self) -> Place:
        lines = self.text.count("\n", 0, self.at)
        return (self.line + lines, self.at - self.text.rindex("\n", 0, self.at) - 1 if lines else self.col + self.at)

    def whole(self) -> Node:
        found = self.node()
        rest = self.text[self.at :].lstrip(" ")
        if rest and rest[0] != "#":
            raise Unusual
        return found

    def next(self) -> str:
        while self.text[self.at : self.at + 1] in _SPACES:
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
