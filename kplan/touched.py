"""Which files and folders a run looked at, those too that were not there: what its result depends on."""

from __future__ import annotations


class Touched:
    """The paths in the order in which they were first seen. `whole` is false once something else counted as well."""

    def __init__(self) -> None:
        self.paths: dict[str, None] = {}
        self.whole = True


_current: Touched | None = None


def record(into: Touched | None) -> None:
    """Write down what is looked at from now on; None ends it."""
    global _current
    _current = into


def touch(path: object) -> None:
    """A file or folder is looked at."""
    if _current is not None:
        _current.paths[str(path)] = None


def spoil() -> None:
    """Something is looked at that has no path."""
    if _current is not None:
        _current.whole = False
