"""The nodes of a JSON value with their places."""

from __future__ import annotations

import re
from bisect import bisect_right
from json.decoder import scanstring  # type: ignore[attr-defined]  # left out of the stubs
from typing import Final

from kplan.model import Path
from kplan.yamlio.positions import Entry, Node, Nodes, Place
from kplan.yamlio.scalars import replace_surrogates

_JSON_TOKEN: Final = re.compile(r"[ \t\r\n]*([\[\]{},:\"]|[^\s\[\]{},:\"]+)")


def json_tree(text: str, start: int) -> Nodes:
    """The nodes of a JSON value that has been read before; it starts at an index of the text."""
    return _JsonNodes(text, start).tree()


class _JsonNodes:
    """Builds the nodes of a JSON text that has been read before, so that it is known to be right."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.index = start
        self.lines = [0, *(m.end() for m in re.finditer("\n", text))]
        self.duplicates: list[tuple[Path, Entry, Entry]] = []

    def tree(self) -> Nodes:
        return Nodes(self.node(self.token(), ()), self.duplicates)

    def token(self) -> re.Match[str]:
        token = _JSON_TOKEN.match(self.text, self.index)
        assert token is not None
        self.index = token.end()
        return token

    def place(self, index: int) -> Place:
        line = bisect_right(self.lines, index) - 1
        return (line, index - self.lines[line])

    def node(self, token: re.Match[str], path: Path) -> Node:
        start = self.place(token.start(1))
        if token[1] == "{":
            return self.object(start, path)
        if token[1] == "[":
            return self.array(start, path)
        if token[1] == '"':
            self.string()
        return Node(start, self.place(self.index))

    def string(self) -> str:
        text, self.index = scanstring(self.text, self.index)
        return replace_surrogates(text)

    def object(self, start: Place, path: Path) -> Node:
        children: dict[str, Entry] = {}
        while (token := self.token())[1] != "}":
            if token[1] == ",":
                continue
            key_start, key = self.place(token.start(1)), self.string()
            key_end = self.place(self.index)
            self.token()  # the colon
            entry = Entry(key_start, key_end, self.node(self.token(), (*path, key)))
            if key in children:
                self.duplicates.append(((*path, key), children[key], entry))
            children[key] = entry
        return Node(start, self.place(self.index), children)

    def array(self, start: Place, path: Path) -> Node:
        children: list[Node] = []
        while (token := self.token())[1] != "]":
            if token[1] != ",":
                children.append(self.node(token, (*path, len(children))))
        return Node(start, self.place(self.index), children)
