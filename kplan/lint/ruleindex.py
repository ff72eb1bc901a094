"""The index of the rules that kplan ships: the data of their files, for reading sixty files of YAML takes too long.

A file has an entry with its size and the digest of its text. A file of that size that is not newer than the index is
taken to be what the index was made from; of any other the text decides. So an edited rule counts at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from kplan.digests import blake2b
from kplan.hints import Any
from kplan.resources import data_path, read_table
from kplan.tuples import NamedTuple

ReadYaml = Callable[[str, str], Any]
FILE = f"{data_path('schemas')}/kplan/rules.json"
_DIGEST_BYTES = 12


class Shipped(NamedTuple):
    """The file of a rule: its path, and family and name, which make its key in the index."""

    path: str
    family: str
    name: str

    @property
    def key(self) -> str:
        """The path below the folder of the rules."""
        return f"{self.family}/{self.name}"


class Index(NamedTuple):
    """The entries by the keys of their files; `made` is the time in nanoseconds since when it stands."""

    entries: dict[str, Any]
    made: int

    def find(self, file: Shipped) -> Any:
        """The data of a rule, without its examples; None if the index does not know this text."""
        entry = self.entries.get(file.key)
        if entry is None:
            return None
        state = os.stat(file.path)
        if state.st_size != entry["size"]:
            return None
        if state.st_mtime_ns > self.made and _digest(file.path) != entry["digest"]:
            return None
        return entry["rule"]

    def files(self) -> list[Shipped]:
        """The files of the rules: those of the entries, where nothing came or went since the index was made."""
        top = data_path("rules")
        keys = [key.split("/") for key in self.entries]
        folders = {top, *(f"{top}/{family}" for family, _ in keys)}
        try:
            known = bool(keys) and all(os.stat(folder).st_mtime_ns <= self.made for folder in folders)
        except FileNotFoundError:
            known = False
        return [Shipped(f"{top}/{family}/{name}", family, name) for family, name in keys] if known else shipped()


def shipped() -> list[Shipped]:
    """The files of the rules in their order."""
    top = data_path("rules")
    families = sorted(entry.name for entry in os.scandir(top) if entry.is_dir())
    return [
        Shipped(f"{top}/{family}/{name}", family, name)
        for family in families
        for name in sorted(os.listdir(f"{top}/{family}"))
        if name.endswith(".yaml")
    ]


def load() -> Index:
    """The index; an empty one if there is none."""
    try:
        with open(FILE, "rb") as file:
            return Index(read_table(file.read().decode()), os.fstat(file.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return Index({}, 0)


def dump(read_yaml: ReadYaml) -> str:
    """The text of the index."""
    import json  # slow to load

    out = {}
    for file in shipped():
        with open(file.path, encoding="utf-8", newline="") as opened:
            text = opened.read()
        rule = read_yaml(text, file.path) | {"examples": {}}
        out[file.key] = {"size": len(text.encode()), "digest": _digest(file.path), "rule": rule}
    return json.dumps(out, separators=(",", ":"), ensure_ascii=True).replace('"}},"', '"}},\n"') + "\n"


def _digest(path: str) -> str:
    with open(path, "rb") as file:
        return blake2b(file.read(), _DIGEST_BYTES)
