"""Functions on texts. Follows cel-go's ext/strings.go and k8s.io/apiserver/pkg/cel/library/regex.go.

Patterns are RE2 and run in linear time. Lower and upper case are those of ASCII, indexes count characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kplan.api.cel.errors import EvalError
from kplan.api.cel.values import TypeValue
from kplan.api.validation.field import go_quote
from kplan.hints import Any
from kplan.schema import re2

_MOST = 10_000_000


def _matches(text: str, pattern: str) -> bool:
    return _compiled(pattern).search(_text(text))


def _compiled(pattern: str) -> re2.Pattern:
    try:
        return re2.compile(_text(pattern))
    except re2.PatternError as e:
        raise EvalError(f"error parsing regexp: {e}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise EvalError("no such overload")
    return value


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    """The parts of a text that match. Only patterns that mean the same to Python are run."""
    _compiled(pattern)
    try:
        found = re.finditer(pattern, text, re.ASCII)
    except re.error as e:
        raise EvalError(f"error parsing regexp: {e}") from None
    parts = [m[0] for m in found]
    return parts if limit < 0 else parts[:limit]


def _find(text: str, pattern: str) -> str:
    found = _find_all(text, pattern, 1)
    return found[0] if found else ""


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise EvalError(f"index out of range: {at}")
    return text[at : at + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if part and not 0 <= start <= len(text):
        raise EvalError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not 0 <= start <= len(text):
        raise EvalError(f"index out of range: {start}")
    return text.rfind(part, 0, start + len(part))


def _replace(text: str, old: str, new: str, count: int = -1) -> str:
    if len(text) * (len(new) + 1) > _MOST:
        raise EvalError("operation cancelled: actual cost limit exceeded")
    return text.replace(old, new, count)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        parts = list(text)
        return parts if limit < 0 or limit >= len(parts) else [*parts[: limit - 1], "".join(parts[limit - 1 :])]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if start > end:
        raise EvalError(f"invalid substring range. start: {start}, end: {end}")
    for at in (start, end):
        if not 0 <= at <= len(text):
            raise EvalError(f"index out of range: {at}")
    return text[start:end]


def _case(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: "".join(change(c) if c.isascii() else c for c in text)


def _join(items: list[str], separator: str = "") -> str:
    return separator.join(items)


_CLAUSE = re.compile(r"%(?:(?P<percent>%)|(?:\.(?P<precision>\d{1,3}))?(?P<verb>[sdfebxXo]))")


def _format(text: str, args: list[Any]) -> str:
    """C-like formatting: %s %d %f %e %b %x %X %o."""
    waiting = iter(args)

    def clause(m: re.Match[str]) -> str:
        if m["percent"]:
            return "%"
        try:
            value = next(waiting)
        except StopIteration:
            raise EvalError("index " + str(len(args)) + " out of range") from None
        return _formatted(value, m["verb"], int(m["precision"] or 6))

    return _CLAUSE.sub(clause, text)


def _formatted(value: Any, verb: str, precision: int) -> str:
    match verb:
        case "s":
            return _shown(value)
        case "f" | "e":
            return f"{float(value):.{precision}{verb}}"
        case "x" | "X" if isinstance(value, (str, bytes)):
            digits = (value.encode(errors="replace") if isinstance(value, str) else value).hex()
            return digits.upper() if verb == "X" else digits
    if not isinstance(value, int):
        raise EvalError(f"error during formatting: only integers can be used with %{verb}")
    return str(int(value)) if verb == "d" else f"{int(value):{verb}}"


def _shown(value: Any) -> str:
    """Any value as %s prints it."""
    from kplan.api.cel.library import call

    if value is None:
        return "null"
    if isinstance(value, TypeValue):
        return value.name
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{_shown(k)}: {_shown(v)}" for k, v in value.items())) + "}"
    return str(call("string", [value]))


FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("matches", "string"): _matches,
    ("contains", "string"): lambda a, b: b in a,
    ("startsWith", "string"): lambda a, b: a.startswith(_text(b)),
    ("endsWith", "string"): lambda a, b: a.endswith(_text(b)),
    ("find", "string"): _find,
    ("findAll", "string"): _find_all,
    ("charAt", "string"): _char_at,
    ("indexOf", "string"): _index_of,
    ("lastIndexOf", "string"): _last_index_of,
    ("lowerAscii", "string"): _case(str.lower),
    ("upperAscii", "string"): _case(str.upper),
    ("replace", "string"): _replace,
    ("split", "string"): _split,
    ("substring", "string"): _substring,
    ("trim", "string"): str.strip,
    ("join", "list"): _join,
    ("format", "string"): _format,
    ("strings.quote", "string"): go_quote,
    ("jsonpatch.escapeKey", "string"): lambda t: t.replace("~", "~0").replace("/", "~1"),
    ("string", "type"): lambda t: t.name,
}
