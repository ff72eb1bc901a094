"""Label selectors: matching, and the comma-separated text form.

Semantics of k8s.io/apimachinery/pkg/labels (selector.go) and metav1.LabelSelectorAsSelector: an absent selector
selects nothing, an empty one everything. A requirement `NotIn` or `DoesNotExist` holds for an absent key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kplan.hints import Any
from kplan.patterns import lazy
from kplan.tuples import NamedTuple

# Integers as Go's strconv.ParseInt reads them: int() alone would take spaces, underscores and other digits too.
_INTEGER = lazy(r"[-+]?[0-9]{1,19}\Z")
_NAME = lazy(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")
_PREFIX = lazy(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\Z")


class Requirement(NamedTuple):
    """One condition on one key; `operator` is In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels satisfy this condition; an unknown operator never does."""
        have = labels.get(self.key)
        match self.operator:
            case "In":
                return have is not None and have in self.values
            case "NotIn":
                return have is None or have not in self.values
            case "Exists":
                return have is not None
            case "DoesNotExist":
                return have is None
            case "Gt" | "Lt":
                return have is not None and _compares(have, self.operator, self.values)
        return False

    def __str__(self) -> str:
        match self.operator:
            case "In" | "NotIn" if len(self.values) == 1:
                return f"{self.key}{'=' if self.operator == 'In' else '!='}{self.values[0]}"
            case "In" | "NotIn":
                return f"{self.key} {self.operator.lower()} ({','.join(sorted(self.values))})"
            case "DoesNotExist":
                return f"!{self.key}"
            case "Gt" | "Lt":
                return f"{self.key}{'>' if self.operator == 'Gt' else '<'}{','.join(self.values)}"
        return self.key


def _compares(have: str, operator: str, values: tuple[str, ...]) -> bool:
    if len(values) != 1:
        return False
    a, b = _int64(have), _int64(values[0])
    if a is None or b is None:
        return False
    return a > b if operator == "Gt" else a < b


def _int64(text: str) -> int | None:
    n = int(text) if _INTEGER.match(text) else None
    return n if n is not None and -(2**63) <= n < 2**63 else None


def requirements(selector: Mapping[str, Any]) -> list[Requirement]:
    """The conditions of a metav1.LabelSelector (matchLabels and matchExpressions), sorted by key.

    What is of a wrong type is left out.
    """
    want = selector.get("matchLabels")
    out = [Requirement(k, "In", (str(v),)) for k, v in want.items()] if isinstance(want, dict) else []
    expressions = selector.get("matchExpressions")
    for e in expressions if isinstance(expressions, list) else ():
        if isinstance(e, dict):
            values = e.get("values")
            texts = tuple(str(v) for v in values) if isinstance(values, list) else ()
            out.append(Requirement(str(e.get("key", "")), str(e.get("operator", "")), texts))
    return sorted(out)


def matches(selector: Mapping[str, Any] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a metav1.LabelSelector selects these labels: None selects nothing, {} everything."""
    if selector is None:
        return False
    have = labels or {}
    want = selector.get("matchLabels")
    if want and not (isinstance(want, dict) and want.items() <= have.items()):
        return False
    expressions = selector.get("matchExpressions")
    return not expressions or match_all(requirements({"matchExpressions": expressions}), have)


def matches_map(selector: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a plain map selector (Service, ReplicationController) selects these labels; {} selects nothing."""
    have = labels or {}
    return bool(selector) and all(have.get(k) == v for k, v in (selector or {}).items())


def match_all(conditions: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether the labels satisfy every condition."""
    return all(r.matches(labels) for r in conditions)


_TOKEN = lazy(r"[ \t\r\n]*(==|!=|[=!(),<>]|[^ \t\r\n=!(),<>]+)")
_SYMBOLS = frozenset(("==", "!=", "=", "!", "(", ")", ",", "<", ">"))
_EXACT = {"=": "In", "==": "In", "!=": "NotIn", ">": "Gt", "<": "Lt"}
_SETS = {"in": "In", "notin": "NotIn"}
_END = ""


def parse(text: str) -> list[Requirement]:
    """Read a text selector such as `app=web,tier!=db,env in (a, b),!old`; "" gives no condition.

    Raises ValueError, saying what was found and what was expected.
    """
    tokens = [*_TOKEN.findall(text), _END]
    out: list[Requirement] = []
    at = 0
    while tokens[at] != _END:
        condition, at = _requirement(tokens, at)
        out.append(condition)
        if tokens[at] == _END:
            break
        at = _expect(tokens, at, ",", "',' or 'end of string'")
        if tokens[at] in _SYMBOLS - {"!"} or tokens[at] == _END:
            raise _unexpected(tokens[at], "identifier after ','")
    return sorted(out)


def _unexpected(found: str, expected: str) -> ValueError:
    return ValueError(f"unable to parse requirement: found '{found}', expected: {expected}")


def _expect(tokens: list[str], at: int, symbol: str, expected: str) -> int:
    if tokens[at] != symbol:
        raise _unexpected(tokens[at], expected)
    return at + 1


def _requirement(tokens: list[str], at: int) -> tuple[Requirement, int]:
    """The condition that starts at a token, and where the next one starts."""
    absent = tokens[at] == "!"
    key = tokens[at + absent]
    if key in _SYMBOLS or key == _END:
        raise _unexpected(key, "identifier")
    _check_key(key)
    at += absent + 1
    operator = tokens[at]
    if absent:
        return Requirement(key, "DoesNotExist"), at
    if operator in (",", _END):
        return Requirement(key, "Exists"), at
    if operator in _SETS:
        values, at = _values(tokens, _expect(tokens, at + 1, "(", "'('"))
        return Requirement(key, _SETS[operator], values), at
    if operator not in _EXACT:
        raise _unexpected(operator, "in, notin, =, ==, !=, >, <")
    value, at = ("", at + 1) if tokens[at + 1] in (",", _END) else (tokens[at + 1], at + 2)
    _check_value(value)
    if operator in "<>" and _int64(value) is None:
        raise ValueError(f"unable to parse requirement: '{value}' after {operator} is no integer")
    return Requirement(key, _EXACT[operator], (value,)), at


def _values(tokens: list[str], at: int) -> tuple[tuple[str, ...], int]:
    """The values up to the closing parenthesis; nothing between two commas is the empty value."""
    values: set[str] = set()
    value = ""
    while tokens[at] != ")":
        if tokens[at] == ",":
            values.add(value)
            value = ""
        elif value or tokens[at] in _SYMBOLS or tokens[at] == _END:
            raise _unexpected(tokens[at], "',' or ')'")
        else:
            value = tokens[at]
            _check_value(value)
        at += 1
    values.add(value)
    return tuple(sorted(values)), at + 1


def _check_key(key: str) -> None:
    prefix, slash, name = key.rpartition("/")
    if not _NAME.match(name) or (slash and (len(prefix) > 253 or not _PREFIX.match(prefix))):
        raise ValueError(f"unable to parse requirement: '{key}' is no label key")


def _check_value(value: str) -> None:
    if value and not _NAME.match(value):
        raise ValueError(f"unable to parse requirement: '{value}' is no label value")
