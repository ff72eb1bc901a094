"""Which word was meant: the answer of the library's difflib, which takes longer to load than to ask.

Two words are as like as the share of their characters that stand in common blocks: the longest block first, then those
left and right of it (Ratcliff and Obershelp's measure).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_LONG = 200  # from here on the library leaves frequent characters out


def nearest(word: str, words: Iterable[str], cutoff: float = 0.6) -> str:
    """The word that is most like this one, at least as like as `cutoff` (0 to 1); "" if none is."""
    if len(word) >= _LONG:
        import difflib

        return next(iter(difflib.get_close_matches(word, words, 1, cutoff)), "")
    own = Counter(word)
    best = (0.0, "")
    for other in words:
        both = len(word) + len(other)
        # No more characters can be in common blocks than there are in both words.
        shared = (own & Counter(other)).total() if 2 * min(len(word), len(other)) >= cutoff * both - 1 else 0
        if 2 * shared >= cutoff * both - 1:
            likeness = 2 * _in_common(other, word) / both if both else 1.0
            if likeness >= cutoff:
                best = max(best, (likeness, other))
    return best[1]


def _in_common(a: str, b: str) -> int:
    """The number of characters in common blocks. Of the longest ones that counts which comes first in `a`."""
    for size in range(min(len(a), len(b)), 0, -1):
        for at in range(len(a) - size + 1):
            there = b.find(a[at : at + size])
            if there >= 0:
                left, right = _in_common(a[:at], b[:there]), _in_common(a[at + size :], b[there + size :])
                return left + size + right
    return 0
