"""The state store: a folder of numbered revisions, each a set of objects as one JSON file, and the key of its secrets.

The id of a revision is a digest of its objects. Files are written whole or not at all, and only their owner can read
them. Whoever writes at the same time gets the next number.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kplan.errors import KplanError
from kplan.sealed import Format, canonical, damaged
from kplan.tuples import NamedTuple

Value = dict[str, Any]

FORMAT = Format("kplan-state", "state")
LATEST = "latest"

_KEY_FILE = "key"
_KEY = re.compile(rb"[0-9a-f]{64}\n?")
_FILE = re.compile(r"([1-9]\d{0,8})\.json")
_NUMBER = re.compile(r"[1-9]\d{0,8}")
_ID = re.compile(r"[0-9a-f]{64}")
_PREFIX = re.compile(r"[0-9a-f]{4,64}")
_SHORT = 12


class Revision(NamedTuple):
    """One saved set of objects. `saved` is when (RFC 3339), `origin` what it was read from, `key` names the key of the
    fingerprints in it."""

    number: int
    id: str
    saved: str
    origin: str
    key: str
    objects: tuple[Value, ...]

    @property
    def short(self) -> str:
        """As much of the id as people need."""
        return self.id[:_SHORT]


class Store:
    """The revisions below a folder, which need not exist."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def key(self, *, create: bool = False) -> bytes:
        """The key of the fingerprints; with `create` it is made where there is none. Raises KplanError."""
        path = self.folder / _KEY_FILE
        if create and not path.exists():
            self._write(path, secrets.token_hex(32).encode() + b"\n")
        try:
            text = path.read_bytes()
        except OSError as error:
            hint = "it is made by the first `kplan state save`, and belongs to the revisions: bring it with them"
            raise KplanError(f"cannot read the key {path}: {error.strerror or error}", hint=hint) from error
        if not _KEY.fullmatch(text):
            raise KplanError(f"{path} is not the key of a state store")
        return bytes.fromhex(text.decode())

    def numbers(self) -> list[int]:
        """The numbers of the revisions, from old to new. Raises KplanError."""
        try:
            names = [entry.name for entry in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise KplanError(f"cannot read {self.folder}: {error.strerror or error}") from error
        return sorted(int(m[1]) for name in names if (m := _FILE.fullmatch(name)))

    def read(self, number: int) -> Revision:
        """A revision by its number. Raises KplanError if it is not there, damaged or foreign."""
        path = self._path(number)
        try:
            text = path.read_bytes()
        except OSError as error:
            raise KplanError(f"cannot read {path}: {error.strerror or error}") from error
        return _decoded(text, str(path), number)

    def find(self, name: str) -> Revision:
        """The revision that is called so: `latest`, a number, or the start of an id (4 characters at least).

        Raises KplanError if there is none, or several.
        """
        numbers = self.numbers()
        if not numbers:
            raise KplanError(f"there is no state in {self.folder}", hint="kplan state save PATH")
        if name == LATEST:
            return self.read(numbers[-1])
        if _NUMBER.fullmatch(name) and int(name) in numbers:
            return self.read(int(name))
        found = [r for r in map(self.read, numbers) if _PREFIX.fullmatch(name) and r.id.startswith(name)]
        if not found:
            raise KplanError(f"there is no revision {name!r} in {self.folder}", hint="kplan state list")
        if len({r.id for r in found}) > 1:
            called = ", ".join(f"{r.number} ({r.short})" for r in found)
            raise KplanError(f"{name!r} is the start of several revisions: {called}")
        return found[-1]

    def save(
        self, objects: Iterable[Value], *, origin: str, saved: str, key: bytes, tool: str
    ) -> tuple[Revision, bool]:
        """Save objects as the next revision, unless they are those of the latest one: (revision, whether it is new).

        `tool` is the version of kplan. Raises KplanError.
        """
        kept = tuple(sorted(objects, key=canonical))
        name = key_name(key)
        identity = _id(kept, name)
        numbers = self.numbers()
        if numbers:
            latest = self.read(numbers[-1])
            if latest.id == identity:
                return latest, False
        number = numbers[-1] if numbers else 0
        while True:
            number += 1
            revision = Revision(number, identity, saved, origin, name, kept)
            if self._write(self._path(number), _encoded(revision, tool)):
                return revision, True

    def remove(self, number: int) -> None:
        """Remove a revision, even one that cannot be read. Raises KplanError."""
        path = self._path(number)
        try:
            path.unlink()
        except OSError as error:
            raise KplanError(f"cannot remove {path}: {error.strerror or error}") from error

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.json"

    def _write(self, path: Path, data: bytes) -> bool:
        """Make a file with this content; False if it is there already. Raises KplanError."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".new-")  # only its owner can read it
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.link(temporary, path)
            except FileExistsError:
                return False
            finally:
                os.unlink(temporary)  # noqa: PTH108 - it is a name from mkstemp
        except OSError as error:
            raise KplanError(f"cannot write {path}: {error.strerror or error}") from error
        return True


def key_name(key: bytes) -> str:
    """What tells keys apart and says nothing about them."""
    return hashlib.sha256(b"kplan state key\n" + key).hexdigest()[:16]


def _id(objects: Iterable[Value], key: str) -> str:
    return hashlib.sha256("\n".join((key, *map(canonical, objects))).encode()).hexdigest()


def _encoded(revision: Revision, tool: str) -> bytes:
    return FORMAT.seal({**revision._asdict(), "objects": list(revision.objects)}, tool).encode()


def _decoded(text: bytes, name: str, number: int) -> Revision:
    again = f"kplan state rm {number}, and save it again"
    content = FORMAT.unseal(text, name, again)
    texts = [content.get(field) for field in ("id", "saved", "origin", "key")]
    objects = content.get("objects")
    if not all(isinstance(text, str) for text in texts) or not isinstance(objects, list):
        raise damaged(name, again)
    if content.get("number") != number or not all(map(_is_object, objects)):
        raise damaged(name, again)
    identity, saved, origin, key = map(str, texts)
    revision = Revision(number, identity, saved, origin, key, tuple(objects))
    if not _ID.fullmatch(revision.id) or revision.id != _id(revision.objects, revision.key):
        raise damaged(name, again)
    return revision


def _is_object(value: Any) -> bool:
    meta = value.get("metadata") if isinstance(value, dict) else None
    return isinstance(meta, dict) and all(
        isinstance(t, str) for t in (value.get("apiVersion"), value.get("kind"), meta.get("name"))
    )
