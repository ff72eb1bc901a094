"""`kplan graph` on the command line: formats, exit codes, what is said on stderr."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kplan.cli import main

MANIFESTS = [
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "keys"}}]}]},
    },
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for i, value in enumerate(MANIFESTS):
        (tmp_path / f"{i}.json").write_text(json.dumps(value))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["graph", *args])
    out, err = capsys.readouterr()
    return code, out, err


def test_text_is_the_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, str(folder))
    assert (code, err) == (0, "")
    assert out == (
        "(no namespace)\n"
        "  Service web\n"
        "    -> Pod web (selector)\n"
        "  Pod web\n"
        "    -> Secret keys (env-from) unknown\n"
        "    <- Service web (selector)\n"
        "2 objects, 2 edges, 0 missing, 1 unknown\n"
    )


@pytest.mark.parametrize(("form", "start"), [("dot", "digraph kplan {"), ("mermaid", "flowchart LR")])
def test_formats(folder: Path, capsys: pytest.CaptureFixture[str], form: str, start: str) -> None:
    code, out, _ = run(capsys, str(folder), "--format", form)
    assert (code, out.splitlines()[0]) == (0, start)


def test_a_closed_world_from_the_configuration(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".kplan.yaml").write_text("closed-world: true\n")
    assert run(capsys, str(folder), "--dangling")[1].endswith("1 object, 1 edge, 1 missing, 0 unknown\n")
    (folder / ".kplan.yaml").write_text("closed-world: true\nexternals: [Secret/keys]\n")
    assert run(capsys, str(folder), "--dangling")[1] == "0 objects, 0 edges, 0 missing, 0 unknown\n"


def test_one_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Secret" not in run(capsys, str(folder), "--of", "service/web")[1]
    assert run(capsys, str(folder), "--of", "Service/api") == (2, "", "error: there is no Service/api in the input\n")
    assert run(capsys, str(folder), "--of", "web") == (2, "", "error: --of takes KIND/NAME, not 'web'\n")


def test_nothing_to_draw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, str(tmp_path))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: no manifests in {tmp_path}\n")
    assert run(capsys, str(tmp_path), "--allow-empty")[0] == 0


def test_what_is_left_out_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.yaml").write_text("apiVersion: v1\nkind: [\n")
    code, out, err = run(capsys, str(folder))
    assert code == 2
    assert out.endswith("2 objects, 2 edges, 0 missing, 1 unknown\n")
    assert err.startswith("error: 1 document could not be read, so objects may be missing\nhint: first: ")
    assert "broken.yaml:3:1: " in err
    (folder / "broken.yaml").write_text("some: values\n")
    assert run(capsys, str(folder))[::2] == (0, "skipped: 1 no apiVersion and kind\n")
