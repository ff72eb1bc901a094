"""The syntax of Go's regular expressions (golang.org/s/re2syntax), read into an automaton.

Every part of a pattern becomes a function from the state that follows it to its own first state, so a repetition is
the part called again. What Go refuses raises PatternError, and so do Unicode scripts, which kplan has no data for.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kplan.patterns import lazy

CharTest = Callable[[str], bool]
Build = Callable[[int], int]

_MAX_STATES = 10_000
_MAX_DEPTH = 100
_MAX_REPEAT = 1_000


class PatternError(ValueError):
    """A pattern that Go would refuse, or that kplan cannot match."""


class Automaton:
    """States by number. A state eats a character that passes its test, or has free ways under a condition."""

    __slots__ = ("accept", "eats", "start", "ways")

    def __init__(self, pattern: str) -> None:
        self.eats: list[tuple[CharTest, int] | None] = []
        self.ways: list[list[tuple[str, int]]] = []
        self.accept = self.free()
        self.start = _Parser(pattern, self).parse()(self.accept)

    def free(self, *ways: tuple[str, int]) -> int:
        """A state with these free ways: (condition, state), the condition "" for none."""
        if len(self.eats) >= _MAX_STATES:
            raise PatternError("the pattern is too large")
        self.eats.append(None)
        self.ways.append(list(ways))
        return len(self.eats) - 1

    def eat(self, test: CharTest, then: int) -> int:
        """A state that takes one character."""
        state = self.free()
        self.eats[state] = (test, then)
        return state


def is_word(ch: str) -> bool:
    r"""Whether this is a character of `\w`; "" (no character) is not."""
    return ch.isascii() and (ch.isalnum() or ch == "_")


def _any(_: str) -> bool:
    return True


def _between(low: str, high: str) -> CharTest:
    return lambda c: low <= c <= high


def _among(chars: str) -> CharTest:
    return lambda c: c in chars


def _negated(test: CharTest) -> CharTest:
    return lambda c: not test(c)


_PERL = {"d": _between("0", "9"), "s": _among("\t\n\f\r "), "w": is_word}
_POSIX: dict[str, CharTest] = {
    "alnum": lambda c: c.isascii() and c.isalnum(),
    "alpha": lambda c: c.isascii() and c.isalpha(),
    "ascii": str.isascii,
    "blank": _among("\t "),
    "cntrl": lambda c: c < " " or c == "\x7f",
    "digit": _between("0", "9"),
    "graph": _between("!", "~"),
    "lower": _between("a", "z"),
    "print": _between(" ", "~"),
    "punct": lambda c: "!" <= c <= "~" and not c.isalnum(),
    "space": _among("\t\n\v\f\r "),
    "upper": _between("A", "Z"),
    "word": is_word,
    "xdigit": _among("0123456789abcdefABCDEF"),
}
_CATEGORIES = frozenset(
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co".split()
)
_ESCAPES = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_ASSERTIONS = {"A": "start", "z": "end", "b": "boundary", "B": "no-boundary"}
_REPEAT = lazy(r"(?:[*+?]|\{(\d+)(?:(,)(\d*))?\})\??", re.ASCII)
_SHORT: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_FLAGS = lazy(r"([imsU]*)(?:-([imsU]+))?([:)])")
_NUMERIC = lazy(r"x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|([1-7][0-7]{1,2}|0[0-7]{0,2})")


class _Parser:
    """Recursive descent over the pattern."""

    def __init__(self, pattern: str, into: Automaton) -> None:
        self.text = pattern
        self.at = 0
        self.into = into
        self.flags: frozenset[str] = frozenset()
        self.depth = 0

    def parse(self) -> Build:
        build = self.alternatives()
        if self.at < len(self.text):
            raise PatternError("unexpected )")
        return build

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        ch = self.peek()
        if not ch:
            raise PatternError("the pattern ends too early")
        self.at += 1
        return ch

    def skip(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def until(self, end: str, *, or_end_of_pattern: bool = False) -> str:
        found, mark, _ = self.text[self.at :].partition(end)
        if not mark and not or_end_of_pattern:
            raise PatternError(f"missing {end}")
        self.at += len(found) + len(mark)
        return found

    def alternatives(self) -> Build:
        branches = [self.sequence()]
        while self.skip("|"):
            branches.append(self.sequence())
        if len(branches) == 1:
            return branches[0]
        return lambda then: self.into.free(*(("", b(then)) for b in branches))

    def sequence(self) -> Build:
        parts: list[Build] = []
        while self.peek() not in ("", "|", ")"):
            if self.skip("\\Q"):
                parts += [self.char(c) for c in self.until("\\E", or_end_of_pattern=True)]
            else:
                parts += self.atom()
            if parts:
                parts[-1] = self.repeated(parts[-1])

        def build(then: int) -> int:
            for part in reversed(parts):
                then = part(then)
            return then

        return build

    def repeated(self, part: Build) -> Build:
        m = _REPEAT.match(self.text, self.at)
        if m is None:
            return part
        self.at = m.end()
        if _REPEAT.match(self.text, self.at):
            raise PatternError(f"invalid nested repetition operator: {m[0]}")
        low, high = _SHORT.get(m[0][0]) or _counts(m)
        if max(low, high or 0) > _MAX_REPEAT or (high is not None and high < low):
            raise PatternError(f"invalid repeat count: {m[0]}")
        return lambda then: self.copies(part, low, high, then)

    def copies(self, part: Build, low: int, high: int | None, then: int) -> int:
        """So many copies in a row. Each costs a state, so the limit of states bounds the work too."""
        if high is None:
            loop = self.into.free()
            self.into.ways[loop] = [("", part(loop)), ("", then)]
            then = loop
        else:
            end = then
            for _ in range(high - low):
                then = self.into.free(("", part(then)), ("", end))
        for _ in range(low):
            then = self.into.free(("", part(then)))
        return then

    def atom(self) -> tuple[Build, ...]:
        """One thing that can be repeated; nothing for a flag setting such as `(?i)`."""
        if _REPEAT.match(self.text, self.at):
            raise PatternError("missing argument to repetition operator")
        ch = self.take()
        match ch:
            case "(":
                return self.group()
            case "[":
                return (self.one(self.char_class()),)
            case ".":
                return (self.one(_any if "s" in self.flags else _negated(_among("\n"))),)
            case "^" | "$":
                where = "start" if ch == "^" else "end"
                return (self.assertion(f"line-{where}" if "m" in self.flags else where),)
            case "\\":
                return (self.escape(),)
        return (self.char(ch),)

    def group(self) -> tuple[Build, ...]:
        before = self.flags
        if self.skip("?P<") or self.skip("?<"):
            if not re.fullmatch(r"\w+", self.until(">"), re.ASCII):
                raise PatternError("invalid named capture")
        elif self.skip("?"):
            m = _FLAGS.match(self.text, self.at)
            if m is None:
                raise PatternError("invalid or unsupported Perl syntax")
            self.at = m.end()
            self.flags = (self.flags | frozenset(m[1])) - frozenset(m[2] or "")
            if m[3] == ")":
                return ()
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise PatternError("the pattern nests too deeply")
        inner = self.alternatives()
        self.depth -= 1
        if not self.skip(")"):
            raise PatternError("missing )")
        self.flags = before
        return (inner,)

    def assertion(self, condition: str) -> Build:
        return lambda then: self.into.free((condition, then))

    def one(self, test: CharTest) -> Build:
        return lambda then: self.into.eat(test, then)

    def char(self, ch: str) -> Build:
        return self.one(self.folded(_among(ch)))

    def folded(self, test: CharTest) -> CharTest:
        if "i" not in self.flags:
            return test
        return lambda c: any(map(test, (c, c.lower(), c.upper(), c.upper().lower())))

    def escape(self) -> Build:
        if self.peek() in _ASSERTIONS:
            return self.assertion(_ASSERTIONS[self.take()])
        test = self.named_set()
        return self.one(self.folded(test)) if test else self.char(self.escaped_char())

    def named_set(self) -> CharTest | None:
        r"""The set of an escape such as `\d` or `\p{L}`, if it is one; stands after the backslash."""
        ch = self.peek()
        if ch and ch in "pP":
            self.at += 1
            test = self.category()
        elif ch.lower() in _PERL:
            self.at += 1
            test = _PERL[ch.lower()]
        else:
            return None
        return test if ch.islower() else _negated(test)

    def category(self) -> CharTest:
        name = self.until("}") if self.skip("{") else self.take()
        negate = name.startswith("^")
        name = name.removeprefix("^")
        if name == "Any":
            return _negated(_any) if negate else _any
        if name not in _CATEGORIES:
            raise PatternError(f"no data for the character class {name}")
        from unicodedata import category

        return lambda c: category(c).startswith(name) != negate

    def escaped_char(self) -> str:
        """The character that an escape stands for; stands after the backslash."""
        m = _NUMERIC.match(self.text, self.at)
        if m:
            self.at = m.end()
            code = int(m[3], 8) if m[3] else int(m[1] or m[2], 16)
            if code > 0x10FFFF:
                raise PatternError("invalid escape sequence")
            return chr(code)
        ch = self.take()
        if ch not in _ESCAPES and (ch.isalnum() or not ch.isascii()):
            raise PatternError(f"invalid escape sequence: \\{ch}")
        return _ESCAPES.get(ch, ch)

    def char_class(self) -> CharTest:
        negate = self.skip("^")
        tests = [self.class_item()]
        while self.peek() != "]":
            tests.append(self.class_item())
        self.at += 1
        return self.folded_class(tests, negate)

    def folded_class(self, tests: list[CharTest], negate: bool) -> CharTest:
        found = self.folded(lambda c: any(t(c) for t in tests))
        return _negated(found) if negate else found

    def class_item(self) -> CharTest:
        m = _POSIX_CLASS.match(self.text, self.at)
        if m:
            self.at = m.end()
            if m[2] not in _POSIX:
                raise PatternError(f"invalid character class range: {m[0]}")
            return _negated(_POSIX[m[2]]) if m[1] else _POSIX[m[2]]
        low = self.take()
        if low == "\\":
            named = self.named_set()
            if named:
                return named
            low = self.escaped_char()
        if self.peek() != "-" or self.text[self.at + 1 : self.at + 2] in ("]", ""):
            return _among(low)
        self.at += 1
        high = self.take()
        if high == "\\":
            high = self.escaped_char()
        if high < low:
            raise PatternError(f"invalid character class range: {low}-{high}")
        return _between(low, high)


_POSIX_CLASS = lazy(r"\[:(\^?)([^\]]*?):\]")


def _counts(m: re.Match[str]) -> tuple[int, int | None]:
    """The bounds of `{2}`, `{2,}` and `{2,5}`."""
    low = int(m[1])
    if m[2] is None:
        return low, low
    return low, int(m[3]) if m[3] else None
