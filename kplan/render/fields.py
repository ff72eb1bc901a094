"""Parts of an object as text: absent and wrongly typed parts count as empty, so that any object can be shown."""

from __future__ import annotations

import json
from typing import Any

from kplan.workloads import get

Value = dict[str, Any]

NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"


def text(value: object, *path: str | int) -> str:
    """The text, number or truth at a path; "" where there is none."""
    return plain(get(value, *path))


def plain(value: object) -> str:
    """A value as Go's fmt prints it; "" for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def number(value: object, *path: str | int, default: int = 0) -> int:
    """The integer at a path, or the default."""
    found = get(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def mapping(value: object, *path: str | int) -> Value:
    """The mapping at a path; {} where there is none."""
    found = get(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: object, *path: str | int) -> list[Any]:
    """The list at a path; [] where there is none."""
    found = get(value, *path)
    return found if isinstance(found, list) else []


def texts(value: object, *path: str | int) -> list[str]:
    """The list at a path, each item as text."""
    return [plain(v) for v in items(value, *path)]


def condition(obj: Value, kind: str) -> Value | None:
    """The condition of this type in `status.conditions`, or None."""
    return next((c for c in items(obj, "status", "conditions") if isinstance(c, dict) and c.get("type") == kind), None)


def pairs(labels: object, separator: str = ",") -> str:
    """Labels as `a=1,b=2`, sorted; `<none>` if there are none."""
    if not isinstance(labels, dict) or not labels:
        return NONE
    return separator.join(f"{k}={plain(labels[k])}" for k in sorted(labels))


def shortened(names: list[str], most: int) -> str:
    """The first names joined by commas, and how many more there are: `a,b + 3 more...`."""
    more = len(names) - most
    return ",".join(names[:most]) + (f" + {more} more..." if more > 0 else "")
