"""Bytes to documents: split, parse, flatten lists. The one way in for files, and for the text of a single document.

Follows k8s.io/cli-runtime resource/visitor.go (StreamVisitor, FlattenListVisitor) and k8s.io/apimachinery
apis/meta/v1/unstructured/helpers.go (UnstructuredJSONScheme: what is a list).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.model import Document, Duplicate, Loaded, Path, Skipped, Span, Unreadable, Value
from kplan.tuples import NamedTuple
from kplan.yamlio import fast, jsonio
from kplan.yamlio.flow import Unusual
from kplan.yamlio.layout import Layout
from kplan.yamlio.limits import Limits
from kplan.yamlio.positions import Positions
from kplan.yamlio.readerror import ReadError
from kplan.yamlio.scalars import replace_surrogates
from kplan.yamlio.split import Chunk, chunks, decode, normalise


class Parsed:
    """One document as it stands in the file: any JSON value; `positions` knows its text."""

    __slots__ = ("_found", "_value", "line", "positions", "repeated")

    def __init__(
        self, value: Any, line: int, repeated: bool, positions: Positions, found: fast.Parsed | None = None
    ) -> None:
        self._value = value
        self._found = found
        self.line = line
        self.repeated = repeated
        self.positions = positions

    @property
    def value(self) -> Any:
        """The value, made now if it is that of a layout."""
        return self._value if self._found is None else self._found.value

    @property
    def laid_out(self) -> tuple[Layout, Sequence[Any]] | None:
        """The layout and its slots of a document that has one and is a single object."""
        found = self._found
        if found is None or found.layout is None or not isinstance(found.layout.tree, dict):
            return None
        return None if "items" in found.layout.tree else (found.layout, found.slots)


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
    shallow: bool = False,
) -> Loaded:
    """The documents of a file, lists flattened; each unreadable document once, at its place in `file`.

    `skip` looks at the value of each document and says why it is to be left out, or "". With `shallow` it looks at no
    more than the names of the fields, and the plain values of the document and of its `metadata`. Documents that are
    empty are dropped. Never raises for what the data holds.
    """
    limits = limits or Limits()
    documents: list[Document] = []
    skipped: list[Skipped] = []
    unreadable: list[Unreadable] = []
    index = 0
    for parsed in _parsed(data, file, limits):
        if isinstance(parsed, ReadError):
            unreadable.append(_unreadable(file, parsed))
            index += 1
            continue
        layout = parsed.laid_out
        if layout is None and parsed.value is None:
            continue
        if skip is not None and (reason := skip(layout[0].head(layout[1]) if layout and shallow else parsed.value)):
            skipped.append(Skipped(file, reason, Span(file, parsed.line, 1, parsed.line, 1), index))
        elif layout is not None:
            places = parsed.positions
            documents.append(Document.laid_out(layout, file, index, parsed.line, places, places.text, places.line))
        else:
            try:
                documents += list(_flattened(file, index, parsed))  # all of it or nothing
            except ReadError as problem:
                unreadable.append(_unreadable(file, problem))
        index += 1
    return Loaded(tuple(documents), tuple(skipped), tuple(unreadable), 1)


def read_one(text: str) -> One:
    """The one document in a text, as kubectl reads it from a file. A List stays whole; a map need not have a kind."""
    found: list[Parsed] = []
    for parsed in _of_text(_cleaned(text), "", Limits()):
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
    return One(value, "", found[0].positions.duplicates() if found[0].repeated else ())


def load_value(text: str, file: str) -> Any:
    """The value of a file that holds one YAML or JSON document of any form; None if it is empty.

    For what is no manifest: configuration, rules, texts inside a ConfigMap. Raises KplanError with the place.
    """
    values = []
    for parsed in _of_text(_cleaned(text), file, Limits()):
        if isinstance(parsed, ReadError):
            raise KplanError(f"{file}:{parsed.line}:{parsed.col}: {parsed.message}")
        if parsed.value is not None:
            values.append(parsed.value)
    if len(values) > 1:
        raise KplanError(f"{file}: one document expected, not {len(values)}")
    return values[0] if values else None


def _cleaned(text: str) -> str:
    return normalise(replace_surrogates(text).removeprefix("\ufeff"))


def _parsed(data: bytes, file: str, limits: Limits) -> Iterator[Parsed | ReadError]:
    if len(data) > limits.file_bytes:
        yield ReadError(f"a file of more than {limits.file_bytes} bytes", code="limit")
        return
    try:
        text = decode(data)
    except ReadError as problem:
        yield problem
        return
    yield from _of_text(text, file, limits)


def _of_text(text: str, file: str, limits: Limits) -> Iterator[Parsed | ReadError]:
    """The documents of a normalised text, the empty ones too, up to the limit."""
    parsed = _json_first(text, file, limits) if jsonio.looks_like_json(text) else _yaml(text, 1, file, limits)
    for count, document in enumerate(parsed):
        if count == limits.documents:
            yield ReadError(f"more than {limits.documents} documents", document.line, code="limit")
            return
        yield document


def _json_first(text: str, file: str, limits: Limits) -> Iterator[Parsed | ReadError]:
    """A text that starts as JSON does. While no more than one value has come, what is no JSON may still be YAML."""
    end = count = 0
    while True:
        try:
            found = jsonio.read_json(text, end, limits)
        except ReadError as problem:
            if problem.code != "json" or count > 1:
                yield problem
                return
            yield from _after_json(text, end, problem, file, limits)
            return
        if found is None:
            return
        line = text.count("\n", 0, found.start) + 1
        line_start = text.rfind("\n", 0, found.start) + 1
        positions = Positions(file, text[line_start : found.end], line, json_start=found.start - line_start)
        parsed = Parsed(found.value, line, found.repeated, positions)
        yield _too_long(parsed, limits) or parsed
        end = found.end
        count += 1


def _after_json(text: str, end: int, problem: ReadError, file: str, limits: Limits) -> Iterator[Parsed | ReadError]:
    """The rest of the text as YAML; if its first document is none, the error of JSON is the one that is told."""
    rest = text[end:].lstrip(" \t\r")
    start = len(text) - len(rest)
    start += rest.startswith("\n")
    line = text.count("\n", 0, start) + 1
    for count, parsed in enumerate(_yaml(text[start:], line, file, limits)):
        failed = count == 0 and isinstance(parsed, ReadError) and parsed.code == "yaml"
        yield problem if failed else parsed


def _yaml(text: str, line: int, file: str, limits: Limits) -> Iterator[Parsed | ReadError]:
    for chunk in chunks(text, line):
        if isinstance(chunk, ReadError):
            yield chunk
            continue
        try:
            parsed = _document(chunk, file, limits)
            yield _too_long(parsed, limits) or parsed
        except ReadError as problem:
            problem.line += chunk.line - 1
            yield problem


def _document(chunk: Chunk, file: str, limits: Limits) -> Parsed:
    positions = Positions(file, chunk.text, chunk.line)
    if not chunk.text:
        return Parsed(None, chunk.line, False, positions)
    try:
        found = fast.parse(chunk.text, limits)
        positions.by_lines = fast.tree
        return Parsed(None, chunk.line - 1 + found.line, False, positions, found)
    except Unusual:
        from kplan.yamlio.compose import compose
        from kplan.yamlio.events import parse

        made = parse(chunk.text, lambda next_event: compose(next_event, limits))
        return Parsed(made.value, chunk.line - 1 + made.line, made.repeated, positions)


def _too_long(parsed: Parsed, limits: Limits) -> ReadError | None:
    """What is wrong with a document that holds a text beyond the limit."""
    limit = limits.scalar_bytes
    if len(parsed.positions.text) <= limit:
        return None
    waiting: list[tuple[Path, Any]] = [((), parsed.value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, (dict, list)):
            inside = one.items() if isinstance(one, dict) else enumerate(one)
            waiting += [((*path, k), v) for k, v in inside if isinstance(v, (dict, list, str))]
        elif isinstance(one, str) and len(one) > limit:
            return _problem_at(parsed.positions, path, f"a text of more than {limit} bytes", code="limit")
    return None


def _flattened(file: str, index: int, parsed: Parsed) -> Iterator[Document]:
    """The document, or the items of a list in the order kubectl takes them. Raises ReadError for what is no object."""
    positions = parsed.positions
    value = parsed.value
    duplicates = positions.duplicates() if parsed.repeated else ()
    if not isinstance(value, dict):
        raise ReadError(_no_map(value), parsed.line)
    if "items" not in value:
        yield Document(file, index, None, value, parsed.line, positions, positions.text, positions.line, duplicates)
        return
    queue: list[tuple[Path, Value]] = [((), value)]
    count = 0
    for path, one in queue:
        if "items" in one and (not path or isinstance(one["items"], list)):
            queue += _items(path, one, positions)
            continue
        own = _inside(path, duplicates, first=count == 0)
        place = positions.within(path)
        yield Document(file, index, count, one, parsed.line, place, positions.text, positions.line, own)
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
