"""Sets of completion indexes, and their text form: "1,3-5".

Follows pkg/controller/job/indexed_job_utils.go (orderedIntervals, parseIndexesFromString).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable


def parse(text: str, completions: int) -> set[int]:
    """The indexes below `completions` that a text names; what cannot be read is left out."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdigit() and (not last or last.isdigit()):
            found.update(range(int(first), min(int(last or first), completions - 1) + 1))
    return found


def text(indexes: Iterable[int]) -> str:
    """The indexes in order, three and more in a row as a range: "0,1,3-5"."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}{',' if last == first + 1 else '-'}{last}"


def free(taken: Collection[int], completions: int, count: int) -> list[int]:
    """The lowest `count` indexes that are not taken."""
    found: list[int] = []
    for index in range(completions):
        if len(found) == count:
            break
        if index not in taken:
            found.append(index)
    return found
