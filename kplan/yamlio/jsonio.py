"""JSON as Go reads it: a stream of values, the last of equal keys wins, numbers as the API machinery has them.

Follows encoding/json (words of the errors, U+FFFD for lone surrogates) and sigs.k8s.io/json (integers beyond 64 bits
are floats).
"""

from __future__ import annotations

from math import isfinite

from kplan.hints import Any, Final
from kplan.patterns import lazy
from kplan.tuples import NamedTuple
from kplan.yamlio.limits import Limits
from kplan.yamlio.readerror import ReadError, at
from kplan.yamlio.scalars import json_float, replace_surrogates

_SPACE: Final = lazy(r"[ \t\r\n]*")
_SURROGATE: Final = lazy(r"\\u[dD][89a-fA-F]")


class Json(NamedTuple):
    """A value, where its text starts and ends, and whether some object has a key twice."""

    value: Any
    start: int
    end: int
    repeated: bool


def looks_like_json(text: str) -> bool:
    """Whether kubectl tries JSON first: an open brace after white space, in the first 4 KiB."""
    return text[:4096].lstrip().startswith("{")


def read_json(text: str, start: int, limits: Limits) -> Json | None:
    """The next value of a stream, None at its end. Raises ReadError."""
    from json import JSONDecodeError, JSONDecoder  # slow to load

    start = _SPACE.match(text, start).end()  # type: ignore[union-attr]  # matches always
    if start == len(text):
        return None
    seen = _Seen()
    decoder = JSONDecoder(
        object_pairs_hook=seen.read_object,
        parse_float=seen.read_float,
        parse_int=seen.read_int,
        parse_constant=seen.read_constant,
    )
    try:
        value, end = decoder.raw_decode(text, start)
    except JSONDecodeError as error:
        raise _syntax(text, error.pos, error.msg) from error
    except _ConstantError as error:
        raise _syntax(text, max(text.find(str(error), start), start), "Expecting value") from error
    except RecursionError as error:
        raise at(text, start, _too_deep(limits), code="limit") from error
    if _deeper(value, limits.depth):
        raise at(text, start, _too_deep(limits), code="limit")
    if seen.repeated > limits.duplicates:
        raise at(text, start, f"more than {limits.duplicates} keys that stand twice in one map", code="limit")
    if seen.too_large:
        place = max(text.find(seen.too_large, start), start)
        raise at(text, place, f"json: cannot unmarshal number {seen.too_large[:20]} into float64", code="number")
    if _SURROGATE.search(text, start, end):
        value = _repaired(value)
    return Json(value, start, end, seen.repeated > 0)


class _ConstantError(Exception):
    """A word that Python's json takes for a number: NaN, Infinity, -Infinity."""


class _Seen:
    """The hooks of the decoder, and what they met: a key twice in an object, a number that no float can hold."""

    def __init__(self) -> None:
        self.repeated = 0
        self.too_large = ""

    def read_object(self, items: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(items)
        if len(made) != len(items):
            self.repeated += len(items) - len(made)
        return made

    def read_int(self, digits: str) -> int | float:
        if len(digits) < 19 or (len(digits) <= 20 and -(2**63) <= int(digits) < 2**63):
            return int(digits)
        return self.read_float(digits)

    def read_float(self, digits: str) -> int | float:
        number = float(digits)
        if isfinite(number):
            return json_float(number)
        self.too_large = self.too_large or digits
        return 0

    def read_constant(self, word: str) -> Any:
        raise _ConstantError(word)


def _deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        inside = (v.values() if type(v) is dict else v for v in level if type(v) is dict or type(v) is list)
        level = [v for values in inside for v in values if type(v) is dict or type(v) is list]
        if not level:
            return False
    return True


def _too_deep(limits: Limits) -> str:
    return f"nested deeper than {limits.depth} levels"


def _repaired(value: Any) -> Any:
    if isinstance(value, dict):
        return {replace_surrogates(k): _repaired(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_repaired(v) for v in value]
    return replace_surrogates(value) if isinstance(value, str) else value


# What Python's json says, and what Go says of the character in the same place.
_GO_WORDS: Final = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair or array element",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


def _syntax(text: str, index: int, words: str) -> ReadError:
    message = "unexpected EOF"
    if text[index:].strip() and not words.startswith("Unterminated"):
        message = f"invalid character {text[index]!r} {_GO_WORDS.get(words.removesuffix(': '), '')}".rstrip()
    return at(text, index, message, place=len(text[: index + 1].encode()), code="json")
