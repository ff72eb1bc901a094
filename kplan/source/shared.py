"""Two places read together: a file whose bytes both have is read once, or never.

What such a file holds follows from its bytes alone, and its bytes from its state on disk: whoever knows either from
before need not look again. What the two places do not share is loaded as always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import NamedTuple

from kplan.errors import KplanError
from kplan.model import Document, Loaded, Skipped, Unreadable
from kplan.source import CollectorPaused, _data, _found, _unique, documents
from kplan.source.context import TEMPLATES, Surroundings
from kplan.source.entry import Entry
from kplan.yamlio import Limits

SEPARATOR = "\t"
_DIGITS = 32
Paths = Iterable[str | PathLike[str]]
# Says in a few words what a file holds, () if that cannot be said without the name of the file.
# The descriptions must not have the separator, nor an end of a line.
Describe = Callable[[Loaded], tuple[str, ...]]


class Known(NamedTuple):
    """What is known from before: the digest of a file's bytes by its state, and what bytes hold by their digest."""

    digests: dict[str, str]
    holds: dict[str, str]


class Shared(NamedTuple):
    """A file with the same bytes on both sides; `holds` describes each of its documents, in their order."""

    current: Entry
    desired: Entry
    holds: tuple[str, ...]

    def data(self) -> bytes:
        """Its bytes. Raises KplanError if they cannot be read any more."""
        data = _data(self.desired)
        if isinstance(data, Unreadable):
            raise KplanError(f"{self.desired.file}: {data.message}")
        return data

    def read(self) -> tuple[Loaded, Loaded]:
        """What it holds, as it is called on the current and on the desired side."""
        data = self.data()
        return documents(self.current, data, Limits()), documents(self.desired, data, Limits())


class Both(NamedTuple):
    """The current and the desired side, but for the files that they share."""

    current: Loaded
    desired: Loaded
    shared: tuple[Shared, ...]


class _File(NamedTuple):
    """A file with the digest of its bytes; the bytes are None where they did not have to be read."""

    entry: Entry
    digest: str
    data: bytes | None


class _Place:
    """One side while it is read: what was found, in order."""

    def __init__(self, paths: Paths, exclude: tuple[str, ...], known: Known) -> None:
        self.limits = Limits()
        self.surroundings = Surroundings()
        self.found: list[_File | Skipped | Unreadable] = []
        self.left: set[str] = set()  # files that are shared
        for one in _unique(_found(paths, None, self.limits, exclude)):
            self.found.append(_seen(one, known) if isinstance(one, Entry) else one)

    def why_left_out(self, file: _File) -> str:
        """Why a file is no manifest whatever it holds."""
        entry = file.entry
        braces = file.data is None and TEMPLATES in entry.path
        return self.surroundings.why_left_out(entry, entry.read() if braces else file.data or b"")

    def loaded(self) -> Loaded:
        """What `kplan.source.load` gives, without the shared files."""
        read: list[Document] = []
        skipped: list[Skipped] = []
        unreadable: list[Unreadable] = []
        count = 0
        for one in self.found:
            if isinstance(one, Skipped):
                skipped.append(one)
            elif isinstance(one, Unreadable):
                unreadable.append(one)
            elif one.entry.file not in self.left:
                loaded = self._read(one)
                read += loaded.documents
                skipped += loaded.skipped
                unreadable += loaded.unreadable
                count += 1
        return Loaded(tuple(read), tuple(skipped), tuple(unreadable), count)

    def _read(self, file: _File) -> Loaded:
        data = file.data if file.data is not None else _data(file.entry)
        if isinstance(data, Unreadable):
            return Loaded((), unreadable=(data,))
        if why := self.surroundings.why_left_out(file.entry, data):
            return Loaded((), (Skipped(file.entry.file, why),))
        return documents(file.entry, data, self.limits)


def _seen(entry: Entry, known: Known) -> _File | Unreadable:
    digest = known.digests.get(entry.state) if entry.state else None
    if digest is not None:
        return _File(entry, digest, None)
    data = _data(entry)
    if isinstance(data, Unreadable):
        return data
    from hashlib import sha256  # slow to load

    digest = sha256(data).hexdigest()[:_DIGITS]
    if entry.state:
        known.digests[entry.state] = digest
    return _File(entry, digest, data)


def load_both(current: Paths, desired: Paths, *, describe: Describe, known: Known, exclude: Iterable[str] = ()) -> Both:
    """The documents of two places. What is learnt of files is added to what is `known`.

    A file is shared if `describe` says something of what it holds, and nothing around it leaves it out on either side.
    Raises KplanError as `kplan.source.load` does. Standard input cannot be read in this way.
    """
    with CollectorPaused():
        old, new = (_Place(paths, tuple(exclude), known) for paths in (current, desired))
        partners = {one.digest: one for one in new.found if isinstance(one, _File)}
        shared = []
        for one in old.found:
            if not isinstance(one, _File) or (partner := partners.get(one.digest)) is None:
                continue
            if old.why_left_out(one) or new.why_left_out(partner):
                continue
            holds = _holds(one, describe, known)
            if holds:
                del partners[one.digest]
                shared.append(Shared(one.entry, partner.entry, holds))
                old.left.add(one.entry.file)
                new.left.add(partner.entry.file)
        return Both(old.loaded(), new.loaded(), tuple(shared))


def _holds(file: _File, describe: Describe, known: Known) -> tuple[str, ...]:
    """What a file holds, () if that is not known and cannot be said."""
    found = known.holds.get(file.digest)
    if found is not None:
        return tuple(found.split(SEPARATOR)) if found else ()
    data = file.data if file.data is not None else _data(file.entry)
    if isinstance(data, Unreadable):
        return ()
    holds = describe(documents(file.entry, data, Limits()))
    known.holds[file.digest] = SEPARATOR.join(holds)
    return holds
