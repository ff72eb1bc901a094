"""Objects with other finalizers or owners; an empty list is left out, as a server writes it."""

from __future__ import annotations

from typing import Any

Value = dict[str, Any]


def with_owners(obj: Value, refs: list[Value]) -> Value:
    """The object with these owner references."""
    return _with(obj, "ownerReferences", refs)


def with_finalizer(obj: Value, finalizer: str) -> Value:
    """The object with one finalizer more, at the end."""
    return _with(obj, "finalizers", [*(obj["metadata"].get("finalizers") or ()), finalizer])


def without_finalizer(obj: Value, finalizer: str) -> Value:
    """The object without a finalizer."""
    return _with(obj, "finalizers", [f for f in obj["metadata"].get("finalizers") or () if f != finalizer])


def _with(obj: Value, field: str, items: list[Any]) -> Value:
    meta = {k: v for k, v in obj["metadata"].items() if k != field}
    return {**obj, "metadata": {**meta, **({field: items} if items else {})}}
