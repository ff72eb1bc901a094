"""Bytes to documents: split, parse, flatten lists. The one way in for files, and for the text of a single document.

Follows k8s.io/cli-runtime resource/visitor.go (StreamVisitor, FlattenListVisitor) and k8s.io/apimachinery
apis/meta/v1/unstructured/helpers.go (UnstructuredJSONScheme: what is a list).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from kplan.errors import KplanError
from kplan.hints import Any, Final
from kplan.model import Document, Duplicate, Loaded, Path, Skipped, Span, Unreadable, Value
from kplan.tuples import NamedTuple
from kplan.yamlio import fast, jsonio
from kplan.yamlio.flow import Unusual
from kplan.yamlio.layout import Layout
from kplan.yamlio.limits import Limits
from kplan.yamlio.positions import Positions, Tree
from kplan.yamlio.readerror import ReadError
from kplan.yamlio.scalars import replace_surrogates
from kplan.yamlio.seen import NUMBER, SEPARATOR
from kplan.yamlio.split import Chunk, chunk, chunks, decode, normalise
from kplan.yamlio.texts import Texts

_tuple: Final = tuple.__new__  # takes a third of the time of a constructor
_SHORT: Final = 20_000  # characters of a text whose lines are looked up all at once


class _Read(NamedTuple):
    """One document as it stands in the file: any JSON value, which starts on `line`, and its text, from `text_line`.

    `content` is the value, or what is in the slots of the `layout`; `own` the text, or its lines. `repeated` says that
    some map may have a key twice. `by_lines` and `json_start` are what Positions wants to know.
    """

    content: Any
    layout: Layout | None
    line: int
    own: str | list[str]
    text_line: int
    repeated: bool = False
    by_lines: Callable[[str], Tree] | None = None
    json_start: int | None = None

    @property
    def value(self) -> Any:
        """The value, made now if it is that of a layout."""
        return self.content if self.layout is None else self.layout.value(self.content)

    @property
    def text(self) -> str:
        """The text, which ends with a newline."""
        return self.own if isinstance(self.own, str) else "\n".join(self.own) + "\n"

    def places(self, file: str, text: Callable[[int], str] | None = None) -> Positions:
        """Where its parts are; `text` gives the text by its line, for places that are not to keep it."""
        return Positions(
            file,
            text or self.text,
            self.text_line,
            start=self.line,
            json_start=self.json_start,
            by_lines=self.by_lines,
        )


class One(NamedTuple):
    """A single document: its value, or None and why kubectl cannot read it, in its words."""

    value: Value | None
    message: str = ""
    duplicates: tuple[Duplicate, ...] = ()


def read(
    data: bytes,
    file: str,
    *,
    limits: Limits | None = None,
    skip: Callable[[Any], str] | None = None,
    glance: Callable[[Layout, Any], str] | None = None,
    again: Callable[[], bytes] | None = None,
) -> Loaded:
    """The documents of a file, lists flattened; each unreadable document once, at its place in `file`.

    `skip` looks at the value of each document and says why it is to be left out, or ""; `glance` says the same of what
    is in the slots of a layout, where the value need not be made for that. Documents that are empty are dropped.
    `again` reads the data once more, raising OSError if that is not possible any more: then most documents need not
    keep their texts. Never raises for what the data holds.
    """
    limits = limits or Limits()
    try:
        text = _text(data, limits)
    except ReadError as problem:
        return Loaded((), (), (_unreadable(file, problem),), 1)
    texts = Texts(file, data, text, None if jsonio.looks_like_json(text) else again)
    keeps = texts.kept
    documents: list[Document] = []
    skipped: list[Skipped] = []
    unreadable: list[Unreadable] = []
    index = 0
    for one in _of_text(text, limits):
        if isinstance(one, ReadError):
            unreadable.append(_unreadable(file, one))
            index += 1
            continue
        content, layout, line, _, text_line = one[:5]
        if layout is not None and not layout.is_object:
            content, layout = layout.value(content), None
        if layout is None and content is None:
            continue
        if skip is not None and (reason := glance(layout, content) if glance and layout else skip(one.value)):
            skipped.append(Skipped(file, reason, Span(file, line, 1, line, 1), index))
        elif layout is not None:
            pair = layout, content
            documents.append(Document.laid_out(pair, texts, index, line, one.text if keeps else None, text_line))
        else:
            try:
                documents += list(_flattened(texts, index, one))  # all of it or nothing
            except ReadError as problem:
                unreadable.append(_unreadable(file, problem))
        index += 1
    return Loaded(tuple(documents), tuple(skipped), tuple(unreadable), 1)


def read_one(text: str) -> One:
    """The one document in a text, as kubectl reads it from a file. A List stays whole; a map need not have a kind."""
    found: list[_Read] = []
    for parsed in _of_text(_cleaned(text), Limits()):
        if isinstance(parsed, ReadError):
            return One(None, _words_of_kubectl(parsed))
        if parsed.value is not None:
            found.append(parsed)
    if not found:
        return One(None, "no objects passed to apply")
    if len(found) > 1:
        return One(None, f"one document expected, not {len(found)}")
    value = found[0].value
    if not isinstance(value, dict):
        return One(None, _no_map(value))
    return One(value, "", found[0].places("").duplicates() if found[0].repeated else ())


def load_value(text: str, file: str) -> Any:
    """The value of a file that holds one YAML or JSON document of any form; None if it is empty.

    For what is no manifest: configuration, rules, texts inside a ConfigMap. Raises KplanError with the place.
    """
    values = []
    for parsed in _of_text(_cleaned(text), Limits()):
        if isinstance(parsed, ReadError):
            raise KplanError(f"{file}:{parsed.line}:{parsed.col}: {parsed.message}")
        if parsed.value is not None:
            values.append(parsed.value)
    if len(values) > 1:
        raise KplanError(f"{file}: one document expected, not {len(values)}")
    return values[0] if values else None


def _cleaned(text: str) -> str:
    return normalise(replace_surrogates(text).removeprefix("\ufeff"))


def _text(data: bytes, limits: Limits) -> str:
    """The text of a file. Raises ReadError."""
    if len(data) > limits.file_bytes:
        raise ReadError(f"a file of more than {limits.file_bytes} bytes", code="limit")
    return decode(data)


def _of_text(text: str, limits: Limits) -> Iterator[_Read | ReadError]:
    """The documents of a normalised text, the empty ones too, up to the limit."""
    parsed = _json_first(text, limits) if jsonio.looks_like_json(text) else _yaml(text, 1, limits)
    for count, document in enumerate(parsed):
        if count == limits.documents:
            yield ReadError(f"more than {limits.documents} documents", document.line, code="limit")
            return
        yield document


def _json_first(text: str, limits: Limits) -> Iterator[_Read | ReadError]:
    """A text that starts as JSON does. While no more than one value has come, what is no JSON may still be YAML."""
    end = count = 0
    while True:
        try:
            found = jsonio.read_json(text, end, limits)
        except ReadError as problem:
            if problem.code != "json" or count > 1:
                yield problem
                return
            yield from _after_json(text, end, problem, limits)
            return
        if found is None:
            return
        line = text.count("\n", 0, found.start) + 1
        line_start = text.rfind("\n", 0, found.start) + 1
        own_text, start = text[line_start : found.end], found.start - line_start
        one = _Read(found.value, None, line, own_text, line, found.repeated, json_start=start)
        yield _too_long(one, limits) or one
        end = found.end
        count += 1


def _after_json(text: str, end: int, problem: ReadError, limits: Limits) -> Iterator[_Read | ReadError]:
    """The rest of the text as YAML; if its first document is none, the error of JSON is the one that is told."""
    rest = text[end:].lstrip(" \t\r")
    start = len(text) - len(rest)
    start += rest.startswith("\n")
    line = text.count("\n", 0, start) + 1
    for count, parsed in enumerate(_yaml(text[start:], line, limits)):
        failed = count == 0 and isinstance(parsed, ReadError) and parsed.code == "yaml"
        yield problem if failed else parsed


def _yaml(text: str, line: int, limits: Limits) -> Iterator[_Read | ReadError]:
    if len(text) <= min(_SHORT, limits.scalar_bytes):
        lines = text.split("\n")
        lines.pop()
        seen = fast.look_up(lines)
        numbers = tuple(map(NUMBER, seen))
        if fast.is_divided(numbers):
            for start, end in _between(numbers):
                own, at = lines[start:end], line + start
                try:
                    content, below, layout = fast.document(own, seen[start:end], numbers[start:end], limits)
                except Unusual:
                    yield _complete(chunk("\n".join(own) + "\n", at), limits)
                else:
                    yield _tuple(_Read, (content, layout, at + below - 1, own, at, False, fast.tree, None))
            return
    for one in chunks(text, line):
        if isinstance(one, ReadError):
            yield one
        else:
            read = _document(one, limits)
            yield read if isinstance(read, ReadError) else _too_long(read, limits) or read


def _between(numbers: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where documents start and end in lines with these numbers; as `chunks` finds them."""
    start = at = 0
    while True:
        try:
            at = numbers.index(SEPARATOR, at)
        except ValueError:
            break
        if at > start:
            yield start, at
            start = at + 1
        at += 1
    if start < len(numbers):
        yield start, len(numbers)


def _document(chunk: Chunk, limits: Limits) -> _Read | ReadError:
    text, line = chunk
    if text:
        try:
            found = fast.parse(text, limits)
            return _Read(found.content, found.layout, line - 1 + found.line, text, line, False, fast.tree)
        except Unusual:
            pass
    return _complete(chunk, limits)


def _complete(chunk: Chunk, limits: Limits) -> _Read | ReadError:
    """What the complete parser makes of a document."""
    text, line = chunk
    if not text:
        return _Read(None, None, line, text, line)
    from kplan.yamlio.compose import compose
    from kplan.yamlio.events import parse

    try:
        made = parse(text, lambda next_event: compose(next_event, limits))
    except ReadError as problem:
        problem.line += line - 1
        return problem
    return _Read(made.value, None, line - 1 + made.line, text, line, made.repeated)


def _too_long(one: _Read, limits: Limits) -> ReadError | None:
    """What is wrong with a document that holds a text beyond the limit."""
    limit = limits.scalar_bytes
    if len(one.own) <= limit:
        return None
    waiting: list[tuple[Path, Any]] = [((), one.value)]
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, (dict, list)):
            inside = part.items() if isinstance(part, dict) else enumerate(part)
            waiting += [((*path, k), v) for k, v in inside if isinstance(v, (dict, list, str))]
        elif isinstance(part, str) and len(part) > limit:
            return _problem_at(one.places(""), path, f"a text of more than {limit} bytes", code="limit")
    return None


def _flattened(texts: Texts, index: int, one: _Read) -> Iterator[Document]:
    """The document, or the items of a list in the order kubectl takes them. Raises ReadError for what is no object."""
    value = one.value
    here = one.places(texts.file)
    duplicates = here.duplicates() if one.repeated else ()
    positions = here if texts.kept or duplicates else one.places(texts.file, texts.text)
    if not isinstance(value, dict):
        raise ReadError(_no_map(value), one.line)
    document = partial(Document.read, texts, index, one.line, one.text if texts.kept else None, one.text_line)
    if "items" not in value:
        yield document(None, value, positions, duplicates)
        return
    queue: list[tuple[Path, Value]] = [((), value)]
    count = 0
    for path, item in queue:
        if "items" in item and (not path or isinstance(item["items"], list)):
            queue += _items(path, item, here)
            continue
        own = _inside(path, duplicates, first=count == 0)
        yield document(count, item, positions.within(path), own)
        count += 1


def _items(path: Path, value: Value, positions: Positions) -> list[tuple[Path, Value]]:
    items = value["items"]
    if items is None:
        return []
    if not isinstance(items, list):
        raise _problem_at(positions, (*path, "items"), f"the items of a list must be a list, not {_type(items)}")
    api_version, kind = value.get("apiVersion"), str(value.get("kind", "")).removesuffix("List")
    out = []
    for i, item in enumerate(items):
        place = (*path, "items", i)
        if not isinstance(item, dict):
            raise _problem_at(positions, place, _no_map(item))
        if kind and not item.get("kind") and not item.get("apiVersion"):
            item = {**item, "apiVersion": api_version, "kind": kind}
        out.append((place, item))
    return out


def _inside(path: Path, duplicates: tuple[Duplicate, ...], *, first: bool) -> tuple[Duplicate, ...]:
    """The duplicates of one item, with paths from there; the first item has those of the list around it as well."""
    own = tuple(d._replace(path=d.path[len(path) :]) for d in duplicates if d.path[: len(path)] == path)
    around = tuple(d for d in duplicates if "items" not in d.path[:1]) if first else ()
    return around + own


def _problem_at(positions: Positions, path: Path, message: str, code: str = "yaml") -> ReadError:
    span = positions(path)
    return ReadError(message, span.line, span.col, code=code)


def _no_map(value: Any) -> str:
    return f"a manifest is a mapping with apiVersion and kind, not {_type(value)}"


def _type(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "a boolean", type(None): "nothing"}
    return names.get(type(value), "a number")


def _unreadable(file: str, problem: ReadError) -> Unreadable:
    return Unreadable(Span(file, problem.line, problem.col, problem.line, problem.col), problem.message, problem.code)


def _words_of_kubectl(problem: ReadError) -> str:
    message = problem.message
    if problem.code == "json":
        return f"json: offset {problem.place}: {message}"
    if problem.code != "yaml" or message.startswith("invalid Yaml document separator"):
        return message
    if not message.startswith(("json: ", "unsupported map key")):  # what comes after go-yaml
        message = "yaml: " + (f"line {problem.place}: " if problem.place else "") + message
    return f"error converting YAML to JSON: {message}"
