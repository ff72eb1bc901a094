"""reviewdog's rdjson. Columns count UTF-8 bytes, so they are given only where the line is at hand."""

from __future__ import annotations

from typing import Any

from kplan.model import Finding, Report
from kplan.render.json import dump

_SEVERITIES = {"error": "ERROR", "warning": "WARNING", "info": "INFO"}


def render(report: Report) -> str:
    """The findings as one DiagnosticResult."""
    return dump({"source": {"name": "kplan"}, "diagnostics": [_diagnostic(f) for f in report.findings]})


def _diagnostic(f: Finding) -> dict[str, Any]:
    return {
        "message": f"{f.message} ({f.name})",
        "location": {"path": f.span.file, "range": _range(f)},
        "severity": _SEVERITIES[f.severity],
        "code": {"value": f.rule},
    }


def _range(f: Finding) -> dict[str, dict[str, int]]:
    start, end = {"line": f.span.line}, {"line": f.span.end_line}
    if f.excerpt:
        start["column"] = _bytes(f.excerpt, f.span.col)
        if f.span.line == f.span.end_line:
            end["column"] = _bytes(f.excerpt, f.span.end_col)
    return {"start": start, "end": end}


def _bytes(line: str, column: int) -> int:
    return len(line[: column - 1].encode("utf-8", "surrogatepass")) + 1
