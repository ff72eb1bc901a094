"""The GitHub Action and the pre-commit hooks: inputs reach no shell, outputs cannot be forged, limits are kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kplan.cli import action
from kplan.yamlio import load_value

ROOT = Path(__file__).resolve().parents[2]
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: web, image: nginx}\n"


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "pod.yaml").write_text(POD)
    files = {"RUNNER_TEMP": "temp", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    (tmp_path / "temp").mkdir()
    return {name: str(tmp_path / file) for name, file in files.items()} | {"KPLAN_ACTION_PATHS": "app\n"}


def outputs(env: dict[str, str]) -> dict[str, str]:
    text = Path(env["GITHUB_OUTPUT"]).read_text(encoding="utf-8")
    rows = re.findall(r"([a-z-]+)<<([0-9a-f]{32})\n(.*?)\n\2\n", text, re.DOTALL)
    assert sum(len(f"{n}<<{d}\n{v}\n{d}\n") for n, d, v in rows) == len(text)
    return {name: value for name, _, value in rows}


def test_lint(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert action.run(env | {"KPLAN_ACTION_FAIL_ON": "warning", "KPLAN_ACTION_SARIF_FILE": "a.sarif"}) == 1
    out = capsys.readouterr().out
    assert out.startswith("::stop-commands::")
    assert "::warning file=app/pod.yaml,line=6,endLine=6,col=26,endColumn=31,title=KP201 image-tag::" in out
    assert outputs(env) == {
        "exit-code": "1",
        "sarif-file": "a.sarif",
        "findings": "4",
        "errors": "0",
        "warnings": "4",
        "infos": "0",
    }
    assert Path(env["GITHUB_STEP_SUMMARY"]).read_text().startswith("### kplan lint: 0 errors, 4 warnings, 0 info\n")
    assert Path("a.sarif").is_file()
    assert list(Path(env["RUNNER_TEMP"]).iterdir()) == []


def test_without_annotations_and_summary(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert action.run(env | {"KPLAN_ACTION_ANNOTATIONS": "false", "KPLAN_ACTION_SUMMARY": "false"}) == 0
    assert "::warning" not in capsys.readouterr().out
    assert not Path(env["GITHUB_STEP_SUMMARY"]).exists()


@pytest.mark.parametrize("name", ["SELECT", "FAIL_ON", "CONFIG", "KUBE_VERSION", "BASELINE"])
def test_a_value_is_never_an_option(name: str, env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert action.run(env | {f"KPLAN_ACTION_{name}": "--exit-zero"}) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert outputs(env)["exit-code"] == "2"


def test_a_path_is_never_an_option(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("--exit-zero").write_text(POD.replace("image", "imaeg"))
    assert action.run(env | {"KPLAN_ACTION_PATHS": "--exit-zero"}) == 1


def test_plan(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    code = action.run(env | {"KPLAN_ACTION_COMMAND": "plan", "KPLAN_ACTION_AGAINST": "nothing"})
    assert code == 0
    assert outputs(env) == {
        "exit-code": "0",
        "has-changes": "true",
        "creates": "1",
        "updates": "0",
        "deletes": "0",
        "replaces": "0",
    }
    assert "Plan: 1 to add" in Path(env["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
    assert capsys.readouterr().out.startswith("::stop-commands::")


def test_a_plan_that_cannot_be_made(env: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert action.run(env | {"KPLAN_ACTION_COMMAND": "plan"}) == 1
    assert outputs(env) == {"exit-code": "1"}


def test_the_summary_stays_below_the_limit(tmp_path: Path) -> None:
    target, source = tmp_path / "summary", tmp_path / "text"
    target.write_bytes(b"x" * 1000)
    source.write_bytes(b"one line of text\n" * 100_000)
    action._append_summary(str(target), source)
    data = target.read_bytes()
    assert action.SUMMARY_LIMIT - 100 < len(data) <= action.SUMMARY_LIMIT
    assert data.endswith(b"one line of text\n\n_More did not fit into this summary._\n")


def test_action_file_puts_no_input_into_a_script() -> None:
    spec = load_value((ROOT / "action.yml").read_text(encoding="utf-8"), "action.yml")
    assert spec["runs"]["using"] == "composite"
    for step in spec["runs"]["steps"]:
        assert "${{" not in step["run"]
        given = {m for v in step["env"].values() for m in re.findall(r"inputs\.([a-z-]+)", v)}
        assert given | {"working-directory"} == set(spec["inputs"])
        assert set(step["env"]) == {f"KPLAN_ACTION_{n.upper().replace('-', '_')}" for n in given}
    made = {re.search(r"outputs\.([a-z-]+)", o["value"])[1] for o in spec["outputs"].values()}  # type: ignore[index]
    assert made == set(spec["outputs"])


def test_hooks() -> None:
    hooks = {h["id"]: h for h in load_value((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"), "hooks")}
    assert hooks["kplan-lint"]["entry"].endswith(" --")
    assert all(h["require_serial"] and h["language"] == "python" for h in hooks.values())
    assert hooks["kplan-lint-all"]["pass_filenames"] is False
