"""Places found by lines are those that the complete parser gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from kplan.resources import data_dir
from kplan.yamlio import fast, read
from kplan.yamlio.flow import Unusual
from kplan.yamlio.limits import Limits
from kplan.yamlio.split import Chunk, chunks
from kplan.yamlio.yamltree import yaml_tree

EXAMPLES = Path(__file__).parents[2] / "examples"
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
    "a: b\n...\n",
    "é: ü\nb: 'ä' # ö\n",
    "on: yes\n0x10: 1\n",
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_documents(text: str) -> None:
    fast.parse(text, Limits())
    assert fast.tree(text) == yaml_tree(text)


def test_rules_and_examples() -> None:
    compared = 0
    for path in sorted((*data_dir("rules").rglob("*.yaml"), *EXAMPLES.rglob("*.yaml"))):
        for chunk in chunks(path.read_text(encoding="utf-8", errors="replace")):
            if isinstance(chunk, Chunk) and chunk.text:
                try:
                    fast.parse(chunk.text, Limits())
                    found = fast.tree(chunk.text)
                except Unusual:
                    continue
                assert found == yaml_tree(chunk.text), path
                compared += 1
    assert compared > 50


@pytest.mark.parametrize("text", ["a: [1,\n  2]\n", "a: b\x85c\n", "a: {b: [c}\n"])
def test_what_is_left_to_the_complete_parser(text: str) -> None:
    with pytest.raises(Unusual):
        fast.tree(text)


@pytest.mark.parametrize("text", ["a: &x b\nc: *x\nkind: K\n", "a: [1,\n  2]\nkind: K\n", "kind: K\na: b\n"])
def test_a_document_has_its_places_either_way(text: str) -> None:
    [document] = read(text.encode(), "f.yaml").documents
    span = document.span(("kind",))
    assert text.split("\n")[span.line - 1][span.col - 1 : span.end_col - 1] == "K"
