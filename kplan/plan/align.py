"""Which items of two lists belong together: by merge key, by equal value, by place.

Knows nothing of Kubernetes. Equal ends of the lists are set aside first, so that equal parts cost one comparison.
"""

from __future__ import annotations

import json
import marshal
from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Sequence

from kplan.hints import Any
from kplan.tuples import NamedTuple


class Alignment(NamedTuple):
    """`pairs` holds (index before, index after) in the order of the after side; `names` what to call an after item,
    `gone` what to call a removed one; both are empty where items have no name."""

    pairs: list[tuple[int, int]]
    removed: list[int]
    added: list[int]
    names: Sequence[str] = ()
    gone: Sequence[str] = ()


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are the same; unlike `==` it tells true from 1."""
    if a is b:
        return True
    if a != b:
        return False
    if isinstance(a, str):
        return True
    if isinstance(a, bool) or isinstance(b, bool):
        return type(a) is type(b)
    if isinstance(a, (dict, list)):
        return _same_types(a, b)
    return True


def _same_types(a: Any, b: Any) -> bool:
    """Of two values that are `==`. Version 2 of marshal writes neither references nor interning, only types and values:
    equal bytes prove equal types at C speed; other bytes may just be another order of keys."""
    try:
        if marshal.dumps(a, 2) == marshal.dumps(b, 2):
            return True
    except ValueError:  # a subclass of str, which marshal does not take
        pass
    if isinstance(a, dict):
        return all(same(v, b[k]) for k, v in a.items())
    return all(same(x, y) for x, y in zip(a, b, strict=True))


def by_key(before: list[Any], after: list[Any], key: tuple[str, ...]) -> Alignment | None:
    """Items that have equal values under all parts of the key; None if some item has none, or two have the same.

    A part such as `metadata.name` is looked up inside. The first part must be there, others may be absent; one such as
    `protocol=TCP` then counts as what it says.
    """
    old = _keys(before, key)
    new = _keys(after, key)
    if old is None or new is None:
        return None
    pairs = [(old[k], j) for k, j in new.items() if k in old]
    removed = [i for k, i in old.items() if k not in new]
    added = [j for k, j in new.items() if k not in old]
    return Alignment(pairs, removed, added, [key_text(k) for k in new], [key_text(k) for k in old])


def _keys(items: list[Any], key: tuple[str, ...]) -> dict[tuple[Any, ...], int] | None:
    out: dict[tuple[Any, ...], int] = {}
    for i, item in enumerate(items):
        parts = tuple(_part(item, p) for p in key)
        if parts[0] is None or any(isinstance(p, (dict, list)) for p in parts) or parts in out:
            return None
        out[parts] = i
    return out


def _part(item: Any, name: str) -> Any:
    name, _, absent = name.partition("=")
    for step in name.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(step)
    return (absent or None) if item is None else item


def key_text(parts: tuple[Any, ...]) -> str:
    """A key in brackets: `"web"`, `80/TCP`."""
    if len(parts) == 1 and isinstance(parts[0], str):
        return json.dumps(parts[0], ensure_ascii=False)
    return "/".join(str(p) for p in parts if p is not None)


def by_value(before: list[Any], after: list[Any]) -> Alignment:
    """Items that are equal, each used once; what is left over counts as removed and added."""
    start, end = _equal_ends(before, after)
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for i in range(start, len(before) - end):
        waiting[canonical(before[i])].append(i)
    pairs = [(i, i) for i in range(start)]
    added = []
    for j in range(start, len(after) - end):
        queue = waiting.get(canonical(after[j]))
        if queue:
            pairs.append((queue.popleft(), j))
        else:
            added.append(j)
    pairs += [(len(before) - n, len(after) - n) for n in range(end, 0, -1)]
    removed = sorted(i for queue in waiting.values() for i in queue)
    return Alignment(pairs, removed, added)


def canonical(value: Any) -> str:
    """A text that two values share only if they are the same."""
    return json.dumps(value, sort_keys=True, default=str)


def _equal_ends(a: list[Any], b: list[Any]) -> tuple[int, int]:
    n = min(len(a), len(b))
    start = 0
    while start < n and same(a[start], b[start]):
        start += 1
    end = 0
    while end < n - start and same(a[-1 - end], b[-1 - end]):
        end += 1
    return start, end


def by_place(alignment: Alignment, before: list[Any], after: list[Any]) -> Alignment:
    """Removed and added items that stand between the same kept neighbours become pairs, if they are alike."""
    kept = in_order(alignment.pairs)
    gaps: dict[int, list[int]] = defaultdict(list)
    old_edges = [i for i, _ in kept]
    new_edges = [j for _, j in kept]
    for i in alignment.removed:
        gaps[bisect_left(old_edges, i)].append(i)
    new_gaps: dict[int, list[int]] = defaultdict(list)
    for j in alignment.added:
        new_gaps[bisect_left(new_edges, j)].append(j)
    found = [
        (i, j)
        for gap, olds in gaps.items()
        for i, j in zip(olds, new_gaps.get(gap, ()), strict=False)
        if _alike(before[i], after[j], len(olds) == len(new_gaps[gap]))
    ]
    return paired(alignment, found)


def paired(alignment: Alignment, found: list[tuple[int, int]]) -> Alignment:
    """The alignment with more pairs, taken from what was left over."""
    old, new = {i for i, _ in found}, {j for _, j in found}
    return alignment._replace(
        pairs=sorted([*alignment.pairs, *found], key=lambda p: p[1]),
        removed=[i for i in alignment.removed if i not in old],
        added=[j for j in alignment.added if j not in new],
    )


def _alike(a: Any, b: Any, same_number: bool) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return shared(a, b) or (same_number and a.keys() == b.keys())
    return same_number and not isinstance(a, (dict, list)) and type(a) is type(b)


def shared(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two maps have an equal value under some name."""
    return any(k in b and same(v, b[k]) for k, v in a.items())


def in_order(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs that stand in the same order on both sides; the others have moved."""
    tails: list[int] = []
    ends: list[int] = []
    links: list[int] = []
    for n, (i, _) in enumerate(pairs):
        at = bisect_left(tails, i)
        links.append(ends[at - 1] if at else -1)
        tails[at : at + 1] = [i]
        ends[at : at + 1] = [n]
    out = []
    n = ends[-1] if ends else -1
    while n >= 0:
        out.append(pairs[n])
        n = links[n]
    return out[::-1]
