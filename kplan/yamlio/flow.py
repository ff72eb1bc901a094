"""Flow collections and quoted scalars of the fast parser: JSON-like maps and lists, also over several lines."""

from __future__ import annotations

import re

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.yamlio import scalars


class Unusual(Exception):  # noqa: N818 - no error: the complete parser takes over
    """Something that the fast parser leaves to the complete one."""


LONGEST_KEY: Final = 1000  # in characters of its text; go-yaml takes 1024
_SPACE: Final = lazy(r"[ \n]*")
# A plain scalar that surely is one: words, with colons only inside of words.
_PLAIN: Final = lazy(r"-*[A-Za-z0-9_./$~][A-Za-z0-9_./$@%+*=-]*(?:[: ][A-Za-z0-9_./$@%+*=-]+)*(?=[ \n]*[,\]}]|: )")
# A list of nothing but texts in quotes without an escape, and words.
_WORD: Final = lazy(r'"([^"\\\n]*)"|([A-Za-z_/][A-Za-z0-9_./-]*)')
_WORDS: Final = lazy(r'\[(?:(?:"[^"\\\n]*"|[A-Za-z_/][A-Za-z0-9_./-]*)(?:, |(?=\])))+\](?<!, \])')
_STRING: Final = lazy(r'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|\'[^\'\n]*(?:\'\'[^\'\n]*)*\'')
_ESCAPE: Final = lazy(r"\\(?:([0abtnvfre \"'\\N_LP])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|(.))")
_ESCAPES: Final = dict(zip("0abtnvfre \"'\\N_LP", "\0\a\b\t\n\v\f\r\x1b \"'\\\x85\xa0\u2028\u2029", strict=True))
_BRACKETS: Final = lazy(r'"[^"\\]*(?:\\.[^"\\]*)*"|\'[^\']*\'|([\[{])|([\]}])')


def unescape(text: str, quote: str) -> str:
    """The value of what stands between quotes on one line. Raises Unusual for a rare escape."""
    if quote == "'":
        return text.replace("''", "'")
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return _ESCAPES[found[1]]
    code = int(found[2] or found[3] or "d800", 16)
    if 0xD800 <= code < 0xE000:
        raise Unusual
    return chr(code)


def open_brackets(text: str) -> int:
    """How many brackets a part of a text opens and does not close."""
    return sum(1 if m[1] else -1 for m in _BRACKETS.finditer(text) if m.lastindex)


def parse(text: str, depth: int) -> Any:
    """The flow collection that is the whole text, but for a comment at its end. Raises Unusual."""
    if text in ("[]", "{}"):
        return [] if text == "[]" else {}
    if depth > 0 and _WORDS.fullmatch(text):
        return [scalars.WORDS.get(plain, plain) if plain else quoted for quoted, plain in _WORD.findall(text)]
    reader = _Reader(text, depth)
    value = reader.value()
    rest = text[reader.at :]
    if rest.strip(" \n") and not re.match(" +#[^\n]*$", rest):
        raise Unusual
    return value


class _Reader:
    __slots__ = ("at", "depth", "text")

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.at = 0
        self.depth = depth

    def space(self) -> str:
        """The next character that is no white space."""
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches always
        return self.text[self.at : self.at + 1]

    def value(self) -> Any:
        start = self.text[self.at : self.at + 1]
        if start == "[":
            return self.collection("]", [])
        if start == "{":
            return self.collection("}", {})
        if start and start in "\"'":
            return self.string()
        found = _PLAIN.match(self.text, self.at)
        if found is None:
            raise Unusual
        self.at = found.end()
        return self.resolved(found[0], scalars.value)

    def collection(self, end: str, made: Any) -> Any:
        self.depth -= 1
        if self.depth < 0:
            raise Unusual
        self.at += 1
        while (start := self.space()) != end:
            if end == "]":
                made.append(self.value())
            else:
                self.pair(start, made)
            if (after := self.space()) == ",":
                self.at += 1
            elif after != end:
                raise Unusual
        self.at += 1
        self.depth += 1
        return made

    def pair(self, start: str, made: dict[str, Any]) -> None:
        begin = self.at
        if start and start in "\"'":
            key = self.string()
        else:
            found = _PLAIN.match(self.text, self.at)
            if found is None:
                raise Unusual
            self.at = found.end()
            key = self.resolved(found[0], scalars.key)
        if self.text[self.at : self.at + 1] != ":" or key in made or self.at - begin > LONGEST_KEY:
            raise Unusual
        self.at += 1
        if self.space() in (",", "}"):
            raise Unusual
        made[key] = self.value()

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise Unusual
        self.at = found.end()
        return unescape(found[0][1:-1], found[0][0])

    def resolved(self, text: str, meaning: Any) -> Any:
        try:
            return meaning(scalars.resolve(text))
        except scalars.ScalarError as error:
            raise Unusual from error
