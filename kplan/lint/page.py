"""The page of a rule in Markdown: what `kplan explain` prints and what docs/rules/ holds."""

from __future__ import annotations

from collections.abc import Iterable

from kplan.lint.checks import CHECKS, builder
from kplan.lint.ruleset import Rule

_LOOKS_AT = {
    "object": "each object",
    "graph": "each object, with what it refers to and what selects it",
    "pod-spec": "the pod spec of each pod and workload",
    "container": "each container",
    "effective-container": "each container, with what its pod sets for it",
    "input": "the input as it is read",
}


_CHECK_KINDS = """\
A rule of your own has the form of these files (`schemas/kplan/rule.schema.json`), lies in a folder that `rule-dirs` or
`--rule-dir` names, and uses one of these check kinds."""


def page(rule: Rule) -> str:
    """Everything about one rule."""
    parts = [f"# {rule.id} {rule.name}", _facts(rule), "## Why", rule.why, "## Fix", rule.fix]
    if rule.examples["bad"].strip():
        parts += ["## Example", f"```yaml\n{rule.examples['bad'].rstrip()}\n```"]
        parts += ["Use instead:", f"```yaml\n{rule.examples['good'].rstrip()}\n```"]
    if rule.references:
        parts += ["## References", "\n".join(f"- <{r}>" for r in rule.references)]
    return "\n\n".join(parts) + "\n"


def _facts(rule: Rule) -> str:
    severity = rule.severity
    if rule.closed_world:
        severity += f", {rule.closed_world} with `--closed-world`"
    looks_at = f"objects of kind {', '.join(sorted(rule.kinds))}" if rule.kinds else _LOOKS_AT[rule.target]
    if rule.roles:
        looks_at += f" ({', '.join(sorted(rule.roles))})"
    rows = [("severity", severity), ("looks at", looks_at), ("message", f"`{rule.message}`"), ("since", rule.since)]
    if rule.tags:
        rows.append(("tags", ", ".join(rule.tags)))
    rows.append(("on by default", f"no: {rule.disabled}" if rule.disabled else "yes"))
    return "\n".join(["| | |", "|---|---|", *(f"| {k} | {v} |" for k, v in rows)])


def _check_kinds() -> list[str]:
    kinds = ((name, " ".join((builder(name).__doc__ or "").split())) for name in CHECKS if name != "stage")
    return [f"| `{name}` | {text} |" for name, text in kinds]


def index(rules: Iterable[Rule]) -> str:
    """The list of all rules, by family."""
    by_family: dict[str, list[Rule]] = {}
    for rule in rules:
        by_family.setdefault(rule.family, []).append(rule)
    parts = ["# Rules", "Generated from `rules/` by `tools/generate_docs.py`. `kplan explain RULE` prints a page."]
    for family in sorted(by_family, key=lambda f: by_family[f][0].id):
        rows = [
            f"| [{r.id}]({r.id}-{r.name}.md) | {r.name} | {'off' if r.disabled else r.severity} |"
            for r in by_family[family]
        ]
        parts += [f"## {family}", "\n".join(["| id | name | default |", "|---|---|---|", *rows])]
    parts += ["## Check kinds", _CHECK_KINDS, "\n".join(["| kind | finds |", "|---|---|", *_check_kinds()])]
    return "\n\n".join(parts) + "\n"
