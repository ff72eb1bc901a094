"""JSON Merge Patch (RFC 7386) and JSON Patch (RFC 6902), as the API server applies them.

The library behind it is github.com/evanphx/json-patch: negative indexes count from the end of a list, and a test of a
place that does not exist holds for null. Nothing is changed in place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kplan.api.decode import copied
from kplan.model import ABSENT

Value = dict[str, Any]


class PatchError(Exception):
    """An operation that cannot be carried out; the text says which and why."""


def merge(target: Any, patch: Any) -> Any:
    """The target after a JSON merge patch: null removes, an object goes into its parts, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge(out.get(name), value)
    return out


def apply(target: Any, operations: list[Any]) -> Any:
    """The target after the operations of a JSON patch, one after the other; raises PatchError."""
    document = copied(target)
    for n, operation in enumerate(operations):
        act = _OPERATIONS.get(str(operation.get("op"))) if isinstance(operation, dict) else None
        if act is None:
            raise PatchError(f"operation {n} is none of {', '.join(sorted(_OPERATIONS))}")
        try:
            document = act(document, operation)
        except PatchError as why:
            raise PatchError(f"{operation['op']} operation {n} does not apply: {why}") from None
    return document


def _pointer(operation: Value, name: str) -> list[str]:
    text = operation.get(name)
    if not isinstance(text, str) or (text and not text.startswith("/")):
        raise PatchError(f"{name} is not a JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]


def _index(step: str, end: int) -> int:
    """A place in a list; `end` is the first index that is out of range."""
    if not _NUMBER.fullmatch(step):
        raise PatchError(f"{step!r} is no index")
    index = int(step)
    if not -end <= index < end:
        raise PatchError(f"index {index} is out of range")
    return index if index >= 0 else index + end


def _find(document: Any, steps: list[str]) -> Any:
    """The value at a place; ABSENT if there is none. Raises PatchError if the way there does not exist."""
    here = document
    for depth, step in enumerate(steps):
        if isinstance(here, dict):
            here = here.get(step, ABSENT)
        elif isinstance(here, list):
            here = here[_index(step, len(here))]
        else:
            raise PatchError(f"there is nothing at /{'/'.join(steps[:depth])}")
    return here


def _holder(document: Any, steps: list[str]) -> Any:
    if not steps:
        raise PatchError("this cannot be done to the whole document")
    holder = _find(document, steps[:-1])
    if not isinstance(holder, dict | list):
        raise PatchError(f"there is no object or list at /{'/'.join(steps[:-1])}")
    return holder


def _put(document: Any, steps: list[str], value: Any) -> Any:
    holder, last = _holder(document, steps), steps[-1]
    if isinstance(holder, dict):
        holder[last] = value
    else:
        at = len(holder) if last == "-" else _index(last, len(holder) + 1)
        holder.insert(at, value)
    return document


def _take(document: Any, steps: list[str]) -> Any:
    """Remove the value at a place and return it."""
    holder, last = _holder(document, steps), steps[-1]
    if isinstance(holder, dict):
        if last not in holder:
            raise PatchError(f"there is no {last!r}")
        return holder.pop(last)
    return holder.pop(_index(last, len(holder)))


def _add(document: Any, operation: Value) -> Any:
    return _put(document, _pointer(operation, "path"), copied(operation.get("value")))


def _remove(document: Any, operation: Value) -> Any:
    _take(document, _pointer(operation, "path"))
    return document


def _replace(document: Any, operation: Value) -> Any:
    steps, value = _pointer(operation, "path"), copied(operation.get("value"))
    if not steps and isinstance(value, dict | list):
        return value
    holder, last = _holder(document, steps), steps[-1]
    if isinstance(holder, dict):
        if last not in holder:
            raise PatchError(f"there is no {last!r}")
        holder[last] = value
    else:
        holder[_index(last, len(holder))] = value
    return document


def _move(document: Any, operation: Value) -> Any:
    start, steps = _pointer(operation, "from"), _pointer(operation, "path")
    if steps[: len(start)] == start and steps != start:
        raise PatchError("a value cannot be moved into itself")
    return _put(document, steps, _take(document, start))


def _copy(document: Any, operation: Value) -> Any:
    value = _find(document, _pointer(operation, "from"))
    if value is ABSENT:
        raise PatchError(f"there is nothing at {operation['from']}")
    return _put(document, _pointer(operation, "path"), copied(value))


def _test(document: Any, operation: Value) -> Any:
    found, wanted = _find(document, _pointer(operation, "path")), operation.get("value")
    if not _equal(None if found is ABSENT else found, wanted):
        raise PatchError("the value is another")
    return document


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return a == b and (type(a) is bool) == (type(b) is bool)


_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")
_OPERATIONS: Mapping[str, Callable[[Any, Value], Any]] = {
    "add": _add,
    "copy": _copy,
    "move": _move,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
}
