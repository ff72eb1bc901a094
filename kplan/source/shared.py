"""Two places read together: a file whose bytes both have is read once, or never.

What such a file holds follows from its bytes alone, so whoever knows it from before need not read it again. What the
two places do not share is loaded as always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from os import PathLike
from typing import NamedTuple

from kplan.model import Document, Loaded, Skipped, Unreadable
from kplan.source import _collector_paused, _data, _found, _unique, documents, files
from kplan.source.context import Surroundings
from kplan.source.entry import Entry
from kplan.yamlio import Limits

SEPARATOR = "\t"
_DIGITS = 32
Paths = Iterable[str | PathLike[str]]
# Says in a few words what a file holds, () if that cannot be said without the name of the file.
# The descriptions must not have the separator, nor an end of a line.
Describe = Callable[[Loaded], tuple[str, ...]]


class Shared(NamedTuple):
    """A file with the same bytes on both sides; `holds` describes each of its documents, in their order."""

    data: bytes
    current: Entry
    desired: Entry
    holds: tuple[str, ...]

    def read(self) -> tuple[Loaded, Loaded]:
        """What it holds, as it is called on the current and on the desired side."""
        return documents(self.current, self.data, Limits()), documents(self.desired, self.data, Limits())


class Both(NamedTuple):
    """The current and the desired side, but for the files that they share."""

    current: Loaded
    desired: Loaded
    shared: tuple[Shared, ...]


class _Place:
    """One side while it is read: what was found, in order, with the bytes of each file."""

    def __init__(self, paths: Paths, exclude: tuple[str, ...], limits: Limits) -> None:
        self.limits = limits
        self.surroundings = Surroundings()
        self.found: list[tuple[files.Found, bytes]] = []
        self.left: set[str] = set()  # files that are shared
        for one in _unique(_found(paths, None, limits, exclude)):
            data = _data(one) if isinstance(one, Entry) else b""
            self.found.append((data, b"") if isinstance(data, Unreadable) else (one, data))

    def loaded(self) -> Loaded:
        """What `kplan.source.load` gives, without the shared files."""
        read: list[Document] = []
        skipped: list[Skipped] = []
        unreadable: list[Unreadable] = []
        count = 0
        for one, data in self.found:
            if isinstance(one, Skipped):
                skipped.append(one)
            elif isinstance(one, Unreadable):
                unreadable.append(one)
            elif one.file in self.left:
                continue
            elif why := self.surroundings.why_left_out(one, data):
                skipped.append(Skipped(one.file, why))
            else:
                loaded = documents(one, data, self.limits)
                read += loaded.documents
                skipped += loaded.skipped
                unreadable += loaded.unreadable
            count += 1
        return Loaded(tuple(read), tuple(skipped), tuple(unreadable), count)


def load_both(
    current: Paths,
    desired: Paths,
    *,
    describe: Describe,
    known: MutableMapping[str, str],
    exclude: Iterable[str] = (),
) -> Both:
    """The documents of two places. `known` has what is known of contents, by their digest; what is learnt is added.

    A file is shared if `describe` says something of what it holds, and nothing around it leaves it out on either side.
    Raises KplanError as `kplan.source.load` does. Standard input cannot be read in this way.
    """
    limits = Limits()
    with _collector_paused():
        old, new = (_Place(paths, tuple(exclude), limits) for paths in (current, desired))
        partners = {data: one for one, data in new.found if isinstance(one, Entry)}
        shared = []
        for one, data in old.found:
            if not isinstance(one, Entry) or (partner := partners.get(data)) is None:
                continue
            if old.surroundings.why_left_out(one, data) or new.surroundings.why_left_out(partner, data):
                continue
            holds = _holds(one, data, limits, describe, known)
            if holds:
                del partners[data]
                shared.append(Shared(data, one, partner, holds))
                old.left.add(one.file)
                new.left.add(partner.file)
        return Both(old.loaded(), new.loaded(), tuple(shared))


def _holds(
    entry: Entry, data: bytes, limits: Limits, describe: Describe, known: MutableMapping[str, str]
) -> tuple[str, ...]:
    from hashlib import sha256  # slow to load

    digest = sha256(data).hexdigest()[:_DIGITS]
    found = known.get(digest)
    if found is not None:
        return tuple(found.split(SEPARATOR))
    holds = describe(documents(entry, data, limits))
    if holds:
        known[digest] = SEPARATOR.join(holds)
    return holds
