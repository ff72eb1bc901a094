"""The shape of the code: size of modules, no forbidden names, data where the package looks for it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(p for d in ("kplan", "tools", "bench") for p in (ROOT / d).rglob("*.py"))
LIMIT = 400


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_module_is_small_and_says_what_it_is(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LIMIT
    assert module.name not in {"utils.py", "helpers.py", "common.py", "misc.py"}
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module starts with what it is"


def test_ci_runs_the_readme_test_command() -> None:
    commands = quick_start()
    assert len(commands) == 2
    assert commands[1] == (ROOT / ".ci" / "run").read_text(encoding="utf-8").strip().splitlines()[-1]


def quick_start() -> list[str]:
    """The fenced commands of the README's section "Quick start"."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.split("## Quick start", 1)[1].split("\n## ", 1)[0]
    return [block.strip() for block in re.findall(r"```(?:sh|console|bash)\n(.*?)```", section, re.DOTALL)]


def test_import_is_cheap() -> None:
    heavy = "click ruamel jsonschema deepdiff jinja2 kplan.api kplan.schema kplan.yamlio".split()
    code = f"import sys, kplan; print([m for m in {heavy!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_contract_names_load() -> None:
    import kplan

    for name in kplan.__all__:
        assert getattr(kplan, name) is not None
