"""Scalars and odd documents against what kubectl reads, with the complete parser over libyaml and over Python.

The tables in tests/data/yaml were recorded: scalars.jsonl from kubectl 1.36, documents.jsonl from the library that it
reads YAML with (sigs.k8s.io/yaml 1.6).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kplan.yamlio import Limits, fast, read_one, scalars
from kplan.yamlio.compose import compose
from kplan.yamlio.events import parse
from kplan.yamlio.flow import Unusual
from kplan.yamlio.readerror import ReadError

DATA = Path(__file__).resolve().parents[1] / "data" / "yaml"
PURE = [False, True]


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


SCALARS = rows("scalars.jsonl")
DOCUMENTS = rows("documents.jsonl")


def complete(text: str, *, pure: bool = False) -> Any:
    return parse(text, lambda next_event: compose(next_event, Limits()), pure=pure).value


def digits(value: Any) -> Any:
    """A recorded value: integers and floats were kept as their digits."""
    if isinstance(value, dict):
        return int(value["int"]) if "int" in value else float(value["float"])
    return value


def same(a: Any, b: Any) -> bool:
    return a == b and isinstance(a, bool) == isinstance(b, bool) and isinstance(a, str) == isinstance(b, str)


@pytest.mark.parametrize("pure", PURE)
def test_plain_scalars(pure: bool) -> None:
    table = [(r["plain"], digits(r["value"])) for r in SCALARS if "plain" in r]
    read = complete("".join(f"- {word}\n" for word, _ in table), pure=pure)
    assert [(w, v, r) for (w, v), r in zip(table, read, strict=True) if not same(r, v)] == []
    assert len(table) > 600


@pytest.mark.parametrize("pure", PURE)
def test_keys(pure: bool) -> None:
    table = [(r["key"], r["becomes"]) for r in SCALARS if "key" in r and isinstance(r["becomes"], str)]
    read = complete("".join(f"- {{{word}: 1}}\n" for word, _ in table), pure=pure)
    assert [(w, k, r) for (w, k), r in zip(table, read, strict=True) if list(r) != [k]] == []
    assert len(table) > 200


def test_keys_that_are_refused() -> None:
    for row in SCALARS:
        if "key" in row and not isinstance(row["becomes"], str):
            with pytest.raises(ReadError):
                complete(f"- {{{row['key']}: 1}}\n")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.2, "0.2"),
        (1.5, "1.5"),
        (1e5, "100000"),
        (1e6, "1e+06"),
        (123456789.5, "1.2345679e+08"),
        (1e-4, "0.0001"),
        (1e-5, "1e-05"),
        (-2.5e-7, "-2.5e-07"),
        (1e40, ".inf"),
        (-1e40, "-.inf"),
        (float("nan"), ".nan"),
    ],
)
def test_float_keys_are_single_precision(number: float, text: str) -> None:
    assert scalars.key(number) == text


@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (1.0, 1),
        (-0.0, 0),
        (1.5, 1.5),
        (2.0**53 + 2, 9007199254740994),
        (123456789012345678.0, 123456789012345680),
        (2.0**63, 9223372036854776000),
        (1e20, 100000000000000000000),
        (1e21, 1e21),
    ],
)
def test_floats_as_json_prints_them(number: float, printed: float) -> None:
    got = scalars.json_float(number)
    assert (got, type(got)) == (printed, type(printed))


def outcome(text: str, *, pure: bool = False) -> dict[str, Any]:
    try:
        return {"value": complete(text, pure=pure)}
    except ReadError as problem:
        return {"error": problem.message}


def ordered(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("row", DOCUMENTS, ids=lambda r: r["text"][:40])
def test_documents(row: dict[str, Any]) -> None:
    got = outcome(row["text"])
    assert set(got) == set(row) - {"text"}
    if "value" in row:
        assert ordered(got["value"]) == ordered(row["value"])


@pytest.mark.parametrize("row", DOCUMENTS, ids=lambda r: r["text"][:40])
def test_the_fast_parser_takes_no_document_wrongly(row: dict[str, Any]) -> None:
    try:
        value = fast.parse(row["text"], Limits()).value
    except Unusual:
        return
    assert ordered(value) == ordered(row["value"])


# Errors that are told in other words than kubectl's: Go syntax does not help anybody, and a value may be a secret.
OTHER_WORDS = ("invalid map key", "unsupported map key", "cannot decode", "found unknown escape character")


def test_errors_have_the_words_of_kubectl() -> None:
    told = [
        (f"error converting YAML to JSON: {r['error']}", read_one(r["text"]).message) for r in DOCUMENTS if "error" in r
    ]
    different = [(theirs, ours) for theirs, ours in told if ours != theirs]
    assert [d for d in different if not any(words in d[0] for words in OTHER_WORDS)] == []
    assert len(told) > 90


def test_the_parser_in_python_agrees_nearly_always() -> None:
    """Where libyaml is missing. What it takes otherwise are tabs, rare escapes and colons in flow collections."""
    wrong = [
        r["text"]
        for r in DOCUMENTS
        if ordered(outcome(r["text"], pure=True).get("value", 0)) != ordered(r.get("value", 0))
    ]
    assert len(wrong) / len(DOCUMENTS) < 0.15, wrong
