"""The syntax tree of an expression of the Common Expression Language, and the faults that stop its compilation.

Follows the language definition (cel-spec/doc/langdef.md). Macros that walk a list or a map stay one node here (`Fold`);
`has` is a `Select` that only tests. Every node knows its offset in the source, as cel-go places it: that of the
operator, the dot or the opening bracket.
"""

from __future__ import annotations

from collections.abc import Iterable

from kplan.hints import Any
from kplan.tuples import NamedTuple


class Literal(NamedTuple):
    """A constant; `type` is the CEL name of its type."""

    at: int
    value: Any
    type: str


class Ident(NamedTuple):
    """A variable, or the name of a type."""

    at: int
    name: str


class Select(NamedTuple):
    """A field of an object or a map; `test` asks whether it is there, `optional` is `.?`."""

    at: int
    operand: Node
    field: str
    test: bool = False
    optional: bool = False


class Call(NamedTuple):
    """A function, an operator (`_+_`) or, with a target, a method."""

    at: int
    function: str
    target: Node | None
    args: tuple[Node, ...]


class ListOf(NamedTuple):
    """A list literal; `optional` are the indexes of items written `?x`."""

    at: int
    items: tuple[Node, ...]
    optional: frozenset[int]


class Entry(NamedTuple):
    """One entry of a map or a struct literal; the key of a struct is the name of a field."""

    at: int
    key: Node | str
    value: Node
    optional: bool


class MapOf(NamedTuple):
    """A map literal."""

    at: int
    entries: tuple[Entry, ...]


class Struct(NamedTuple):
    """A message literal: `Object.metadata{name: 'x'}`."""

    at: int
    type: str
    entries: tuple[Entry, ...]


class Fold(NamedTuple):
    """A macro over the items of `range`: `kind` is all, exists, exists_one, map, filter or a transform."""

    at: int
    kind: str
    range: Node
    variables: tuple[str, ...]
    body: tuple[Node, ...]


class Bind(NamedTuple):
    """optMap and optFlatMap: `body` with the value of an optional as a variable, if it has one."""

    at: int
    kind: str
    operand: Node
    variable: str
    body: Node


Node = Literal | Ident | Select | Call | ListOf | MapOf | Struct | Fold | Bind


def qualified(node: Node) -> str | None:
    """The dotted name that a node spells, if it is one."""
    if isinstance(node, Ident):
        return node.name
    if isinstance(node, Select) and not node.test and not node.optional:
        above = qualified(node.operand)
        return f"{above}.{node.field}" if above is not None else None
    return None


class Issue(NamedTuple):
    """A fault at an offset of the source."""

    at: int
    message: str


class CompileError(Exception):
    """An expression that cannot be compiled; the text is that of cel-go."""

    def __init__(self, source: str, issues: Iterable[Issue]) -> None:
        self.issues = sorted(issues, key=lambda i: i.at)[:_MOST_ISSUES]
        super().__init__("\n".join(_shown(source, i) for i in self.issues))


_MOST_ISSUES = 100


def _shown(source: str, issue: Issue) -> str:
    if not source:  # cel-go has no line to point into
        return f"ERROR: <input>:1:0: {issue.message}"
    before = source[: issue.at]
    line, column = before.count("\n"), issue.at - (before.rfind("\n") + 1)
    text = source.split("\n")[line]
    return f"ERROR: <input>:{line + 1}:{column + 1}: {issue.message}\n | {text}\n | {'.' * column}^"


def uses(node: object, name: str) -> bool:
    """Whether an expression refers to a variable of this name."""
    if isinstance(node, Ident):
        return node.name == name
    return isinstance(node, tuple) and any(uses(part, name) for part in node if isinstance(part, tuple))
