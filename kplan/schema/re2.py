"""Regular expressions in the syntax of Go, matched in linear time.

The patterns of CustomResourceDefinitions are RE2, and hostile input may choose them; Python's `re` differs in syntax
and can be made to run for years. A pattern becomes a nondeterministic automaton (kplan/schema/re2_syntax.py), which is
run as a lazily built deterministic one: one dictionary look-up a character, no backtracking.
"""

from __future__ import annotations

from functools import lru_cache

from kplan.schema.re2_syntax import Automaton, PatternError, is_word

__all__ = ["Pattern", "PatternError", "compile"]

_MAX_MOVES = 5_000
_MAX_WORK = 2_000_000


class Pattern:
    """A compiled pattern."""

    __slots__ = ("_automaton", "_first", "_moves", "_states", "_work", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._automaton = Automaton(pattern)
        self._forget()

    def _forget(self) -> None:
        self._states: dict[tuple[frozenset[int], str], _State] = {}
        self._moves = 0
        self._first = self._state(frozenset(), "")

    def search(self, text: str) -> bool:
        """Whether some part of the text matches; raises PatternError when that is too much work to find out."""
        self._work = 0
        now = self._first
        for ch in text:
            then = now[ch]
            if then is None:
                return True
            now = then
        return now[""] is None

    def _state(self, waiting: frozenset[int], before: str) -> _State:
        key = (waiting | {self._automaton.start}, before)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = _State(self, *key)
        return state

    def step(self, now: _State, ch: str) -> _State | None:
        """Where a character ("" for the end of the text) leads; None once the pattern has matched."""
        self._moves += 1
        if self._moves > _MAX_MOVES:
            self._forget()
        states = self._closure(now, ch)
        if self._automaton.accept in states:
            return None
        if not ch:
            return now
        eats = (self._automaton.eats[s] for s in states)
        then = frozenset(e[1] for e in eats if e is not None and e[0](ch))
        return self._state(then, ch if ch == "\n" else "w" if is_word(ch) else "-")

    def _closure(self, now: _State, after: str) -> set[int]:
        """All states that free ways lead to, `after` being the character that comes."""
        seen: set[int] = set()
        todo = list(now.waiting)
        while todo:
            state = todo.pop()
            if state not in seen:
                seen.add(state)
                ways = self._automaton.ways[state]
                todo += [to for condition, to in ways if not condition or _holds(condition, now.before, after)]
        self._work += len(seen)
        if self._work > _MAX_WORK:
            raise PatternError("the pattern is too costly for this text")
        return seen


class _State(dict[str, "_State | None"]):
    """A state of the deterministic automaton: its moves by character, found when first needed."""

    __slots__ = ("before", "pattern", "waiting")

    def __init__(self, pattern: Pattern, waiting: frozenset[int], before: str) -> None:
        super().__init__()
        self.pattern = pattern
        self.waiting = waiting
        self.before = before  # the character before, as far as an assertion can ask about it

    def __missing__(self, ch: str) -> _State | None:
        then = self[ch] = self.pattern.step(self, ch)
        return then


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
