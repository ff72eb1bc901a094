"""Sealed files: what was written comes back; what is foreign, newer or damaged is refused in one set of words."""

from __future__ import annotations

import json

import pytest

from kplan.errors import KplanError
from kplan.sealed import Format, canonical, digest

FORMAT = Format("kplan-box", "box", 2, 3)
CONTENT = {"b": [1, {"y": None, "x": "\u00e4"}], "a": 1.5}


def sealed(**changes: object) -> str:
    """A sealed file, edited, with a digest that fits."""
    content = {**json.loads(FORMAT.seal(CONTENT, "1.2.3")), **changes}
    del content["digest"]
    return json.dumps({**content, "digest": digest(content)})


def test_what_was_sealed_comes_back() -> None:
    text = FORMAT.seal(CONTENT, "1.2.3")
    assert text.isascii()
    assert text.endswith("}\n")
    for given in (text, text.encode()):
        found = FORMAT.unseal(given, "f", "try again")
        assert found == {"format": "kplan-box", "format_version": "2.3", "kplan_version": "1.2.3", **CONTENT}


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest(CONTENT) == digest(dict(reversed(CONTENT.items())))
    assert canonical({"b": 1, "a": 2}) == '{"a": 2, "b": 1}'


def test_later_minor_versions_are_read() -> None:
    assert FORMAT.unseal(sealed(format_version="2.9", more=1), "f", "")["more"] == 1


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "[" * 100_000, sealed(format="kplan-plan"), b"\xff"])
def test_what_is_foreign_is_refused(text: str | bytes) -> None:
    with pytest.raises(KplanError) as caught:
        FORMAT.unseal(text, "f", "try again")
    assert (caught.value.message, caught.value.hint) == ("f is not a saved box", "")


@pytest.mark.parametrize("version", ["1.3", "3.0", "20.3", None])
def test_other_major_versions_are_refused(version: object) -> None:
    with pytest.raises(KplanError) as caught:
        FORMAT.unseal(sealed(format_version=version), "f", "try again")
    assert caught.value.message == f"f has the box format {version}, which this kplan does not know"
    assert caught.value.hint == "it was written by kplan 1.2.3: use that release, or try again"


@pytest.mark.parametrize("changes", [{"a": 2}, {"digest": None}, {"more": 1}, {"kplan_version": "1.2.4"}])
def test_what_was_edited_is_damaged(changes: dict[str, object]) -> None:
    text = json.dumps({**json.loads(FORMAT.seal(CONTENT, "1.2.3")), **changes})
    with pytest.raises(KplanError) as caught:
        FORMAT.unseal(text, "f", "try again")
    assert (caught.value.message, caught.value.hint) == ("f is damaged", "try again")
