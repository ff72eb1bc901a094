"""`kplan state` and `kplan plan --against state`: revisions, secrets that are compared unseen, damaged files."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kplan.cli import main
from kplan.plan import fingerprints, saved
from kplan.source.state import Store

NO_CHANGES = "No changes. The current state matches the manifests."
PASSWORD, OTHER = "correct-horse-battery", "staple-horse-battery"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata: {{k: '{value}'}}\n"
SECRET = """\
apiVersion: v1
kind: Secret
metadata: {{name: db, namespace: shop, annotations: {{note: "it is {word}"}}}}
stringData: {{password: {word}, user: admin-of-all}}
---
apiVersion: v1
kind: Secret
metadata: {{name: fixed, namespace: shop}}
immutable: true
stringData: {{password: {word}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: shop}}
spec:
  containers:
  - name: web
    image: web:1
    args: ["--password={word}"]
    env:
    - {{name: DB_PASSWORD, value: {word}}}
    - {{name: URL, value: "postgres://admin:{word}@db/shop"}}
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(saved, "_ROUNDS", 10)
    monkeypatch.setattr(fingerprints, "_ROUNDS", 10)
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR", "KPLAN_FORMAT", "KPLAN_STATE"):
        monkeypatch.delenv(name, raising=False)
    write("m", a="1")

    def go(*argv: str) -> tuple[int, str, str]:
        code = main(list(argv))
        return (code, *capsys.readouterr())

    return go


def write(folder: str, *more: str, **values: str) -> None:
    Path(folder).mkdir(exist_ok=True)
    texts = [CONFIG.format(name=name, value=value) for name, value in values.items()]
    (Path(folder) / "all.yaml").write_text("---\n".join([*texts, *more]), encoding="utf-8")


def everything() -> str:
    """All that the store has written."""
    return "".join(p.read_text(encoding="utf-8") for p in Path(".kplan/state").iterdir())


def test_save_and_compare(run: Run) -> None:
    code, out, err = run("state", "save", "m")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"Saved revision 1 \([0-9a-f]{12}\): 1 object\.\n", out)
    assert run("plan", "m", "--against", "state", "--detailed-exitcode")[:2] == (
        0,
        f"{NO_CHANGES}\n\nkplan compared 1 object and found nothing to create, update or destroy.\n",
    )
    write("m", a="2", b="1")
    code, out, _ = run("plan", "m", "--against", "state", "--detailed-exitcode")
    assert code == 2
    assert '~ data.k = "1" -> "2"' in out
    assert "Plan: 1 to add, 1 to change, 0 to destroy." in out
    write("m", b="1")
    assert "- v1 ConfigMap shop/a" in run("plan", "m", "--against", "state", "--concise")[1]
    assert "0 to destroy" in run("plan", "m", "--against", "state", "--concise", "--no-prune")[1]


def test_revisions_have_numbers_and_ids(run: Run) -> None:
    run("state", "save", "m")
    assert run("state", "save", "m")[1].startswith("Nothing new since revision 1 (")
    write("m", a="2")
    assert run("state", "save", "m")[1].startswith("Saved revision 2 (")
    listed = json.loads(run("state", "list", "--format", "json")[1])
    assert [(r["number"], r["objects"], r["origin"]) for r in listed] == [(1, 1, "m"), (2, 1, "m")]
    first, second = (r["id"] for r in listed)
    assert [first[:12] in line for line in run("state", "list")[1].splitlines()] == [False, True, False]
    for name, same in (("latest", True), ("", True), ("2", True), (second[:8], True), ("1", False), (first, False)):
        code, out, err = run("plan", "m", "--against", f"state:{name}")
        assert (code, err) == (0, "")
        assert (NO_CHANGES in out) is same
    write("m", a="1")
    run("state", "save", "m")  # the same content again, after another
    assert run("state", "show", first[:8]) == run("state", "show", "3")


def test_the_order_of_files_is_no_content(run: Run) -> None:
    write("m", a="1", b="2")
    run("state", "save", "m")
    write("m", b="2", a="1")
    assert run("state", "save", "m")[1].startswith("Nothing new")


@pytest.mark.parametrize("name", ["9", "abc", "ffffffff", "0", "-1", "../1", "1.json", "LATEST"])
def test_no_such_revision(name: str, run: Run) -> None:
    assert "there is no state in .kplan/state" in run("plan", "m", "--against", f"state:{name}")[2]
    run("state", "save", "m")
    code, out, err = run("plan", "m", "--against", f"state:{name}")
    assert (code, out) == (1, "")
    assert f"there is no revision {name!r} in .kplan/state" in err


def test_a_start_of_several_ids(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kplan.source.state._id", lambda _, key: "abcd" + (key * 4)[:60])
    store = Store("s")
    for n in range(2):
        store.save([], origin="", saved="", key=bytes([n]), tool="")
    code, _, err = run("state", "show", "abcd", "--state", "s")
    assert code == 1
    assert re.search(r"'abcd' is the start of several revisions: 1 \(abcd\w{8}\), 2 \(abcd\w{8}\)", err)
    assert [store.find(store.read(n).id[:20]).number for n in (1, 2)] == [1, 2]


def test_secret_values_are_compared_unseen(run: Run) -> None:
    write("m", SECRET.format(word=PASSWORD))
    assert run("state", "save", "m")[0] == 0
    assert PASSWORD not in everything()
    assert "admin-of-all" not in everything()
    assert NO_CHANGES in run("plan", "m", "--against", "state")[1]
    code, out, _ = run("plan", "m", "--against", "state", "--show-noise", "--format", "json")
    assert (code, PASSWORD in out, "kplan-hmac" in out) == (0, False, False)

    write("m", SECRET.format(word=OTHER))
    code, out, _ = run("plan", "m", "--against", "state", "--show-noise")
    assert code == 0
    assert "data.password = (sensitive #1) -> (sensitive #2)" in out
    assert "-/+ v1 Secret shop/fixed" in out
    assert 'value = "postgres://admin:(sensitive #1)@db/shop" -> "postgres://admin:(sensitive #2)@db/shop"' in out
    assert not any(word in out for word in (PASSWORD, OTHER, "kplan-hmac", "admin-of-all"))


def test_equal_values_are_equal_however_they_are_written(run: Run) -> None:
    base = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
    write("m", f"{base}stringData: {{p: {PASSWORD}}}\nimmutable: true\n")
    run("state", "save", "m")
    write("m", f"{base}data: {{p: Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5}}\nimmutable: true\n")
    assert NO_CHANGES in run("plan", "m", "--against", "state")[1]


def test_show_prints_marks(run: Run) -> None:
    write("m", SECRET.format(word=PASSWORD))
    run("state", "save", "m")
    code, out, _ = run("state", "show")
    assert code == 0
    assert 'password: "(sensitive #' in out
    assert "image: web:1" in out
    assert PASSWORD not in out
    assert "kplan-hmac" not in out


def test_there_are_no_values_to_show(run: Run) -> None:
    run("state", "save", "m")
    code, _, err = run("plan", "m", "--against", "state", "--show-secrets")
    assert code == 1
    assert "a saved state holds no secret values" in err


def test_files_are_for_their_owner(run: Run) -> None:
    run("state", "save", "m")
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in Path(".kplan/state").iterdir()}
    assert modes == {"1.json": 0o600, "key": 0o600}


def test_the_key_belongs_to_the_store(run: Run) -> None:
    run("state", "save", "m")
    key = Path(".kplan/state/key")
    text = key.read_bytes()
    for content, message in (
        (None, "cannot read the key .kplan/state/key"),
        (b"x", ".kplan/state/key is not the key of a state store"),
        (b"0" * 64, "revision 1 was saved with another key"),
    ):
        key.unlink(missing_ok=True)
        if content is not None:
            key.write_bytes(content)
        code, out, err = run("plan", "m", "--against", "state")
        assert (code, out) == (1, "")
        assert message in err
    key.write_bytes(text)
    assert run("plan", "m", "--against", "state")[0] == 0


def damaged(**changes: Any) -> str:
    content = json.loads(Path(".kplan/state/1.json").read_text(encoding="utf-8"))
    return json.dumps({**content, **changes})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: "", "is not a saved state"),
        (lambda: "[" * 100_000, "is not a saved state"),
        (lambda: "{}", "is not a saved state"),
        (lambda: "[]", "is not a saved state"),
        (lambda: damaged(format="kplan-plan"), "is not a saved state"),
        (lambda: damaged(format_version="2.0"), "has the state format 2.0, which this kplan does not know"),
        (lambda: damaged(objects=[]), "is damaged"),
        (lambda: damaged(number=2), "is damaged"),
        (lambda: damaged(digest="x"), "is damaged"),
        (lambda: damaged().replace('"1"', '"2"'), "is damaged"),
        (lambda: damaged()[:-5], "is not a saved state"),
    ],
)
def test_a_damaged_or_foreign_file_is_one_error(change: Callable[[], str], message: str, run: Run) -> None:
    run("state", "save", "m")
    Path(".kplan/state/1.json").write_text(change(), encoding="utf-8")
    for argv in (("plan", "m", "--against", "state"), ("state", "list"), ("state", "show"), ("state", "save", "m")):
        code, out, err = run(*argv)
        assert (code, out) == (1, "")
        assert err.startswith(f"error: .kplan/state/1.json {message}")
    assert run("state", "rm", "1")[:2] == (0, "Removed revision 1.\n")
    assert run("state", "list")[1] == "No state in .kplan/state.\n"


@pytest.mark.parametrize(
    "content",
    [
        {"objects": [1]},
        {"objects": [{"kind": "X"}]},
        {"objects": {}},
        {"id": "x"},
        {"id": None},
        {"key": 1},
    ],
)
def test_a_file_whose_digest_fits_may_still_be_wrong(content: Any, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("state", "save", "m")
    monkeypatch.setattr("kplan.sealed.digest", lambda _: "fits")
    Path(".kplan/state/1.json").write_text(damaged(digest="fits"), encoding="utf-8")
    assert run("state", "list")[0] == 0
    Path(".kplan/state/1.json").write_text(damaged(digest="fits", **content), encoding="utf-8")
    code, _, err = run("state", "list")
    assert (code, "is damaged" in err) == (1, True)


def test_removed_revisions_are_gone_and_their_numbers_not_used_again_while_later_ones_stand(run: Run) -> None:
    for value in "123":
        write("m", a=value)
        run("state", "save", "m")
    assert run("state", "rm", "1", "2")[1] == "Removed revision 1.\nRemoved revision 2.\n"
    assert run("state", "rm", "1")[0] == 1
    write("m", a="4")
    assert run("state", "save", "m")[1].startswith("Saved revision 4 ")
    assert run("state", "rm", "latest")[1] == "Removed revision 4.\n"
    assert [p.name for p in sorted(Path(".kplan/state").iterdir())] == ["3.json", "key"]


def test_two_who_save_at_once_get_two_numbers(tmp_path: Path, run: Run) -> None:
    one, other = Store(tmp_path / "s"), Store(tmp_path / "s")
    key = one.key(create=True)
    assert other.key(create=True) == key
    made = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}}
    other.numbers = list  # type: ignore[method-assign]  # it looked before the other one wrote
    first, _ = one.save([made], origin="", saved="", key=key, tool="")
    second, new = other.save([], origin="", saved="", key=key, tool="")
    assert (first.number, second.number, new) == (1, 2, True)
    assert one.read(1).objects == (made,)
    assert one.numbers() == [1, 2]


def test_nothing_is_saved_of_input_that_cannot_be_read(run: Run) -> None:
    (Path("m") / "bad.yaml").write_text("a: [\nkind: x\napiVersion: v1\n", encoding="utf-8")
    code, out, err = run("state", "save", "m")
    assert (code, out) == (1, "")
    assert "nothing is saved, because m/bad.yaml:" in err
    assert not Path(".kplan").exists()


def test_an_empty_state_is_meant(run: Run) -> None:
    Path("none").mkdir()
    code, _, err = run("state", "save", "none")
    assert code == 1
    assert "no manifests in none" in err
    assert run("state", "save", "none", "--allow-empty")[0] == 0
    assert "Plan: 1 to add" in run("plan", "m", "--against", "state")[1]


def test_where_the_store_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "m" / "in").mkdir()
    monkeypatch.chdir(tmp_path / "m" / "in")
    assert run("state", "save", "..")[0] == 0
    assert (tmp_path / ".kplan" / "state" / "1.json").exists()
    (tmp_path / ".kplan.yaml").write_text("state: deployed\n", encoding="utf-8")
    assert run("state", "save", "..")[0] == 0
    assert (tmp_path / "deployed" / "1.json").exists()
    assert NO_CHANGES in run("plan", "..", "--against", "state")[1]
    assert run("state", "save", "..", "--state", "elsewhere")[0] == 0
    assert (tmp_path / "m" / "in" / "elsewhere" / "1.json").exists()
    assert NO_CHANGES in run("plan", "../all.yaml", "--against", "state", "--state", "elsewhere")[1]


def test_a_state_is_no_manifest(run: Run) -> None:
    run("state", "save", "m", "--state", "m/state")
    assert NO_CHANGES in run("plan", "m", "--against", "state", "--state", "m/state")[1]


def test_a_saved_plan_knows_its_state(run: Run) -> None:
    run("state", "save", "m")
    write("m", a="2")
    _, out, _ = run("plan", "m", "--against", "state", "--out", "plan.json")
    assert run("show", "plan.json") == (0, out, "")
    run("state", "save", "m")
    code, _, err = run("show", "plan.json")
    assert code == 1
    assert "Saved plan is stale: state:2 has changed" in err


def test_help_starts_with_examples(run: Run) -> None:
    for name in ("save", "list", "show", "rm"):
        assert "Examples:\n  kplan state " in run("state", name, "--help")[1]
    overview = run("state", "--help")[1]
    assert overview.index("kplan state save manifests/ ") < overview.index("Commands:")
