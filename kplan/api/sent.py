"""What reaches the server of a text that is sent to it as YAML, beyond the value that kubectl reads from a file.

kubectl ends every line before it reads, and keeps the last of repeated keys without a word. The server reads the text
as it is, and its strict decoding names repeated keys in the words of go-yaml (sigs.k8s.io/yaml, YAMLToJSONStrict).
"""

from __future__ import annotations

from collections.abc import Sequence

from kplan.api.decode import copied
from kplan.hints import Any
from kplan.model import Duplicate, Span, format_path
from kplan.patterns import lazy

Value = dict[str, Any]

_CONTENT = lazy(r"\s*(?:[&!]\S+\s*)*(?:#.*)?\Z")
_FIRST_WORD = lazy(r"( *)(?![ #]|\Z)(-(?: |\Z))?")


def as_sent(value: Value, text: str) -> Value:
    """The value without the line break that a block scalar at the very end of the text has for kubectl only."""
    end = text[text.rfind("\n") + 1 :].strip()
    if not end:
        return value
    out: Value = copied(value)
    holder: Any = out
    while holder:
        key = next(reversed(holder)) if isinstance(holder, dict) else len(holder) - 1
        last = holder[key]
        if isinstance(last, str) and last.endswith(f"{end}\n"):
            holder[key] = last[:-1]
        holder = last if isinstance(last, (dict, list)) else None
    return out


def repeated_keys(duplicates: Sequence[Duplicate], text: str) -> list[str]:
    """The errors of strict decoding for keys that a map has twice: one a field in JSON, one for all in YAML."""
    if not duplicates:
        return []
    if text.lstrip().startswith("{"):
        return [f'duplicate field "{format_path(d.path)}"' for d in duplicates]
    lines = text.split("\n")
    found = [f'  line {_value_line(lines, d.second)}: key "{d.path[-1]}" already set in map' for d in duplicates]
    return ["yaml: unmarshal errors:\n" + "\n".join(found)]


def _value_line(lines: Sequence[str], key: Span) -> int:
    """The line on which go-yaml sees the value of a key begin."""
    rest = lines[key.line - 1][key.end_col - 1 :].partition(":")[2]
    if not _CONTENT.match(rest):
        return key.line
    for number in range(key.line, len(lines)):
        m = _FIRST_WORD.match(lines[number])
        if m is not None:
            inside = len(m[1]) >= key.col or (len(m[1]) == key.col - 1 and m[2] is not None)
            return number + 1 if inside else key.line
    return key.line
