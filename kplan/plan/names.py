"""What the objects of a file are called, for a file of which no more has to be known.

Documents repeat each other. Of those that differ in nothing but values a few are read; what is true of their structure
is true of the others. What this takes for alike has one layout (kplan/yamlio/layout.py): where a plain value or a text
in quotes ends a line, another one does as well.
"""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Callable, Iterable

from kplan.hints import Any
from kplan.model import Document, Loaded, split_api_version
from kplan.patterns import lazy
from kplan.plan.noise import LIVE, is_live
from kplan.plan.values import get
from kplan.tuples import NamedTuple
from kplan.yamlio import scalars
from kplan.yamlio.layout import Layout, Slot

SLASH = "/"
_SLASHES = 3
_CRD = "CustomResourceDefinition"
_SEPARATOR = b"\n---\n"
_LONGEST = 200_000  # in bytes: such a file is within all limits of the reader
# What ends a line: a plain value of characters that start or end nothing (no quotes, brackets, comments, nor `$`), or a
# text in double quotes without escapes.
_WORD = rb"[ !%&(-9;-Z^-z|~]*+"
_VALUE = rb"(?:-*[A-Za-z0-9_/]" + _WORD + rb"(?::[!%&(-9;-Z^-z|~]" + _WORD + rb')*+|"[ !#-\[\]-~]*+")\n'
_VALUES = ((lazy(rb": " + _VALUE), b": x\n"), (lazy(rb"- " + _VALUE), b"- x\n"))
_MOST = 2_000  # shapes that are remembered
_PATHS: tuple[tuple[str, ...], ...] = (("apiVersion",), ("kind",), ("metadata", "namespace"), ("metadata", "name"))


def names(loaded: Loaded) -> tuple[str, ...]:
    """The identity of every object of a file as a text; () if the file holds anything that needs a closer look.

    That is whatever is skipped or unreadable, objects that nobody can tell apart, objects that were read from a server,
    and definitions of custom resources: all others are judged by those.
    """
    if loaded.skipped or loaded.unreadable:
        return ()
    found = tuple(map(_name, loaded.documents))
    return found if all(found) else ()


def _name(document: Document) -> str:
    api_version, kind, meta = _head(document)
    if not isinstance(meta, dict) or is_live({"metadata": meta}) or kind == _CRD:
        return ""
    return _identity(api_version, kind, meta.get("namespace") or "", meta.get("name"))


def _identity(api_version: Any, kind: Any, namespace: Any, name: Any) -> str:
    if not (api_version and kind and name):
        return ""
    try:
        found = SLASH.join((split_api_version(api_version)[0], kind, namespace, name))
    except (TypeError, AttributeError):  # not all of them are texts
        return ""
    return found if found.count(SLASH) == _SLASHES and found.isprintable() else ""


def _head(document: Document) -> tuple[Any, Any, Any]:
    """The apiVersion, kind and metadata: all that has to be made of the value."""
    if document.layout is None:
        value = document.value
        return value.get("apiVersion"), value.get("kind"), value.get("metadata")
    layout, slots = document.layout
    api_version, kind, meta = (layout.part(slots, (name,)) for name in ("apiVersion", "kind", "metadata"))
    return api_version, kind, meta


class _Spot(NamedTuple):
    """Where a value is in the documents of a shape: the line, and the first byte in it."""

    line: int
    start: int

    def text(self, lines: list[bytes]) -> str | None:
        """The text there, None for a value that is none."""
        found = lines[self.line][self.start :].rstrip(b" ").decode()
        if found.startswith('"'):
            return found[1:-1]
        return found if scalars.resolve(found) == found else None


class _Shape:
    """Documents that differ only in values. `spots` say where those at _PATHS are."""

    __slots__ = ("_kinds", "_last", "_starts", "spots")

    def __init__(self, spots: tuple[_Spot | None, ...]) -> None:
        self.spots = spots
        self._last = 1 + max((spot.line for spot in spots if spot is not None), default=0)
        self._kinds: set[tuple[str | None, str | None]] = set()  # of which such documents are known to be objects
        self._starts: dict[tuple[bytes, ...], str] = {}  # of names, by the lines that say them

    def texts(self, document: bytes) -> tuple[str | None, ...]:
        """The apiVersion, kind, namespace and name that a document gives."""
        return self._texts(document.split(b"\n", self._last))

    def _texts(self, lines: list[bytes]) -> tuple[str | None, ...]:
        return tuple([spot.text(lines) if spot is not None else "" for spot in self.spots])

    def learn(self, api_version: str, kind: str) -> None:
        """Such documents with this apiVersion and kind are objects."""
        self._kinds.add((api_version, kind))

    def name(self, document: bytes) -> str:
        """The identity of the object in such a document, "" where a closer look is needed."""
        lines = document.split(b"\n", self._last)
        *others, spot = self.spots
        said = tuple([lines[s.line] if s is not None else b"" for s in others])
        start = self._starts.get(said)
        name = spot.text(lines) if spot is not None else None
        if start is not None and name and SLASH not in name and name.isprintable():
            return start + name
        api_version, kind, namespace, name = self._texts(lines)
        if (api_version, kind) not in self._kinds:
            return ""
        found = _identity(api_version, kind, namespace, name)
        if found:
            self._starts[said] = found.removesuffix(str(name))
        return found


class Names:
    """The names of the objects of many files, as `names` gives them; not all documents are read for that."""

    def __init__(self) -> None:
        self._shapes: dict[bytes, _Shape] = {}

    def __call__(self, data: bytes, read: Callable[[bytes], Loaded]) -> tuple[str, ...]:
        """The names in a file with these bytes; `read` gives what such a file holds."""
        text = data if data.endswith(b"\n") else data + b"\n"
        shape = _shape(text)
        texts, shapes = text[:-1].split(_SEPARATOR), shape[:-1].split(_SEPARATOR)
        if not _is_usual(data) or shape.count(b"\n---") >= len(texts):
            return names(read(data))
        known = self._shapes
        found = []
        for text, shape in zip(texts, shapes, strict=True):
            name = known[shape].name(text) if shape in known else ""
            found.append(name or self._read(text, shape, read))
            if not found[-1]:
                return names(read(data))
        return tuple(found)

    def _read(self, text: bytes, shape: bytes, read: Callable[[bytes], Loaded]) -> str:
        """The name in a document by itself, "" where it depends on others or a closer look is needed."""
        if text.lstrip().startswith(b"{"):  # JSON, or YAML after YAML
            return ""
        loaded = read(text + b"\n")
        found = names(loaded)
        if len(found) != 1:
            return ""
        self._learn(shape, text, loaded.documents[0])
        return found[0]

    def _learn(self, shape: bytes, text: bytes, document: Document) -> None:
        """Remember that a document of this shape holds an object."""
        if document.layout is None:
            return
        layout, (api_version, kind, meta) = document.layout[0], _head(document)
        values = (api_version, kind, meta.get("namespace", ""), meta["name"])
        if not all(isinstance(value, str) for value in values) or not LIVE.isdisjoint(meta):
            return
        known = self._shapes.get(shape) or _Shape(_spots(layout, text.split(b"\n"), values))
        if known.texts(text) == values:
            known.learn(api_version, kind)
            if len(self._shapes) >= _MOST:
                self._shapes.clear()
            self._shapes[shape] = known


def _spots(layout: Layout, lines: list[bytes], values: Iterable[str]) -> tuple[_Spot | None, ...]:
    """Where these values of _PATHS are in the lines of a document with this layout."""
    before = 1 if lines[0].startswith(b"---") else 0  # a layout starts after the separator
    spots: list[_Spot | None] = []
    for path, value in zip(_PATHS, values, strict=True):
        slot = get(layout.tree, path)
        at = before + slot.line if isinstance(slot, Slot) and slot.line >= 0 else -1
        line = lines[at].rstrip(b" ") if at >= 0 else b""
        start = len(line) - len(value.encode()) - 2 * line.endswith(b'"')
        spots.append(_Spot(at, start) if line and start > 0 else None)
    return tuple(spots)


def _is_usual(data: bytes) -> bool:
    """Whether a file starts as usual, and no limit is near."""
    if len(data) > _LONGEST or data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return False
    return not data.startswith(b"---") or data.startswith(b"---\n")


def _shape(data: bytes) -> bytes:
    """The text with one word for every value that ends a line, as far as that is all it can be."""
    for pattern, word in _VALUES:
        data = pattern.sub(word, data)
    return data
