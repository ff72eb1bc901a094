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
    wanted: dict[str, set[int]] = {}
    for f in findings:
        if f.rule not in hidden:
            wanted.setdefault(f.span.file, set()).add(f.span.line)
    shown = _shown(wanted, documents)
    lines = ("" if f.rule in hidden else shown.get((f.span.file, f.span.line), "") for f in findings)
    return [replace(f, excerpt=line) if line else f for f, line in zip(findings, lines, strict=True)]


def _shown(wanted: dict[str, set[int]], documents: Iterable[Document]) -> dict[Line, str]:
    """The wanted lines of files that may be shown."""
    texts: dict[tuple[str, int], list[Document]] = {}
    for d in documents:
        if d.file in wanted:
            texts.setdefault((d.file, d.index), []).append(d)  # the items of a List share its text
    lines: dict[Line, str] = {}
    secret: set[Line] = set()
    ends = [(held[0].file, held[0].text_line) for held in texts.values()][1:]
    for held, (file, end) in zip(texts.values(), (*ends, ("", 0)), strict=False):
        first = held[0]
        numbers = wanted[first.file]
        # Two documents may share a line. Where there is nothing to be shown no text is read again.
        here = _between(numbers, first.text_line, end if file == first.file else max(numbers))
        if not here:
            continue
        text = first.text.split("\n")
        lines |= {(first.file, n): text[n - first.text_line] for n in here if n - first.text_line < len(text)}
        secret |= {(d.file, n) for d in held for span in _secrets(d) for n in _between(here, span.line, span.end_line)}
    return {at: line for at, line in lines.items() if at not in secret and len(line) <= LONGEST_LINE}


def _between(numbers: set[int], first: int, last: int) -> set[int]:
    """Those of some numbers that are neither less nor more than that. There may be many of them, or many between."""
    between = range(first, last + 1)
    return numbers.intersection(between) if len(between) < len(numbers) else {n for n in numbers if n in between}


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
