"""The result cache of lint: said again only while everything behind it is as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kplan.cli import main, memory

OLD = 1_000_000_000
CLEAN = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
WRONG = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\nspecs: {}\n"
Lint = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty and old, in a repository of its own; the cache is elsewhere and empty."""
    home = tmp_path / "repository"
    (home / ".git").mkdir(parents=True)
    (home / "deploy").mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    # Files changed a moment ago are not trusted; these tests change them all the time.
    monkeypatch.setattr(memory, "_RACY_NS", -(10**18))
    return home


@pytest.fixture
def lint(folder: Path, capsys: pytest.CaptureFixture[str]) -> Lint:
    def call(*argv: str) -> tuple[int, str]:
        code = main(["lint", *argv])
        return code, capsys.readouterr().out

    return call


def is_known(*paths: str) -> bool:
    place = memory.place_of(("lint", False, None, paths), paths)
    return place is not None and memory.recall(place) is not None


def test_the_same_is_said_again(folder: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deploy" / "a.yaml").write_text(WRONG)
    first = lint("deploy")
    assert first[0] == 1
    assert is_known("deploy")
    monkeypatch.setattr("kplan.cli.linting.run_lint", None)  # it must not be asked again
    assert lint("deploy") == first


def test_each_format_is_kept_for_itself(folder: Path, lint: Lint) -> None:
    (folder / "deploy" / "a.yaml").write_text(WRONG)
    said = [lint("deploy", *argv) for argv in ((), ("--format", "concise"), ("--format", "json"))]
    assert len(set(said)) == 3
    assert said == [lint("deploy", *argv) for argv in ((), ("--format=concise",), ("--format=json",))]
    assert len(list((folder.parent / "cache" / "kplan").iterdir())) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda home: (home / "deploy" / "a.yaml").write_text(WRONG),
        lambda home: (home / "deploy" / "b.yaml").write_text(WRONG),
        lambda home: (home / "deploy" / "a.yaml").unlink(),
        lambda home: (home / "deploy" / "sub").mkdir(),
        lambda home: (home / "deploy" / "empty" / "b.yaml").write_text(WRONG),
        lambda home: (home / "deploy" / "kustomization.yaml").write_text("resources: [a.yaml]\n"),
        lambda home: (home / "kustomization.yaml").write_text("patches: [{path: deploy/a.yaml}]\n"),
        lambda home: (home / ".kplan.yaml").write_text("fail-on: warning\n"),
        lambda home: (home / "pyproject.toml").write_text("[tool.kplan]\n"),
        lambda home: (home / ".git").rmdir(),
        lambda home: os.utime(home / "deploy" / "a.yaml", (OLD, OLD)),
    ],
)
def test_any_change_is_seen(folder: Path, lint: Lint, change: Callable[[Path], object]) -> None:
    (folder / "deploy" / "empty").mkdir()
    (folder / "deploy" / "a.yaml").write_text(CLEAN)
    lint("deploy")
    assert is_known("deploy")
    change(folder)
    assert not is_known("deploy")


def test_what_counts_besides_files(folder: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "deploy" / "a.yaml").write_text(CLEAN)
    lint("deploy")
    assert is_known("deploy")
    assert not is_known(".")
    monkeypatch.setenv("KPLAN_KUBE_VERSION", "1.30")
    assert not is_known("deploy")
    monkeypatch.delenv("KPLAN_KUBE_VERSION")
    monkeypatch.chdir(folder / "deploy")
    assert not is_known("deploy")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(memory, "__version__", "99")
    assert not is_known("deploy")


def test_fresh_files_are_not_trusted(folder: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_RACY_NS", 2_000_000_000)
    (folder / "deploy" / "a.yaml").write_text(CLEAN)
    lint("deploy")
    assert not is_known("deploy")


def test_nothing_is_kept_without_the_cache(folder: Path, lint: Lint) -> None:
    (folder / "deploy" / "a.yaml").write_text(CLEAN)
    assert lint("--no-cache", "deploy")[0] == 0
    assert not is_known("deploy")
    assert lint("--no-cache", "--format", "json", "deploy")[0] == 0


@pytest.mark.parametrize("paths", [("-",), ("git:HEAD",), ("deploy", "git:main:x")])
def test_what_has_no_state_is_not_kept(folder: Path, paths: tuple[str, ...]) -> None:
    assert memory.place_of(("lint", False, None, paths), paths) is None


def test_a_glob_and_own_rules_are_not_kept(folder: Path, lint: Lint) -> None:
    (folder / "deploy" / "a.yaml").write_text(CLEAN)
    lint("deploy/*.yaml")
    assert not is_known("deploy/*.yaml")
    (folder / "own").mkdir()
    (folder / ".kplan.yaml").write_text("rule-dirs: [own]\n")
    lint("deploy")
    assert not is_known("deploy")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:40] + b"\xff" + data[41:],
        lambda data: data.replace(b"errors", b"ERRORS"),
        lambda data: b"\0" * len(data),
        lambda data: data + b"x",
    ],
)
def test_a_damaged_file_is_none(folder: Path, lint: Lint, damage: Callable[[bytes], bytes]) -> None:
    (folder / "deploy" / "a.yaml").write_text(WRONG)
    first = lint("deploy")
    place = Path(memory.place_of(("lint", False, None, ("deploy",)), ("deploy",)) or "")
    assert place.stat().st_mode & 0o777 == 0o600
    place.write_bytes(damage(place.read_bytes()))
    assert memory.recall(str(place)) is None
    assert lint("deploy") == first


def test_a_cache_that_cannot_be_written_is_no_error(folder: Path, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "blocked").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "blocked"))
    (folder / "deploy" / "a.yaml").write_text(CLEAN)
    assert lint("deploy")[0] == 0
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert memory.place_of(("lint",), ()) is None


def test_old_results_are_dropped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST_FILES", 3)
    for i in range(6):
        place = memory.place_of(("lint", i), ())
        assert place is not None
        memory.remember(place, 0, f"{i}\n", [str(folder)], 10**19)
        os.utime(place, (OLD + i, OLD + i))
    assert len(list(Path(place).parent.iterdir())) == 3
    assert memory.recall(place) == (0, "5\n")
