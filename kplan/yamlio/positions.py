"""Where the parts of a document stand in its file: it is parsed a second time when a place is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from kplan.hints import Any
from kplan.model import Duplicate, Path, Span
from kplan.tuples import NamedTuple
from kplan.yamlio.flow import Unusual

Place = tuple[int, int]  # line from 0, column from 0


class Node(NamedTuple):
    """A value: its extent and its children."""

    start: Place
    end: Place
    children: dict[str, Entry] | list[Node] | None = None

    def find(self, path: Path, *, key: bool = False) -> tuple[Place, Place]:
        """The extent of the value at `path`, or of the key that leads to it; else of the nearest parent there is."""
        node, named = self, None
        for step in path:
            child: Any = None
            if isinstance(node.children, dict):
                child = node.children.get(str(step))
            elif isinstance(node.children, list) and isinstance(step, int) and 0 <= step < len(node.children):
                child = node.children[step]
            if child is None:
                named = None
                break
            named = child if isinstance(child, Entry) else None
            node = child.value if isinstance(child, Entry) else child
        found = named if key and named else node
        return found.start, found.end


class Entry(NamedTuple):
    """A key of a map, its extent, and its value."""

    start: Place
    end: Place
    value: Node


class Tree:
    """Where the parts of a document stand, and the keys that stand twice in one map, with their paths."""

    __slots__ = ("duplicates",)

    def __init__(self, duplicates: Sequence[tuple[Path, Entry, Entry]] = ()) -> None:
        self.duplicates = duplicates

    def find(self, path: Path, *, key: bool = False) -> tuple[Place, Place]:
        """The extent of the value at `path`, or of the key that leads to it; else of the nearest parent there is."""
        raise NotImplementedError


class Nodes(Tree):
    """A document by its root."""

    __slots__ = ("root",)

    def __init__(self, root: Node, duplicates: Sequence[tuple[Path, Entry, Entry]] = ()) -> None:
        super().__init__(duplicates)
        self.root = root

    def find(self, path: Path, *, key: bool = False) -> tuple[Place, Place]:
        """What the root says."""
        return self.root.find(path, key=key)


class Positions:
    """The places of one document; calling it with a path gives the span.

    `text` starts on `line` of the file; it may be what gives it by this line, or "" if nobody can: all places are then
    the start of the document, the line `start`. A JSON document starts at the index `json_start` of the text.
    `by_lines` gives the places of a text that the fast parser has read, or raises Unusual.
    """

    __slots__ = ("_text", "_tree", "by_lines", "file", "json_start", "line", "start")

    def __init__(
        self,
        file: str,
        text: str | Callable[[int], str],
        line: int,
        *,
        start: int = 0,
        json_start: int | None = None,
        by_lines: Callable[[str], Tree] | None = None,
    ) -> None:
        self.file = file
        self._text = text
        self.line = line
        self.start = start or line
        self.json_start = json_start
        self.by_lines = by_lines
        self._tree: Tree | None = None

    def __call__(self, path: Path, *, key: bool = False) -> Span:
        """The place of the value at `path`, or of the key that leads to it; else of the nearest parent there is."""
        try:
            start, end = self.tree.find(path, key=key)
        except Unusual:
            self.by_lines = self._tree = None  # lines alone do not tell
            start, end = self.tree.find(path, key=key)
        return self._span(start, end)

    def within(self, prefix: Path) -> Callable[..., Span]:
        """The places of a part of the document, by paths from there."""
        return partial(self._within, prefix)

    def _within(self, prefix: Path, path: Path, *, key: bool = False) -> Span:
        return self(prefix + path, key=key)

    def duplicates(self) -> tuple[Duplicate, ...]:
        """The keys that stand more than once in one map."""
        return tuple(
            Duplicate(path, self._span(first.start, first.end), self._span(second.start, second.end))
            for path, first, second in self.tree.duplicates
        )

    @property
    def tree(self) -> Tree:
        """What knows the places."""
        if self._tree is None:
            self._tree = self._made()
        return self._tree

    def _made(self) -> Tree:
        text = self._text if isinstance(self._text, str) else self._text(self.line)
        if not text:
            place = (self.start - self.line, 0)
            return Nodes(Node(place, place))
        if self.json_start is not None:
            from kplan.yamlio.jsontree import json_tree

            return json_tree(text, self.json_start)
        if self.by_lines is not None:
            return self.by_lines(text)
        from kplan.yamlio.yamltree import yaml_tree

        return yaml_tree(text)

    def _span(self, start: Place, end: Place) -> Span:
        return Span(self.file, start[0] + self.line, start[1] + 1, end[0] + self.line, end[1] + 1)
