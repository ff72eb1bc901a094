"""Regular expressions in the syntax of Go, matched in linear time.

The patterns of CustomResourceDefinitions are RE2, and hostile input may choose them; Python's `re` differs in syntax
and can be made to run for years. A pattern becomes a nondeterministic automaton (kplan/schema/re2_syntax.py), which is
run as a lazily built deterministic one: one dictionary look-up a character, no backtracking.
"""

from __future__ import annotations

from functools import lru_cache

from kplan.schema.re2_syntax import Automaton, PatternError, is_word

__all__ = ["Pattern", "PatternError", "compile"]

_MAX_CACHED = 5_000

# The states that wait for a character, and the character before as far as an assertion can ask about it.
_Now = tuple[frozenset[int], str]


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_automaton", "_cache", "_cached", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._automaton = Automaton(pattern)
        self._cache: dict[_Now, dict[str, _Now | None]] = {}
        self._cached = 0

    def search(self, text: str) -> bool:
        """Whether some part of the text matches."""
        now: _Now = (frozenset((self._automaton.start,)), "")
        for ch in text:
            moves = self._cache.get(now)
            if moves is None:
                moves = self._cache[now] = {}
            if ch not in moves:
                moves[ch] = self._step(now, ch)
            then = moves[ch]
            if then is None:
                return True
            now = then
        return self._automaton.accept in self._closure(now, "")

    def _step(self, now: _Now, ch: str) -> _Now | None:
        """Where a character leads; None once the pattern has matched."""
        self._cached += 1
        if self._cached > _MAX_CACHED:
            self._cache.clear()
            self._cached = 0
        states = self._closure(now, ch)
        if self._automaton.accept in states:
            return None
        eats = (self._automaton.eats[s] for s in states)
        then = {e[1] for e in eats if e is not None and e[0](ch)}
        before = ch if ch == "\n" else "w" if is_word(ch) else "-"
        return frozenset(then | {self._automaton.start}), before

    def _closure(self, now: _Now, after: str) -> set[int]:
        """All states that free ways lead to, `after` being the character that comes."""
        seen: set[int] = set()
        todo = list(now[0])
        while todo:
            state = todo.pop()
            if state not in seen:
                seen.add(state)
                ways = self._automaton.ways[state]
                todo += [to for condition, to in ways if not condition or _holds(condition, now[1], after)]
        return seen


def _holds(condition: str, before: str, after: str) -> bool:
    match condition:
        case "start":
            return not before
        case "end":
            return not after
        case "line-start":
            return before in ("", "\n")
        case "line-end":
            return after in ("", "\n")
    at_boundary = (before == "w") != is_word(after)
    return at_boundary == (condition == "boundary")


@lru_cache(maxsize=1024)
def compile(pattern: str) -> Pattern:  # noqa: A001 - what every module of regular expressions calls it
    """The compiled pattern; raises PatternError for one that Go would refuse or kplan cannot match."""
    return Pattern(pattern)
