"""SARIF 2.1.0 in the form that GitHub code scanning reads: real regions, rule help, stable fingerprints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kplan import __version__
from kplan.model import Finding, Report, RuleInfo, Span
from kplan.render.json import dump
from kplan.render.markdown import escape

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "info": "recommendation"}
_SECURITY = {"error": "8.0", "warning": "5.5", "info": "2.0"}


def render(report: Report) -> str:
    """One run; the most severe results first where there are more than the upload takes."""
    index = {rule.id: i for i, rule in enumerate(report.rules)}
    findings = report.findings
    if len(findings) > MAX_RESULTS:
        findings = tuple(sorted(findings, key=lambda f: list(_LEVELS).index(f.severity))[:MAX_RESULTS])
    driver = {"name": "kplan", "semanticVersion": __version__, "rules": [_rule(r) for r in report.rules]}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "kplan/lint/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not report.unreadable}],
        "results": [_result(f, index) for f in findings],
    }
    return dump({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: RuleInfo) -> dict[str, Any]:
    why, fix = rule.why or rule.name, rule.fix
    properties: dict[str, Any] = {"problem.severity": _PROBLEMS[rule.severity]}
    if rule.tags:
        properties["tags"] = list(rule.tags[:10])
    if "security" in rule.tags:
        properties["security-severity"] = _SECURITY[rule.severity]
    markdown = f"{escape(why)}\n\n**Fix:** {escape(fix)}" if fix else escape(why)
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": why[:1024]},
        "help": {"text": f"{why}\n\nFix: {fix}" if fix else why, "markdown": markdown},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": properties,
    }


def _result(f: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    out: dict[str, Any] = {
        "ruleId": f.rule,
        "level": _LEVELS[f.severity],
        "message": {"text": f"{f.message}\nFix: {f.fix}" if f.fix else f.message},
        "locations": [_location(f.span)],
        "partialFingerprints": {"kplanFingerprint/v1": f.fingerprint},
    }
    if f.rule in index:
        out["ruleIndex"] = index[f.rule]
    related = [r for r in f.related if r.span]
    if related:
        out["relatedLocations"] = [
            {"id": i, "message": {"text": r.message}, **_location(r.span)} for i, r in enumerate(related, 1) if r.span
        ]
    return out


def _location(span: Span) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.col,
        "endLine": span.end_line,
        "endColumn": span.end_col,
    }
    uri = quote(span.file.replace("\\", "/"), errors="surrogatepass")
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
