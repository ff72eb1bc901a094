"""Did you mean …?"""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str:
    """The name that is most like this one, case apart; "" if none is near."""
    from kplan import likewords

    by_lower = {n.lower(): n for n in sorted(names)}
    near = likewords.nearest(name.lower(), by_lower, 0.75)
    return by_lower[near] if near else ""
