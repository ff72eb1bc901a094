"""Names with a part that nobody can know, on their way through the API server.

Objects that stand for several possible ones carry `<1>` or `<t1>` in their names, which no validation would take. They
are checked under a name of the same length in digits, and stored under their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Value = dict[str, Any]

_OPEN = re.compile(r"<(?P<time>t?)(?P<number>\d+)>")
_DIGITS = 8  # minutes since 1970 have so many, from 1989 to 2160
_RANDOM = 5  # characters that generateName adds


def closed(obj: Value) -> tuple[Value, Callable[[Any], Any]]:
    """An object whose name the API server can judge, and the way back for whatever contains that name."""
    meta = obj["metadata"]
    given = meta.get("name") or meta.get("generateName") or ""
    parts = list(_OPEN.finditer(given)) if "<" in given else []
    if not parts:
        return obj, lambda value: value
    name = given[: parts[-1].end()]
    stand_in = _OPEN.sub(_digits, name)
    closed_obj: Value = _replaced(obj, name, stand_in)
    return closed_obj, lambda value: _replaced(value, stand_in, name)


def _digits(part: re.Match[str]) -> str:
    return part["number"].zfill(_DIGITS if part["time"] else _RANDOM)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {k: _replaced(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, old, new) for v in value]
    return value
