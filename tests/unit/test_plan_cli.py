"""`kplan plan` and `kplan show`: sides, formats, exit codes, saved plans."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kplan.cli import main

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}, namespace: shop}}
data: {{k: "{value}"}}
"""
NO_CHANGES = "No changes. The current state matches the manifests."


def write(folder: Path, **values: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, value in values.items():
        (folder / f"{name}.yaml").write_text(CONFIG.format(name=name, value=value), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kplan.plan.saved._ROUNDS", 10)
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR", "KPLAN_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    write(tmp_path / "old", same="1", changes="1", gone="1")
    write(tmp_path / "new", same="1", changes="2", comes="1")


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = main(["plan" if argv[0] != "show" else "show", *argv[argv[0] == "show" :]])
    out, err = capsys.readouterr()
    return code, out, err


def test_two_folders(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "new", "--against", "old")
    assert (code, err) == (0, "")
    assert "Plan: 1 to add, 1 to change, 1 to destroy." in out
    assert '~ data.k = "1" -> "2"' in out


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (("new", "--against", "old"), 0),
        (("new", "--against", "old", "--detailed-exitcode"), 2),
        (("new", "--against", "new", "--detailed-exitcode"), 0),
        (("new",), 1),
        (("--against", "old"), 1),
        (("nowhere", "--against", "old"), 1),
        (("new", "--against", "nowhere"), 1),
        (("new", "--against", "old", "--kube-version", "9.9"), 1),
        (("new", "--against", "old", "--ignore", "nonsense"), 1),
        (("new", "--against", "old", "-l", "in (("), 1),
        (("new", "--against", "old", "--format", "nonsense"), 1),
        (("new", "--against", "old", "--show-secrets", "--out", "x"), 1),
    ],
)
def test_exit_codes(argv: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    got, out, err = run(capsys, *argv)
    assert got == code
    assert bool(err) == (code == 1)
    assert bool(out) == (code != 1)


def test_against_nothing_everything_is_new(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Plan: 3 to add, 0 to change, 0 to destroy." in run(capsys, "new", "--against", "nothing")[1]


def test_nothing_to_read_is_an_error_unless_allowed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert run(capsys, "empty", "--against", "old")[0] == 1
    code, out, _ = run(capsys, "empty", "--against", "old", "--allow-empty")
    assert code == 0
    assert "Plan: 0 to add, 0 to change, 3 to destroy." in out


def test_no_prune(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "new", "--against", "old", "--no-prune")[1]
    assert "Plan: 1 to add, 1 to change, 0 to destroy." in out
    assert "v1 ConfigMap shop/gone because pruning is off" in out


def test_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "new", "--against", "old", "--format", "gitlab")[1]) == {
        "create": 1,
        "update": 1,
        "delete": 1,
    }
    document = json.loads(run(capsys, "new", "--against", "old", "--format", "json")[1])
    actions = {r["name"]: r["change"]["actions"] for r in document["resource_changes"]}
    assert actions == {"changes": ["update"], "comes": ["create"], "gone": ["delete"], "same": ["no-op"]}
    assert {r["location"] for r in document["resource_changes"] if "location" in r} == {
        "new/comes.yaml:1:1",
        "new/changes.yaml:1:1",
        "old/gone.yaml:1:1",
    }
    assert run(capsys, "new", "--against", "old", "--format", "markdown", "--key", "a")[1].startswith(
        "<!-- kplan:plan:a -->"
    )
    assert "\x1b[32m" in run(capsys, "new", "--against", "old", "--color", "always")[1]
    assert len(run(capsys, "new", "--against", "old", "--concise")[1].splitlines()) < 30


def test_ignore_selector_and_namespace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "new", "--against", "old", "--ignore", "ConfigMap/changes:data.k")[1]
    assert "Plan: 1 to add, 0 to change, 1 to destroy." in out
    assert "1 ignore rule" in out
    assert NO_CHANGES in run(capsys, "new", "--against", "old", "-l", "tier=x", "--allow-empty")[1]
    plain = tmp_path / "plain.yaml"
    plain.write_text(CONFIG.format(name="same", value="1").replace(", namespace: shop", ""), encoding="utf-8")
    _, out, _ = run(capsys, "plain.yaml", "--against", "old/same.yaml", "-n", "other")
    assert "+ v1 ConfigMap other/same {" in out


def test_a_forbidden_replacement_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: %s\n"
    for side, kind in (("a", "x"), ("b", "y")):
        (tmp_path / f"{side}.yaml").write_text(secret % kind, encoding="utf-8")
    assert run(capsys, "b.yaml", "--against", "a.yaml", "--forbid-replace", "Job")[0] == 0
    for kind in ("secret", "*"):
        code, out, err = run(capsys, "b.yaml", "--against", "a.yaml", "--forbid-replace", kind)
        assert code == 1
        assert "must be replaced" in out
        assert err.startswith("error: v1 Secret s would be replaced")


def test_what_cannot_be_read_fails_after_the_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new" / "broken.yaml").write_text("apiVersion: v1\nkind: [\n", encoding="utf-8")
    code, out, err = run(capsys, "new", "--against", "old", "--out", "plan.json")
    assert code == 1
    assert not (tmp_path / "plan.json").exists()
    assert "Plan: 1 to add" in out
    assert "Unreadable: new/broken.yaml" in out
    assert "1 document could not be read" in err


def test_duplicates_are_told_once_and_the_last_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new" / "zz.yaml").write_text(CONFIG.format(name="same", value="9"), encoding="utf-8")
    code, out, _ = run(capsys, "new", "--against", "new", "--detailed-exitcode")
    assert code == 0
    assert out.count("Warning: duplicate object v1 ConfigMap shop/same: new/same.yaml:1 and new/zz.yaml:1") == 1
    assert '"1" -> "9"' in run(capsys, "new", "--against", "old")[1]


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = CONFIG.format(name="same", value="2").encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert '~ data.k = "1" -> "2"' in run(capsys, "-", "--against", "old/same.yaml")[1]


def git(*argv: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *argv], check=True, capture_output=True)


def test_a_commit_as_current_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git("init", "-b", "main", ".")
    git("add", "new")
    git("commit", "-m", "x")
    write(tmp_path / "new", changes="3")
    out = run(capsys, "new", "--against", "git:main")[1]
    assert '~ data.k = "2" -> "3"' in out
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in out
    assert '~ data.k = "2" -> "3"' in run(capsys, "new/changes.yaml", "--against", "git:main:new/changes.yaml")[1]
    assert run(capsys, "new", "--against", "git:nowhere")[0] == 1


def test_a_saved_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "new", "--against", "old", "--out", "plan.json")
    assert code == 0
    assert "Saved the plan to: plan.json" in out
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600
    assert run(capsys, "show", "plan.json") == (0, out, "")
    assert run(capsys, "show", "plan.json", "--detailed-exitcode")[0] == 2
    assert json.loads(run(capsys, "show", "plan.json", "--format", "gitlab")[1]) == {
        "create": 1,
        "update": 1,
        "delete": 1,
    }

    (tmp_path / "new" / "same.yaml").write_text(
        "# a comment\n" + CONFIG.format(name="same", value="1"), encoding="utf-8"
    )
    assert run(capsys, "show", "plan.json")[0] == 0


@pytest.mark.parametrize(
    ("side", "name", "value", "why"),
    [
        ("new", "same", "5", "Saved plan is stale: new has changed since the plan was made"),
        ("old", "gone", "5", "Saved plan is stale: old has changed since the plan was made"),
        ("new", "added", "5", "Saved plan is stale: new has changed since the plan was made"),
    ],
)
def test_a_stale_plan(
    side: str, name: str, value: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, "new", "--against", "old", "--out", "plan.json")
    write(tmp_path / side, **{name: value})
    code, out, err = run(capsys, "show", "plan.json")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {why}")


def test_a_plan_whose_input_is_gone_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "new", "--against", "old", "--out", "plan.json")
    (tmp_path / "old").rename(tmp_path / "moved")
    code, _, err = run(capsys, "show", "plan.json")
    assert code == 1
    assert "Saved plan is stale" in err


def test_what_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes(b"\xff")
    (tmp_path / "y").write_text("{}", encoding="ascii")
    for file, message in (("x", "x is not a saved plan"), ("y", "y is not a saved plan"), ("z", "cannot read z")):
        code, _, err = run(capsys, "show", file)
        assert code == 1
        assert message in err


def test_a_dump_of_a_cluster_as_current_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "same",
            "namespace": "shop",
            "uid": "1",
            "resourceVersion": "2",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "data": {"k": "1"},
    }
    root = {**live, "metadata": {**live["metadata"], "name": "kube-root-ca.crt"}}
    (tmp_path / "dump.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [live, root]}), encoding="utf-8"
    )
    code, out, _ = run(capsys, "new/same.yaml", "--against", "dump.json", "--detailed-exitcode")
    assert code == 0
    assert "kube-root-ca.crt because nothing says that it was applied from manifests" in out
    assert NO_CHANGES in out


def test_help_starts_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["plan", "--help"], ["show", "--help"]):
        assert main(argv) == 0
        assert "Examples:\n  kplan " in capsys.readouterr().out
