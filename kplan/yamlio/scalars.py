"""What a plain YAML scalar means to kubectl: neither YAML 1.1 nor 1.2, but the table of go-yaml v2.

Follows go.yaml.in/yaml/v2 resolve.go, then the way through JSON: sigs.k8s.io/yaml turns keys into texts, encoding/json
prints a float without fraction as an integer, and an integer beyond 64 bits has gone through a float before.
"""

from __future__ import annotations

import re
from math import isfinite

from kplan.hints import Final
from kplan.patterns import lazy

Scalar = str | int | float | bool | None


class ScalarError(ValueError):
    """A scalar that kubectl refuses; the text says why in its words."""


class Unsigned(int):
    """An integer from 2**63 to 2**64-1: fine as a value (by way of a float), refused as a key."""

    __slots__ = ()


WORDS: Final[dict[str, Scalar]] = {
    **dict.fromkeys("y Y yes Yes YES true True TRUE on On ON".split(), True),
    **dict.fromkeys("n N no No NO false False FALSE off Off OFF".split(), False),
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(".nan .NaN .NAN".split(), float("nan")),
    **dict.fromkeys(".inf .Inf .INF +.inf +.Inf +.INF".split(), float("inf")),
    **dict.fromkeys("-.inf -.Inf -.INF".split(), float("-inf")),
}

# The first character says whether a scalar can be anything but a text.
_WORD_START = frozenset("yYnNtTfFoO~")
_NUMBER_START = frozenset("+-0123456789")
_NUMBER_CHARACTERS = "0123456789abcdefABCDEFxXoO.+-"

_INT = lazy(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))",
    re.ASCII,
)
# go-yaml tries `0b` a second time by itself, and lets a sign follow it.
_SIGNED_BINARY = lazy(r"0b([-+][01]+)", re.ASCII)
_FLOAT = lazy(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
# What starts with a dot goes straight to Go's ParseFloat, which wants underscores between digits.
_DOT_FLOAT = lazy(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+(_[0-9]+)*)?", re.ASCII)
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_DATE = lazy(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:"
    r"[Tt](\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?(?:Z|[-+](?:[01]\d|2[0-4]):(?:[0-5]\d|60))|"
    r" (\d\d?):(\d\d?):(\d\d?)(?:[.,]\d+)?)?",
    re.ASCII,
)
_BASE64 = lazy(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
# A number of more digits than any float has: Python refuses to convert very long ones, Go reads them as infinite.
_LONGEST_NUMBER = 400

_TAG = "tag:yaml.org,2002:"
STR, BINARY, MERGE = _TAG + "str", _TAG + "binary", _TAG + "merge"
_KINDS: Final[dict[str, str]] = {_TAG + k: k for k in "str bool int float null timestamp".split()}


def resolve(text: str) -> Scalar:
    """The value of a plain scalar without a tag; .inf and .nan as floats."""
    if not text:
        return None
    first = text[0]
    if first in _WORD_START:
        return WORDS.get(text, text)
    if first in _NUMBER_START:
        return WORDS[text] if text in WORDS else _number(text)
    if first == ".":
        if text in WORDS:
            return WORDS[text]
        number = _float(text.replace("_", "")) if _DOT_FLOAT.fullmatch(text) else None
        return text if number is None else number
    return text


def value(scalar: Scalar) -> Scalar:
    """A resolved scalar as the value of a field, after the way through JSON. Raises ScalarError for .inf and .nan."""
    if isinstance(scalar, float):
        return json_float(scalar)
    if isinstance(scalar, Unsigned):
        return json_float(float(scalar))
    return scalar


def json_float(number: float) -> float | int:
    """A float as encoding/json prints it: without fraction, and below 1e21, its shortest digits as an integer."""
    if not isfinite(number):
        name = "NaN" if number != number else "+Inf" if number > 0 else "-Inf"
        raise ScalarError(f"json: unsupported value: {name}")
    if not number.is_integer() or abs(number) >= 1e21:
        return number
    digits, _, exponent = repr(number).partition("e")
    return _expand(digits, int(exponent)) if exponent else int(digits.removesuffix(".0"))


def _expand(digits: str, exponent: int) -> int:
    """`2.5`, 17 as the integer that those digits make: beyond 2**53 that is not the exact value of the float."""
    whole, _, fraction = digits.partition(".")
    return int(whole + fraction + "0" * (exponent - len(fraction)))


def key(scalar: Scalar) -> str:
    """A resolved scalar as a key: sigs.k8s.io/yaml makes texts of bools and numbers. Raises ScalarError."""
    if isinstance(scalar, str):
        return scalar
    if isinstance(scalar, bool):
        return "true" if scalar else "false"
    if scalar is None or isinstance(scalar, Unsigned):
        raise ScalarError(f"unsupported map key of type: {'null' if scalar is None else 'uint64'}")
    return str(scalar) if isinstance(scalar, int) else _float32(scalar)


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with an explicit tag. A tag that go-yaml does not know is as if it were !!str."""
    if tag == BINARY:
        return _binary(text)
    wanted = _KINDS.get(tag, "str")
    if wanted == "str" or (wanted == "timestamp" and _is_date(text)):
        return text
    found = resolve(text)
    kind = _kind(found)
    if kind == wanted:
        return found
    if (wanted, kind) == ("float", "int") and not isinstance(found, Unsigned):
        return float(str(found))
    raise ScalarError(f"cannot decode !!{kind} as a !!{wanted}")  # without the text: it could be a secret


def _kind(scalar: Scalar) -> str:
    if scalar is None:
        return "null"
    for kind, types in (("bool", bool), ("int", int), ("float", float)):
        if isinstance(scalar, types):
            return kind
    return "str"


def _number(text: str) -> Scalar:
    plain = text.replace("_", "")
    if plain.strip(_NUMBER_CHARACTERS):  # 100m, 64Mi, 10.0.0.0/8: what is left at both ends is no part of a number
        return text
    if plain.isascii() and plain.isdigit() and len(plain) < 19 and (plain[0] != "0" or plain == "0"):
        return int(plain)
    match = _INT.fullmatch(plain) or _SIGNED_BINARY.fullmatch(plain)
    if match is not None and len(plain) <= _LONGEST_NUMBER:
        number = _int(match)
        if -(2**63) <= number < 2**63:
            return number
        if 2**63 <= number < 2**64 and plain[0] != "+":
            return Unsigned(number)
    as_float = _float(plain)
    return text if as_float is None else as_float


def _int(match: re.Match[str]) -> int:
    name = match.lastgroup
    return int(match["sign"] + match[name], _BASES[name]) if name else int(match[1], 2)


def _float(text: str) -> float | None:
    if not _FLOAT.fullmatch(text):
        return None
    number = float(text)
    return number if isfinite(number) else None


def _float32(number: float) -> str:
    """strconv.FormatFloat(number, 'g', -1, 32), with go-yaml's names for what is not finite."""
    from struct import pack, unpack

    try:
        (single,) = unpack("f", pack("f", number))
    except OverflowError:
        single = float("inf") if number > 0 else float("-inf")
    if not isfinite(single):
        return ".nan" if single != single else ".inf" if single > 0 else "-.inf"
    digits = next(d for d in (f"{single:.{p}e}" for p in range(9)) if unpack("f", pack("f", float(d)))[0] == single)
    mantissa, exponent = digits.split("e")
    if -4 <= int(exponent) < 6:
        places = max(len(mantissa.lstrip("-").replace(".", "")) - 1 - int(exponent), 0)
        return f"{float(digits):.{places}f}"
    return f"{mantissa}e{exponent[0]}{exponent[1:].zfill(2)}"


def _binary(text: str) -> str:
    from base64 import b64decode

    packed = text.replace("\r", "").replace("\n", "")
    if not _BASE64.fullmatch(packed):
        raise ScalarError("!!binary value contains invalid base64 data")
    return replace_surrogates(b64decode(packed).decode("utf-8", "surrogateescape"))


def replace_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, as Go's JSON has it for whatever is not Unicode."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _is_date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    hour, minute, second = (int(match[i] or match[i + 3] or 0) for i in (4, 5, 6))
    from datetime import date

    try:
        date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return hour < 24 and minute < 60 and second < 60
