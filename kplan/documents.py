"""Objects and where they stand: references, places in files, documents. Imports nothing of kplan but records.

`kplan.model` has these names too; that is where to import them from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.record import field, record
from kplan.tuples import NamedTuple

Path = tuple[str | int, ...]
Value = dict[str, Any]

_PLAIN_KEY = lazy(r"[A-Za-z_$][A-Za-z0-9_$-]*\Z")


def format_path(path: Path) -> str:
    """A path as the API server prints it: `spec.containers[0].ports[1].name`, `metadata.labels[a/b]`."""
    out = ""
    for step in path:
        if isinstance(step, int) or not ((step.isascii() and step.isidentifier()) or _PLAIN_KEY.match(step)):
            out += f"[{step}]"
        else:
            out += f".{step}" if out else step
    return out


class Span(NamedTuple):
    """A place in a file. Lines and columns count from 1, columns in code points; the end is exclusive."""

    file: str
    line: int
    col: int
    end_line: int
    end_col: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.col}"


class Ref(NamedTuple):
    """What an object is called. `key` is its identity, which leaves the version out."""

    group: str
    version: str
    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> Key:
        """Identity: two objects with the same key are the same object."""
        group, _, kind, namespace, name = self
        return tuple.__new__(Key, (group, kind, namespace, name))  # it is asked for often

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.api_version} {self.kind} {where}"


class Key(NamedTuple):
    """The identity of an object; `namespace` is empty for a cluster-scoped one."""

    group: str
    kind: str
    namespace: str
    name: str


@lru_cache(maxsize=1_000)
def split_api_version(api_version: str) -> tuple[str, str]:
    """(group, version) of an apiVersion; the core group is the empty text."""
    group, slash, version = api_version.rpartition("/")
    return (group, version) if slash else ("", api_version)


class Duplicate(NamedTuple):
    """A key that a map has twice: the path of its value, and where the key stands first and again."""

    path: Path
    first: Span
    second: Span


@record
class Document:
    """One object of the input as kubectl reads it, and how to find its parts in the file.

    `index` counts the documents of the file from 0, `item` the items of a List (None outside one).
    `value` holds plain JSON values; it starts on `line` (an item of a List: that starts there). `locate` gives the
    place of a path and is only called for findings. `text` is the text of the whole document, comments too, and starts
    on `text_line`; the items of a List share it. `duplicates` are the keys that stand more than once in one map, where
    the last one counts. `layout` is the layout of the text and the values in its slots (kplan/yamlio/layout.py), where
    the document has one that others have too. `origin` is the file (kplan/yamlio/texts.py), if it was read from one.

    The value, the text and the places of a layout are only there once they are asked for. A text may have to be read
    once more from the file; when that has changed meanwhile it is "", and every place is the start of the document.
    """

    file: str
    index: int
    item: int | None
    value: Value
    line: int
    locate: Callable[..., Span] = field(compare=False, repr=False)
    text: str = field(default="", compare=False, repr=False)
    text_line: int = field(default=1, compare=False, repr=False)
    duplicates: tuple[Duplicate, ...] = field(default=(), compare=False, repr=False)
    layout: tuple[Any, Sequence[Any]] | None = field(default=None, compare=False, repr=False)
    origin: Any = field(default=None, compare=False, repr=False)

    @classmethod
    def read(
        cls,
        origin: Any,
        index: int,
        line: int,
        text: str | None,
        text_line: int,
        item: int | None,
        value: Value,
        locate: Callable[..., Span],
        duplicates: tuple[Duplicate, ...],
    ) -> Document:
        """A document of a file; `text` is None if it is not kept."""
        made = cls(origin.file, index, item, value, line, locate, text or "", text_line, duplicates, None, origin)
        if text is None:
            cls.__dict__["text"].__delete__(made)
        return made

    @classmethod
    def laid_out(
        cls, layout: tuple[Any, Sequence[Any]], origin: Any, index: int, line: int, text: str | None, text_line: int
    ) -> Document:
        """A document of a file whose value is made from its layout when it is asked for."""
        made = _new(cls)
        _set_file(made, origin.file)
        _set_index(made, index)
        _set_item(made, None)
        _set_line(made, line)
        _set_text_line(made, text_line)
        _set_duplicates(made, ())
        _set_layout(made, layout)
        _set_origin(made, origin)
        if text is not None:
            vars(cls)["text"].__set__(made, text)
        return made

    def __getattr__(self, name: str) -> Any:
        """What was not asked for so far."""
        if name == "text" and self.origin is not None:
            found = self.origin.text(self.text_line)
        elif name == "value":
            found = self.passing()
        elif name == "locate":
            found = self.origin.places(self)
        else:
            raise AttributeError(name)
        vars(type(self))[name].__set__(self, found)
        return found

    @property
    def mentions_kplan(self) -> bool:
        """Whether there may be a word for kplan in the file, in a comment or an annotation."""
        return self.origin is None or bool(self.origin.mentions_kplan)

    @property
    def keeps_text(self) -> bool:
        """Whether the text is here. In that of a file that would have to be read again there is no word for kplan."""
        return self.origin is None or bool(self.origin.kept)

    def passing(self) -> Value:
        """The value, not kept where it has to be made."""
        try:
            return object.__getattribute__(self, "value")  # type: ignore[no-any-return]
        except AttributeError:
            layout, slots = self.layout or (None, ())
            return layout.value(slots)  # type: ignore[no-any-return, union-attr]

    def span(self, path: Path = (), *, key: bool = False) -> Span:
        """The place of the value at `path`, with `key` that of its key; for a missing key the nearest parent."""
        place = self.locate(path, key=True) if key else self.locate(path)
        _ = self.text  # it has just been read for this, and the line is going to be shown: from now on it is kept
        return place


_new: Final = object.__new__
_set_file, _set_index, _set_item, _set_line, _set_text_line, _set_duplicates, _set_layout, _set_origin = (
    vars(Document)[name].__set__
    for name in ("file", "index", "item", "line", "text_line", "duplicates", "layout", "origin")
)


@record
class Object:
    """An object with its identity. `document` is None for one that a controller made."""

    ref: Ref
    value: Value
    document: Document | None = None
    owner: Ref | None = None

    @classmethod
    def of(cls, ref: Ref, document: Document) -> Object:
        """The object of a document, whose value is taken from there each time it is asked for."""
        made = _new(cls)
        _set_ref(made, ref)
        _set_document(made, document)
        _set_owner(made, None)
        return made

    def hold(self) -> None:
        """Keep the value until `release`, for much will be asked of it."""
        if self.is_laid_out:
            _set_value(self, self.value)

    def release(self) -> None:
        """Keep the value no longer, if it can be made again."""
        if self.is_laid_out:
            _forget_value(self)

    @property
    def is_laid_out(self) -> bool:
        """Whether the document has a layout that others have too."""
        return self.document is not None and self.document.layout is not None

    def __getattr__(self, name: str) -> Any:
        """The value of the document."""
        if name != "value" or self.document is None:
            raise AttributeError(name)
        return self.document.passing()

    def part(self, *path: str | int) -> Any:
        """The part of the value at a path, None where there is none. No more is made than that, if it has to be."""
        document = self.document
        if document is not None and document.layout is not None:
            return document.layout[0].part(document.layout[1], path)
        found: Any = self.value
        for step in path:
            if isinstance(found, dict):
                found = found.get(step)
            elif isinstance(found, list) and isinstance(step, int) and step < len(found):
                found = found[step]
            else:
                return None
        return found

    def names(self, *path: str | int) -> Collection[str] | None:
        """The names of the fields of the mapping at a path, None where there is none."""
        document = self.document
        if document is not None and document.layout is not None:
            tree = document.layout[0].at(path)
            if isinstance(tree, dict):
                return tree.keys()
        found = self.part(*path)
        return found.keys() if isinstance(found, dict) else None


_set_ref, _set_value, _set_document, _set_owner = (
    vars(Object)[name].__set__ for name in ("ref", "value", "document", "owner")
)
_forget_value: Final = vars(Object)["value"].__delete__
