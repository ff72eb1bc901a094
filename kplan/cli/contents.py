"""What files hold: remembered from plan to plan, so that what has not changed is not read again.

One file in the folder of the result cache (kplan/cli/memory.py): the digest of the bytes of each file by its state, and
by each digest the identities of the objects, which is all that a plan asks of a file that is the same on both sides. It
stands for one version of kplan, its reader and Python. A file that is damaged is no file.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable
from zlib import crc32

import kplan
from kplan.cli import memory
from kplan.hints import TYPE_CHECKING
from kplan.source.shared import Known

if TYPE_CHECKING:
    from typing import TypeVar

    K = TypeVar("K")
    V = TypeVar("V")

FORMAT = "kplan contents 2"
_MOST = 30_000  # files, and contents and objects together: about 3 MB


def recall() -> Known | None:
    """What is known of files and contents; None where nothing is kept."""
    place = _place()
    if not place:
        return None
    try:
        with open(place, "rb") as file:
            head, checksum, body = file.read().split(b"\n", 2)
        if head != _head() or int(checksum) != crc32(body):
            return Known({}, {})
        return Known(*marshal.loads(body))  # noqa: S302 - by its checksum it is what was written below
    except (OSError, ValueError, EOFError, TypeError):
        return Known({}, {})


def remember(known: Known) -> None:
    """Keep what is known; the oldest goes where it would be too much."""
    place = _place()
    if not place:
        return
    body = marshal.dumps((_newest(known.digests, lambda _: 1), _newest(known.holds, lambda names: len(names) + 1)))
    memory.write(place, b"%b\n%d\n%b" % (_head(), crc32(body), body))


def _newest(known: dict[K, V], size: Callable[[V], int]) -> dict[K, V]:
    """What was learnt last, as much as is kept."""
    kept, total = [], 0
    for key, value in reversed(known.items()):
        total += size(value)
        if total > _MOST:
            break
        kept.append((key, value))
    return dict(reversed(kept))


def _head() -> bytes:
    """What the file stands for: the format, and the version and the state of the modules that read manifests."""
    root = os.path.dirname(kplan.__file__)
    folders = (os.path.join(root, name) for name in ("yamlio", "source", "plan"))
    files = (e for folder in folders for e in os.scandir(folder) if e.name.endswith(".py"))
    state = sorted((e.name, (info := e.stat()).st_size, info.st_mtime_ns) for e in files)
    return f"{FORMAT} {kplan.__version__} {sys.hexversion:x} {crc32(repr(state).encode()):08x}".encode()


def _place() -> str:
    folder = memory.folder()
    return os.path.join(folder, "contents") if folder else ""
