"""Columns from cells, as Go's text/tabwriter sets them: a column reaches over neighbouring lines that have it."""

from __future__ import annotations

from collections.abc import Sequence

from kplan.render.sanitise import one_line


def align(lines: Sequence[Sequence[str]], *, least: int = 0, padding: int = 2) -> list[str]:
    """Each line's cells set into columns, control characters made visible, nothing blank at the end.

    The last cell of a line belongs to no column. A column's width is that of its widest cell and the padding, at
    least `least`; a line that lacks the column ends it.
    """
    safe = [[_safe(i, cell) for i, cell in enumerate(line)] for line in lines]
    out = [""] * len(safe)
    for column in range(max((len(line) for line in safe), default=0)):
        start = 0
        while start < len(safe):
            end = start
            while end < len(safe) and len(safe[end]) - 1 > column:
                end += 1
            width = max([least, *(len(safe[i][column]) + padding for i in range(start, end))])
            for i in range(start, end):
                out[i] += safe[i][column].ljust(width)
            if end < len(safe) and len(safe[end]) - 1 == column:
                out[end] += safe[end][column]
            start = end + 1
    return [line.rstrip() for line in out]


def _safe(index: int, cell: str) -> str:
    """Only the first cell can start a line, and with it a command of a build server."""
    return one_line(cell) if index == 0 or "#" in cell or not cell.isascii() or not cell.isprintable() else cell
