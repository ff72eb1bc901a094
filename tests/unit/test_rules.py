"""Every rule against its own examples: what is marked is found, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kplan.config import Config
from kplan.lint.ruleset import Rule
from kplan.lint.run import judge, rules_of
from kplan.resources import data_dir
from kplan.yamlio import load_value, read

RULES = rules_of(Config(), compiled=False)
MARK = re.compile(r"#\s*(KP\d{3})\s*$")
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: example}\nspec:\n  containers:\n"
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: example}
spec:
  selector: {matchLabels: {app: example}}
  template:
    metadata: {labels: {app: example}}
    spec:
"""
# Target: what stands before a fragment, its indent, and the indent of its first line.
FRAMES = {"container": (POD, "    ", "  - "), "pod-spec": (WORKLOAD, "      ", "      ")}
FRAMES["effective-container"] = FRAMES["container"]


def framed(rule: Rule, text: str) -> str:
    """An example as a whole manifest: a fragment is put where the rule's target is."""
    if rule.target not in FRAMES:
        return text
    head, indent, first = FRAMES[rule.target]
    lines = [indent + line if line.strip() else line for line in text.splitlines()]
    lines[0] = first + lines[0].lstrip() if rule.target != "pod-spec" else lines[0]
    return head + "\n".join(lines) + "\n"


def marked(text: str) -> list[tuple[int, str]]:
    return [(n, m[1]) for n, line in enumerate(text.splitlines(), 1) if (m := MARK.search(line))]


def found(rule: Rule, text: str) -> list[tuple[int, str]]:
    others = ("KP201",) if rule.family == "input" else ()
    config = Config(select=(rule.id, *others))
    report = judge(read(text.encode(), "example.yaml"), config)
    return sorted((f.span.line, f.rule) for f in report.findings if f.rule in (rule.id, "KP000"))


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.id}-{r.name}")
def test_examples(rule: Rule) -> None:
    bad = framed(rule, rule.examples["bad"]) if rule.examples["bad"] else ""
    good = framed(rule, rule.examples["good"]) if rule.examples["good"] else ""
    assert found(rule, bad) == marked(bad)
    assert bool(bad) == bool(marked(bad))
    assert found(rule, good) == []
    assert marked(good) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda r: f"{r.id}-{r.name}")
def test_message_names_what_it_finds(rule: Rule) -> None:
    bad = framed(rule, rule.examples["bad"]) if rule.examples["bad"] else ""
    report = judge(read(bad.encode(), "example.yaml"), Config(select=(rule.id, "KP201")))
    for finding in report.findings:
        assert not re.search(r"\{[a-z_]+\}", finding.message + finding.fix)


def test_file_names_follow_the_rules() -> None:
    for path in data_dir("rules").glob("*/*.yaml"):
        rule = load_value(path.read_text(encoding="utf-8"), str(path))
        assert path.name == f"{rule['id']}-{rule['name']}.yaml"


def test_rules_fit_their_schema() -> None:
    import jsonschema

    schema = json.loads((data_dir("schemas") / "kplan" / "rule.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for path in data_dir("rules").glob("*/*.yaml"):
        errors = list(validator.iter_errors(load_value(Path(path).read_text(encoding="utf-8"), str(path))))
        assert not errors, f"{path.name}: {errors[0].message}"
