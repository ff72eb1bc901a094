"""Where manifests come from: files, folders, globs, standard input, commits. What is none is skipped and counted."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from functools import partial
from os import PathLike, fspath

from kplan import touched
from kplan.errors import KplanError
from kplan.model import Document, Loaded, Skipped, Span, Unreadable
from kplan.source import files, kinds
from kplan.source.context import Surroundings
from kplan.source.entry import Entry
from kplan.yamlio import Limits, read

STDIN = "-"
_COMMIT = "git:"
_HEAD = 64 * 1024

__all__ = ["load"]


def load(
    paths: Iterable[str | PathLike[str]],
    *,
    stdin: bytes | None = None,
    limits: Limits | None = None,
    exclude: Iterable[str] = (),
) -> Loaded:
    """The documents of files, folders (recursive), globs, `-` for `stdin`, `git:REF` and `git:REF:PATH`.

    Documents that no API server reads (templates, values, kustomizations, patches, …) are skipped with a reason. One
    without apiVersion and kind is skipped in a folder; in a file that the user named, or beside manifests in one file,
    it is unreadable. `exclude` are globs; one without `/` matches any part of a path. Documents of files on disk do not
    keep their texts, unless there is a word for kplan in them. Raises KplanError for a path that does not exist.
    """
    limits = limits or Limits()
    surroundings = Surroundings()
    documents: list[Document] = []
    skipped: list[Skipped] = []
    unreadable: list[Unreadable] = []
    count = 0
    with CollectorPaused():
        for found in _unique(_found(paths, stdin, limits, tuple(exclude))):
            if isinstance(found, Skipped):
                skipped.append(found)
            elif isinstance(found, Unreadable):
                unreadable.append(found)
            else:
                one = _read(found, surroundings, limits)
                documents += one.documents
                skipped += one.skipped
                unreadable += one.unreadable
                count += 1
    return Loaded(tuple(documents), tuple(skipped), tuple(unreadable), count)


class CollectorPaused:
    """Values hold no cycles, and the collector would walk all of them again and again: it doubles the time."""

    def __enter__(self) -> None:
        self._enabled = gc.isenabled()
        gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            gc.enable()


def _found(
    paths: Iterable[str | PathLike[str]], stdin: bytes | None, limits: Limits, exclude: tuple[str, ...]
) -> Iterator[files.Found]:
    for given in paths:
        path = fspath(given)
        if path == STDIN:
            if stdin is None:
                raise KplanError("there is nothing on standard input")
            touched.spoil()
            yield Entry("<stdin>", "", lambda: stdin, lambda _: None, named=True)
        elif path.startswith(_COMMIT):
            from kplan.source import git  # for what is not in the files

            yield from git.entries(path, limits.file_bytes, exclude)
        else:
            yield from files.entries(path, limits.file_bytes, exclude)


def _unique(found: Iterable[files.Found]) -> Iterator[files.Found]:
    """Each file once, however often it was named."""
    seen = set()
    for one in found:
        if isinstance(one, Entry):
            if one.file in seen:
                continue
            seen.add(one.file)
        yield one


def _read(entry: Entry, surroundings: Surroundings, limits: Limits) -> Loaded:
    data = _data(entry)
    if isinstance(data, Unreadable):
        return Loaded((), unreadable=(data,))
    if why := surroundings.why_left_out(entry, data):
        return Loaded((), (Skipped(entry.file, why),))
    return documents(entry, data, limits, keep=entry.state is None)


def _data(entry: Entry) -> bytes | Unreadable:
    try:
        return entry.read()
    except OSError as error:
        return Unreadable(_start(entry.file), f"cannot be read: {error.strerror or error}", "io")


def documents(entry: Entry, data: bytes, limits: Limits, *, keep: bool = True) -> Loaded:
    """What stands in a file that nothing around it says to be no manifest; `keep` says to keep the texts."""
    directives = b"$" in data and (b"$patch" in data or b"$retainKeys" in data)
    skip = partial(kinds.reason, entry.path, directives=directives)
    glance = None if directives else partial(kinds.reason_of_layout, entry.path)
    again = None if keep else entry.read
    loaded = read(data, entry.file, limits=limits, skip=skip, glance=glance, again=again)
    if loaded.unreadable and (why := _no_manifest(entry, data, loaded.unreadable)):
        return Loaded((), (Skipped(entry.file, why),))
    if not (loaded.documents or loaded.skipped or loaded.unreadable):
        return Loaded((), (Skipped(entry.file, "empty"),))
    return _judged(loaded, strict=entry.named or bool(loaded.documents))


def _no_manifest(entry: Entry, data: bytes, problems: tuple[Unreadable, ...]) -> str:
    """Why a file that cannot be read need not be one: it is a template, or never was a manifest; else "".

    In a template it is the braces, on the line that cannot be read or the one before: in texts they do no harm.
    """
    lines = data.split(b"\n")
    if any(b"{{" in line for p in problems for line in lines[max(p.span.line - 2, 0) : p.span.line]):
        return kinds.TEMPLATE
    head = data[:_HEAD].replace(b"\0", b"")
    if not entry.named and not (b"apiVersion" in head and b"kind" in head):
        return kinds.NO_MANIFEST
    return ""


def _judged(loaded: Loaded, *, strict: bool) -> Loaded:
    """With `strict`, documents without apiVersion and kind are no longer skipped but unreadable."""
    if not strict or not loaded.skipped:
        return loaded
    bad = [s for s in loaded.skipped if s.reason == kinds.NO_MANIFEST]
    errors = tuple(Unreadable(s.span or _start(s.file), "no manifest: it has no apiVersion and kind") for s in bad)
    kept = tuple(s for s in loaded.skipped if s.reason != kinds.NO_MANIFEST)
    return Loaded(loaded.documents, kept, loaded.unreadable + errors, loaded.files)


def _start(file: str) -> Span:
    return Span(file, 1, 1, 1, 1)
