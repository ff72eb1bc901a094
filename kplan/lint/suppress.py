"""Suppressions: comments, annotations and configuration, and which of them did nothing.

A comment `# kplan: ignore[image-tag] reason` counts for its own line and, if it stands alone, for the next line that is
no comment. An annotation `kplan.dev/ignore: image-tag=reason` (entries apart by `;` or newlines) counts for its object,
on a pod template for everything in the template. Entries under `ignores:` in the configuration count by rule, kind,
name, namespace and path of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kplan.config import Ignore
from kplan.lint.findings import place
from kplan.model import Document, Finding, Object, Path, Span
from kplan.patterns import lazy
from kplan.tuples import NamedTuple
from kplan.workloads import get, pod_template

ANNOTATION = "kplan.dev/ignore"
_COMMENT = lazy(r"#\s*kplan:\s*ignore\b\s*(?:\[([^\]]*)\])?[ \t]*([^#]*)")
Names = Mapping[str, Sequence[str]]


class Suppression(NamedTuple):
    """One rule that is suppressed at one place: on lines of a file, or below a path of an object."""

    rule: str
    reason: str
    span: Span
    lines: tuple[int, ...] = ()
    subject: Object | None = None
    below: Path = ()

    def covers(self, f: Finding, words: Sequence[str]) -> bool:
        """Whether it speaks of this finding; `words` are the names of the finding's rule."""
        if self.rule not in words:
            return False
        if self.subject is None:
            return f.span.file == self.span.file and f.span.line in self.lines
        return f.ref == self.subject.ref and f.path[: len(self.below)] == self.below


def collect(objects: Iterable[Object]) -> list[Suppression]:
    """Every suppression in the comments and annotations of the input."""
    out: list[Suppression] = []
    seen: set[tuple[str, int]] = set()
    for obj in objects:
        document = obj.document
        if document is None or document.mentions_kplan:
            if document and document.keeps_text and (document.file, document.index) not in seen:
                seen.add((document.file, document.index))
                out += _comments(document)
            out += _annotations(obj)
    return out


def _comments(document: Document) -> Iterator[Suppression]:
    if "kplan:" not in document.text:
        return
    lines = document.text.split("\n")
    for i, line in enumerate(lines):
        m = _COMMENT.search(line)
        if m:
            number = document.text_line + i
            alone = not line[: m.start()].strip()
            applies = (number, _next(lines, i) + document.text_line) if alone else (number,)
            span = Span(document.file, number, m.start() + 1, number, len(line.rstrip()) + 1)
            for rule in (m[1] or "").split(","):
                yield Suppression(rule.strip(), m[2].strip(), span, applies)


def _next(lines: Sequence[str], index: int) -> int:
    """The line after this one that is neither empty nor a comment."""
    after = (i for i in range(index + 1, len(lines)) if lines[i].strip() and not lines[i].lstrip().startswith("#"))
    return next(after, index)


def _annotations(obj: Object) -> Iterator[Suppression]:
    pod = pod_template(obj.value)
    for base in dict.fromkeys(((), pod.path if pod else ())):
        path = (*base, "metadata", "annotations", ANNOTATION)
        text = get(obj.value, *path)
        for entry in re.split(r"[;\n]", text) if isinstance(text, str) else ():
            rule, _, reason = entry.partition("=")
            if rule.strip():
                yield Suppression(rule.strip(), reason.strip(), place(obj, path), (), obj, base)


def apply(
    findings: Iterable[Finding], suppressions: Sequence[Suppression], ignores: Sequence[Ignore], names: Names
) -> tuple[list[Finding], list[Suppression]]:
    """The findings that stay, and the suppressions that covered none."""
    by_file: dict[str, list[Suppression]] = {}
    for s in suppressions:
        by_file.setdefault(s.span.file, []).append(s)
    kept: list[Finding] = []
    used: set[int] = set()
    for f in findings:
        words = names.get(f.rule, (f.rule,))
        hits = {id(s) for s in by_file.get(f.span.file, ()) if s.covers(f, words)}
        used |= hits
        if not hits and not any(_configured(i, f, words) for i in ignores):
            kept.append(f)
    return kept, [s for s in suppressions if id(s) not in used]


def _configured(s: Ignore, f: Finding, words: Sequence[str]) -> bool:
    from fnmatch import fnmatchcase  # for what few configure

    ref = f.ref
    kind, name, namespace = (ref.kind, ref.name, ref.namespace) if ref else ("", "", "")
    return (
        (s.rule == "*" or s.rule in words)
        and fnmatchcase(kind, s.kind)
        and fnmatchcase(name, s.name)
        and fnmatchcase(namespace, s.namespace)
        and (fnmatchcase(f.span.file, s.path) or fnmatchcase(f.span.file, f"*/{s.path}"))
    )


def complaint(s: Suppression, known: frozenset[str]) -> str:
    """What is wrong with a suppression itself; "" if it is well formed. `known` are the names of all rules."""
    if not s.rule:
        return "it names no rule in brackets"
    if s.rule not in known:
        return f"there is no rule {s.rule}"
    return "" if s.reason else "it gives no reason"
