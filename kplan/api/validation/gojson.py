"""Why bytes are no JSON, in the words of Go's decoder. Follows encoding/json/scanner.go and decode.go.

Go tells the first byte that no JSON text could have there, by what it was reading; it speaks of bytes, not of runes.
"""

from __future__ import annotations

from kplan.patterns import lazy

_SPACE = b" \t\r\n"
_MAX_DEPTH = 10_000
_END = "unexpected end of JSON input"
_BEGIN = "looking for beginning of value"
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_STRING = lazy(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_NUMBER = lazy(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NO_DIGITS = lazy(rb"\.|[eE][+-]?")


class _Fault(Exception):  # noqa: N818 - a verdict
    """The words for the first fault."""


def object_problem(raw: bytes) -> str:
    """What the decoder says of bytes that are no JSON object (or null); "" if they are one."""
    try:
        end = _skip(raw, _value(raw, _skip(raw, 0), 1))
        if end < len(raw):
            raise _unexpected(raw, end, "after top-level value")
    except _Fault as fault:
        return str(fault)
    except RecursionError:
        return "exceeded max depth"
    kind = _KINDS.get(raw.lstrip(_SPACE)[:1], "number")
    return f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}" if kind else ""


_KINDS = {b"{": "", b"n": "", b"[": "array", b'"': "string", b"t": "bool", b"f": "bool"}


def _skip(raw: bytes, i: int) -> int:
    while i < len(raw) and raw[i] in _SPACE:
        i += 1
    return i


def _unexpected(raw: bytes, i: int, where: str) -> _Fault:
    return _Fault(f"invalid character {_shown(raw[i])} {where}" if i < len(raw) else _END)


def _shown(byte: int) -> str:
    if byte == ord("'"):
        return r"'\''"
    if byte == ord('"'):
        return "'\"'"
    import json  # slow to load

    return "'" + json.dumps(chr(byte), ensure_ascii=False)[1:-1].replace("\\u00", "\\x") + "'"


def _value(raw: bytes, i: int, depth: int) -> int:
    """The index after the value that begins at `i`; raises _Fault."""
    c = raw[i] if i < len(raw) else 0
    if c in b"{[" and c:
        if depth > _MAX_DEPTH:
            raise _Fault("exceeded max depth")
        return _members(raw, i, depth, is_object=c == ord("{"))
    if c == ord('"'):
        return _string(raw, i)
    if c in _LITERALS:
        return _literal(raw, i, _LITERALS[c])
    if c == ord("-") or ord("0") <= c <= ord("9"):
        return _number(raw, i)
    raise _unexpected(raw, i, _BEGIN)


def _members(raw: bytes, i: int, depth: int, *, is_object: bool) -> int:
    close = ord("}" if is_object else "]")
    kind = "object key:value pair" if is_object else "array element"
    i = _skip(raw, i + 1)
    if i < len(raw) and raw[i] == close:
        return i + 1
    while True:
        i = _skip(raw, _value(raw, _key(raw, i) if is_object else i, depth + 1))
        if i < len(raw) and raw[i] == close:
            return i + 1
        if i >= len(raw) or raw[i] != ord(","):
            raise _unexpected(raw, i, f"after {kind}")
        i = _skip(raw, i + 1)


def _key(raw: bytes, i: int) -> int:
    if i >= len(raw) or raw[i] != ord('"'):
        raise _unexpected(raw, i, "looking for beginning of object key string")
    i = _skip(raw, _string(raw, i))
    if i >= len(raw) or raw[i] != ord(":"):
        raise _unexpected(raw, i, "after object key")
    return _skip(raw, i + 1)


def _string(raw: bytes, i: int) -> int:
    found = _STRING.match(raw, i)
    end = found.end() if found else i
    if raw[end : end + 1] == b'"':
        return end + 1
    if raw[end : end + 1] != b"\\":
        raise _unexpected(raw, end, "in string literal")
    if raw[end + 1 : end + 2] != b"u":
        raise _unexpected(raw, end + 1, "in string escape code")
    at = end + 2
    while at < len(raw) and chr(raw[at]) in "0123456789abcdefABCDEF":
        at += 1
    raise _unexpected(raw, at, "in \\u hexadecimal character escape")


def _literal(raw: bytes, i: int, word: bytes) -> int:
    for n, c in enumerate(word):
        if raw[i + n : i + n + 1] != bytes([c]):
            raise _unexpected(raw, i + n, f"in literal {word.decode()} (expecting {chr(c)!r})")
    return i + len(word)


def _number(raw: bytes, i: int) -> int:
    found = _NUMBER.match(raw, i)
    if found is None:
        raise _unexpected(raw, i + 1, "in numeric literal")
    end = found.end()
    rest = _NO_DIGITS.match(raw, end)
    has_exponent = b"e" in found[0].lower()
    if rest is not None and rest[0] == b"." and b"." not in found[0] and not has_exponent:
        raise _unexpected(raw, rest.end(), "after decimal point in numeric literal")
    if rest is not None and rest[0] != b"." and not has_exponent:
        raise _unexpected(raw, rest.end(), "in exponent of numeric literal")
    return end
