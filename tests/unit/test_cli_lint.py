"""`kplan lint` on the command line: outputs, exit codes, focus, baseline, and what GitHub's runner gets to see."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path

import pytest

from kplan.cli import LINT_FORMATS, _plain_lint, main
from kplan.cli.lint import command

GOLDEN = Path(__file__).parents[1] / "golden" / "lint"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: web
      image: nginx
      resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {memory: 1Mi}}
"""
GOOD = POD.replace("nginx", "nginx:1.27.1")
BAD = POD.replace("image:", "imaeg:")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith(("GITHUB_", "CI_", "KPLAN_L", "KPLAN_F", "NO_COLOR", "FORCE_COLOR", "CLICOLOR")):
            monkeypatch.delenv(name)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["lint", *args])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("form", LINT_FORMATS)
def test_golden(form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN / "input")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(GOLDEN / "input"))
    code, out, err = run(capsys, ".", "--format", form, "--no-config")
    out = re.sub(r"\b[0-9a-f]{32}::", "TOKEN::", re.sub(r"(?<=stop-commands::)[0-9a-f]{32}", "TOKEN", out))
    file = GOLDEN / f"{form}.txt"
    if os.environ.get("KPLAN_UPDATE_GOLDENS"):
        file.write_text(out, encoding="utf-8")
    assert (code, err) == (2, "")
    assert out == file.read_text(encoding="utf-8")
    assert "hunter" not in out


@pytest.mark.parametrize(
    ("text", "args", "code"),
    [
        (GOOD, (), 0),
        (POD, (), 0),
        (POD, ("--fail-on", "warning"), 1),
        (POD, ("--severity", "image-tag=error"), 1),
        (POD, ("--severity", "image-tag=off", "--fail-on", "info"), 0),
        (POD, ("--ignore", "image-tag", "--fail-on", "info"), 0),
        (POD, ("--select", "KP451,KP452", "--fail-on", "info"), 0),
        (BAD, (), 1),
        (BAD, ("--exit-zero",), 0),
        (BAD, ("--fail-on", "never"), 0),
        ("kind: [", (), 2),
        ("kind: [", ("--exit-zero",), 2),
    ],
)
def test_exit_codes(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, args: tuple[str, ...], code: int
) -> None:
    (here / "pod.yaml").write_text(text)
    assert run(capsys, "pod.yaml", *args)[0] == code


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("nope.yaml",), "error: there is no file or folder 'nope.yaml'\n"),
        (("--select", "nope", "."), "error: there is no rule 'nope'\nhint: `kplan rules` lists them\n"),
        (("--output", "sarif", "."), "error: --output takes FORMAT=FILE, not 'sarif'\n"),
        (
            ("--output", "srif=x", "."),
            "error: there is no format 'srif'\nhint: formats are " + ", ".join(LINT_FORMATS) + "\n",
        ),
        (
            ("--severity", "image-tag", "."),
            "error: Invalid value for --severity: 'image-tag' is no RULE=LEVEL\nhint: kplan lint --help\n",
        ),
        (("--baseline", "none.json", "."), "error: cannot read the baseline none.json"),
        (("--kube-version", "1.99", "."), "error: --kube-version: kube-version must be a release such as 1.36"),
        (("--output", "json=no/such/dir", "."), "error: cannot write no/such/dir: No such file or directory\n"),
    ],
)
def test_could_not_run(here: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], message: str) -> None:
    (here / "pod.yaml").write_text(GOOD)
    code, _, err = run(capsys, *args)
    assert code == 2
    assert err.startswith(message)


def test_nothing_to_lint(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty").mkdir()
    code, _, err = run(capsys, "empty")
    assert (code, err.splitlines()[0]) == (2, "error: there is nothing to lint")
    assert run(capsys, "empty", "--allow-empty")[:2] == (0, "0 errors, 0 warnings, 0 info\n0 files, 0 resources\n")


def test_several_outputs_in_one_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pod.yaml").write_text(POD)
    code, out, _ = run(capsys, "pod.yaml", "-o", "json=a.json", "--output", "sarif=b.sarif", "--format", "concise")
    assert code == 0
    assert out.startswith("pod.yaml:7:14: warning[KP201]")
    assert json.loads((here / "a.json").read_text())["summary"]["warning"] == 1
    assert json.loads((here / "b.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "KP201"


def test_an_output_to_stdout_takes_the_place_of_the_usual_one(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pod.yaml").write_text(POD)
    assert json.loads(run(capsys, "pod.yaml", "-o", "json=-")[1])["format_version"] == "1.0"


def test_paths_count_from_the_top_of_the_repository(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".git").mkdir()
    (here / "a").mkdir()
    (here / "a" / "pod.yaml").write_text(POD)
    os.chdir(here / "a")
    assert json.loads(run(capsys, "--format", "gitlab")[1])[0]["location"]["path"] == "a/pod.yaml"
    assert run(capsys, "--format", "concise")[1].startswith("pod.yaml:7:14")


def test_in_github_actions(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "pod.yaml").write_text(POD)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    out = run(capsys, "pod.yaml")[1].splitlines()
    token = out[0].removeprefix("::stop-commands::")
    assert len(token) == 32
    assert out[1].startswith("pod.yaml:7:14: warning[KP201]")
    assert out[-2] == f"::{token}::"
    assert out[-1].startswith("::warning file=pod.yaml,line=7,endLine=7,col=14,endColumn=19,title=KP201 image-tag::")
    assert run(capsys, "pod.yaml", "--format", "text")[1].startswith("::stop-commands::")


def test_focus_on_files_with_odd_names(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / ".git").mkdir()
    (here / "-x.yaml").write_text(POD)
    (here / "other.yaml").write_text(BAD)
    code, out, _ = run(capsys, "--focus", "--", "-x.yaml", "deleted.yaml")
    assert (code, out.splitlines()[0].split(":")[0]) == (0, "-x.yaml")
    assert out.splitlines()[-1] == "1 file, 1 resource"


def test_focus_leaves_out_what_the_configuration_excludes(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "vendor").mkdir()
    (here / "vendor" / "x.yaml").write_text(BAD)
    (here / ".kplan.yaml").write_text("exclude: [vendor]\n")
    assert run(capsys, "--focus", "--", "vendor/x.yaml")[0] == 0


def test_baseline(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pod.yaml").write_text(BAD)
    code, out, err = run(capsys, "pod.yaml", "--write-baseline", "known.json")
    assert (code, out) == (0, "")
    assert err == "1 finding written to known.json\n"
    code, out, _ = run(capsys, "pod.yaml", "--baseline", "known.json")
    assert (code, out.splitlines()[0]) == (0, "0 errors, 0 warnings, 0 info (1 in the baseline)")


def test_stdin(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(POD.encode())))
    assert run(capsys, "-", "--stdin-name", "charts/web", "--format", "concise")[1].startswith("charts/web:7:14:")


def test_plain_form_and_click_agree(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pod.yaml").write_text(POD)
    by_click = "--fail-on", "error"
    for argv in ((), ("--format", "text"), ("--format=json",), ("--no-cache", "--format", "rdjson"), ("--focus",)):
        assert run(capsys, "pod.yaml", *argv) == run(capsys, "pod.yaml", *argv, *by_click)
    assert run(capsys, "--", "pod.yaml") == run(capsys, *by_click, "pod.yaml")


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--format=json", "a", "--no-cache", "b"],
        ["a", "--format", "json", "--format", "text", "--focus"],
        ["--focus", "--", "-x", "--format", "-"],
    ],
)
def test_the_plain_form_says_what_click_says(argv: list[str]) -> None:
    params = command.make_context("lint", list(argv)).params
    unasked = {"format": None, "focus": False, "no_cache": False}
    assert {**params, **unasked, **(_plain_lint(["lint", *argv]) or {})} == params


@pytest.mark.parametrize(
    "argv",
    [
        ["--format", "yaml"],
        ["--format"],
        ["--format="],
        ["--focus=yes"],
        ["-"],
        ["--forma", "json"],
        ["--no-cache", "-h"],
    ],
)
def test_other_forms_are_for_click(argv: list[str]) -> None:
    assert _plain_lint(["lint", *argv]) is None


def test_colour(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "pod.yaml").write_text(POD)
    assert "\x1b[33mwarning" in run(capsys, "pod.yaml", "--color", "always")[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[33mwarning" in run(capsys, "pod.yaml")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(capsys, "pod.yaml")[1]
