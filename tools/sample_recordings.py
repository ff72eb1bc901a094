#!/usr/bin/env python3
"""Makes tests/data/recorded: a part of the recordings of a real server, in words of our own.

    python -m tools.sample_recordings ORACLE CORPUS PAIRS

ORACLE is the folder of the recordings, CORPUS and PAIRS are the manifests that they tell of. Of those nothing is kept
but structure, fields and what the server knows: every other word becomes an invented one of the same length and case,
the same everywhere, and so do the words in the recorded answer. A case with which kplan then agrees in other points
than before is left out. The same input gives the same files.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import kplan
from kplan.schema import catalog
from tests import recordings
from tests.recordings import Agreement

Value = dict[str, Any]

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "tests" / "data" / "recorded"
SCORED = (201, 200, 400, 422)
MOST_BYTES = 5000  # of one manifest
CUT = 400  # characters of a sentence in mutations.jsonl
_OF_CHANGE = ("base", "at", "value", "code", "causes", "warnings")
_FACTS = ("defaults", "go-types", "lifecycle", "resources")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_DIGEST = re.compile(r"([0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_VOWELS, _CONSONANTS = "aeiou", "bdfgklmnprstvz"


class Words:
    """Invented words for all that mean nothing to a server."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._given: dict[str, str] = {}
        self._taken: set[str] = set(known)

    def text(self, text: str, *, free: bool | None = None) -> str:
        """A text in other words. In one with blanks (`free`), a word that servers know is a word as any other."""
        free = any(c.isspace() for c in text) if free is None else free
        parts = _DIGEST.split(text)  # every second one is a digest
        parts[::2] = [_WORD.sub(lambda m: self._word(m[0], free), part) for part in parts[::2]]
        return "".join(parts)

    def value(self, value: Any) -> Any:
        """A JSON value in other words; its numbers stay."""
        if isinstance(value, dict):
            return {self.text(k, free=False): self.value(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.value(v) for v in value]
        return self.text(value) if isinstance(value, str) else value

    def _word(self, word: str, free: bool) -> str:
        low = word.lower()
        if len(word) < 3 or (not free and low in self._known):
            return word
        new = self._given.get(low) or self._invent(low)
        return new.upper() if word.isupper() else new.capitalize() if word[0].isupper() else new

    def _invent(self, word: str) -> str:
        for attempt in range(1000):
            number, letters = crc32(f"{word} {attempt}".encode()), ""
            for i in range(len(word)):
                pool = _VOWELS if i % 2 else _CONSONANTS
                number, at = divmod(number or crc32(letters.encode()), len(pool))
                letters += pool[at]
            if letters not in self._taken:
                self._taken.add(letters)
                self._given[word] = letters
                return letters
        raise AssertionError(word)


def known_words() -> frozenset[str]:
    """The words that mean something to a server: those of its schema, and of kplan's tables and messages."""
    found: set[str] = set()
    facts = [ROOT / "schemas" / "facts" / f"{name}.json" for name in _FACTS]
    for path in [*facts, *(ROOT / "schemas" / "kubernetes").rglob("*.json")]:
        found |= set(_WORD.findall(path.read_text(encoding="utf-8")))
    for path in (ROOT / "kplan" / "api").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        prose = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
                found |= set(_WORD.findall(node.value))
    return frozenset(w.lower() for w in found)


def lines(path: Path) -> Iterator[Value]:
    """The rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as f:
        yield from (json.loads(line) for line in f if line.strip())


@cache
def documents(path: Path) -> tuple[str, ...]:
    """The documents of a file as kubectl splits them."""
    text = path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff")
    if text.lstrip().startswith("{"):
        return (text,)
    parts = re.split(r"(?m)\n?^---(?=[ \t\r#]|$)[ \t]*", text)
    return tuple(p for p in parts if any(x.strip() and not x.strip().startswith("#") for x in p.split("\n")))


def manifest(folder: Path, case: str) -> Value | None:
    """The object of a case `file#document`; None if it is too long, no object, or if a server cares for its text."""
    file, _, number = case.partition("#")
    found = documents(folder / file) if number.isdigit() else ()
    if not number.isdigit() or int(number) >= len(found):
        return None
    text = kplan.admit(found[int(number)])
    if text.input is None or len(json.dumps(text.input)) > MOST_BYTES:
        return None
    value = kplan.admit(text.input)
    return text.input if (text.message, text.object) == (value.message, value.object) else None


def evenly(rows: list[Any], count: int) -> Iterator[list[Any]]:
    """The rows cut into `count` pieces, of each of which one is wanted: the first that serves."""
    for i in range(count):
        yield rows[i * len(rows) // count : (i + 1) * len(rows) // count]


def sampled(groups: Iterable[list[Value]], share: float, make: Callable[[Value], Value | None]) -> list[Value]:
    """Of each group its share, at least one, made by `make`, which gives None for a row that does not serve."""
    out = []
    for rows in groups:
        for piece in evenly(rows, min(len(rows), max(1, round(len(rows) * share)))):
            made = next((m for row in piece if (m := make(row)) is not None), None)
            if made is not None:
                out.append(made)
    return out


def by_kind(rows: Iterable[Value], builtin: bool = True) -> list[list[Value]]:
    """The rows by kind, in the order of their ids; those of kinds that every server has."""
    groups: dict[tuple[str, str], list[Value]] = defaultdict(list)
    for row in rows:
        kind = (row.get("apiVersion", ""), row["kind"])
        if not builtin or catalog("1.36").kind(*kind) is not None:
            groups[kind].append(row)
    return [groups[k] for k in sorted(groups)]


def admissions(oracle: Path, corpus: Path, words: Words) -> list[Value]:
    """Manifests of all built-in kinds, with the answer to their creation."""

    def make(row: Value) -> Value | None:
        obj = manifest(corpus, row["id"])
        if obj is None:
            return None
        causes = [[c["field"], c["reason"], c["message"]] for c in row.get("causes", ())]
        given = {"object": obj, "code": row["code"], **_told(row), **({"causes": causes} if causes else {})}
        return _retold(given, words, recordings.admission)

    rows = sorted((r for r in lines(oracle / "admission.jsonl") if r.get("code") in SCORED), key=lambda r: str(r["id"]))
    return sampled(by_kind(rows), 0.18, make)


def applications(oracle: Path, pairs: Path, words: Words) -> list[Value]:
    """Two revisions of an object, and what applying the second one to the first changed."""

    def make(row: Value) -> Value | None:
        before = manifest(pairs / row["pair"] / "before", row["before"])
        after = manifest(pairs / row["pair"] / "after", row["after"])
        if before is None or after is None or "error" in row:
            return None
        return _retold({"before": before, "after": after, **_told(row)}, words, recordings.application)

    return sampled(by_kind(lines(oracle / "apply.jsonl"), builtin=False), 0.13, make)


def _told(row: Value) -> Value:
    """What a recording says about an accepted object, without what servers draw by chance."""
    added = {k: v for k, v in row.get("added", {}).items() if k != "/status/lastPhaseTransitionTime"}
    told = {"added": added, "changed": row.get("changed"), "removed": sorted(row.get("removed") or ())}
    told["warnings"] = row.get("warnings")
    return {k: recordings.without_chance(v) for k, v in told.items() if v}


def _retold(row: Value, words: Words, compare: Callable[[Value], Agreement]) -> Value | None:
    """The row in other words; None if kplan agrees in other points then."""
    new = {k: _answer(v, words) if k in ("warnings", "causes") else words.value(v) for k, v in row.items()}
    return new if compare(row) == compare(new) else None


def _answer(value: Any, words: Words) -> Any:
    if isinstance(value, list):
        return [_answer(v, words) for v in value]
    return words.text(value, free=False) if isinstance(value, str) else value


def texts(oracle: Path, words: Words) -> list[Value]:
    """Documents of the YAML test suite without escapes and tags."""

    def make(row: Value) -> Value | None:
        head, mark, body = row["text"].partition("spec:\n")
        if not mark or re.search(r"\\|%|!|[&*]\w*[A-Z]", body):
            return None
        new: Value = {"text": head + mark + words.text(body, free=True)}
        if "error" in row:
            new["error"] = True
        else:
            new["spec"] = _free(row["spec"], words)
        return new if recordings.document(row) == recordings.document(new) else None

    return sampled([list(lines(oracle / "yaml-suite.jsonl"))], 0.125, make)


def _free(value: Any, words: Words) -> Any:
    if isinstance(value, dict):
        return {words.text(k, free=True): _free(v, words) for k, v in value.items()}
    if isinstance(value, list):
        return [_free(v, words) for v in value]
    return words.text(value, free=True) if isinstance(value, str) else value


def changes(oracle: Path, held: dict[str, set[str]]) -> dict[str, list[Value]]:
    """Changes of single fields, evenly out of those that no other test holds."""
    found: dict[str, list[Value]] = {}
    for name, count in (("mutations", 620), ("updates", 60)):
        rows = [r for r in lines(oracle / f"{name}.jsonl") if r["code"] in SCORED and place(r) not in held[name]]
        found[name] = [_change(p[len(p) // 2], sentences=name == "mutations") for p in evenly(rows, count)]
    for path in sorted((oracle / "versions").glob("1.*.jsonl")):
        rows = [r for r in lines(path) if r["code"] in SCORED and f"{path.stem} {place(r)}" not in held["versions"]]
        found["mutations"] += [
            {**_change(p[len(p) // 2], sentences=False), "version": path.stem} for p in evenly(rows, 10)
        ]
    return found


def _change(row: Value, *, sentences: bool) -> Value:
    kept: Value = {k: row[k] for k in _OF_CHANGE if k in row}
    if "causes" in kept:
        kept["causes"] = [c[: 3 if sentences else 2] for c in kept["causes"]]
    return {**kept, "cut": CUT} if sentences and "causes" in kept else kept


def place(row: Value) -> str:
    """What tells one change from all others."""
    return json.dumps([row["base"], row["at"], *([row["value"]] if "value" in row else [])], sort_keys=True)


def held_elsewhere() -> dict[str, set[str]]:
    """The changes that other tests hold."""
    held: dict[str, set[str]] = {"mutations": set(), "updates": set(), "versions": set()}
    for path in sorted((ROOT / "tests" / "data").glob("[pv]*/*.jsonl")):
        for row in lines(path) if path.stem.endswith(("created", "updated", "updates")) else ():
            if "version" in row:
                held["versions"].add(f"{row['version']} {place(row)}")
            else:
                held["updates" if "updat" in path.stem else "mutations"].add(place(row))
    return held


def main() -> None:
    """Write all files."""
    oracle, corpus, pairs = map(Path, sys.argv[1:])
    words = Words(known_words())
    sets = changes(oracle, held_elsewhere())
    sets["admission"] = admissions(oracle, corpus, words)
    sets["apply"] = applications(oracle, pairs, words)
    sets["documents"] = texts(oracle, words)
    wanted = {row["base"] for name in ("mutations", "updates") for row in sets[name]}
    sets["bases"] = [b for b in lines(oracle / "bases.jsonl") if b["id"] in wanted]
    OUT.mkdir(exist_ok=True)
    for name, rows in sets.items():
        text = "".join(json.dumps(r, separators=(",", ":")) + "\n" for r in rows)
        (OUT / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}: {len(rows)} rows, {len(text):,} bytes")


if __name__ == "__main__":
    main()
