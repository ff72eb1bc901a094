"""What files hold: remembered from plan to plan, so that what has not changed is not read again.

One file in the folder of the result cache (kplan/cli/memory.py): a line for the state of each file with the digest of
its bytes, and a line for each digest with the identities of the objects, which is all that a plan asks of a file that
is the same on both sides. It stands for one version of kplan and its reader. A file that is damaged is no file.
"""

from __future__ import annotations

import os
import sys
from zlib import crc32

import kplan
from kplan.cli import memory
from kplan.source.shared import SEPARATOR, Known

FORMAT = "kplan contents 1"
_MOST = 1_500_000  # characters of each kind of line: about 30,000 objects, or 15,000 files


def recall() -> Known | None:
    """What is known of files and contents; None where nothing is kept."""
    place = _place()
    if not place:
        return None
    try:
        with open(place, encoding="utf-8") as file:
            head, checksum, body = file.read().split("\n", 2)
        if head != _head() or int(checksum) != crc32(body.encode()):
            return Known({}, {})
        digests, _, holds = body.partition("\n\n")
        return Known(_lines(digests), _lines(holds))
    except (OSError, ValueError):
        return Known({}, {})


def _lines(text: str) -> dict[str, str]:
    return dict(line.split(SEPARATOR, 1) for line in text.split("\n") if line)


def remember(known: Known) -> None:
    """Keep what is known; the oldest goes where it would be too much."""
    place = _place()
    if not place:
        return
    body = f"{_text(known.digests)}\n{_text(known.holds)}"
    memory.write(place, f"{_head()}\n{crc32(body.encode())}\n{body}".encode())


def _text(lines: dict[str, str]) -> str:
    kept, size = [], 0
    for name, value in reversed(lines.items()):
        size += len(name) + len(value) + 2
        if size > _MOST:
            break
        kept.append(f"{name}{SEPARATOR}{value}\n")
    return "".join(reversed(kept))


def _head() -> str:
    """What the file stands for: the format, and the version and the state of the modules that read manifests."""
    root = os.path.dirname(kplan.__file__)
    folders = (os.path.join(root, name) for name in ("yamlio", "source", "plan"))
    files = (e for folder in folders for e in os.scandir(folder) if e.name.endswith(".py"))
    state = sorted((e.name, (info := e.stat()).st_size, info.st_mtime_ns) for e in files)
    return f"{FORMAT} {kplan.__version__} {sys.hexversion:x} {crc32(repr(state).encode()):08x}"


def _place() -> str:
    folder = memory.folder()
    return os.path.join(folder, "contents") if folder else ""
