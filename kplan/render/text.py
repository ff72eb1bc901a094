"""The format for people: each finding with its place, the line and a caret, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable

from kplan.model import Finding, Report
from kplan.render import summary
from kplan.render.sanitise import one_line

Paint = Callable[[str, str], str]

_COLORS = {"error": "31", "warning": "33", "info": "36", "bold": "1", "dim": "2"}
_WIDTH = 120


def render(report: Report, *, color: bool = False) -> str:
    """The report as text, the counts in its last lines."""
    paint = _paint if color else _plain
    blocks = [_finding(f, paint) for f in report.findings]
    closing = f"{summary.found(report)}\n{summary.read(report)}\n"
    return "".join(f"{block}\n" for block in blocks) + closing


def _plain(text: str, _: str) -> str:
    return text


def _paint(text: str, style: str) -> str:
    return f"\x1b[{_COLORS[style]}m{text}\x1b[0m"


def _finding(f: Finding, paint: Paint) -> str:
    place = one_line(str(f.span))
    lines = [f"{paint(place, 'bold')}: {paint(f.severity, f.severity)}[{f.rule}] {one_line(f.message)} ({f.name})"]
    lines += _frame(f, paint)
    for other in f.related:
        where = f"{one_line(str(other.span))}: " if other.span else ""
        lines.append(f"  = {where}{one_line(other.message)}")
    if f.fix:
        lines.append(f"  = fix: {one_line(f.fix)}")
    return "\n".join(lines) + "\n"


def _frame(f: Finding, paint: Paint) -> list[str]:
    if not f.excerpt.strip():
        return []
    number = str(f.span.line)
    text, start, length = _window(f)
    gutter = " " * len(number)
    return [
        f"{paint(f' {number} |', 'dim')} {one_line(text)}",
        f"{paint(f' {gutter} |', 'dim')} {' ' * start}{paint('^' * length, f.severity)}",
    ]


def _window(f: Finding) -> tuple[str, int, int]:
    """The part of the line that is shown, and where the caret starts and how long it is, as printed."""
    line = f.excerpt
    start = f.span.col - 1
    end = f.span.end_col - 1 if f.span.end_line == f.span.line else len(line.rstrip())
    first = 0 if len(line) <= _WIDTH else max(0, min(start - 20, len(line) - _WIDTH))
    shown = line[first : first + _WIDTH]
    before = len(one_line(shown[: start - first]))
    under = len(one_line(shown[start - first : max(end, start + 1) - first]))
    return shown, before, max(1, under)
