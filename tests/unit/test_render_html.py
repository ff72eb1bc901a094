"""The HTML pages: complete, without scripts, and nothing from a manifest is markup."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kplan.lint.ruleform import check_form

HOSTILE = "<script>alert(1)</script>"
BEFORE = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: '{HOSTILE}'}}\n"
AFTER = BEFORE.replace("alert(1)", "alert(2)")
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: canary-7f3a}\n"


def run(folder: Path, *argv: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kplan", *argv], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("<!doctype html>"), done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("before.yaml", BEFORE), ("after.yaml", AFTER + "---\n" + SECRET)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_plan_page(folder: Path) -> None:
    page = run(folder, "plan", "after.yaml", "--against", "before.yaml", "--format", "html")
    assert "Plan: 1 to add, 1 to change, 0 to destroy" in page
    assert "&lt;script&gt;alert(2)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert "canary-7f3a" not in page


def test_lint_page(folder: Path) -> None:
    bad = BEFORE.replace("data:", f"'{HOSTILE}': 1\ndata:")
    (folder / "before.yaml").write_text(bad, encoding="utf-8")
    page = run(folder, "lint", "--format", "html", "before.yaml")
    assert "KP101" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [({"severity": "fatal"}, "severity: 'fatal' is not one of"), ({"colour": "red"}, "Additional properties")],
)
def test_form_of_users_rules(change: dict[str, str], said: str) -> None:
    rule = {
        "id": "ABC001",
        "name": "some-rule",
        "severity": "info",
        "since": "0.1.0",
        "target": "container",
        "check": {"schema": {"required": ["image"]}},
        "message": "m",
        "why": "w",
        "fix": "f",
        "examples": {"bad": "image: x # ABC001\n", "good": "image: y\n"},
    }
    check_form(rule)
    with pytest.raises(ValueError, match=said):
        check_form(rule | change)
