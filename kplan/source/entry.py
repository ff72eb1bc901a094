"""A file that is to be read: where it comes from matters no more after this."""

from __future__ import annotations

from collections.abc import Callable

from kplan.tuples import NamedTuple

# Gives the content of another file of the same place (disk or commit), None if there is none.
ReadOther = Callable[[str], bytes | None]


class Entry(NamedTuple):
    """One file: its name for people, its path (with `/`) for `other`, and how to get its bytes.

    `named` says that the user named the file itself. `read` raises OSError with the reason in `strerror`. As long as
    the file has this `state` its bytes are the same; "" where nobody can tell. `lasts` says that the file can be read
    again at any time.
    """

    file: str
    path: str
    read: Callable[[], bytes]
    other: ReadOther
    named: bool = False
    state: str = ""
    lasts: bool = False
