"""Rows of cells as columns of even width."""

from __future__ import annotations

from collections.abc import Sequence

from kplan.render.sanitise import one_line


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns of even width; a row may have fewer cells, its last one then runs on."""
    safe = [[one_line(cell) for cell in row] for row in rows]
    width = [0] * max(map(len, safe))
    for row in safe:
        full = len(row) == len(width)
        for i, cell in enumerate(row if full else row[:-1]):
            width[i] = max(width[i], len(cell))
    return "\n".join("  ".join(cell.ljust(width[i]) for i, cell in enumerate(row)).rstrip() for row in safe)
