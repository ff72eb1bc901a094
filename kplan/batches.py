"""Batches: objects whose documents have one layout, taken together.

All that differs between them are the values in the slots. So what holds for many objects is asked of a column, the
values of one slot in all objects of a batch, and not of one object after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kplan.hints import Any
from kplan.model import Object


class Batch:
    """Objects of one layout that are written with one group, version and kind; `positions` are theirs in the input."""

    __slots__ = ("_namespaces", "layout", "objects", "positions", "rows")

    def __init__(self, layout: Any) -> None:
        self.layout = layout
        self.objects: list[Object] = []
        self.positions: list[int] = []
        self.rows: list[Sequence[Any]] = []  # the values in the slots of each
        self._namespaces: list[str] | None = None

    @property
    def group(self) -> str:
        """The group that all of them are written with."""
        return self.objects[0].ref.group

    @property
    def kind(self) -> str:
        """The kind that all of them are written with."""
        return self.objects[0].ref.kind

    @property
    def namespaces(self) -> list[str]:
        """The namespace of each."""
        if self._namespaces is None:
            self._namespaces = [obj.ref.namespace for obj in self.objects]
        return self._namespaces

    def column(self, at: int) -> list[Any]:
        """The values in one slot."""
        return [row[at] for row in self.rows]


def batches(objects: Iterable[Object]) -> list[Batch]:
    """The batches of those objects that have a layout, each in the order of the input."""
    made: dict[tuple[Any, ...], Batch] = {}
    for position, obj in enumerate(objects):
        laid_out = obj.document.layout if obj.document is not None else None
        if laid_out is not None:
            layout, row = laid_out
            group, version, kind, _, _ = obj.ref
            key = (id(layout), group, version, kind)
            batch = made.get(key)
            if batch is None:
                batch = made[key] = Batch(layout)
            batch.objects.append(obj)
            batch.positions.append(position)
            batch.rows.append(row)
    return list(made.values())
