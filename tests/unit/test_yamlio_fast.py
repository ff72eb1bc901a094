"""The fast parser: the same values as the complete one, or none."""

from __future__ import annotations

import random
import runpy
from pathlib import Path
from typing import Any

import pytest

from kplan.yamlio import Limits, fast, lines, read, reader
from kplan.yamlio.flow import Unusual

ROOT = Path(__file__).resolve().parents[2]
SEEDS = [str(ROOT / "tests" / "data" / "yaml" / "styles.yaml"), str(ROOT / "examples")]
tool = runpy.run_path(str(ROOT / "tools" / "differential.py"))


def texts() -> list[str]:
    return list(tool["documents"](SEEDS))


def test_every_style_is_taken() -> None:
    left = [t for t in texts() if tool["difference"](t) is not None]
    assert left == []
    assert len(texts()) > 20


def test_mutations_have_the_same_value_or_none() -> None:
    found = [(t, tool["difference"](t)) for t in tool["mutations"](texts(), 20_000, 7)]
    assert [pair for pair in found if pair[1]] == []
    assert sum(difference is None for _, difference in found) > 4_000


TEXTS = [
    "",
    " ",
    " a",
    " many words",
    " many words ",
    "  many words",
    " words: more",
    " words #no",
    " éé words",
    " falsey",
]
ODD = [" false", " 0x10000", " -many", " |-", "many words", ": many words", " many words:", " #many words", " 'many'"]


@pytest.mark.parametrize("start", ["", "  ", "- "])
def test_a_key_that_was_met_before_changes_nothing(start: str) -> None:
    rows = [f"{start}{key}:{text}" for key in ("key", "on", "a b", "1") for text in TEXTS + ODD]
    rows += [f"{start}{text}" for text in ("words", "many words", "many #words", "many words ", "false", "1 word")]
    lines._NAMES.clear()
    first = []
    for row in rows:
        lines._NAMES.clear()
        first.append(lines.read_line(row))
    assert [lines.read_line(row) for row in rows * 2] == first * 2
    assert {"key", "on"} <= lines._NAMES.keys()


def test_the_tool_sees_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "parse", lambda text, limits: fast.Parsed({"a": 2}, 1))
    assert tool["difference"]("a: 1\n").startswith("fast: {'a': 2}")


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\n",
        "a: *x\n",
        "a: !!str 1\n",
        "<<: {a: 1}\n",
        "a: 1\na: 2\n",
        "a: {b: 1, b: 2}\n",
        "a:\t1\n",
        "? a\n: b\n",
        "a: .inf\n",
        "null: 1\n",
        "a: b: c\n",
        "a: 'x' y\n",
        "a: [1, 2\n",
        "a: \u2028\n",
        "a: |\n\tx\n",
        "a: \x07\n",
        "text\n",
        "- " * 30 + "a\n",
        "".join(" " * n + "a:\n" for n in range(102)),
        "a: " + "[" * 101 + "]" * 101 + "\n",
    ],
)
def test_what_is_left_to_the_complete_parser(text: str) -> None:
    with pytest.raises(Unusual):
        fast.parse(text, Limits())


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        ("# c\n\na: 1\n", {"a": 1}, 3),
        ("--- # c\n# d\na: 1\n", {"a": 1}, 3),
        ("---\n# nothing\n", None, 0),
        ("a: 1\n...\nb: [\n", {"a": 1}, 1),
        ("a:\n- 1\n- b: 2\n  c:\n  - 3\nd: 4\n", {"a": [1, {"b": 2, "c": [3]}], "d": 4}, 1),
        ("a: one\n  two\n\n  three\nb: 1\n", {"a": "one two\nthree", "b": 1}, 1),
        ('a: "one\n  two\\\n  three"\n', {"a": "one twothree"}, 1),
        ("a: >\n  one\n  two\n    x\n  y\n", {"a": "one two\n  x\ny\n"}, 1),
        ("{a: [1, 'b'], }\n", {"a": [1, "b"]}, 1),
    ],
)
def test_values_and_lines(text: str, value: Any, line: int) -> None:
    found = fast.parse(text, Limits())
    assert (found.value, found.line) == (value, line)


def test_lines_are_remembered_but_values_are_not_shared() -> None:
    first, second = (read(b"a: [1]\nb: {}\nc: []\n", "f").documents[0].value for _ in range(2))
    first["a"].append(2)
    first["b"]["x"] = 1
    first["c"].append(3)
    assert second == {"a": [1], "b": {}, "c": []}
    assert read(b"a: [1]\nb: {}\nc: []\n", "f").documents[0].value == second


def service(name: str, port: object, text: str) -> str:
    return (
        f"kind: Service # {name}\nmetadata:\n  name: {name}\n  labels: {{app: {name}}}\nspec:\n  ports:\n"
        f"  - port: {port}\n    name: http\n  - {{port: 1}}\n  empty:\n  note: |\n    {text}\n\n  last: '{port}'\n"
    )


def test_documents_of_one_layout_keep_their_values() -> None:
    fast._LAYOUTS._known.clear()
    found = [fast.parse(service(*one), Limits()) for one in CASES]
    assert [f.value for f in found] == [
        {
            "kind": "Service",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "ports": [{"port": port, "name": "http"}, {"port": 1}],
                "empty": None,
                "note": f"{text}\n",
                "last": str(port),
            },
        }
        for name, port, text in CASES
    ]
    layouts = [f.layout for f in found]
    assert layouts[:2] == [None, None]
    assert layouts[2] is not None
    assert set(layouts[2:]) == {layouts[2]}
    assert all(type(f.value["spec"]["ports"][0]["port"]) is type(c[1]) for f, c in zip(found, CASES, strict=True))


CASES: list[tuple[str, object, str]] = [
    ("a", 80, "x"),
    ("b", 81, "y z"),
    ("c-d", 1.5, "'c'"),
    ("e", True, "1"),
    ("g", "http", "k"),
    *((f"n{i}", i, "k") for i in range(20)),  # so many that there is code for them
]


@pytest.mark.parametrize(
    "other",
    [
        "a: 1\nb:\n  c: 2\n  d: 3\n",
        "a: 1\nb:\n- c: 2\n",
        "a: 1\nb:\n  c: 2\nc: 3\n",
        "a: 1\nb:\n  c: 2\n  c: 3\n",
        "a: 1\nb:\n   c: 2\n",
        "a: 1\nb:\n  c: |\n    x\n",
        "a: 1\nb:\n  c: [1,\n   2]\n",
        "a: 1\nb:\n  c: x\n   y\n",
        "--- x\na: 1\nb:\n  c: 2\n",
    ],
)
def test_another_layout_is_another(other: str) -> None:
    text = "a: 1\nb:\n  c: 2\n"
    known = [fast.parse(text, Limits()) for _ in range(3)][-1].layout
    assert known is not None
    for _ in range(4):
        try:
            assert fast.parse(other, Limits()).layout is not known
        except Unusual:
            break


def test_a_block_that_ends_elsewhere_is_read_anew() -> None:
    texts = ["a: |\n  x\n  y: 1\nb: 2\n"] * 3 + ["a: |\n    x\n  y: 1\nb: 2\n"]
    with pytest.raises(Unusual):
        [fast.parse(t, Limits()) for t in texts]
    assert read(texts[-1].encode(), "f").unreadable


def test_layouts_and_lines_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kplan.yamlio.layout._MOST_KEPT", 5)
    monkeypatch.setattr("kplan.yamlio.seen._MOST_KINDS", 7)
    for i in range(60):
        for _ in range(4):
            value = fast.parse(f"k{i % 20}: {i}\nx:\n  y{i % 3}: a{i}\n", Limits()).value
            assert value == {f"k{i % 20}": i, "x": {f"y{i % 3}": f"a{i}"}}
    assert len(fast._LAYOUTS._known) <= 6
    assert len(fast._LAYOUTS.seen) <= 8


def test_a_separator_is_no_text() -> None:
    """A document that follows a text is none, whatever layouts are known."""
    texts = [f"---\na: {word}\n" for word in "bcde"]
    assert [fast.parse(t, Limits()).line for t in texts] == [2, 2, 2, 2]
    for text in ("--\na: b\n", "word\na: b\n", "---\n---\na: b\n"):
        with pytest.raises(Unusual):
            fast.parse(text, Limits())


SEPARATORS = [
    "---\n",
    "---\n",
    "---  \n",
    "--- # c\n",
    "--- # c\t\n",
    "---\n---\n",
    "---#c\n",
    "--- x\n",
    "----\n",
    "",
    "\n",
]


def test_short_files_are_divided_as_long_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    r = random.Random(3)
    documents = [
        *texts()[:20],
        "# c\n",
        "\n",
        "--- a: 1\n",
        "a: |\n  x\n",
        "x: &a 1\ny: *a\n",
        "- 1\n",
        "a:\n\tb\n",
        "# \x01\n",
    ]
    for _ in range(300):
        data = "".join(r.choice(SEPARATORS) + r.choice(documents) for _ in range(r.randrange(1, 6))).encode()
        short = read(data, "f")
        with monkeypatch.context() as patch:
            patch.setattr(reader, "_SHORT", 0)
            long = read(data, "f")
        assert short == long, data
        assert [(d.text, d.text_line) for d in short.documents] == [(d.text, d.text_line) for d in long.documents]
