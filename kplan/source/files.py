"""Files and folders on disk: what is looked at, in which order, and what is refused.

The order is that of kubectl (path/filepath.Walk): by name, folders among the files.
"""

from __future__ import annotations

import errno
import glob
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from kplan.errors import KplanError
from kplan.model import Skipped, Span, Unreadable
from kplan.source.entry import Entry

EXTENSIONS = (".json", ".yaml", ".yml")
Found = Entry | Skipped | Unreadable


def entries(path: str, limit: int, exclude: tuple[str, ...] = ()) -> Iterator[Found]:
    """The files of a path: itself, those of a folder, or those that a glob matches.

    No more than `limit` + 1 bytes are read of each. Raises KplanError if there is no such path.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as error:
        matches = sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []
        if not matches:
            raise _no_path(path, error) from error
        for match in matches:
            for found in entries(match, limit, exclude):
                yield found._replace(named=False) if isinstance(found, Entry) else found
        return
    if S_ISDIR(mode):
        yield from _folder(path, limit, exclude)
    elif excluded(_shown(path), exclude):
        yield Skipped(_shown(path), "excluded")
    else:
        yield _entry(path, limit, named=True)


def excluded(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a glob leaves the path out: one without `/` matches any part of it, another the whole or a folder."""
    path = path.removeprefix("./")
    for pattern in patterns:
        pattern = pattern.removeprefix("./").removesuffix("/**").rstrip("/")
        whole = fnmatchcase(path, pattern) or fnmatchcase(path, pattern + "/*")
        if whole or ("/" not in pattern and any(fnmatchcase(part, pattern) for part in path.split("/"))):
            return True
    return False


def _folder(root: str, limit: int, exclude: tuple[str, ...]) -> Iterator[Found]:
    """Every manifest file below a folder, once. Hidden ones are left out, and links that lead out of the folder."""
    inside = Path(root).resolve()
    seen: set[tuple[int, int]] = set()
    waiting = _children(root)
    while waiting:
        found = waiting.pop()
        shown = _shown(found.path)
        try:
            info = found.stat()
            identity = (info.st_dev, info.st_ino)
            if excluded(shown, exclude):
                yield Skipped(shown, "excluded")
            elif found.is_symlink() and not Path(found.path).resolve().is_relative_to(inside):
                yield Skipped(shown, "link out of the folder")
            elif identity in seen and info.st_ino:
                continue
            elif S_ISDIR(info.st_mode):
                waiting += _children(found.path)
            elif S_ISREG(info.st_mode):
                yield _entry(found.path, limit, named=False)
            else:
                yield Skipped(shown, "not a regular file")
            seen.add(identity)
        except OSError as error:
            yield Unreadable(Span(shown, 1, 1, 1, 1), f"cannot be read: {error.strerror or error}", "io")


def _children(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds that may matter, the first by name at the end."""
    with os.scandir(folder) as found:
        kept = [e for e in found if not e.name.startswith(".") and (e.name.lower().endswith(EXTENSIONS) or e.is_dir())]
    return sorted(kept, key=lambda e: e.name, reverse=True)


def _entry(path: str, limit: int, *, named: bool) -> Entry:
    shown = _shown(path)
    return Entry(shown, shown, partial(_read, path, limit), partial(_other, limit), named)


def _read(path: str, limit: int) -> bytes:
    # Opened without waiting, and looked at once open: a pipe must not hang, whenever it came to be there.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return file.read(limit + 1)


def _other(limit: int, path: str) -> bytes | None:
    try:
        return _read(path, limit)
    except (OSError, ValueError):
        return None


def _shown(path: str) -> str:
    return path.replace(os.sep, "/")


def _no_path(path: str, error: Exception) -> KplanError:
    if isinstance(error, FileNotFoundError) or not isinstance(error, OSError):
        return KplanError(f"there is no file or folder {path!r}")
    return KplanError(f"cannot read {path!r}: {error.strerror or error}")
