"""Annotations of GitHub Actions as workflow commands, after the human text.

Follows actions/toolkit (packages/core/src/command.ts) for escaping and actions/runner (ActionCommandManager.cs) for
what is kept: 10 errors, 10 warnings and 10 notices a step, columns only where a place is on one line.
"""

from __future__ import annotations

from kplan.model import Finding, Report
from kplan.render.sanitise import one_line

PER_LEVEL = 10
MESSAGE_LIMIT = 4000
_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report) -> str:
    """Workflow commands for the first findings of each severity, and one notice about the rest."""
    lines, left = [], 0
    notices = sum(f.severity == "info" for f in report.findings)
    over = max(report.counts.get("error", 0), report.counts.get("warning", 0), notices) > PER_LEVEL
    for severity in _LEVELS:
        found = [f for f in report.findings if f.severity == severity]
        keep = PER_LEVEL - 1 if over and severity == "info" else PER_LEVEL
        lines += [_annotation(f) for f in found[:keep]]
        left += len(found[keep:])
    if left:
        lines.append(f"::notice title=kplan::{left} more findings are in the log and in the other outputs")
    return "".join(f"{line}\n" for line in lines)


def wrap(text: str, token: str) -> str:
    """Text in which the runner takes no line for a command; `token` must not be guessable."""
    return f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::\n"


def _annotation(f: Finding) -> str:
    span = f.span
    properties = {"file": span.file, "line": span.line, "endLine": span.end_line}
    if span.line == span.end_line:
        properties |= {"col": span.col, "endColumn": span.end_col}
    properties["title"] = f"{f.rule} {f.name}"
    given = ",".join(f"{k}={_property(one_line(str(v)))}" for k, v in properties.items() if v)
    text = f"{f.message}\nfix: {f.fix}" if f.fix else f.message
    message = "\n".join(map(one_line, text[:MESSAGE_LIMIT].split("\n")))
    return f"::{_LEVELS[f.severity]} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
