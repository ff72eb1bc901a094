"""From a problem to a finding: message, place in the file, fingerprint, and the line that may be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from kplan.lint.ruleset import Rule
from kplan.lint.site import Problem, Site
from kplan.model import Document, Finding, Object, Path, Ref, Related, Span, format_path
from kplan.workloads import get

HIDDEN = "(sensitive value)"
LONGEST_VALUE, LONGEST_LINE = 80, 2_000
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_SECRET_FIELDS = ("data", "stringData")
ReadLines = Callable[[str], list[str] | None]


def finding(rule: Rule, obj: Object, path: Path, data: Mapping[str, object], related: tuple[Related, ...] = ()) -> Finding:
    """A finding of a rule at a path of an object; the object must come from a document."""
    assert obj.document is not None
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=rule.severity,
        message=substitute(rule.message, {**_of_object(obj), **data}),
        span=obj.document.span(path),
        ref=obj.ref,
        path=path,
        related=related,
        fix=substitute(rule.fix, {**_of_object(obj), **data}),
        fingerprint=fingerprint(rule.id, obj.ref, obj.value, path),
    )


def from_problem(rule: Rule, site: Site, problem: Problem) -> Finding:
    """The finding for what a check yielded; the rule's `at` says where to point if the check only named the site."""
    path = _pointed(rule, site, problem.path)
    data = {**_of_site(site), **_masked(site.object, path, problem.data)}
    related = tuple(
        Related(p.message, p.object.document.span(p.path) if p.object.document else None, p.object.ref)
        for p in problem.related
    )
    return finding(rule, site.object, path, data, related)


def substitute(text: str, data: Mapping[str, object]) -> str:
    """Plain replacement of `{name}`; what has no value stays as it is written."""
    return _PLACEHOLDER.sub(lambda m: _shown(data[m[1]]) if m[1] in data else m[0], text)


def fingerprint(rule: str, ref: Ref | None, value: Any, path: Path, *, place: str = "") -> str:
    """The identity of a finding without any line: items of lists count by their name where they have one."""
    steps = [str(s) if not isinstance(s, int) else _item(value, path[:i], s) for i, s in enumerate(path)]
    parts = (rule, "/".join(ref.key) if ref else place, "\x1f".join(steps))
    return sha256("\x1e".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with repeated fingerprints told apart by their order."""
    seen: dict[str, int] = {}
    out = []
    for f in findings:
        count = seen[f.fingerprint] = seen.get(f.fingerprint, 0) + 1
        if count > 1:
            salted = sha256(f"{f.fingerprint}#{count}".encode()).hexdigest()[:32]
            f = replace(f, fingerprint=salted)
        out.append(f)
    return out


def with_excerpts(findings: Iterable[Finding], documents: Iterable[Document], hidden: set[str], read: ReadLines) -> list[Finding]:
    """The findings with their lines, save where a line could show a secret: in or on the line of a Secret, or for a
    rule in `hidden`."""
    secrets = _secret_lines(documents)
    out, lines = [], dict[str, list[str] | None]()
    for f in findings:
        file = f.span.file
        if f.rule not in hidden and not any(a <= f.span.line <= b for a, b in secrets.get(file, ())):
            if file not in lines:
                lines[file] = read(file)
            f = replace(f, excerpt=_line(lines[file], f.span.line))
        out.append(f)
    return out


def _secret_lines(documents: Iterable[Document]) -> dict[str, list[tuple[int, int]]]:
    out: dict[str, list[tuple[int, int]]] = {}
    for d in documents:
        if "Secret" in str(d.value.get("kind")):
            span = d.span()
            out.setdefault(d.file, []).append((span.line, span.end_line))
    return out


def _line(lines: list[str] | None, number: int) -> str:
    if lines is None or not 0 < number <= len(lines):
        return ""
    line = lines[number - 1].rstrip("\r\n")
    return line if len(line) <= LONGEST_LINE else ""


def _pointed(rule: Rule, site: Site, path: Path) -> Path:
    if not rule.at:
        return path
    base = get(site.object.value, *path)
    for way in rule.at:
        if get(base, *way) is not None:
            return (*path, *way)
    return (*path, *rule.at[0]) if path == site.path or isinstance(base, dict) else path


def _of_object(obj: Object) -> dict[str, object]:
    return {"kind": obj.ref.kind, "name": obj.ref.name, "namespace": obj.ref.namespace, "api_version": obj.ref.api_version}


def _of_site(site: Site) -> dict[str, object]:
    if not site.role or not isinstance(site.value, dict):
        return {}
    plain = {k: v for k, v in site.value.items() if isinstance(v, (str, int)) and k != "name"}
    return plain | {"container": site.value.get("name", ""), "role": site.role}


def _masked(obj: Object, path: Path, data: Mapping[str, object]) -> dict[str, object]:
    in_secret = obj.ref.kind == "Secret" and path[:1] and path[0] in _SECRET_FIELDS
    in_env = "env" in path and path[-1:] == ("value",)
    hide = in_secret or in_env
    return {k: HIDDEN if hide and k == "value" else v for k, v in data.items()}


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "it"
    text = {True: "true", False: "false", None: "null"}.get(value, str(value)) if isinstance(value, (bool, type(None))) else str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _item(value: Any, above: Path, index: int) -> str:
    name = get(value, *above, index, "name")
    return f"[{name}]" if isinstance(name, str) else f"[{index}]"


def described(path: Path) -> str:
    """A path as messages name it; the object itself for the empty path."""
    return format_path(path) or "the object"


def whole_line(file: str, line: int) -> Span:
    """A place of which only the line is known."""
    return Span(file, line, 1, line, 1)
