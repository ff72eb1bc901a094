"""Texts that are not kept: read again when somebody asks, and never taken from a file that has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from kplan.config import Config
from kplan.lint import judge, suppress
from kplan.lint.run import _object as of_document
from kplan.model import Document, Span
from kplan.source import load
from kplan.source.shared import Known, load_both
from kplan.yamlio import texts


def service(name: str, port: str = "80", more: str = "") -> str:
    meta = f"metadata:\n  name: {name}\n{more}"
    return f"apiVersion: v1\nkind: Service\n{meta}spec:\n  ports:\n    - port: {port}\n      x: 1\n"


# Documents of one layout, one with brackets over several lines, two in a List, one with a key that stands twice.
MANY = [service(f"s{i}", more="  # the owner\n" if i == 2 else "") for i in range(6)]
ODD = service("odd").replace("- port: 80\n      x: 1", "[{port: 80,\n    x: 1}]")
LIST = 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n- {apiVersion: v1, "kind": Secret}\n'
TWICE = "apiVersion: v1\nkind: Secret\nkind: Secret\n"
WHOLE = "# all of them\n---\n" + "---\n".join([*MANY, ODD, LIST, TWICE])


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(texts, "_LAST", {})
    (tmp_path / "a.yaml").write_text(WHOLE)
    (tmp_path / "b.yaml").write_text(service("last"))
    return tmp_path / "a.yaml"


def places(documents: list[Document]) -> list[list[Span]]:
    paths = [(), ("metadata", "name"), ("spec", "ports", 0, "x")]
    return [[d.span(p) for p in paths] + [d.span(p, key=True) for p in paths] for d in documents]


def test_texts_and_places_are_those_of_documents_that_keep_theirs(file: Path) -> None:
    documents = list(load(["."]).documents)
    kept = list(load(["-"], stdin=WHOLE.encode()).documents)
    assert {d.layout is not None for d in documents} == {True, False}
    assert [d.text for d in documents[:-1]] == [d.text for d in kept]
    assert [d.text for d in documents[:3]] == MANY[:3]
    assert [d.duplicates != () for d in documents] == [*[False] * 9, True, False]
    found = places(documents[:-1])
    assert found == [[s._replace(file="a.yaml") for s in spans] for spans in places(kept)]
    assert documents[-1].text == service("last")
    assert documents[3] == Document("a.yaml", 3, None, documents[3].value, 31, kept[3].locate)


def test_the_file_is_read_again_once_for_all_its_documents(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, times = texts.decode, []
    monkeypatch.setattr(texts, "decode", lambda data: times.append(1) or read(data))
    documents = load(["."]).documents
    assert times == []
    assert [d.text != "" for d in documents] == [True] * 11
    assert len(times) == 2


def test_the_file_is_not_read_again_for_comments(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, times = texts.decode, []
    monkeypatch.setattr(texts, "decode", lambda data: times.append(1) or read(data))
    file.write_text(WHOLE.replace("# the owner", 'annotations: {a: "\\x41"}'))
    documents = load(["."]).documents
    assert documents[2].mentions_kplan
    assert suppress.collect(map(of_document, documents)) == []
    assert times == []


@pytest.mark.parametrize("change", ["edit", "remove", "folder"])
def test_nothing_is_taken_from_a_file_that_has_changed(file: Path, change: str) -> None:
    documents = list(load(["."]).documents)
    before = [d.span() for d in documents[:3]]
    texts._LAST.clear()
    text = file.read_text()
    file.unlink()
    if change == "edit":
        file.write_text(text.replace("s1", "s9"))
    elif change == "folder":
        file.mkdir()
    # A document of which a place was asked for has its text, as it was then.
    assert [d.text for d in documents] == [*MANY[:3], *[""] * 7, service("last")]
    assert [d.line for d in documents[:4]] == [3, 12, 21, 31]
    assert places(documents)[3] == [Span("a.yaml", 31, 1, 31, 1)] * 6
    assert [d.span() for d in documents[:3]] == before
    assert documents[3].value["metadata"] == {"name": "s3"}


def test_findings_of_a_file_that_has_changed_show_no_line(file: Path) -> None:
    loaded = load(["."])
    found = [f for f in judge(loaded, Config()).findings if f.rule and f.span.file == "a.yaml" and "x" in f.path]
    assert {f.excerpt for f in found} == {"      x: 1", "    x: 1}]"}
    loaded = load(["."])
    file.write_text(WHOLE + "# more\n")
    texts._LAST.clear()
    changed = [f for f in judge(loaded, Config()).findings if f.rule and f.span.file == "a.yaml" and "x" in f.path]
    assert [(f.rule, f.path) for f in changed] == [(f.rule, f.path) for f in found]
    assert {f.excerpt for f in changed} == {""}
    assert {f.span.line for f in changed} <= {d.line for d in loaded.documents}


@pytest.mark.parametrize(
    ("more", "unused"),
    [
        ("  # kplan: ignore[unknown-field] it is ours\n", False),
        ("  annotations: {kplan.dev/ignore: unknown-field=it is ours}\n", False),
        ('  annotations: {"kplan\\x2edev/ignore": unknown-field=it is ours}\n', False),
        ('  annotations: {"k\\u0070lan.dev/ignore": "unknown-field=it is ours"}\n', False),
        ("  annotations: {other: unknown-field=it is ours}\n", True),
    ],
)
def test_suppressions_are_found_without_the_texts_of_all(file: Path, more: str, unused: bool) -> None:
    above = more if "#" in more else ""
    text = service("s", more="" if above else more)
    text = text.replace("      x: 1", f"{above}      x: 1")
    file.write_text("---\n".join([text] * 4).replace("name: s\n", "name: s\n", 1))
    findings = judge(load(["a.yaml"]), Config()).findings
    assert any("x" in f.path for f in findings) is unused


def test_both_sides_of_a_plan_keep_their_texts(file: Path, tmp_path: Path) -> None:
    both = load_both(["a.yaml"], ["b.yaml"], describe=lambda _: (), known=Known({}, {}))
    file.unlink()
    assert [d.text for d in both.current.documents[:6]] == MANY
