"""The events of one YAML document: libyaml where its binding is installed, else ruamel's parser in Python.

go-yaml v2, which kubectl reads with, is a port of libyaml: the events, the errors and their words are nearly its own.
Where the two differ, this module makes up for it. Only the first document of a text is read, as kubectl does: what
follows `...` is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any, Final, TypeVar

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import ScalarEvent
from ruamel.yaml.scanner import ScannerError

from kplan.patterns import lazy
from kplan.yamlio.readerror import ReadError, at

try:
    from _ruamel_yaml import CParser
except ImportError:  # pragma: no cover - depends on the installation
    CParser = None

T = TypeVar("T")
Event = Any
NextEvent = Callable[[], Event]

# What ruamel's parsers let out besides their own errors, for texts that make no sense.
_STRAY: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    NotImplementedError,
)
# What go-yaml's reader does not let through (readerc.go).
_NOT_ALLOWED: Final = lazy("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_ESCAPED_SLASH: Final = lazy(r"(?<!\\)(?:\\\\)*\\/")

_FLOW_COLON: Final = "found unexpected ':'"
_UNKNOWN_ESCAPE: Final = "found unknown escape character"
# A word that starts as a plain scalar does; inside such a word no colon but the last is syntax.
_WORD: Final = lazy(r"(?<![^\s,\[\]{}])[^\s,\[\]{}\"'&*!|>%@`#?:-][^\s,\[\]{}]*")
_INNER_COLON: Final = lazy(r"(?<![\"']):(?!$)")
# How many characters a document may cost that has to be read several times, all attempts together.
_BUDGET: Final = 10_000_000


def parse(text: str, consume: Callable[[NextEvent], T], *, pure: bool = False) -> T:
    """What `consume` makes of the events of the text. Raises ReadError.

    What libyaml refuses or drops and go-yaml takes is masked with characters that the text does not have: byte order
    marks inside the text, and, when libyaml has refused one, a colon inside a plain scalar of a flow collection
    (`[a:b]`) and the escape `\\'`. Then the text is read again.
    """
    _check_characters(text)
    masks = _Masks(text)
    masked = text
    if "\ufeff" in text[1:] and (mask := masks.get("\ufeff")):
        masked = text[0] + text[1:].replace("\ufeff", mask)
    for attempt in count(1):
        try:
            return consume(_events(masked, masks.meaning, pure))
        except MarkedYAMLError as error:
            repaired = _repaired(masked, error, masks) if attempt * len(text) <= _BUDGET else ""
            if not repaired:
                raise _problem_of(error) from error
            masked = repaired
        except (YAMLError, *_STRAY) as error:
            raise ReadError(f"cannot be parsed: {error}") from error
    raise AssertionError  # count has no end


class _Masks:
    """Characters that stand for others while a text is parsed: `meaning` says for which."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.meaning: dict[str, str] = {}

    def get(self, char: str) -> str:
        """The mask of a character or of nothing; "" if the text has every private character."""
        for mask, meaning in self.meaning.items():
            if meaning == char:
                return mask
        used = {*self.text, *self.meaning}
        mask = next((c for c in map(chr, range(0xE000, 0xF900)) if c not in used), "")
        if mask:
            self.meaning[mask] = char
        return mask


def _repaired(text: str, error: MarkedYAMLError, masks: _Masks) -> str:
    """The text with what libyaml has refused masked; "" if go-yaml refuses it too."""
    index = error.problem_mark.index if error.problem_mark else 0
    if error.problem == _FLOW_COLON:
        first = ":" not in masks.meaning.values()
        if not (mask := masks.get(":")):
            return ""
        text = text[:index] + mask + text[index + 1 :]
        if first and "!<" not in text and not text.startswith("%"):  # the others that stand as clearly inside words
            text = _WORD.sub(lambda word: _INNER_COLON.sub(mask, word[0]), text)
        return text
    if error.problem == _UNKNOWN_ESCAPE and text.startswith("\\'", index):
        nothing, quote = masks.get(""), masks.get("'")
        return text[:index] + nothing + quote + text[index + 2 :] if nothing and quote else ""
    return ""


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
                problem = at(text, found.end() - 1, _UNKNOWN_ESCAPE)
                problem.place = problem.line
                raise problem
            for mask, char in masks.items():
                event.value = event.value.replace(mask, char)
        return event

    return corrected


def _check_characters(text: str) -> None:
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
