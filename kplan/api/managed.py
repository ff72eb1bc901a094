"""Server-side apply (stub)."""

from __future__ import annotations
from typing import Any, NamedTuple

Value = dict[str, Any]
KUBECTL = "kubectl"


class Manager(NamedTuple):
    name: str
    api_version: str


def same(new: Value, old: Value) -> bool:
    return new == old


def apply(value, stored, node, manager, *, force):
    return value, []


def with_entries(new, entries):
    return new
