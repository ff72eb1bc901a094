"""The tokens of an expression, and the values of its literals. Follows cel-go's grammar (parser/gen/CEL.g4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kplan.api.cel.tree import Issue
from kplan.patterns import lazy
from kplan.tuples import NamedTuple

_PREFIX = r"(?:[rR][bB]|[bB][rR]|[rRbB])?"
_QUOTED = r"""(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n\r]|\\.)*+"|'(?:[^'\\\n\r]|\\.)*+')"""
_RAW = r"""[rR](?:\"\"\".*?\"\"\"|'''.*?'''|"[^"\n\r]*+"|'[^'\n\r]*+')"""
_TOKEN = re.compile(
    rf"(?P<space>[ \t\r\n\f]++|//[^\n]*+)|(?P<string>(?:{_RAW})|{_PREFIX}{_QUOTED})"
    r"|(?P<float>\d++\.\d++(?:[eE][-+]?\d++)?|\d++[eE][-+]?\d++|\.\d++(?:[eE][-+]?\d++)?)"
    r"|(?P<uint>(?:0x[0-9a-fA-F]++|\d++)[uU])|(?P<int>0x[0-9a-fA-F]++|\d++)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*+)|(?P<escaped>`[A-Za-z0-9_.\-/ ]++`)"
    r"|(?P<op>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}])",
    re.ASCII | re.DOTALL,
)
WORDS = frozenset({"in", "true", "false", "null"})
RESERVED = frozenset(
    "as break const continue else for function if import let loop package namespace return var void while".split()
)

_SIMPLE = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_ESCAPE = lazy(
    r"\\(?:(?P<simple>[abfnrtv])|(?P<same>[\"'`\\?])|[xX](?P<hex>[0-9a-fA-F]{2})|u(?P<four>[0-9a-fA-F]{4})"
    r"|U(?P<eight>[0-9a-fA-F]{8})|(?P<octal>[0-3][0-7]{2})|(?P<bad>.?))",
    re.DOTALL,
)


class Token(NamedTuple):
    """`kind` is string, float, uint, int, name, escaped, end, or the operator or word itself."""

    kind: str
    text: str
    at: int


def tokens(source: str, issues: list[Issue]) -> list[Token]:
    """All tokens, the last of kind "end"; what is no token goes to `issues` and is skipped."""
    found = list(_tokens(source, issues))
    return [*found, Token("end", "<EOF>", len(source))]


def _tokens(source: str, issues: list[Issue]) -> Iterator[Token]:
    at = 0
    while at < len(source):
        m = _TOKEN.match(source, at)
        if m is None:
            issues.append(Issue(at, f"Syntax error: token recognition error at: '{source[at]}'"))
            at += 1
            continue
        kind, text = m.lastgroup or "", m[0]
        if kind == "op" or text in WORDS:
            kind = text
        if kind != "space":
            yield Token(kind, text, at)
        at = m.end()


def unquote(text: str) -> str | bytes:
    """The value of a string or bytes literal; raises ValueError for an escape that does not exist."""
    body = text.lstrip("rRbB")
    prefix = text[: len(text) - len(body)].lower()
    size = 3 if len(body) >= 6 and body[:3] in ('"""', "'''") else 1
    body = body[size:-size]
    binary = "b" in prefix
    if "r" in prefix:
        return body.encode(errors="replace") if binary else body
    if binary:
        return b"".join(_binary_parts(body))
    return _ESCAPE.sub(lambda m: chr(_code(m)), body)


def _binary_parts(body: str) -> Iterator[bytes]:
    at = 0
    for m in _ESCAPE.finditer(body):
        yield body[at : m.start()].encode(errors="replace")
        code = _code(m)
        yield chr(code).encode(errors="replace") if m["four"] or m["eight"] else bytes([code])
        at = m.end()
    yield body[at:].encode(errors="replace")


def _code(m: re.Match[str]) -> int:
    if m["simple"]:
        return _SIMPLE[m["simple"]]
    if m["same"]:
        return ord(m["same"])
    digits = m["hex"] or m["four"] or m["eight"]
    if digits:
        code = int(digits, 16)
    elif m["octal"]:
        code = int(m["octal"], 8)
    else:
        raise ValueError("unable to unescape string")
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise ValueError("invalid unicode code point")
    return code
