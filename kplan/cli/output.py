"""Where results go: stdout, or files that are replaced in one step; and whether there is colour."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from kplan.errors import KplanError
from kplan.hints import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pathlib import Path


def use_color(choice: str | None, env: Mapping[str, str], stream: TextIO) -> bool:
    """--color counts first, then NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, then whether it is a terminal."""
    if choice in ("always", "never"):
        return choice == "always"
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "0") not in ("", "0") or env.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def write(text: str, target: str = "-") -> None:
    """Write a result to stdout (`-`) or to a file; a file is never left half written."""
    if text and not text.endswith("\n"):
        text += "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    from pathlib import Path

    try:
        replace_file(Path(target), text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise KplanError(f"cannot write {target}: {error.strerror or error}") from error


def replace_file(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Give a file new content in one step, keeping its mode or giving it `mode`; a symbolic link stays one.

    What is no regular file, such as /dev/stdout or a pipe, is written to directly. Raises OSError.
    """
    import tempfile  # slow to load, and most runs write no file

    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    if mode is None:
        mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)  # noqa: PTH101 - it is a name from mkstemp
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        os.unlink(temporary)  # noqa: PTH108
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
