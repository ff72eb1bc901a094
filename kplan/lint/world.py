"""All objects of a run, with what cross-object checks ask for. Built once a run; the graph only when a rule needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from kplan import release
from kplan.model import Key, Object


class World:
    """The objects of the input. `closed` says that what is not here does not exist."""

    def __init__(
        self, objects: Iterable[Object], *, version: str = release.DEFAULT, closed: bool = False, externals: Iterable[str] = ()
    ) -> None:
        self.objects = tuple(objects)
        self.version = version
        self.minor = release.minor(version)
        self.closed = closed
        self.externals = tuple(externals)

    @cached_property
    def by_key(self) -> Mapping[Key, list[Object]]:
        """Objects by identity: more than one where the input repeats an object."""
        out: dict[Key, list[Object]] = {}
        for o in self.objects:
            out.setdefault(o.ref.key, []).append(o)
        return out

    @cached_property
    def by_kind(self) -> Mapping[str, list[Object]]:
        """Objects by kind, of any group."""
        out: dict[str, list[Object]] = {}
        for o in self.objects:
            out.setdefault(o.ref.kind, []).append(o)
        return out
