"""Names with a part that nobody can know, on their way through the API server.

What a server draws at random is `<1>` in a name, the time of a run `<t1>`. No validation would take such names, nor
those that are derived from them, such as the claims of a pod's ephemeral volumes. They are checked as a server could
have made them, in digits and of the same length, and stored under their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Value = dict[str, Any]

_OPEN = re.compile(r"<(?P<kind>t?)(?P<number>\d+)>")
# What generateName adds; and minutes since 1970, which have so many digits from 1989 to 2160.
_DIGITS = {"": 5, "t": 8}


def closed(obj: Value) -> tuple[Value, Callable[[Any], Any]]:
    """An object whose name the API server can judge, and the way back for whatever contains that name."""
    meta = obj["metadata"]
    name = meta.get("name") or meta.get("generateName") or ""
    last = name.rfind(">") + 1
    stem = name[:last]
    stand_in = _OPEN.sub(lambda m: f"{int(m['number']):0{_DIGITS[m['kind']]}d}", stem)
    if stand_in == stem:
        return obj, lambda value: value
    closed_obj: Value = _replaced(obj, stem, stand_in)
    return closed_obj, lambda value: _replaced(value, stand_in, stem)


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {k: _replaced(v, old, new) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, old, new) for v in value]
    return value
