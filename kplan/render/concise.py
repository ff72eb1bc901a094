"""One line a finding, `file:line:col: severity[RULE] message`: for editors and problem matchers."""

from __future__ import annotations

from kplan.model import Report
from kplan.render import summary
from kplan.render.sanitise import one_line


def render(report: Report) -> str:
    """The report, one line a finding, and the counts as the last line."""
    lines = [
        one_line(f"{f.span.file}:{f.span.line}:{f.span.col}: {f.severity}[{f.rule}] {f.message}")
        for f in report.findings
    ]
    return "\n".join([*lines, f"{summary.found(report)}; {summary.read(report)}"]) + "\n"
