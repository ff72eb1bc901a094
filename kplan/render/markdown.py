"""Markdown for step summaries and comments: counts, then a table. Text of manifests cannot break out of it."""

from __future__ import annotations

import re

from kplan.model import Finding, Report
from kplan.render import summary
from kplan.render.sanitise import one_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-!|<>~&])")
_ICONS = {"error": ":x:", "warning": ":warning:", "info": ":information_source:"}


def render(report: Report) -> str:
    """The report as a heading, a table of the findings and the counts."""
    lines = [f"### kplan lint: {summary.found(report)}", ""]
    if report.findings:
        lines += ["| | place | rule | finding |", "|---|---|---|---|"]
        lines += [_row(f) for f in report.findings]
        lines.append("")
    lines += [escape(summary.read(report)), ""]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text in which no character is markup, nobody is mentioned and no picture is loaded."""
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("@", "@<!-- -->").replace("://", ":<!-- -->//")


def code(text: str) -> str:
    """A code span for a table cell, with a fence longer than any run of backticks inside."""
    text = one_line(text).replace("|", "\\|")
    fence = "`" * (max((len(m) for m in re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _row(f: Finding) -> str:
    place = code(f"{f.span.file}:{f.span.line}")
    text = escape(f.message) + (f"<br>{escape(f.fix)}" if f.fix else "")
    return f"| {_ICONS[f.severity]} | {place} | {f.rule} {f.name} | {text} |"
