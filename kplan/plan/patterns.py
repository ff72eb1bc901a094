"""Path patterns, as facts and ignore rules write them: `spec.ports.*.nodePort`, `**.labels[a.b/c]`.

A place is the tuple of the names on the way to it: field names, and for the items of a list what the plan calls them
(`web`, `80/TCP`), so that a path which kplan printed is a pattern too.
"""

from __future__ import annotations

import re
from functools import lru_cache

Names = tuple[str, ...]

_STEP = re.compile(r"\.?(?:([^.\[\]]+)|\[([^\]]*)\])")


@lru_cache(maxsize=1024)
def parse(text: str) -> Names:
    """The steps of a pattern. `*` stands for one step, `**` for any number; a key with dots stands in brackets.

    Raises ValueError for a text that is no pattern.
    """
    steps: list[str] = []
    at = 0
    while at < len(text):
        m = _STEP.match(text, at)
        if m is None:
            raise ValueError(f"{text!r} is not a path")
        steps.append(m[1] if m[1] is not None else m[2].strip("\"'"))
        at = m.end()
    if not steps:
        raise ValueError("an empty path")
    return tuple(steps)


def matches(pattern: Names, names: Names) -> bool:
    """Whether the pattern means exactly this place."""
    if not pattern:
        return not names
    if pattern[0] == "**":
        return any(matches(pattern[1:], names[n:]) for n in range(len(names) + 1))
    return bool(names) and pattern[0] in ("*", names[0]) and matches(pattern[1:], names[1:])


def covers(pattern: Names, names: Names) -> bool:
    """Whether the pattern means this place or one above it."""
    return any(matches(pattern, names[:n]) for n in range(1, len(names) + 1))


def leads_to(pattern: Names, names: Names) -> bool:
    """Whether the pattern may mean a place below this one."""
    if not names:
        return bool(pattern)
    if not pattern:
        return False
    if pattern[0] == "**":
        return True
    return pattern[0] in ("*", names[0]) and leads_to(pattern[1:], names[1:])
