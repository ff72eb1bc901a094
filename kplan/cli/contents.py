"""What files hold, by their bytes: remembered from plan to plan, so that what has not changed is not read again.

One file in the folder of the result cache (kplan/cli/memory.py): a line for each content with its digest and the
identities of its objects, which is all that a plan asks of a file that is the same on both sides. It stands for one
version of kplan and its reader. A file that is damaged is no file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from zlib import crc32

import kplan
from kplan.cli import memory

FORMAT = "kplan contents 1"
_MOST = 4_000_000  # characters: about 40,000 objects
_TAB = "\t"


def recall() -> dict[str, str]:
    """What is known of contents, by digest."""
    place = _place()
    if place is None:
        return {}
    try:
        head, checksum, body = place.read_text(encoding="utf-8").split("\n", 2)
        if head != _head() or int(checksum) != crc32(body.encode()):
            return {}
        return dict(line.split(_TAB, 1) for line in body.split("\n") if line)  # type: ignore[misc]  # pairs
    except (OSError, ValueError):
        return {}


def remember(known: dict[str, str]) -> None:
    """Keep what is known; the oldest goes where it would be too much."""
    place = _place()
    if place is None:
        return
    lines, size = [], 0
    for digest, names in reversed(known.items()):
        size += len(digest) + len(names) + 2
        if size > _MOST:
            break
        lines.append(f"{digest}{_TAB}{names}\n")
    body = "".join(reversed(lines))
    memory.write(str(place), f"{_head()}\n{crc32(body.encode())}\n{body}".encode())


def _head() -> str:
    """What the file stands for: the format, and the version and the state of the modules that read manifests."""
    root = Path(kplan.__file__).parent
    files = (e for name in ("yamlio", "source", "plan") for e in os.scandir(root / name) if e.name.endswith(".py"))
    state = sorted((e.name, (info := e.stat()).st_size, info.st_mtime_ns) for e in files)
    return f"{FORMAT} {kplan.__version__} {sys.hexversion:x} {crc32(repr(state).encode()):08x}"


def _place() -> Path | None:
    folder = memory.folder()
    return Path(folder) / "contents" if folder else None
