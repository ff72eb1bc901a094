"""JSON values as YAML that kubectl reads back to the same values.

The layout is that of `kubectl get -o yaml`: block style, keys sorted, lists not indented. A text stays plain only if
no reader, old or new, could take it for anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kplan.patterns import lazy
from kplan.yamlio.scalars import resolve

# Starts with what opens nothing in YAML; holds no line break, nothing invisible, and no `: ` or ` #`.
_PLAIN = lazy(r"[A-Za-z0-9_/.(^$\\+-](?:[ -~]*[!-~])?")
_UNSAFE_IN_PLAIN = lazy(r": |:\Z| #|\A(?:---|\.\.\.)|\A-(?: |\Z)")
# What another table of scalars reads as a number, a date or minutes; addresses and versions stay plain.
_AMBIGUOUS = lazy(
    r"[-+]?[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?0[xobXOB][0-9a-fA-F_]+|[0-9]{4}-[0-9].*"
    r"|[-+]?[0-9_]+(?::[0-9]+)+(?:\.[0-9_]*)?"
)
_WORDS = frozenset("y n yes no on off true false null ~ .nan .inf -.inf +.inf = <<".split())
_LINES = lazy(r"(?:[\t -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*\n)*[\t -~\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]*")
_ESCAPED = lazy(r'["\\\x00-\x1f\x7f-\U0010ffff]')
_DELETE = 0x7F
_BREAKS = "\x85\u2028\u2029"


def dump(value: Any) -> str:
    """One document; a value that is no map or list stands on one line."""
    if isinstance(value, (dict, list)) and value:
        return "\n".join(_block(value, "")) + "\n"
    return _scalar(value) + "\n"


def dump_all(values: list[Any]) -> str:
    """Several documents, separated."""
    return "---\n".join(dump(v) for v in values)


def _block(value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key in sorted(value):
            yield from _entry(f"{indent}{_text(key)}:", value[key], indent)
    else:
        for item in value:
            yield from _item(item, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        yield head
        yield from _block(value, indent + "  ")
    elif isinstance(value, list) and value:
        yield head
        yield from _block(value, indent)
    elif isinstance(value, str) and _is_literal(value):
        yield from _literal(head, value, indent + "  ")
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: Any, indent: str) -> Iterator[str]:
    """The first line of what is inside a list item stands behind its dash."""
    if isinstance(value, (dict, list)) and value:
        lines = _block(value, indent + "  ")
        first = next(lines)
        yield f"{indent}- {first[len(indent) + 2 :]}"
        yield from lines
    elif isinstance(value, str) and _is_literal(value):
        yield from _literal(f"{indent}-", value, indent + "  ")
    else:
        yield f"{indent}- {_scalar(value)}"


def _is_literal(text: str) -> bool:
    """Whether a text is written line by line: only one that has lines, and nothing that a block changes."""
    if "\n" not in text.rstrip("\n") or text.startswith((" ", "\n", "\t")) or any(c in text for c in _BREAKS):
        return False
    # A document separator inside would split the stream for kubectl, and trailing tabs or spaces are easily lost.
    return _LINES.fullmatch(text) is not None and not re.search(r"(?m)^---|[ \t]$", text)


def _literal(head: str, text: str, indent: str) -> Iterator[str]:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    yield f"{head} |{'-' if ends == 0 else '' if ends == 1 else '+'}"
    for line in (body if ends <= 1 else text[:-1]).split("\n"):
        yield f"{indent}{line}" if line else ""


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value) if not isinstance(value, (dict, list)) else "{}" if isinstance(value, dict) else "[]"


def _text(text: str) -> str:
    """A text on one line: plain if nobody can misread it, else in double quotes."""
    if _is_plain(text):
        return text
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(m: re.Match[str]) -> str:
    code = ord(m[0])
    if 0xD800 <= code < 0xE000:
        return "\\ufffd"  # what kubectl makes of half a character
    return f"\\U{code:08x}" if code > 0xFFFF else f"\\x{code:02x}" if code == _DELETE else json.dumps(m[0])[1:-1]


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and not _UNSAFE_IN_PLAIN.search(text)
        and text.lower() not in _WORDS
        and not _AMBIGUOUS.fullmatch(text)
        and isinstance(resolve(text), str)
    )
