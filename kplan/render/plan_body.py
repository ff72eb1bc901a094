"""The body of a planned action as lines, in Terraform's attribute syntax: what text and markdown have in common.

Places where only one thing changes are joined (`spec.template.spec.containers["web"].image`), items of lists are named
by their merge key, unchanged parts fold into one line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from kplan.hints import Any
from kplan.model import Change, Placeholder
from kplan.render.hunks import hunks
from kplan.tuples import NamedTuple

SYMBOLS = {"create": "+", "update": "~", "delete": "-", "move": "~", "same": ""}
FORCES = " # forces replacement"
_GONE = {"create": "", "delete": " -> null"}

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_JOINED = re.compile(r"\A[^\"]*[.\[]")
_WIDEST_NAME = 40
_INLINE_LIST = 72
_LONG = 160
_LARGE = 100
_LONG_TEXT = 24


class Line(NamedTuple):
    """One line: how deep it is nested, the symbol of its change, and the text."""

    depth: int
    symbol: str
    text: str


class Entry(NamedTuple):
    """One attribute of a block before layout: its symbol and name, a value that fits the line, or lines below it."""

    symbol: str
    name: str
    value: str
    below: tuple[Line, ...] = ()


def body(change: Change, depth: int, *, full: bool = False) -> list[Line]:
    """The lines inside the braces of an object."""
    if change.op in ("create", "delete"):
        value = change.after if change.op == "create" else change.before
        lines = _layout(_values(value, change.op, depth, full, _GONE[change.op]), depth)
        if change.unchanged:
            lines.append(Line(depth, "", f"# ({_counted(change.unchanged, 'default value')} hidden)"))
        return lines
    return _block(change, depth, full, in_header=2)  # apiVersion and kind


def _block(change: Change, depth: int, full: bool, in_header: int = 0) -> list[Line]:
    lines = _layout(_entries(change.children, "", depth, full), depth)
    unchanged = change.unchanged - in_header
    if unchanged > 0:
        lines.append(Line(depth, "", f"# ({_counted(unchanged, 'unchanged attribute')} hidden)"))
    return lines


def _layout(entries: Iterable[Entry], depth: int) -> list[Line]:
    """Entries as lines, with the `=` of short ones in one column."""
    found = list(entries)
    width = max((len(e.name) for e in found if _aligns(e)), default=0)
    lines: list[Line] = []
    for e in found:
        name = e.name.ljust(width) if _aligns(e) else e.name
        lines.append(Line(depth, e.symbol, f"{name} = {e.value}" if e.value and e.name else e.value or e.name))
        lines.extend(e.below)
    return lines


def _aligns(entry: Entry) -> bool:
    """Joined names are of any length, and would push the values of the others far to the right."""
    return bool(entry.value) and not entry.below and not _JOINED.search(entry.name) and len(entry.name) <= _WIDEST_NAME


def _entries(children: Iterable[Change], prefix: str, depth: int, full: bool) -> Iterator[Entry]:
    for child in children:
        name = prefix + _step(child, prefix)
        if child.moved:
            yield Entry("~", f"{name} (moved {child.moved[0]} -> {child.moved[1]}){_forces(child)}", "")
            if child.op == "move":
                continue
        if child.container == "map" and len(child.children) == 1:
            yield from _entries(child.children, name, depth, full)
        elif child.container == "list" and not _has_scalars(child):
            yield from _items(child, name, depth, full)
        elif child.container == "map":
            below = (*_block(child, depth + 1, full), Line(depth, "", "}"))
            yield Entry("~", name, "{" + _forces(child), below)
        else:
            yield _leaf(child, name, depth, full)


def _items(change: Change, name: str, depth: int, full: bool) -> Iterator[Entry]:
    """The items of a list of maps stand in the block of the list, each under its own name."""
    yield from _entries(change.children, name, depth, full)
    if change.unchanged and len(change.children) > 1:
        yield Entry("", f"# ({_counted(change.unchanged, 'unchanged element')} of {name} hidden)", "")


def _has_scalars(change: Change) -> bool:
    return any(not isinstance(side, (dict, list)) for c in change.children if not c.children for side in _sides(c))


def _sides(change: Change) -> Iterator[Any]:
    if change.op != "create":
        yield change.before
    if change.op != "delete":
        yield change.after


def _step(child: Change, prefix: str) -> str:
    if isinstance(child.path[-1], int):
        return f"[{child.label}]"
    return key(child.label, inside=bool(prefix))


def key(name: str, *, inside: bool) -> str:
    """A field name: plain, or quoted if it is no identifier; `inside` a longer path in brackets."""
    if _PLAIN.match(name):
        return f".{name}" if inside else name
    quoted = json.dumps(name, ensure_ascii=False)
    return f"[{quoted}]" if inside else quoted


def _forces(change: Change) -> str:
    return FORCES if change.replace else ""


def _leaf(change: Change, name: str, depth: int, full: bool) -> Entry:
    if change.container == "list":
        return Entry("~", name, "[" + _forces(change), (*_elements(change, depth + 1, full), Line(depth, "", "]")))
    if change.container in ("json", "yaml"):
        inner = change.children[0]
        lines = _block(inner, depth + 1, full) if inner.container == "map" else _elements(inner, depth + 1, full)
        bracket = "{}" if inner.container == "map" else "[]"
        opening = f"{change.container}encode({bracket[0]}{_forces(change)}"
        return Entry("~", name, opening, (*lines, Line(depth, "", f"{bracket[1]})")))
    if change.container == "text":
        return _changed_text(change, name, depth)
    if change.op in _GONE:
        value = change.after if change.op == "create" else change.before
        return _value(value, change.op, name, depth, full, _GONE[change.op] + _forces(change))
    return _update(change, name, depth, full)


def _update(change: Change, name: str, depth: int, full: bool) -> Entry:
    before, after = change.before, change.after
    one, other = inline(before), inline(after)
    if one and other:
        one, other = _shortened(one, other)
        return Entry("~", name, f"{one} -> {other}{_forces(change)}")
    # Another type, or one side too large for a line: both sides, one after the other.
    gone = _value(before, "delete", "", depth, full)
    new = _value(after, "create", "", depth, full, _forces(change))
    if not gone.below:
        return Entry("~", name, f"{gone.value} -> {new.value}", new.below)
    last = gone.below[-1]
    lines = (*gone.below[:-1], last._replace(text=f"{last.text} -> {new.value}"))
    return Entry("~", name, gone.value, (*lines, *new.below))


def _changed_text(change: Change, name: str, depth: int) -> Entry:
    note = f" # {change.note}" if change.note else ""
    lines = [Line(depth + 1, symbol, text) for symbol, text in hunks(change.before, change.after)]
    return Entry("~", name, f"<<-EOT{note}{_forces(change)}", (*lines, Line(depth, "", "EOT")))


def _elements(change: Change, depth: int, full: bool) -> list[Line]:
    """The changed items of a list of scalars, each with the neighbours that show its place."""
    lines: list[Line] = []
    for child in change.children:
        if child.children:
            lines += [Line(depth, "~", "{"), *_block(child, depth + 1, full), Line(depth, "", "},")]
            continue
        entry = _leaf(child, "", depth, full)
        if child.op == "move" and child.moved:
            entry = Entry("~", "", f"{inline(child.after)}, # (moved {child.moved[0]} -> {child.moved[1]})")
        elif child.op == "same":
            entry = Entry("", "", f"{inline(child.after)},")
        elif not entry.below:
            entry = entry._replace(value=f"{entry.value.removesuffix(_GONE['delete'])},")
        lines += [Line(depth, entry.symbol, entry.value), *entry.below]
    if change.unchanged:
        lines.append(Line(depth, "", f"# ({_counted(change.unchanged, 'unchanged element')} hidden)"))
    return lines


def _values(value: dict[str, Any], op: str, depth: int, full: bool, end: str = "") -> Iterator[Entry]:
    for name in sorted(value):
        yield _value(value[name], op, key(name, inside=False), depth, full, end)


def _value(value: Any, op: str, name: str, depth: int, full: bool, end: str = "") -> Entry:
    """A value that is new or gone, whole; `end` is what its last line ends in."""
    symbol = SYMBOLS[op]
    while isinstance(value, dict) and len(value) == 1 and name:
        only, value = next(iter(value.items()))
        name += key(only, inside=True)
    text = inline(value)
    if text:
        return Entry(symbol, name, _cut(text) + end)
    if isinstance(value, str):
        return Entry(symbol, name, "<<-EOT", (*_text_lines(value, depth + 1, full), Line(depth, "", "EOT" + end)))
    size = leaves(value)
    if size > _LARGE and depth > 2 and not full:
        return Entry(symbol, name, f"({_counted(size, 'attribute')}){end}")
    if isinstance(value, dict):
        below = _layout(_values(value, op, depth + 1, full), depth + 1)
        return Entry(symbol, name, "{", (*below, Line(depth, "", "}" + end)))
    return Entry(symbol, name, "[", (*_list_lines(value, op, depth + 1, full), Line(depth, "", "]" + end)))


def _list_lines(value: list[Any], op: str, depth: int, full: bool) -> Iterator[Line]:
    for item in value:
        entry = _value(item, op, "", depth, full)
        yield Line(depth, entry.symbol, entry.value if entry.below else f"{entry.value},")
        if entry.below:
            yield from entry.below[:-1]
            yield entry.below[-1]._replace(text=f"{entry.below[-1].text},")


def _text_lines(text: str, depth: int, full: bool) -> Iterator[Line]:
    lines = text.removesuffix("\n").split("\n")
    shown = lines if full or len(lines) <= _LONG_TEXT else lines[: _LONG_TEXT // 2]
    for line in shown:
        yield Line(depth, "", line)
    if len(shown) < len(lines):
        yield Line(depth, "", f"# ({_counted(len(lines) - len(shown), 'more line')})")


def inline(value: Any) -> str:
    """A value on one line; "" if it needs more."""
    if isinstance(value, Placeholder):
        return str(value)
    if isinstance(value, str):
        return "" if "\n" in value.removesuffix("\n") else json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        if any(isinstance(v, (dict, list)) for v in value):
            return ""
        text = "[" + ", ".join(inline(v) or "\n" for v in value) + "]"
        return text if len(text) <= _INLINE_LIST and "\n" not in text else ""
    if isinstance(value, dict):
        return "" if value else "{}"
    return json.dumps(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG - 40]}... ({len(text):,} characters)"


def _shortened(one: str, other: str) -> tuple[str, str]:
    """Two long values, cut down to the neighbourhood of their first difference."""
    if max(len(one), len(other)) <= _LONG:
        return one, other
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, at - 40)
    cut = [("..." if start else "") + text[start : start + _LONG // 2] for text in (one, other)]
    return cut[0] + "...", f"{cut[1]}... ({len(one):,} -> {len(other):,} characters)"


def leaves(value: Any) -> int:
    """How many scalars a value holds; an empty container counts as one."""
    if isinstance(value, dict) and value:
        return sum(map(leaves, value.values()))
    if isinstance(value, list) and value:
        return sum(map(leaves, value))
    return 1


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
