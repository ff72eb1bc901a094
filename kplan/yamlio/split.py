"""The bytes of a file to the documents in it, split as kubectl splits them.

Follows k8s.io/cli-runtime resource/visitor.go (byte order marks) and k8s.io/apimachinery util/yaml/decoder.go
(YAMLReader, YAMLOrJSONDecoder): a line that starts with `---` separates, even inside a block scalar; `...` does not.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator

from kplan.hints import Final
from kplan.patterns import lazy
from kplan.tuples import NamedTuple
from kplan.yamlio.readerror import ReadError

_NOTHING: Final = lazy(r"(?:---[^\n]*\n)?(?: *(?:#[^\n]*)?\n)*+")
_MAY_BE_NOTHING: Final = "\n #-"  # as the first character of a document
_SEPARATOR_ALONE: Final = len("---\n")


class Chunk(NamedTuple):
    """The text of one YAML document and the line of the file it starts on; ends with a newline."""

    text: str
    line: int


def decode(data: bytes) -> str:
    """The text of a file, every line ended by `\\n`. UTF-8, or UTF-16 with a byte order mark. Raises ReadError.

    kubectl replaces bytes that are not UTF-8 by U+FFFD and goes on: nobody wants that, so they are refused here.
    """
    if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    else:
        data = data.removeprefix(BOM_UTF8)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            before = data[: error.start].decode("utf-8")
            line = before.count("\n") + 1
            col = error.start and len(before) - before.rfind("\n")
            raise ReadError(
                f"invalid UTF-8: byte 0x{data[error.start]:02x}", line, col or 1, code="encoding"
            ) from error
    return normalise(text)


def normalise(text: str) -> str:
    """The text with `\\n` for `\\r\\n`, and one at the end."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n"


def chunks(text: str, line: int = 1) -> Iterator[Chunk | ReadError]:
    """The YAML documents of a text that starts on `line`, and what is wrong with a separator in its place.

    The first separator belongs to its document, so that go-yaml sees it. After a bad separator the text up to the next
    one is lost. Documents of nothing but comments are empty chunks, so that callers can count them.
    """
    start, lost = 0, False
    place = 0 if text.startswith("---") else text.find("\n---") + 1 or -1
    while place >= 0:
        end = text.index("\n", place) + 1
        more = text[place + 3 : end - 1].strip() if end - place > _SEPARATOR_ALONE else ""
        own_line = line + text.count("\n", start, place)
        if place > start:
            if not lost:
                yield chunk(text[start:place], line)
            start, line, lost = end, own_line + 1, False
        if more and more[0] != "#":
            yield ReadError(f"invalid Yaml document separator: {more[:20]}", own_line, 1)
            lost = True
        place = text.find("\n---", end - 1) + 1 or -1
    if start < len(text) and not lost:
        yield chunk(text[start:], line)


def chunk(text: str, line: int) -> Chunk:
    """The chunk of a document, empty if there is nothing in it."""
    is_nothing = text[0] in _MAY_BE_NOTHING and _NOTHING.fullmatch(text)
    return Chunk("" if is_nothing else text, line)
