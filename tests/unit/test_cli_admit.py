"""`kplan admit`: located answers, stored objects that kubectl reads back, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: 'on', mode: '0777'}\n"
BAD = "apiVersion: v1\nkind: Service\nmetadata:\n  name: x\nspec:\n  ports:\n  - port: 80000\n"


def run(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kplan", "admit", *argv]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    return tmp_path


def test_accepted(folder: Path) -> None:
    done = run(folder, "good.yaml")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "good.yaml:1: v1 ConfigMap default/a: accepted")


def test_refused_with_the_place_of_each_cause(folder: Path) -> None:
    done = run(folder, "bad.yaml")
    assert done.returncode == 1
    assert "bad.yaml:1: v1 Service x: refused (422)" in done.stdout
    assert "bad.yaml:7:11: spec.ports[0].port: Invalid value: 80000: must be between 1 and 65535" in done.stdout


def test_missing_path_could_not_run(folder: Path) -> None:
    assert run(folder, "nothing.yaml").returncode == 2


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_stored_objects_read_back_the_same(folder: Path, form: str) -> None:
    from kplan.yamlio import read_one

    done = run(folder, "good.yaml", "-o", form)
    found = read_one(done.stdout).value if form == "yaml" else json.loads(done.stdout)["answers"][0]["stored"]
    assert found is not None
    assert found["data"] == {"k": "on", "mode": "0777"}


def test_object_that_comes_twice_is_applied_twice(tmp_path: Path) -> None:
    head = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: "
    (tmp_path / "s.yaml").write_text(f"{head}{{ports: [{{port: 80}}]}}\n---\n{head}{{ports: [{{port: 81}}]}}\n")
    answers = json.loads(run(tmp_path, "s.yaml", "-o", "json").stdout)["answers"]
    ports = [[p["port"] for p in a["stored"]["spec"]["ports"]] for a in answers]
    assert (ports, [a["status"] for a in answers]) == ([[80], [81]], [201, 200])
