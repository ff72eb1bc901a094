"""What the registry of each kind does to an object before it is validated and stored."""

from __future__ import annotations

from typing import Any

from kplan.api.request import Request

Value = dict[str, Any]


def prepare_for_create(obj: Value, request: Request) -> Value:  # noqa: ARG001
    """The object as it would be stored; `obj` may be changed in place."""
    return obj
