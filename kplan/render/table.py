"""kubectl's tables: upper-case headers, columns three blanks apart, one table for each kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kplan.render.tabs import align

_LEAST, _PADDING = 6, 3
_BREAK = re.compile(r"[\n\r\f]")


class Table(NamedTuple):
    """Names of columns, and rows of as many cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def text(table: Table, *, headers: bool = True) -> str:
    """The table, one row a line. A cell of several lines is cut after the first and ends in `...`."""
    lines = [[name.upper() for name in table.columns]] if headers else []
    lines += [[_first_line(cell) for cell in row] for row in table.rows]
    return "".join(f"{line}\n" for line in align(lines, least=_LEAST, padding=_PADDING))


def _first_line(cell: str) -> str:
    m = _BREAK.search(cell)
    return f"{cell[: m.start()]}..." if m else cell
