"""The changed lines of a long text with their neighbourhood; everything else folds into counts."""

from __future__ import annotations

from collections.abc import Iterator

CONTEXT = 2
# difflib is quadratic in what differs; beyond this only the number of lines is told.
_MOST = 4000


def hunks(before: str, after: str) -> Iterator[tuple[str, str]]:
    """(symbol, line) pairs: `-`, `+`, or "" for context and for `# (397 unchanged lines hidden)`."""
    old, new = before.split("\n"), after.split("\n")
    start, end = _equal_ends(old, new)
    if max(len(old), len(new)) - start - end > _MOST:
        yield "", f"# ({len(old)} lines replaced by {len(new)} lines)"
        return
    import difflib  # slow to load

    shown = 0
    low, high = max(0, start - CONTEXT), max(0, end - CONTEXT)
    matcher = difflib.SequenceMatcher(None, old[low : len(old) - high], new[low : len(new) - high], autojunk=False)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        first = group[0][1] + low
        yield from _hidden(first - shown)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                yield from (("", line) for line in old[i1 + low : i2 + low])
                continue
            yield from (("-", line) for line in old[i1 + low : i2 + low])
            yield from (("+", line) for line in new[j1 + low : j2 + low])
        shown = group[-1][2] + low
    yield from _hidden(len(old) - (old[-1] == "") - shown)


def _hidden(n: int) -> Iterator[tuple[str, str]]:
    if n > 0:
        yield "", f"# ({n} unchanged line{'s' if n > 1 else ''} hidden)"


def _equal_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    n = min(len(old), len(new))
    start = 0
    while start < n and old[start] == new[start]:
        start += 1
    end = 0
    while end < n - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, end
