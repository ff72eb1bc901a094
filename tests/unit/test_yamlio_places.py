"""Places found by lines are those that the complete parser gives."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

from kplan.model import Path
from kplan.resources import data_dir
from kplan.yamlio import fast, read
from kplan.yamlio.flow import Unusual
from kplan.yamlio.limits import Limits
from kplan.yamlio.positions import Entry, Node
from kplan.yamlio.split import Chunk, chunks
from kplan.yamlio.yamltree import yaml_tree

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
DOCUMENTS = [
    "a: 1\nb:\n  c: x y\n",
    "# top\n\na: b # c\n# end\n",
    "--- # why\na: b\n",
    "---: a\nb: c\n",
    "a:\n- 1\n-\n- b: c\n  d: e\n- - f\n  - g\n-   h\n",
    "a:\n  - b\n\n  # c\n  - d:\n      e: f\n    g:\n",
    "a:\nb: # c\nc :\nd  : e\n",
    "a: |\n  one\n\n  two\n\n# c\nb: >-\n  x\n  y\nc: |- # c\n  e\n",
    "a: one\n  two\n\n  three  \nb:\n  four\n  five\n",
    "- one\n  two\n- three\n",
    'a: \'it\'\'s\' # c\nb: "x \\" y"\n\'c d\': e\n"f": "g"\n',
    "a: 'one\n  it''s two'  # c\nb: \"one \\\" \\\n  two\"\nc: d\n",
    "a: [1, 'b', \"c d\", {e: f g, 'h': [x]}] # c\nb: []\nc: {}\nd: {x: 1, }\n",
    "a: [1,\n  2]\nb:\n  [\n    c, d,\n  ]\n",
    "- [a,\n\n   # c: ]\n   {b: c,\n    \"d\": [e], 'f':\n      g}\n  ]  # h\n- {i: j,\n  k: []}\n",
    "a: b\n...\n",
    "é: ü\nb: 'ä' # ö\n",
    "on: yes\n0x10: 1\n",
]


def paths(node: Node, at: Path = ()) -> Iterator[Path]:
    """All paths in a document."""
    yield at
    pairs = node.children.items() if isinstance(node.children, dict) else enumerate(node.children or ())
    for step, child in pairs:
        yield from paths(child.value if isinstance(child, Entry) else child, (*at, step))


def compare(text: str, hint: object = None) -> None:
    """Compare the places at all paths there are, and at those with one step more, which mostly lead nowhere."""
    whole, by_lines = yaml_tree(text), fast.tree(text)
    known = list(paths(whole.root))
    steps = {step for path in known for step in path[-1:]} | {len(known)}
    for path in (*known, *((*path, step) for path in known for step in steps)):
        for key in (False, True):
            assert by_lines.find(path, key=key) == whole.find(path, key=key), (hint, path, key)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_documents(text: str) -> None:
    fast.parse(text, Limits())
    compare(text)


def test_rules_and_examples() -> None:
    compared = 0
    for path in sorted((*data_dir("rules").rglob("*.yaml"), *EXAMPLES.rglob("*.yaml"))):
        for chunk in chunks(path.read_text(encoding="utf-8", errors="replace")):
            if isinstance(chunk, Chunk) and chunk.text:
                try:
                    fast.parse(chunk.text, Limits())
                    compare(chunk.text, path)
                except Unusual:
                    continue
                compared += 1
    assert compared > 50


@pytest.mark.parametrize("text", ["a: [1,\n\t2]\n", "a: b\x85c\n", "a: {b: [c}\n"])
def test_what_is_left_to_the_complete_parser(text: str) -> None:
    with pytest.raises(Unusual):
        fast.tree(text).find(("a", "b"))


@pytest.mark.parametrize("text", ["a: &x b\nc: *x\nkind: K\n", "a: [1,\n  2]\nkind: K\n", "kind: K\na: b\n"])
def test_a_document_has_its_places_either_way(text: str) -> None:
    [document] = read(text.encode(), "f.yaml").documents
    span = document.span(("kind",))
    assert text.split("\n")[span.line - 1][span.col - 1 : span.end_col - 1] == "K"
