"""Why a text cannot be read: one sentence and its place."""

from __future__ import annotations


class ReadError(Exception):
    """A text that kubectl (or a limit) refuses. Private to the reader: callers get model.Unreadable.

    `line` and `col` count from 1, `col` in code points. `place` is what kubectl prints as the place: the line of a YAML
    document by go-yaml's count, which is not always the same one, or the byte offset in JSON; 0 where it prints none.
    `code` is `yaml`, `json`, `number`, `encoding` or `limit`.
    """

    def __init__(self, message: str, line: int = 1, col: int = 1, *, place: int = 0, code: str = "yaml") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.col = col
        self.place = place
        self.code = code


def at(text: str, index: int, message: str, *, place: int = 0, code: str = "yaml") -> ReadError:
    """A problem at an index of the text."""
    line = text.count("\n", 0, index) + 1
    return ReadError(message, line, index - text.rfind("\n", 0, index), place=place, code=code)
