"""Files of a commit, read with `git ls-tree` and `git cat-file --batch`: no shell, no checkout, no filters."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from functools import partial

from kplan import touched
from kplan.errors import KplanError
from kplan.model import Skipped
from kplan.source.entry import Entry
from kplan.source.files import EXTENSIONS, excluded
from kplan.tuples import NamedTuple

PREFIX = "git:"
_TIMEOUT = 60.0


class _Blob(NamedTuple):
    path: str
    id: str
    size: int


def entries(address: str, limit: int, exclude: tuple[str, ...] = ()) -> Iterator[Entry | Skipped]:
    """The manifest files of `git:REF` or `git:REF:PATH`; PATH is a file or folder, seen from the current folder.

    Raises KplanError if there is no such commit or path.
    """
    touched.spoil()
    ref, _, path = address.removeprefix(PREFIX).partition(":")
    path = path.removeprefix("./").rstrip("/") or "."
    if not ref or ref.startswith("-") or not ref.isprintable():
        raise KplanError(f"{ref!r} is no name of a commit", hint="git:REF or git:REF:PATH, for example git:main:deploy")
    commit = _commit(ref)
    listing = _git("ls-tree", "-r", "-l", "-z", commit, "--", path)
    found = [blob for row in listing.split(b"\0") if row and (blob := _blob(row))]
    if not listing:
        raise KplanError(f"there is no file or folder {path!r} in {ref}")
    blobs = [b for b in found if b.path == path or _is_manifest_file(b.path)]
    out = {b.path for b in blobs if excluded(b.path, exclude)}
    data = _contents([b for b in blobs if b.path not in out and b.size <= limit])
    for blob in blobs:
        name = f"{PREFIX}{ref}:{blob.path}"
        if blob.path in out:
            yield Skipped(name, "excluded")
        else:
            yield Entry(name, blob.path, partial(_read, data, blob.path, limit), data.get, named=blob.path == path)


def _read(data: dict[str, bytes], path: str, limit: int) -> bytes:
    if path not in data:
        raise OSError(errno.EFBIG, f"a file of more than {limit} bytes", path)
    return data[path]


def _is_manifest_file(path: str) -> bool:
    return path.lower().endswith(EXTENSIONS) and not any(
        part.startswith(".") for part in path.split("/") if part != ".."
    )


def _commit(ref: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except KplanError as error:
        if error.hint:  # what git itself had to say
            raise
        raise KplanError(f"git knows no commit {ref!r} here") from error


def _blob(row: bytes) -> _Blob | None:
    """A row of ls-tree; None for links and submodules."""
    meta, _, path = row.partition(b"\t")
    mode, kind, object_id, size = meta.split()
    if kind != b"blob" or mode == b"120000":
        return None
    return _Blob(path.decode("utf-8", "replace"), object_id.decode(), int(size))


def _contents(blobs: list[_Blob]) -> dict[str, bytes]:
    if not blobs:
        return {}
    out = _git("cat-file", "--batch", stdin="".join(f"{b.id}\n" for b in blobs).encode())
    contents, at = {}, 0
    for blob in blobs:
        start = out.index(b"\n", at) + 1
        contents[blob.path] = out[start : start + blob.size]
        at = start + blob.size + 1
    return contents


def _git(*arguments: str, stdin: bytes = b"") -> bytes:
    import subprocess  # slow to load, and seldom needed

    try:
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            ["git", *arguments],  # noqa: S607 - git is where the user's PATH says
            input=stdin,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError as error:
        raise KplanError("git is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise KplanError(f"git {arguments[0]} took more than {_TIMEOUT:.0f} s") from error
    if done.returncode:
        raise KplanError(f"git {arguments[0]} failed", hint=done.stderr.decode("utf-8", "replace").strip())
    return done.stdout
