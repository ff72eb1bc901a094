"""The events of one YAML document: libyaml where its binding is installed, else ruamel's parser in Python.

go-yaml v2, which kubectl reads with, is a port of libyaml: the events, the errors and their words are nearly its own.
Where the two differ, this module makes up for it. Only the first document of a text is read, as kubectl does: what
follows `...` is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.scanner import ScannerError

from kplan.yamlio.readerror import ReadError, at

try:
    from _ruamel_yaml import CParser
except ImportError:  # pragma: no cover - depends on the installation
    CParser = None

T = TypeVar("T")
Event = Any
NextEvent = Callable[[], Event]

# What go-yaml's reader lets through (readerc.go).
_NOT_ALLOWED: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPED_SLASH: Final = re.compile(r"(?<!\\)(?:\\\\)*\\/")

_FLOW_COLON: Final = "found unexpected ':'"
# A word that starts as a plain scalar does; inside such a word no colon but the last is syntax.
_WORD: Final = re.compile(r"(?<![^\s,\[\]{}])[^\s,\[\]{}\"'&*!|>%@`#?:-][^\s,\[\]{}]*")
_INNER_COLON: Final = re.compile(r"(?<![\"']):(?!$)")
# How many characters a document with such colons may cost, all attempts together.
_BUDGET: Final = 20_000_000


def parse(text: str, consume: Callable[[NextEvent], T], *, pure: bool = False) -> T:
    """What `consume` makes of the events of the text. Raises ReadError.

    libyaml refuses a colon inside a plain scalar of a flow collection (`[a:b]`), and skips a byte order mark inside
    the text; to go-yaml both are characters as any other. They are masked with characters that the text does not
    have; colons when libyaml has refused one, and then the text is read again.
    """
    check_characters(text)
    masks = {}
    masked = text
    if "\ufeff" in text[1:]:
        masks = {_unused(text): "\ufeff"}
        masked = text[0] + text[1:].replace("\ufeff", next(iter(masks)))
    attempts = 0
    while True:
        try:
            return consume(_events(masked, masks, pure))
        except MarkedYAMLError as error:
            attempts += 1
            if error.problem != _FLOW_COLON or attempts * len(text) > _BUDGET:
                raise _problem_of(error) from error
            if attempts == 1:
                mask = _unused(masked)
                masks[mask] = ":"
            masked = _mask(masked, error.problem_mark.index, mask, every=attempts == 1)
        except YAMLError as error:
            raise ReadError(str(error)) from error


def _events(text: str, masks: dict[str, str], pure: bool) -> NextEvent:
    if CParser is None or pure:
        from ruamel.yaml import YAML

        yaml = YAML(typ="safe", pure=True)
        yaml.version = "1.1"
        next_event: NextEvent = iter(yaml.parse(text)).__next__
    else:
        next_event = CParser(text).get_event
    if masks or "\\/" in text:
        return _corrected(next_event, text, masks)
    return next_event


def _corrected(next_event: NextEvent, text: str, masks: dict[str, str]) -> NextEvent:
    """Events with the masked characters restored, and without the escape `\\/`, which go-yaml does not know."""

    def corrected() -> Event:
        event = next_event()
        if type(event) is ScalarEvent:
            start, end = event.start_mark, event.end_mark
            if event.style == '"' and (found := _ESCAPED_SLASH.search(text, start.index, end.index)):
                problem = at(text, found.end() - 1, "found unknown escape character")
                problem.place = problem.line
                raise problem
            for mask, char in masks.items():
                event.value = event.value.replace(mask, char)
        return event

    return corrected


def _mask(text: str, index: int, mask: str, *, every: bool) -> str:
    """The text with the colon at `index` masked; with `every` also those that stand as clearly inside plain scalars."""
    text = text[:index] + mask + text[index + 1 :]
    if every and "!<" not in text and not text.startswith("%"):
        return _WORD.sub(lambda word: _INNER_COLON.sub(mask, word[0]), text)
    return text


def _unused(text: str) -> str:
    used = set(text)
    return next(c for c in map(chr, range(0xE000, 0xF900)) if c not in used)


def check_characters(text: str) -> None:
    """Raise ReadError for the first character that YAML does not allow."""
    if found := _NOT_ALLOWED.search(text):
        raise at(text, found.start(), "control characters are not allowed")


def _problem_of(error: MarkedYAMLError) -> ReadError:
    mark = error.problem_mark or error.context_mark
    line, col = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return ReadError(error.problem or "cannot be parsed", line, col, place=_place(error))


def _place(error: MarkedYAMLError) -> int:
    """The line go-yaml would name: counted from 0 but for the scanner's errors; 0 stands for none."""
    problem, context = error.problem_mark, error.context_mark
    if problem and problem.line:
        return int(problem.line) + isinstance(error, ScannerError)
    return int(context.line) if context else 0
