"""Reading objects that nobody has checked: the wanted part of a value, or an empty one of the wanted type.

What is stored in a cluster is normally well-formed; a file that was never validated may hold anything.
"""

from __future__ import annotations

from typing import Any

from kplan import quantity

Value = dict[str, Any]


def _get(value: Any, path: tuple[str, ...]) -> Any:
    """The value at a path of keys, or None; unlike workloads.get for objects only, because it runs for every pod."""
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def mapping(value: object, *path: str) -> Value:
    """The object at a path; {} when there is none."""
    found = _get(value, path)
    return found if isinstance(found, dict) else {}


def items(value: object, *path: str) -> list[Value]:
    """The objects in the list at a path; [] when there is none."""
    found = _get(value, path)
    return [x for x in found if isinstance(x, dict)] if isinstance(found, list) else []


def strings(value: object, *path: str) -> tuple[str, ...]:
    """The texts in the list at a path."""
    found = _get(value, path)
    return tuple(x for x in found if isinstance(x, str)) if isinstance(found, list) else ()


def text(value: object, *path: str) -> str:
    """The text at a path; the empty text when there is none."""
    found = _get(value, path)
    return found if isinstance(found, str) else ""


def string_map(value: object, *path: str) -> dict[str, str]:
    """The map of texts at a path, such as labels."""
    return {k: v for k, v in mapping(value, *path).items() if isinstance(v, str)}


def number(value: object, *path: str, default: int = 0) -> int:
    """The whole number at a path."""
    found = _get(value, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else default


def size(value: object, *path: str) -> int:
    """The quantity at a path in whole units, rounded up; 0 when there is none."""
    found = quantity.normalise(_get(value, path))
    return quantity.parse(found).value if found else 0
