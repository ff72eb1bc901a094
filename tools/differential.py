"""Hold the fast YAML parser against the complete one, on mutations of real manifests.

    tools/differential.py [--count N] [--seed S] PATH…

Every document of the files is read by both, then N mutations of them. Prints what the two read differently, and how
many bytes of the files the fast parser leaves to the complete one. Exit code 1 if there is a difference.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kplan.yamlio import Limits, fast, jsonio
from kplan.yamlio.compose import compose
from kplan.yamlio.events import parse
from kplan.yamlio.flow import Unusual
from kplan.yamlio.readerror import ReadError
from kplan.yamlio.split import Chunk, chunks, decode

LIMITS = Limits()
PIECES = [
    *["- ", "-", "- - ", ": ", ":", "? ", "[", "]", "{", "}", ",", "#", " # c", "&a ", "*a", "!", "!!str ", "!!int "],
    *["|", ">", "|-", ">+", "|2", ">-\n", "|+\n", "'", '"', "\\", "\\\n", "\n", "\n  ", "\n    ", "\n\n", "\n \n"],
    *["\t", " ", "  ", "%", "@", "`", "<<: ", "...", "\n...\n", "a", "b: c", "~", "null", "null: ", "1", "0x1F", "yes"],
    *["\\x41", "\\u00e9", "\\'", "\\/", "é", "\u2028", "\x85", "\xa0", "\ufeff", "x:y", '"a":1', "::", "//", "="],
    *["[a, b]", "{a: b}", "{a: b, c}", '"q"', "'s'", "''", '"q\n  r"', "'s\n\n  t'", "plain\n   more", "[a,\n b]"],
    *['{"a": "b",\n}', '"\\n"', "\n# c\n", "\n  # c\n", "-1", ".5", ".inf", "on", "foo bar", "- a: b\n  ", "|1\n"],
]
LINES = ["", " ", "    ", "# c", "   # c", "- x", "k: v", "  k: v", "k:", "  - k:", "---"]
INDENTS = [" ", "  ", "   ", "    ", "", "\t"]


def difference(text: str) -> str | None:
    """What the parsers make of a document, if not the same; "" if the fast one leaves it; None if they agree.

    The fast one reads it three times: as a document of a new layout, as the one that the layout is learnt from, and by
    the layout. Documents that differ in values only meet the layouts of others as well.
    """
    try:
        found = [fast.parse(text, LIMITS) for _ in range(3)]
    except Unusual:
        return ""
    ours = found[-1]
    if not all(same(one.value, ours.value) and one.line == ours.line for one in found):
        return f"fast, several times: {[one.value for one in found]}"
    if ours.layout is not None and not same([ours.layout.make(ours.slots) for _ in range(13)][-1], ours.value):
        return f"fast, by code: {ours.layout.make(ours.slots)}"
    try:
        theirs = parse(text, lambda next_event: compose(next_event, LIMITS))
    except ReadError as problem:
        return f"fast: {ours.value!r}, complete: {problem.message}"
    if same(ours.value, theirs.value) and ours.line == theirs.line and not theirs.repeated:
        return None
    return f"fast: {ours.value} in line {ours.line}, complete: {theirs}"


def same(a: Any, b: Any) -> bool:
    """Equal with the same types, and maps in the same order."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


def mutations(texts: list[str], count: int, seed: int) -> Iterator[str]:
    """Documents with one to five random changes each; the same for the same seed."""
    chance = random.Random(seed)
    while count > 0:
        text = chance.choice(texts)
        for _ in range(chance.choice([1, 1, 1, 2, 2, 3, 5])):
            text = _changed(text, chance)
        for chunk in chunks(text if text.endswith("\n") else text + "\n"):
            if isinstance(chunk, Chunk) and chunk.text and count > 0:
                yield chunk.text
                count -= 1


def _changed(text: str, chance: random.Random) -> str:
    at, kind = chance.randint(0, len(text)), chance.random()
    if kind < 0.4:
        return text[:at] + chance.choice(PIECES) + text[at:]
    if kind < 0.62:
        return text[:at] + text[at + chance.randint(1, 3 if kind < 0.55 else 30) :]
    if kind < 0.7:
        other = chance.randint(0, len(text))
        return text[:at] + text[other : other + chance.randint(1, 12)] + text[at:]
    lines = text.split("\n")
    n, kind = chance.randrange(len(lines)), chance.random()
    if kind < 0.5:
        lines[n] = chance.choice(INDENTS) + (lines[n].lstrip() if kind < 0.3 else lines[n])
    elif kind < 0.7:
        lines[n] = lines[n][chance.randint(1, 3) :]
    elif kind < 0.8:
        other = chance.randrange(len(lines))
        lines[n], lines[other] = lines[other], lines[n]
    else:
        lines.insert(n, chance.choice(lines if kind < 0.9 else LINES))
    return "\n".join(lines)


def documents(paths: list[str]) -> Iterator[str]:
    """The YAML documents of files and folders."""
    for path in map(Path, paths):
        files = [p for p in sorted(path.rglob("*.y*ml")) if p.is_file()] if path.is_dir() else [path]
        for file in files:
            try:
                text = decode(file.read_bytes())
            except ReadError:
                continue
            if not jsonio.looks_like_json(text):
                yield from (c.text for c in chunks(text) if isinstance(c, Chunk) and c.text)


def main() -> int:
    """Compare, and say what was found."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("paths", nargs="+", metavar="PATH")
    options.add_argument("--count", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    texts = list(documents(given.paths))
    if not texts:
        print("no documents", file=sys.stderr)
        return 2
    bad = left = taken = 0
    for text in texts:
        found = difference(text)
        left += len(text) if found == "" else 0
        bad += _told(text, found)
    small = [t for t in texts if len(t) < 3_000] or texts
    for text in mutations(small, given.count, given.seed):
        found = difference(text)
        taken += found != ""
        bad += _told(text, found)
    total = sum(map(len, texts))
    print(f"{len(texts)} documents, {total} characters, {left / total:.2%} of them left to the complete parser")
    print(f"{given.count} mutations, {taken} taken by the fast parser; {bad} differences in all")
    return 1 if bad else 0


def _told(text: str, found: str | None) -> bool:
    if found:
        print(f"{text!r}\n  {found[:1_000]}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
