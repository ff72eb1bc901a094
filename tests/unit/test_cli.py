"""The command line around the commands: dispatch, help, errors, exit codes, streams, and what loading costs."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kplan import __version__
from kplan.cli import COMMANDS, main, overview
from kplan.errors import KplanError


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_shows_examples_first(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = importlib.import_module(COMMANDS[name].module).command
    assert isinstance(command, click.Command)
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    if not isinstance(command, click.Group):
        assert out.index("Examples:\n  ") < out.index("Usage:") < out.index("Options:")
        assert f"kplan {name}" in out.split("Usage:")[0]


@pytest.mark.parametrize("argv", [[], ["-h"], ["--help"], ["help"]])
def test_help(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert out == overview()
    assert out.index("Examples:") < out.index("Usage:") < out.index("Commands:")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"kplan {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "code", "err"),
    [
        (["lnit"], 2, "error: there is no command 'lnit'\nhint: did you mean lint?\n"),
        (["state"], 1, "error: Missing command.\nhint: kplan state --help\n"),
        (["config"], 2, "error: Missing command.\nhint: kplan config --help\n"),
        (["xyzzy"], 2, "error: there is no command 'xyzzy'\nhint: `kplan --help` lists the commands\n"),
        (["--nope"], 2, "error: No such option '--nope'.\nhint: kplan --help\n"),
        (
            ["lint", "--frmat", "x"],
            2,
            "error: No such option '--frmat'. Did you mean '--format'?\nhint: kplan lint --help\n",
        ),
        (["explain"], 2, "error: Missing argument 'RULE'.\nhint: kplan explain --help\n"),
        (["explain", "imag-tag"], 2, "error: there is no rule 'imag-tag'\nhint: did you mean image-tag?\n"),
        (["plan", "--xyzzy"], 1, "error: No such option '--xyzzy'.\nhint: kplan plan --help\n"),
        (["lint", "a\x1b[31m\nb"], 2, "error: there is no file or folder 'a\\x1b[31m\\nb'\n"),
    ],
)
def test_errors(argv: list[str], code: int, err: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == code
    assert capsys.readouterr().err == err


def test_boundary(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(error: BaseException) -> None:
        def dispatch(argv: list[str]) -> int:
            raise error

        monkeypatch.setattr("kplan.cli._dispatch", dispatch)

    fail(KplanError("bad \x1b[31m\n::error::x", hint="do this"))
    assert main(["lint"]) == 2
    assert capsys.readouterr().err == "error: bad \\e[31m\\n::error::x\nhint: do this\n"
    assert main(["simulate"]) == 1
    capsys.readouterr()
    fail(KeyboardInterrupt())
    assert main(["lint"]) == 130
    fail(ZeroDivisionError("oh\nno"))
    assert main(["lint"]) == 70
    err = capsys.readouterr().err
    assert err == f"internal error: ZeroDivisionError: oh\\nno (a bug in kplan {__version__}; --debug shows where)\n"
    with pytest.raises(ZeroDivisionError):
        main(["lint", "--debug"])


def test_debug_after_the_dashes_is_a_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--", "--debug"]) == 2
    assert "'--debug'" in capsys.readouterr().err


def kplan(*args: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "kplan", *args], capture_output=True, env={**os.environ, **env}, check=False
    )


def test_closed_pipe_is_quiet(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "kplan", "--help"], stdout=out, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_output_that_the_terminal_cannot_show(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {é: 1}\n", encoding="utf-8")
    done = kplan("lint", str(tmp_path), PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 1
    assert b"\\xe9" in done.stdout


def loaded(code: str, *argv: str) -> set[str]:
    script = f"import sys; sys.argv = {['kplan', *argv]!r}\n{code}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split(" "))


RUN = "from kplan.cli import main; main(sys.argv[1:])"


@pytest.mark.parametrize("argv", [("--version",), ("--help",), ()])
def test_version_and_help_load_nothing(argv: tuple[str, ...]) -> None:
    modules = loaded(RUN, *argv)
    assert not modules & {
        "click",
        "ruamel.yaml",
        "jsonschema",
        "deepdiff",
        "jinja2",
        "importlib.metadata",
        "dataclasses",
    }
    assert {m for m in modules if m.startswith("kplan")} == {
        "kplan",
        "kplan.cli",
        "kplan.errors",
    }


def test_plain_lint_loads_no_click(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: 3}\n")
    modules = loaded(RUN, "lint", "--no-cache", str(tmp_path))
    heavy = {
        "click",
        "ruamel.yaml",
        "jsonschema",
        "deepdiff",
        "jinja2",
        "importlib.metadata",
        "numpy",
        "dataclasses",
        "inspect",
        "logging",
        "multiprocessing",
        "subprocess",
        "tempfile",
        "uuid",
        "pathlib",
        "hashlib",
        "datetime",
        "ipaddress",
        "typing",
        "contextlib",
        "importlib",
        "json",
        "difflib",
        "zlib",
        "fnmatch",
        "bisect",
        "kplan.lint.baseline",
        "kplan.lint.likeness",
        "kplan.lint.spread",
        "kplan.graph.shortcuts",
        "kplan.api.validation.gojson",
        "kplan.api.validation.plainschema",
        "kplan.schema.structural",
        "kplan.api.cel",
        "kplan.plan",
        "kplan.scheduler",
    }
    assert not modules & heavy
    assert "kplan.yamlio.linetree" in modules  # something is said, with its place
    assert len(modules - loaded("")) <= 142


def test_a_definition_loads_nothing_of_the_values_of_expressions(tmp_path: Path) -> None:
    names = "{plural: as, singular: a, kind: A, listKind: AList}"
    rule = "{type: object, x-kubernetes-validations: [\n    {rule: \"self.kind != 'B'\"},\n    {rule: self.none}]}"
    version = f"{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {rule}}}}}"
    spec = f"spec:\n  group: example.org\n  scope: Namespaced\n  names: {names}\n  versions:\n  - {version}\n"
    head = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.example.org}\n"
    (tmp_path / "a.yaml").write_text(head + spec)
    modules = loaded(RUN, "lint", "--no-cache", str(tmp_path))
    assert {"kplan.api.cel.checker", "kplan.yamlio.linetree"} <= modules
    heavy = {"dataclasses", "typing", "inspect", "datetime", "ipaddress", "ruamel.yaml"}
    assert not modules & {*heavy, "kplan.api.cel.evaluate", "kplan.api.cel.values"}


@pytest.mark.parametrize("form", ["text", "json"])
def test_plain_plan_loads_no_click(tmp_path: Path, form: str) -> None:
    for side in ("old", "new"):
        (tmp_path / f"{side}.yaml").write_text(
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{side: {side}}}\n"
        )
    sides = str(tmp_path / "new.yaml"), "--against", str(tmp_path / "old.yaml")
    modules = loaded(RUN, "plan", *sides, "--no-rehearsal", "--format", form)
    heavy = {"click", "typing", "contextlib", "datetime", "importlib", "inspect", "pathlib", "binascii", "difflib"}
    assert "kplan.plan" in modules
    assert not modules & (heavy | {"kplan.scheduler", "kplan.controllers", "kplan.api.cel"})


def test_lint_that_says_the_same_again_loads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    trusting = f"from kplan.cli import memory; memory._RACY_NS = -10**18\n{RUN}"
    assert "kplan.lint" in loaded(trusting, "lint", str(home))
    modules = loaded(trusting, "lint", str(home))
    assert {m for m in modules if m.startswith("kplan")} == {"kplan", "kplan.cli", "kplan.cli.memory", "kplan.errors"}
    assert not (modules - loaded("")) & {"typing", "pathlib", "hashlib", "tempfile", "kplan.model"}


def test_completion_and_config(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".kplan.yaml").write_text("fail-on: warning\nignores: [{rule: image-tag}]\n")
    assert main(["completion", "bash"]) == 0
    assert "_KPLAN_COMPLETE=bash_complete" in capsys.readouterr().out
    assert main(["config", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert 'fail-on = "warning"  # .kplan.yaml' in lines
    assert 'color = "auto"  # default' in lines


def test_rules_and_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "--no-config", "--format", "json"]) == 0
    rules = {r["id"]: r for r in json.loads(capsys.readouterr().out)}
    assert rules["KP201"]["enabled"]
    assert not rules["KP202"]["enabled"]
    assert main(["rules", "--no-config"]) == 0
    assert "KP202" not in capsys.readouterr().out
    assert main(["explain", "KP201"]) == 0
    page = capsys.readouterr().out
    root = Path(__file__).resolve().parents[2]
    assert page == (root / "docs" / "rules" / "KP201-image-tag.md").read_text(encoding="utf-8")
