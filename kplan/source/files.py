"""Files and folders on disk: what is looked at, in which order, and what is refused.

The order is that of kubectl (path/filepath.Walk): by name, folders among the files.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from operator import attrgetter
from stat import S_ISDIR, S_ISREG

from kplan import touched
from kplan.errors import KplanError
from kplan.model import Skipped, Span, Unreadable
from kplan.source.entry import Entry, ReadOther, State

EXTENSIONS = (".json", ".yaml", ".yml")
Found = Entry | Skipped | Unreadable

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_RACY_NS = 2_000_000_000
_DANGLING = "link to nothing"


def entries(path: str, limit: int, exclude: tuple[str, ...] = ()) -> Iterator[Found]:
    """The files of a path: itself, those of a folder, or those that a glob matches.

    No more than `limit` + 1 bytes are read of each. Raises KplanError if there is no such path.
    """
    touched.touch(path)
    try:
        info = os.stat(path or "\0")  # an empty text is no path, not even the current folder
    except (OSError, ValueError) as error:
        import glob

        touched.spoil()
        found = _glob(path, limit, exclude) if glob.has_magic(path) else iter(())
        first = next(found, None)
        if first is None:
            raise _no_path(path, error) from error
        yield first
        yield from found
        return
    if S_ISDIR(info.st_mode):
        yield from _folder(path, limit, exclude)
    elif excluded(_shown(path), exclude):
        yield Skipped(_shown(path), "excluded")
    elif S_ISREG(info.st_mode):
        yield _entry(path, info, limit, partial(_other, limit), True)
    else:
        yield _unreadable(path, "not a regular file")


def _glob(pattern: str, limit: int, exclude: tuple[str, ...]) -> Iterator[Found]:
    """What a glob matches; a folder that it matches is read whole.

    The standard library would follow links in circles for `**`: such a glob is a filter on the files of a folder.
    """
    import glob

    if "**" not in pattern:
        for match in sorted(glob.iglob(pattern)):
            for found in entries(match, limit, exclude) if os.path.exists(match) else (Skipped(match, _DANGLING),):
                yield found._replace(named=False) if isinstance(found, Entry) else found
        return
    steps = pattern.split("/")
    plain = next(i for i, step in enumerate(steps) if glob.has_magic(step))
    base = "/".join(steps[:plain]) or ("/" if plain else ".")
    if os.path.isdir(base):
        matches = re.compile(_regex(pattern.removeprefix("./")) + "(?:/.*)?", re.DOTALL)
        for found in _folder(base, limit, exclude):
            if matches.fullmatch(_name(found)):
                yield found


_GLOB_PARTS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _regex(pattern: str) -> str:
    out = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", pattern):
        is_set = part.startswith("[") and len(part) > 1
        out += part.replace("[!", "[^") if is_set else _GLOB_PARTS.get(part) or re.escape(part)
    return out


def excluded(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a glob leaves the path out: one without `/` matches any part of it, another the whole or a folder."""
    if not patterns:
        return False
    from fnmatch import fnmatchcase

    for pattern in patterns:
        pattern = pattern.removeprefix("./").removesuffix("/**").rstrip("/")
        whole = fnmatchcase(path, pattern) or fnmatchcase(path, pattern + "/*")
        if whole or ("/" not in pattern and any(fnmatchcase(part, pattern) for part in path.split("/"))):
            return True
    return False


def _folder(root: str, limit: int, exclude: tuple[str, ...]) -> list[Found]:
    """Every manifest file below a folder, once; hidden ones are left out, and links that lead out of the folder."""
    found: list[Found] = []
    links: list[os.DirEntry[str]] = []
    linked = False
    seen: set[tuple[int, ...]] = set()
    inside = os.path.join(os.path.realpath(root), "")
    other = partial(_other, limit)
    try:
        waiting = _children(root)
    except OSError as error:
        raise KplanError(f"cannot read the folder {root!r}: {error.strerror or error}") from error
    while waiting or links:
        # Links come last, so that a file has its own name where it has one below the folder.
        entry = waiting.pop() if waiting else links.pop()
        is_link = entry.is_symlink()
        if is_link and waiting:
            links.append(entry)
            linked = True
        elif exclude and excluded(_shown(entry.path), exclude):
            found.append(Skipped(_shown(entry.path), "excluded"))
        elif is_link and not os.path.join(os.path.realpath(entry.path), "").startswith(inside):
            found.append(Skipped(_shown(entry.path), "link out of the folder"))
        elif one := _looked_at(entry, seen, waiting, limit, other):
            found.append(one)
    if linked:  # all others were met in order
        found.sort(key=lambda one: _name(one).split("/"))  # as Path.parts, in a tenth of the time
    return found


def _looked_at(
    entry: os.DirEntry[str],
    seen: set[tuple[int, ...]],
    waiting: list[os.DirEntry[str]],
    limit: int,
    other: ReadOther,
) -> Found | None:
    """What an entry of a folder is; the children of a folder are added to those that wait."""
    path = entry.path
    touched.touch(path)
    try:
        info = entry.stat()
        identity = info[1:3]  # the file and its device, in one step
        if identity in seen and info.st_ino:
            return None
        seen.add(identity)
        if S_ISREG(info.st_mode):
            return _entry(path, info, limit, other, False)
        if S_ISDIR(info.st_mode):
            waiting += _children(path)
            return None
    except FileNotFoundError:
        return Skipped(_shown(path), _DANGLING)
    except OSError as error:
        return _unreadable(path, error.strerror or str(error))
    return Skipped(_shown(path), "not a regular file")


_BY_NAME: Callable[[os.DirEntry[str]], str] = attrgetter("name")


def _children(folder: str) -> list[os.DirEntry[str]]:
    """What a folder holds that may matter, the first by name at the end."""
    touched.touch(folder)
    with os.scandir(folder) as found:
        kept = [
            e
            for e in found
            if not (name := e.name).startswith(".") and (name.lower().endswith(EXTENSIONS) or _is_folder(e))
        ]
    kept.sort(key=_BY_NAME, reverse=True)
    return kept


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # links in a circle
        return False


def _entry(path: str, info: os.stat_result, limit: int, other: ReadOther, named: bool) -> Entry:
    shown = _shown(path)
    state = (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
    return Entry(shown, shown, partial(_read, path, limit, info.st_size), other, named, state)


def is_settled(state: State, now: int) -> bool:
    """Whether a file has the same bytes as long as it has this state.

    Not if it was written so shortly before `now`, when it was found or earlier, that it may change without a trace.
    """
    _, number, _, modified, changed = state
    return number != 0 and modified <= now - _RACY_NS and changed <= now - _RACY_NS


def _read(path: str, limit: int, size: int = 0) -> bytes:
    """The content of a file that had `size` bytes when it was found; no more than `limit` + 1 bytes."""
    touched.touch(path)
    # Opened without waiting, and looked at once open: a pipe must not hang, whenever it came to be there.
    handle = os.open(path, _FLAGS)
    try:
        if 0 < size <= limit:
            data = os.read(handle, size + 1)
            if len(data) == size:  # asked for one more, and there was none
                return data
            os.lseek(handle, 0, os.SEEK_SET)
        info = os.fstat(handle)
        if not S_ISREG(info.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        wanted = limit + 1
        parts = [os.read(handle, min(info.st_size + 1, wanted))]
        while parts[-1] and (wanted := wanted - len(parts[-1])) > 0:
            parts.append(os.read(handle, min(wanted, 1 << 20)))
        return b"".join(parts)
    finally:
        os.close(handle)


def _other(limit: int, path: str) -> bytes | None:
    try:
        return _read(path, limit)
    except (OSError, ValueError):
        return None


def _unreadable(path: str, why: str) -> Unreadable:
    return Unreadable(Span(_shown(path), 1, 1, 1, 1), f"cannot be read: {why}", "io")


def _shown(path: str) -> str:
    return path.replace(os.sep, "/").removeprefix("./")


def _name(found: Found) -> str:
    return found.span.file if isinstance(found, Unreadable) else found.file


def _no_path(path: str, error: Exception) -> KplanError:
    if isinstance(error, FileNotFoundError) or not isinstance(error, OSError):
        return KplanError(f"there is no file or folder {path!r}")
    return KplanError(f"cannot read {path!r}: {error.strerror or error}")
