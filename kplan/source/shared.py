"""Two places read together: a file whose bytes both have is read once, or never.

What such a file holds follows from its bytes alone, and its bytes from its state on disk: whoever knows either from
before need not look again. What the two places do not share is loaded as always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from os import PathLike, fspath
from time import time_ns

from kplan.errors import KplanError
from kplan.model import Document, Loaded, Skipped, Unreadable
from kplan.source import CollectorPaused, _data, _found, _unique, documents
from kplan.source.context import TEMPLATES, Surroundings
from kplan.source.entry import Entry, State
from kplan.source.files import is_settled
from kplan.tuples import NamedTuple
from kplan.yamlio import Limits

_DIGEST_BYTES = 16
Paths = Iterable[str | PathLike[str]]
# Says in a few words what the bytes of a file hold, () if that cannot be said without its name; the function reads such
# a file.
Describe = Callable[[bytes, Callable[[bytes], Loaded]], tuple[str, ...]]


class Known(NamedTuple):
    """What is known from before: the digest of a file's bytes by its state, and what bytes hold by their digest."""

    digests: dict[State, bytes]
    holds: dict[bytes, tuple[str, ...]]

    def size(self) -> int:
        """How much is known: nothing is forgotten, so another number tells that something was learnt."""
        return len(self.digests) + len(self.holds)


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

    def read(self) -> Loaded:
        """What it holds, as it is called on the desired side. Raises KplanError as `data` does."""
        return documents(self.desired, self.data(), Limits())

    def read_both(self) -> tuple[Loaded, Loaded]:
        """What it holds, as it is called on the current and on the desired side. Raises KplanError as `data` does."""
        data = self.data()
        return documents(self.current, data, Limits()), documents(self.desired, data, Limits())


class Both(NamedTuple):
    """The current and the desired side, but for the files that they share."""

    current: Loaded
    desired: Loaded
    shared: tuple[Shared, ...]


class _File:
    """A file while both sides are read: its bytes, and their digest, are there once somebody has asked for them."""

    __slots__ = ("_data", "_digest", "_known", "_state", "entry", "name", "shared")

    def __init__(self, entry: Entry, name: str, known: Known | None, now: int) -> None:
        self.entry = entry
        self.name = name
        self.shared = False
        self._known = known
        self._state: State | None = None
        self._data: bytes | Unreadable | None = None
        self._digest = b""
        if known is not None and entry.state is not None and is_settled(entry.state, now):
            self._state = entry.state
            self._digest = known.digests.get(entry.state, b"")

    def data(self) -> bytes | Unreadable:
        """The bytes, or why they cannot be had."""
        if self._data is None:
            self._data = _data(self.entry)
        return self._data

    def digest(self) -> bytes:
        """The digest of the bytes, b"" where they cannot be had."""
        if not self._digest and not isinstance(data := self.data(), Unreadable):
            from hashlib import sha256  # slow to load

            self._note(sha256(data).digest()[:_DIGEST_BYTES])
        return self._digest

    def _note(self, digest: bytes) -> None:
        self._digest = digest
        if self._known is not None and self._state is not None:
            self._known.digests[self._state] = digest

    def equals(self, other: _File) -> bool:
        """Whether the other one has the same bytes."""
        if self._digest and other._digest:
            return self._digest == other._digest
        data = self.data()
        if isinstance(data, Unreadable) or data != other.data():
            return False
        if self._known is not None:
            other._note(self.digest())
        return True

    def share(self) -> None:
        """It is shared: nobody asks for the bytes any more."""
        self.shared = True
        self._data = None


class _Place:
    """One side while it is read: what was found, in order."""

    def __init__(self, paths: Paths, exclude: tuple[str, ...], known: Known | None) -> None:
        self.limits = Limits()
        self.surroundings = Surroundings()
        self.found: list[_File | Skipped | Unreadable] = []
        now = time_ns()
        given = [fspath(path) for path in paths]
        roots = [path.removeprefix("./").rpartition(":")[2].removesuffix("/") for path in given]
        for one in _unique(_found(given, None, self.limits, exclude)):
            self.found.append(_File(one, _below(one.path, roots), known, now) if isinstance(one, Entry) else one)

    def files(self) -> list[_File]:
        """The files to read."""
        return [one for one in self.found if isinstance(one, _File)]

    def why_left_out(self, file: _File) -> str:
        """Why a file is no manifest whatever it holds."""
        entry = file.entry
        data = file.data() if TEMPLATES in entry.path else b""
        return self.surroundings.why_left_out(entry, b"" if isinstance(data, Unreadable) else data)

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
            elif not one.shared:
                loaded = self._read(one)
                read += loaded.documents
                skipped += loaded.skipped
                unreadable += loaded.unreadable
                count += 1
        return Loaded(tuple(read), tuple(skipped), tuple(unreadable), count)

    def _read(self, file: _File) -> Loaded:
        data = file.data()
        if isinstance(data, Unreadable):
            return Loaded((), unreadable=(data,))
        if why := self.surroundings.why_left_out(file.entry, data):
            return Loaded((), (Skipped(file.entry.file, why),))
        return documents(file.entry, data, self.limits)


def _below(path: str, roots: Iterable[str]) -> str:
    """What a file is called below the first of these folders that it is in."""
    for root in roots:
        if path.startswith(root):
            return path[len(root) :].removeprefix("/")
    return path


def load_both(
    current: Paths, desired: Paths, *, describe: Describe, known: Known | None = None, exclude: Iterable[str] = ()
) -> Both:
    """The documents of two places. What is learnt of files is added to what is `known`.

    A file is shared if `describe` says something of what it holds, and nothing around it leaves it out on either side.
    Raises KplanError as `kplan.source.load` does. Standard input cannot be read in this way.
    """
    with CollectorPaused():
        old, new = (_Place(paths, tuple(exclude), known) for paths in (current, desired))
        shared = []
        for one, partner in _partners(old.files(), new.files()):
            if old.why_left_out(one) or new.why_left_out(partner):
                continue
            holds = _holds(partner, describe, known)
            if holds:
                shared.append(Shared(one.entry, partner.entry, holds))
                one.share()
                partner.share()
        return Both(old.loaded(), new.loaded(), tuple(shared))


def _partners(current: Iterable[_File], desired: Iterable[_File]) -> Iterator[tuple[_File, _File]]:
    """Pairs of files with the same bytes: those of one name first, then any."""
    named = {file.name: file for file in desired}
    others = []
    for file in current:
        partner = named.get(file.name)
        if partner is not None and file.equals(partner):
            del named[file.name]
            yield file, partner
        else:
            others.append(file)
    moved = {digest: file for file in named.values() if others and (digest := file.digest())}
    for file in others:
        partner = moved.pop(file.digest(), None)
        if partner is not None:
            yield file, partner


def _holds(file: _File, describe: Describe, known: Known | None) -> tuple[str, ...]:
    """What a file holds, () if that is not known and cannot be said."""
    found = known.holds.get(file.digest()) if known is not None else None
    if found is not None:
        return found
    data = file.data()
    if isinstance(data, Unreadable):
        return ()
    limits = Limits()
    holds = describe(data, lambda data: documents(file.entry, data, limits))
    if known is not None:
        known.holds[file.digest()] = holds
    return holds
