"""Regular expressions that are compiled when they are first used: a run uses a few of the many that are loaded."""

from __future__ import annotations

import re

from kplan.hints import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import AnyStr

_METHODS = ("match", "fullmatch", "search", "sub", "split", "findall", "finditer")


class _Pattern:
    """Stands for a compiled pattern; once one of its methods is asked for, it has them all."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        compiled = re.compile(*self._source)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def lazy(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """A pattern as `re.compile` gives it, compiled when it is first used; a faulty one is an error then."""
    return _Pattern(pattern, flags)  # type: ignore[return-value]
