"""The lines that findings show, save those on which a secret could stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kplan.model import Document, Finding, Span
from kplan.patterns import lazy
from kplan.record import replace
from kplan.workloads import containers, pod_template

LONGEST_LINE = 2_000
_SECRET_NAME = lazy("pass(word|wd|phrase)?|secret|token|key|credential|auth", re.IGNORECASE)

Line = tuple[str, int]


def add(findings: Iterable[Finding], documents: Iterable[Document], hidden: set[str]) -> list[Finding]:
    """The findings with their lines. Without one stay those on the lines of a Secret or of an environment variable
    with the name of a secret, and those of the rules in `hidden`."""
    findings = list(findings)
    wanted = {f.span.file for f in findings}
    lines: dict[Line, str] = {}
    secret: set[Line] = set()
    for d in documents:
        if d.file in wanted:
            if not d.item:  # the items of a List share its text
                lines |= {(d.file, d.text_line + i): line for i, line in enumerate(d.text.split("\n"))}
            secret |= {(d.file, n) for span in _secrets(d) for n in range(span.line, span.end_line + 1)}
    shown = {at: line for at, line in lines.items() if at not in secret and len(line) <= LONGEST_LINE}
    return [f if f.rule in hidden else replace(f, excerpt=shown.get((f.span.file, f.span.line), "")) for f in findings]


def _secrets(document: Document) -> Iterator[Span]:
    if "Secret" in str(document.value.get("kind")):
        yield document.span()
        return
    pod = pod_template(document.value)
    for c in containers(pod) if pod else ():
        env = c.value.get("env")
        for i, variable in enumerate(env if isinstance(env, list) else ()):
            if isinstance(variable, dict) and variable.get("value") and _SECRET_NAME.search(str(variable.get("name"))):
                yield document.span((*c.path, "env", i))
