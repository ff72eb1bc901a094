"""The result cache of `kplan lint`: what a run printed, and the state of every file and folder that it looked at.

One file for each folder and command line, in `$XDG_CACHE_HOME/kplan`, `~/.cache/kplan` or `%LOCALAPPDATA%\\kplan`.
A run whose files are as they were prints the same again. The name of the file stands for the version of kplan and of
Python, the current folder, the command line and the variables that count. A file that is damaged is no file.

This module is loaded before anything else: it imports nothing that takes time.
"""

from __future__ import annotations

import os
import sys
from zlib import crc32

from kplan import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT = "kplan cache 1"
_VARIABLES = ("CLICOLOR_FORCE", "FORCE_COLOR", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "NO_COLOR", "PYTHONUTF8", "TERM")
# A file that was written so short a time before it was read may change again without a trace.
_RACY_NS = 2_000_000_000
_MOST_FILES = 64
_ABSENT = "-"
_SEPARATOR = "\0"


def place_of(command: Sequence[object], paths: Iterable[str]) -> str | None:
    """The file for the result of a command line; None where results are not kept.

    What comes from standard input or a commit is not kept, nor what is printed for GitHub, which holds a random word.
    """
    if any(p == "-" or p.startswith("git:") for p in paths) or os.environ.get("GITHUB_ACTIONS"):
        return None
    root = folder()
    if not root:
        return None
    variables = sorted((k, v) for k, v in os.environ.items() if k in _VARIABLES or k.startswith("KPLAN_"))
    try:
        key = repr((__version__, sys.version, os.getcwd(), sys.stdout.isatty(), tuple(command), variables))
    except (OSError, ValueError):
        return None
    data = key.encode("utf-8", "surrogatepass")
    return os.path.join(root, f"lint-{crc32(data):08x}{crc32(data, 1):08x}{len(data):x}")


def recall(place: str) -> tuple[int, str] | None:
    """(exit code, what was printed) of a run that saw all its files as they are now."""
    try:
        with open(place, encoding="utf-8", errors="surrogatepass", newline="") as file:
            head, checksum, body = file.read().split("\n", 2)
        if head != FORMAT or int(checksum) != crc32(body.encode("utf-8", "surrogatepass")):
            return None
        code, count, rest = body.split("\n", 2)
        fields = rest.split(_SEPARATOR, 2 * int(count))
        if any(map(_differs, fields[0:-1:2], fields[1:-1:2])):
            return None
        return int(code), fields[-1]
    except (OSError, ValueError):
        return None


def remember(place: str, code: int, text: str, paths: Iterable[str], started_ns: int) -> None:
    """Keep a result with the state of the files and folders behind it; nothing is kept that may have changed since."""
    states = {path: state(path) for path in paths}
    if any(_is_racy(found, started_ns) for found in states.values()):
        return
    rows = [part for path, found in states.items() for part in (path, found)]
    body = f"{code}\n{len(states)}\n" + _SEPARATOR.join([*rows, text])
    data = f"{FORMAT}\n{crc32(body.encode('utf-8', 'surrogatepass'))}\n{body}".encode("utf-8", "surrogatepass")
    write(place, data)


def write(place: str, data: bytes) -> None:
    """Write a file of the cache, which only its owner can read; a cache that cannot be written is none."""
    temporary = f"{place}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
        _drop_oldest(os.path.dirname(place))
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        os.replace(temporary, place)
    except OSError:
        return


def state(path: str) -> str:
    """The state of a file or folder: what `_differs` compares. A path that ends with `/.git` is only there or not."""
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return _ABSENT
    if path.endswith("/.git"):
        return "+"
    return f"{info.st_size}:{info.st_mtime_ns}:{info.st_ctime_ns}:{info.st_ino}:{info.st_mode}"


def _differs(path: str, known: str) -> bool:
    return state(path) != known


def _is_racy(found: str, started_ns: int) -> bool:
    if ":" not in found:
        return False
    _, modified, changed, *_ = found.split(":")
    return max(int(modified), int(changed)) > started_ns - _RACY_NS


def folder() -> str:
    """Where caches are; "" for nowhere."""
    root = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if not root:
        root = os.path.expanduser("~/.cache")
    return os.path.join(root, "kplan") if os.path.isabs(root) else ""


def _drop_oldest(folder: str) -> None:
    with os.scandir(folder) as found:
        files = sorted((e.stat().st_mtime_ns, e.path) for e in found if e.name.startswith("lint-"))
    for _, path in files[: max(len(files) - _MOST_FILES + 1, 0)]:
        os.unlink(path)
