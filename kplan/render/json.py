"""Versioned JSON (schemas/kplan/findings.v1.schema.json): a field may be added, none changes its meaning."""

from __future__ import annotations

import json
from typing import Any

from kplan import __version__
from kplan.model import Finding, Ref, Report, Span, format_path
from kplan.render import summary

FORMAT_VERSION = "1.0"


def render(report: Report) -> str:
    """The report as one JSON object."""
    return dump(
        {
            "format_version": FORMAT_VERSION,
            "tool": {"name": "kplan", "version": __version__},
            "kubernetes_version": report.version,
            "summary": _summary(report),
            "findings": [_finding(f) for f in report.findings],
            "skipped": [{"file": s.file, "reason": s.reason, **_document(s.document)} for s in report.skipped],
            "unreadable": [{**_span(u.span), "message": u.message, "code": u.code} for u in report.unreadable],
        }
    )


def dump(value: Any) -> str:
    """JSON text in ASCII in which no line can be taken for a command of a build server."""
    text = json.dumps(value, indent=2, ensure_ascii=True)
    return text.replace("\x7f", "\\u007f").replace("##", "#\\u0023") + "\n"


def _summary(report: Report) -> dict[str, Any]:
    return {
        **{severity: report.counts.get(severity, 0) for severity in summary.SEVERITIES},
        "files": report.files,
        "resources": report.objects,
        "suppressed": report.suppressed,
        "baselined": report.counts.get("baselined", 0),
        "unknown_kinds": report.counts.get("unknown kinds", 0),
        "skipped": dict(summary.skip_reasons(report)),
        "unreadable": len(report.unreadable),
    }


def _finding(f: Finding) -> dict[str, Any]:
    return {
        "rule": f.rule,
        "name": f.name,
        "severity": f.severity,
        "message": f.message,
        **_span(f.span),
        "object": _ref(f.ref),
        "path": format_path(f.path),
        "fix": f.fix,
        "fingerprint": f.fingerprint,
        "related": [{"message": r.message, **(_span(r.span) if r.span else {})} for r in f.related],
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.col,
        "end_line": span.end_line,
        "end_column": span.end_col,
    }


def _ref(ref: Ref | None) -> dict[str, str] | None:
    if ref is None:
        return None
    return {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _document(index: int | None) -> dict[str, int]:
    return {} if index is None else {"document": index}
