"""Which items of an unordered list without a key became which: by deepdiff's distance, loaded only when needed."""

from __future__ import annotations

from typing import Any

from kplan.plan.align import shared

# Beyond this many combinations the price (1 to 2 ms each) is not worth it, and the items stay unpaired.
_MOST = 64
_FAR = 0.19


def closest(before: dict[int, dict[str, Any]], after: dict[int, dict[str, Any]]) -> list[tuple[int, int]]:
    """Pairs (index before, index after) of items that differ least, nearest first; each index at most once."""
    candidates = [(i, j) for i, a in before.items() for j, b in after.items() if shared(a, b)]
    if len(before) == len(after) == 1 or not candidates:
        return candidates
    if len(candidates) > _MOST:
        return []
    pairs: dict[int, int] = {}
    for distance, i, j in sorted((_distance(before[i], after[j]), i, j) for i, j in candidates):
        if distance <= _FAR and i not in pairs and j not in pairs.values():
            pairs[i] = j
    return sorted(pairs.items())


def _distance(a: dict[str, Any], b: dict[str, Any]) -> float:
    from deepdiff import DeepDiff

    found = DeepDiff(a, b, ignore_order=True, get_deep_distance=True)
    return float(found.get("deep_distance", 0.0))
