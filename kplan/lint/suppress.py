"""Suppressions: comments, annotations and configuration, and which of them did nothing.

A comment `# kplan: ignore[image-tag] reason` counts for its own line and, if it stands alone, for the next line that is
no comment. An annotation `kplan.dev/ignore: image-tag=reason` (entries apart by `;` or newlines) counts for its object,
on a pod template for everything in the template. Entries under `ignores:` in the configuration count by rule, kind,
name, namespace and path of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from kplan.config import Ignore
from kplan.model import Finding, Key, Object, Path
from kplan.workloads import get, pod_template

ANNOTATION = "kplan.dev/ignore"
_COMMENT = re.compile(r"#\s*kplan:\s*ignore\b\s*(?:\[([^\]]*)\])?[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment that suppresses: where it stands, the lines it counts for, and the rules it names."""

    file: str
    line: int
    col: int
    applies: tuple[int, ...]
    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Annotation:
    """One rule in an annotation; `below` is the path that it counts for."""

    object: Object
    path: Path
    below: Path
    rule: str
    reason: str


Suppression = Comment | Annotation | Ignore


def comments(file: str, lines: Sequence[str]) -> list[Comment]:
    """The suppressing comments of a file."""
    out = []
    for number, line in enumerate(lines, 1):
        if "kplan:" not in line:
            continue
        m = _COMMENT.search(line)
        if m:
            alone = not line[: m.start()].strip()
            applies = (number, _next(lines, number)) if alone else (number,)
            rules = tuple(r.strip() for r in (m[1] or "").split(",") if r.strip())
            out.append(Comment(file, number, m.start() + 1, applies, rules, m[2].strip()))
    return out


def _next(lines: Sequence[str], number: int) -> int:
    for after in range(number, len(lines)):
        if lines[after].strip() and not lines[after].lstrip().startswith("#"):
            return after + 1
    return number


def annotations(obj: Object) -> list[Annotation]:
    """The suppressing annotations of an object and of its pod template."""
    places: dict[Path, Path] = {(): ()}
    pod = pod_template(obj.value)
    if pod:
        places.setdefault(pod.path, pod.path)
    return [a for at, below in places.items() for a in _annotation(obj, at, below)]


def _annotation(obj: Object, at: Path, below: Path) -> Iterable[Annotation]:
    path = (*at, "metadata", "annotations", ANNOTATION)
    text = get(obj.value, *path)
    for entry in re.split(r"[;\n]", text) if isinstance(text, str) else ():
        rule, _, reason = entry.partition("=")
        if rule.strip():
            yield Annotation(obj, path, below, rule.strip(), reason.strip())


def apply(
    findings: Iterable[Finding],
    by_line: Mapping[tuple[str, int], Sequence[Comment]],
    by_object: Mapping[Key, Sequence[Annotation]],
    ignores: Sequence[Ignore],
    names: Mapping[str, Sequence[str]],
) -> tuple[list[Finding], set[int], int]:
    """The findings that stay, the ids of the suppressions that were used, and how many findings went.

    `names` gives all words that name a rule, by its id.
    """
    kept, used, gone = [], set(), 0
    for f in findings:
        words = names.get(f.rule, (f.rule,))
        hits = [id(s) for s in _candidates(f, by_line, by_object) if _matches(s, f, words)]
        hits += [id(s) for s in ignores if _configured(s, f, words)]
        used.update(hits)
        gone += bool(hits)
        if not hits:
            kept.append(f)
    return kept, used, gone


def _candidates(
    f: Finding,
    by_line: Mapping[tuple[str, int], Sequence[Comment]],
    by_object: Mapping[Key, Sequence[Annotation]],
) -> Iterable[Comment | Annotation]:
    yield from by_line.get((f.span.file, f.span.line), ())
    if f.ref:
        yield from by_object.get(f.ref.key, ())


def _matches(s: Comment | Annotation, f: Finding, words: Sequence[str]) -> bool:
    if isinstance(s, Comment):
        return any(r in words for r in s.rules)
    return s.rule in words and f.path[: len(s.below)] == s.below


def _configured(s: Ignore, f: Finding, words: Sequence[str]) -> bool:
    ref = f.ref
    kind, name, namespace = (ref.kind, ref.name, ref.namespace) if ref else ("", "", "")
    return (
        (s.rule == "*" or s.rule in words)
        and fnmatchcase(kind, s.kind)
        and fnmatchcase(name, s.name)
        and fnmatchcase(namespace, s.namespace)
        and (fnmatchcase(f.span.file, s.path) or fnmatchcase(f.span.file, f"*/{s.path}"))
    )
