"""GitLab's Code Quality report: a JSON array without a byte order mark, one entry a fingerprint."""

from __future__ import annotations

from kplan.model import Report
from kplan.render.json import dump

_SEVERITIES = {"error": "critical", "warning": "major", "info": "info"}


def render(report: Report) -> str:
    """The findings; the description starts with the rule because the widget hides `check_name`."""
    return dump(
        [
            {
                "description": f"{f.rule} {f.name}: {f.message}",
                "check_name": f.rule,
                "fingerprint": f.fingerprint,
                "severity": _SEVERITIES[f.severity],
                "location": {"path": f.span.file, "lines": {"begin": f.span.line, "end": f.span.end_line}},
            }
            for f in report.findings
        ]
    )
