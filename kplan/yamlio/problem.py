"""Why a text cannot be read: one sentence and its place."""

from __future__ import annotations


class Problem(Exception):
    """A text that kubectl (or a limit) refuses. Private to the reader: callers get model.Unreadable.

    `line` and `col` count from 1 within the text that was parsed, `col` in code points. `kubectl_line` is the line
    that kubectl prints, which is not always the same one; 0 where it prints none. `code` is `yaml`, `json` or `limit`.
    """

    def __init__(self, message: str, line: int = 1, col: int = 1, *, kubectl_line: int = 0, code: str = "yaml") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.col = col
        self.kubectl_line = kubectl_line
        self.code = code
