"""Functions over lists that came late: slices, sorting and the like. Follows cel-go's ext/lists.go, version 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cmp_to_key

from kplan.api.cel.errors import BudgetError, EvalError
from kplan.api.cel.values import compare, equal, type_name
from kplan.hints import Any

# What costs more than one expression may: so many items made, or compared each with each.
_MOST_MADE, _MOST_PAIRED = 1_000_000, 1_000
_TOO_MUCH = "operation cancelled: actual cost limit exceeded"
_COMPARABLE = frozenset({"int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes"})


def sorted_by(items: list[Any], keys: list[Any]) -> list[Any]:
    """The items in the order of their keys, which must all be of one type that has an order. Raises EvalError."""
    kinds = {type_name(k) for k in keys}
    if not kinds <= _COMPARABLE:
        raise EvalError("list elements must be comparable")
    if len(kinds) > 1:
        raise EvalError("list elements must have the same type")
    order = cmp_to_key(lambda a, b: compare(a, b) or 0)
    ranked = sorted(range(len(items)), key=lambda i: order(keys[i]))
    return [items[i] for i in ranked]


def _distinct(items: list[Any]) -> list[Any]:
    if all(isinstance(item, str) for item in items):
        return list(dict.fromkeys(items))
    if len(items) > _MOST_PAIRED:
        raise BudgetError(_TOO_MUCH)
    out: list[Any] = []
    for item in items:
        if not any(equal(item, known) for known in out):
            out.append(item)
    return out


def _slice(items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise EvalError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise EvalError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise EvalError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return items[start:end]


def _flatten(items: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise EvalError("level must be non-negative")
    out: list[Any] = []
    for item in items:
        out += _flatten(item, depth - 1) if isinstance(item, list) and depth > 0 else [item]
    return out


def _range(count: int) -> list[int]:
    if count > _MOST_MADE:
        raise BudgetError(_TOO_MUCH)
    return list(range(count))


FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("slice", "list"): _slice,
    ("flatten", "list"): _flatten,
    ("distinct", "list"): _distinct,
    ("reverse", "list"): lambda items: items[::-1],
    ("sort", "list"): lambda items: sorted_by(items, items),
    ("lists.range", "int"): _range,
}
