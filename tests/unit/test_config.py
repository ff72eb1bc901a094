"""Configuration: which file counts, what wins, and what a wrong one is answered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kplan import config
from kplan.config import Config, Ignore
from kplan.errors import KplanError
from kplan.resources import data_dir
from kplan.yamlio import load_value


def load(start: Path, env: dict[str, str] | None = None, **options: Any) -> Config:
    flags = options.pop("flags", {})
    return config.load(start, env=env or {}, flags=flags, read_yaml=load_value, **options)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deploy" / "prod").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults(repo: Path) -> None:
    found = load(repo)
    assert (found.kube_version, found.fail_on, found.rules, found.file) == ("1.36", "error", {}, "")
    assert found.origins == {}


@pytest.mark.parametrize("name", [".kplan.yaml", ".kplan.yml"])
def test_nearest_file_wins_and_there_is_no_cascade(repo: Path, name: str) -> None:
    (repo / name).write_text("fail-on: warning\nselect: [image-tag]\n")
    (repo / "deploy" / ".kplan.yaml").write_text("fail-on: info\n")
    assert load(repo).fail_on == "warning"
    inner = load(repo / "deploy" / "prod")
    assert (inner.fail_on, inner.select) == ("info", ())


def test_pyproject_counts_only_with_its_table(repo: Path) -> None:
    (repo / "deploy" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    (repo / "pyproject.toml").write_text('[tool.kplan]\nfail-on = "info"\nexclude = ["vendor"]\n')
    found = load(repo / "deploy")
    assert (found.fail_on, found.exclude) == ("info", ("vendor",))
    assert found.origins["fail-on"].endswith("pyproject.toml")


def test_search_ends_at_the_repository(repo: Path) -> None:
    (repo / ".kplan.yaml").write_text("fail-on: info\n")
    (repo / "deploy" / ".git").mkdir()
    assert load(repo / "deploy").fail_on == "error"


def test_flags_beat_environment_beats_file(repo: Path) -> None:
    (repo / ".kplan.yaml").write_text("fail-on: info\nkube-version: 1.33\ncolor: always\n")
    env = {"KPLAN_KUBE_VERSION": "1.34", "KPLAN_COLOR": "never"}
    found = load(repo, env, flags={"color": "auto", "select": (), "baseline": None})
    assert (found.fail_on, found.kube_version, found.color) == ("info", "1.34", "auto")
    assert found.origins["kube-version"] == "KPLAN_KUBE_VERSION"
    assert found.origins["color"] == "--color"


def test_some_settings_add_up(repo: Path) -> None:
    (repo / ".kplan.yaml").write_text(
        "exclude: [vendor]\nselect: [image-tag]\nrules: {image-tag: error, KP202: info}\n"
    )
    flags = {"exclude": ("tmp",), "select": ("KP202",), "rules": {"image-tag": "off"}}
    found = load(repo, flags=flags)
    assert (found.exclude, found.select) == (("vendor", "tmp"), ("KP202",))
    assert found.rules == {"image-tag": "off", "KP202": "info"}
    assert found.origins["exclude"] == f"{repo / '.kplan.yaml'}, --exclude"


def test_environment_texts(repo: Path) -> None:
    env = {"KPLAN_SELECT": "image-tag, KP202", "KPLAN_CLOSED_WORLD": "yes", "KPLAN_UNKNOWN": "1"}
    found = load(repo, env)
    assert (found.select, found.closed_world) == (("image-tag", "KP202"), True)


def test_no_file_and_explicit_file(repo: Path) -> None:
    (repo / ".kplan.yaml").write_text("fail-on: info\n")
    (repo / "deploy" / "other.yaml").write_text("fail-on: warning\npaths: [prod]\n")
    assert load(repo, no_file=True).fail_on == "error"
    found = load(repo, file="deploy/other.yaml")
    assert (found.fail_on, found.paths, found.root) == ("warning", ("deploy/prod",), "deploy")


def test_paths_count_from_the_file(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repo / ".kplan.yaml").write_text("rule-dirs: [rules]\nbaseline: known.json\n")
    monkeypatch.chdir(repo / "deploy")
    found = load(Path())
    assert (found.rule_dirs, found.baseline, found.root) == (("../rules",), "../known.json", "..")


def test_a_bare_off_turns_a_rule_off(repo: Path) -> None:
    (repo / ".kplan.yaml").write_text("rules: {image-tag: off, KP202: error}\n")
    assert load(repo).rules == {"image-tag": "off", "KP202": "error"}


def test_ignores(repo: Path) -> None:
    (repo / ".kplan.yaml").write_text('ignores: [{rule: image-tag, path: "vendor/*", reason: not ours}]\n')
    assert load(repo).ignores == (Ignore("image-tag", "not ours", "*", "*", "*", "vendor/*"),)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("fail_on: info", "there is no setting 'fail_on'", "did you mean fail-on?"),
        ("fail-on: all", "fail-on must be one of error, warning, info, never", ""),
        ("kube-version: 2", "kube-version must be a release such as 1.36 ('2' is not a Kubernetes version)", ""),
        ("kube-version: 1.99", "kube-version must be a release such as 1.36 (Kubernetes 1.99 is not supported)", ""),
        ("closed-world: maybe", "closed-world must be true or false", ""),
        ("exclude: {a: b}", "exclude must be a list of texts", ""),
        ("rules: {image-tag: loud}", "rules must be one of error, warning, info, off for the rule image-tag", ""),
        ("ignores: [{name: web}]", "ignores must be a rule in each entry", ""),
        (
            "ignores: [{rules: web}]",
            "ignores must be texts under rule, reason, kind, name, namespace, path, not 'rules' (did you mean rule?)",
            "",
        ),
        ("- a", "the configuration must be a mapping", ""),
    ],
)
def test_wrong_files(repo: Path, text: str, message: str, hint: str) -> None:
    (repo / ".kplan.yaml").write_text(text)
    with pytest.raises(KplanError) as error:
        load(repo)
    assert error.value.message == f"{repo / '.kplan.yaml'}: {message}"
    assert error.value.hint == hint


def test_unreadable_files(repo: Path) -> None:
    with pytest.raises(KplanError, match=r"cannot read none\.yaml"):
        load(repo, file="none.yaml")
    (repo / "pyproject.toml").write_text("[tool.kplan]\nx = = 1\n")
    with pytest.raises(KplanError, match=r"pyproject\.toml"):
        load(repo)


def test_published_schema_has_the_same_settings() -> None:
    schema = json.loads((data_dir("schemas") / "kplan" / "config.schema.json").read_text(encoding="utf-8"))
    assert list(schema["properties"]) == list(config.SETTINGS)
    assert schema["properties"]["fail-on"]["enum"] == [*config.LEVELS, "never"]
    assert list(schema["properties"]["ignores"]["items"]["properties"]) == list(Ignore._fields)


def test_shown_has_every_setting_with_its_origin(repo: Path) -> None:
    rows = {key: (value, origin) for key, value, origin in config.shown(load(repo, flags={"fail-on": "info"}))}
    assert list(rows) == list(config.SETTINGS)
    assert rows["fail-on"] == ("info", "--fail-on")
    assert rows["color"] == ("auto", "default")
