"""From a problem to a finding: message, place in the file, fingerprint, and the line that may be shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from kplan.digests import sha256
from kplan.hints import Any
from kplan.lint.ruleset import Rule
from kplan.lint.site import Problem, Site
from kplan.model import Finding, Object, Path, Ref, Related, Span
from kplan.patterns import lazy
from kplan.record import replace
from kplan.workloads import get

HIDDEN = "(sensitive value)"
LONGEST_VALUE = 80
_PLACEHOLDER = lazy(r"\{([a-z_]+)\}")
_SECRET_FIELDS = ("data", "stringData")


def finding(
    rule: Rule,
    obj: Object,
    path: Path,
    data: Mapping[str, object],
    related: tuple[Related, ...] = (),
    span: Span | None = None,
) -> Finding:
    """A finding of a rule at a path of an object, which must come from a document."""
    words = {"rule": rule.id, **_of_object(obj), **data}
    return Finding(
        rule=rule.id,
        name=rule.name,
        severity=rule.severity,
        message=substitute(rule.message, words),
        span=span or place(obj, path),
        ref=obj.ref,
        path=path,
        related=related,
        fix=substitute(rule.fix, words),
        fingerprint=fingerprint(rule.id, path, obj.ref, obj.value),
    )


def of_file(rule: Rule, span: Span, data: Mapping[str, object]) -> Finding:
    """A finding of a rule about a place of a file, not about an object."""
    message, fix = substitute(rule.message, data), substitute(rule.fix, data)
    mark = fingerprint(rule.id, (span.file.removeprefix("./"), message))
    return Finding(rule.id, rule.name, rule.severity, message, span, fix=fix, fingerprint=mark)


def from_problem(rule: Rule, site: Site, problem: Problem) -> Finding:
    """The finding for what a check yielded; the rule's `at` says where to point if the check only named the site."""
    path = _pointed(rule, site, problem.path)
    data = {**_of_site(site), **_masked(site.object, path, problem.data)}
    related = tuple(Related(p.message, place(p.object, p.path), p.object.ref) for p in problem.related)
    return finding(rule, site.object, path, data, related)


def place(obj: Object, path: Path) -> Span:
    """Where to point for a path: at the value if it is plain, at the key of a map or list, at the nearest parent of
    what is missing."""
    assert obj.document is not None
    value: Any = obj.value
    there = 0
    for step in path:
        if isinstance(value, dict):
            if step not in value:
                break
        elif not isinstance(value, list) or not isinstance(step, int) or step >= len(value):
            break
        value = value[step]
        there += 1
    return obj.document.span(path[:there], key=isinstance(value, (dict, list)))


def substitute(text: str, data: Mapping[str, object]) -> str:
    """Plain replacement of `{name}`; what has no value stays as it is written."""
    said, named = _pieces(text)
    for name, after in named:
        said += (_shown(data[name]) if name in data else f"{{{name}}}") + after
    return said


@lru_cache(maxsize=512)
def _pieces(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """What stands before the first placeholder of a text, and the names of all with what stands after each."""
    first, *rest = _PLACEHOLDER.split(text)
    return first, tuple(zip(rest[::2], rest[1::2], strict=True))


def fingerprint(rule: str, path: Path, ref: Ref | None = None, value: Any = None) -> str:
    """The identity of a finding without any line: items of lists count by their name where they have one."""
    steps = [str(s) if not isinstance(s, int) else _item(value, path[:i], s) for i, s in enumerate(path)]
    text = "\x1e".join((rule, "\x1f".join(ref.key if ref else ()), "\x1f".join(steps)))
    return sha256(text.encode("utf-8", "surrogatepass"))[:32]


def unique(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with repeated fingerprints told apart by their order."""
    seen: dict[str, int] = {}
    out = []
    for f in findings:
        count = seen[f.fingerprint] = seen.get(f.fingerprint, 0) + 1
        again = replace(f, fingerprint=fingerprint(f.fingerprint, (str(count),))) if count > 1 else f
        out.append(again)
    return out


def _pointed(rule: Rule, site: Site, path: Path) -> Path:
    if not rule.at:
        return path
    base = get(site.object.value, *path)
    if path != site.path and not isinstance(base, dict):
        return path
    existing = (way for way in rule.at if get(base, *way) is not None)
    return (*path, *next(existing, rule.at[0]))


def _of_object(obj: Object) -> dict[str, object]:
    ref = obj.ref
    return {"kind": ref.kind, "name": ref.name, "namespace": ref.namespace, "api_version": ref.api_version}


def _of_site(site: Site) -> dict[str, object]:
    if not site.role or not isinstance(site.value, dict):
        return {}
    plain = {k: v for k, v in site.value.items() if isinstance(v, (str, int)) and k != "name"}
    return plain | {"container": site.value.get("name", ""), "role": site.role}


def _masked(obj: Object, path: Path, data: Mapping[str, object]) -> Mapping[str, object]:
    """The words of a check, without the value where it may be secret."""
    if "value" not in data:
        return data
    in_secret = obj.ref.kind == "Secret" and path[:1] and path[0] in _SECRET_FIELDS
    in_env = "env" in path and path[-1:] == ("value",)
    return {**data, "value": HIDDEN} if in_secret or in_env else data


def _shown(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "it"
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    text = str(value)
    return text if len(text) <= LONGEST_VALUE or " " in text else text[: LONGEST_VALUE - 1] + "…"


def _item(value: Any, above: Path, index: int) -> str:
    name = get(value, *above, index, "name")
    return f"[{name}]" if isinstance(name, str) else f"[{index}]"
