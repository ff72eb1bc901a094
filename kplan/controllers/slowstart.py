"""The order in which what is done side by side most likely happens.

The real controllers start a goroutine for each item of a batch. Go's scheduler puts the one that was started last at
the head of its queue, and the others follow in order; recordings show this order more often than the plain one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def side_by_side(batch: Sequence[T]) -> list[T]:
    """The items of a batch in the order in which they get their turn."""
    return [*batch[-1:], *batch[:-1]]
