"""A file that is to be read: where it comes from matters no more after this."""

from __future__ import annotations

from collections.abc import Callable

from kplan.tuples import NamedTuple

# The device and the number of a file, its size, and when its bytes and anything of it changed, in ns since 1970.
State = tuple[int, int, int, int, int]

# Gives the content of another file of the same place (disk or commit), None if there is none.
ReadOther = Callable[[str], bytes | None]


class Entry(NamedTuple):
    """One file: its name for people, its path (with `/`) for `other`, and how to get its bytes.

    `named` says that the user named the file itself. `read` raises OSError with the reason in `strerror`. `state` is
    what the disk said of the file when it was found (kplan/source/files.py); None for what is not on disk and cannot be
    read again at any time.
    """

    file: str
    path: str
    read: Callable[[], bytes]
    other: ReadOther
    named: bool = False
    state: State | None = None
