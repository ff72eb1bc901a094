"""JUnit XML: a suite a file, a case a finding; case names are unique because GitLab drops doubles."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import groupby

from kplan.model import Finding, Report
from kplan.render.sanitise import clean
from kplan.render.summary import found, read

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> str:
    """All findings as failures; one passing case where there is none."""
    root = ET.Element("testsuites", name="kplan lint", tests=str(len(report.findings) or 1))
    root.set("failures", str(len(report.findings)))
    for file, findings in groupby(report.findings, key=lambda f: f.span.file):
        _suite(root, file, list(findings))
    if not report.findings:
        suite = ET.SubElement(root, "testsuite", name="kplan", tests="1", failures="0")
        ET.SubElement(suite, "testcase", name=f"no findings: {read(report)}", classname="kplan")
    root.append(ET.Comment(_text(f" {found(report)}; {read(report)} ").replace("--", "-\u2010")))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, file: str, findings: list[Finding]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_text(file), tests=str(len(findings)), failures=str(len(findings)))
    seen: dict[str, int] = {}
    for f in findings:
        name = _text(f"{f.rule} {f.name} at {file}:{f.span.line}:{f.span.col}")
        seen[name] = seen.get(name, 0) + 1
        unique = name if seen[name] == 1 else f"{name} #{seen[name]}"
        case = ET.SubElement(suite, "testcase", name=unique, classname=f"kplan.{f.rule}", file=_text(file))
        text = f"{f.span}: {f.message}\nfix: {f.fix}" if f.fix else f"{f.span}: {f.message}"
        ET.SubElement(case, "failure", message=_text(f.message), type=f.severity).text = _text(text)


def _text(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", clean(text))
