"""What an expression may cost at most, known before it ever runs.

Follows cel-go's checker/cost.go and k8s.io/apiserver/pkg/cel/library/cost.go: a name and a field cost one unit, a call
one and its arguments, work on text a tenth of a unit a byte, a macro its body for every item. Lengths are those that
the schema allows. Where the length of a value does not follow from the schema it counts nothing, so a cost is never
more than the server's own estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.api.cel.schematypes import Schema, properties, unescape
from kplan.api.cel.sizes import kind_of, longest
from kplan.api.cel.tree import Bind, Call, Entry, Fold, Ident, ListOf, Literal, MapOf, Node, Select, Struct
from kplan.hints import Any
from kplan.tuples import NamedTuple

LIST, MAP, STRUCT = 10, 30, 40  # to make one
_TENTHS, _QUARTERS = 10, 4  # bytes of a text, and of a pattern, a unit
_SAME_LENGTH = frozenset({"lowerAscii", "upperAscii", "substring", "trim"})
_READ_ARGUMENT = frozenset({"url", "isURL", "ip", "isIP", "cidr", "isCIDR", "quantity", "isQuantity"})
_OVER_LIST = frozenset({"isSorted", "sum", "max", "min"})
_SAME_ITEMS = frozenset({"sort", "distinct", "reverse", "slice"})
_PATTERNS = {"matches": "", "find": "text", "findAll": "list"}  # and what they give
_COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})


class Guess(NamedTuple):
    """What a value costs to make, how long it can be, what it is (`text`, `list`, `map` or ""), and its schema."""

    cost: int
    size: int = 0
    kind: str = ""
    schema: Schema | None = None
    root: bool = False

    def at(self, cost: int) -> Guess:
        """The same value at another cost."""
        return Guess(cost, self.size, self.kind, self.schema, self.root)


Scope = Mapping[str, Guess]


def cost(tree: Node, schema: Schema, *, root: bool) -> int:
    """The most that an expression over the values of a schema (`self`, `oldSelf`) costs."""
    own = value_of(schema, root=root)
    return _guess(tree, {"self": own, "oldSelf": own}).cost


def value_of(schema: Any, cost: int = 0, *, root: bool = False) -> Guess:
    """Any value of a schema, and what it costs to get it."""
    if not isinstance(schema, dict):
        return Guess(cost)
    return Guess(cost, 0 if root else longest(schema), "" if root else kind_of(schema), schema, root)


def _guess(node: Node, scope: Scope) -> Guess:
    return _VISITORS[type(node)](node, scope)


def _shared(size: int, unit: int) -> int:
    """So many bytes at so many a unit, rounded up."""
    return -(-size // unit)


def _literal(node: Literal, _: Scope) -> Guess:
    value = node.value
    raw = value.encode(errors="replace") if isinstance(value, str) else value
    return Guess(0, len(raw), "text") if isinstance(raw, bytes) else Guess(0, 1)


def _ident(node: Ident, scope: Scope) -> Guess:
    found = scope.get(node.name)
    return Guess(1) if found is None else found.at(1)


def _select(node: Select, scope: Scope) -> Guess:
    operand = _guess(node.operand, scope)
    if node.test:
        return Guess(operand.cost, 1)
    if operand.schema is None or operand.kind == "map":
        return _item(operand, operand.cost + 1)
    field = properties(operand.schema, root=operand.root).get(unescape(node.field))
    return value_of(field, operand.cost + 1)


def _item(value: Guess, cost: int = 0) -> Guess:
    """Any item of a list, or any value of a map."""
    if value.schema is None:
        return Guess(cost)
    return value_of(value.schema.get("items" if value.kind == "list" else "additionalProperties"), cost)


def _call(node: Call, scope: Scope) -> Guess:
    given = [_guess(a, scope) for a in ((node.target, *node.args) if node.target is not None else node.args)]
    paid = sum(g.cost for g in given)
    own = _own(node.function, given)
    return own.at(own.cost + paid)


def _own(name: str, given: list[Guess]) -> Guess:
    """What a call itself costs, its arguments apart, and what it gives."""
    if name in ("_&&_", "_||_"):
        return Guess(0, 1)
    if name == "_?_:_":
        return _either(given)
    if name in _COMPARISONS:
        return _comparison(name, given)
    first = given[0] if given else Guess(0)
    if name == "_+_":
        return _sum(given)
    if name == "@in":
        return Guess(given[1].size if given[1].kind == "list" else 1, 1)
    if name in ("_[_]", "_[?_]"):
        return _item(first, 1)
    if name in _PATTERNS:
        # One more, so that an empty text costs something.
        work = _shared(first.size + 1, _TENTHS) * _shared(given[1].size, _QUARTERS)
        return Guess(work, first.size if _PATTERNS[name] else 1, _PATTERNS[name])
    return _of_text(name, first, given)


def _of_text(name: str, first: Guess, given: list[Guess]) -> Guess:
    read = _shared(first.size, _TENTHS)
    if name in _SAME_LENGTH:
        return Guess(read, first.size, "text")
    if name == "split":
        return Guess(read, first.size, "list")
    if name == "replace":
        return Guess(_shared(2 * first.size, _TENTHS), first.size, "text")
    if name in ("startsWith", "endsWith"):
        return Guess(_shared(given[1].size, _TENTHS), 1)
    if name == "contains" and first.kind == "text":
        return Guess(read * _shared(given[1].size, _TENTHS), 1)
    if name in _READ_ARGUMENT:
        return Guess(read, 1)
    if name in _SAME_ITEMS:
        return first.at(first.size)
    if name in _OVER_LIST:
        return Guess(first.size, 1)
    if name.startswith("sets."):
        return Guess(first.size * given[1].size, 1)
    return Guess(1, 1)


def _either(given: list[Guess]) -> Guess:
    """A condition: only the dearer of its two ends counts, and the arguments are paid for elsewhere."""
    one, other = given[1:]
    larger = one if one.size >= other.size else other
    return larger.at(-min(one.cost, other.cost))


def _comparison(name: str, given: list[Guess]) -> Guess:
    """Two texts are read to the end of the shorter one; two numbers are only equal or not."""
    if name in ("_==_", "_!=_") or any(g.kind == "text" for g in given):
        return Guess(_shared(min(g.size for g in given), _TENTHS), 1)
    return Guess(1, 1)


def _sum(given: list[Guess]) -> Guess:
    size = sum(g.size for g in given)
    if all(g.kind == "text" for g in given):
        return Guess(_shared(size, _TENTHS), size, "text")
    if all(g.kind == "list" for g in given):
        return given[0]._replace(cost=1, size=size)
    return Guess(1, 1)


def _list(node: ListOf, scope: Scope) -> Guess:
    return Guess(LIST + sum(_guess(i, scope).cost for i in node.items), len(node.items), "list")


def _entries(entries: tuple[Entry, ...], scope: Scope) -> int:
    keys = sum(_guess(e.key, scope).cost for e in entries if not isinstance(e.key, str))
    return keys + sum(_guess(e.value, scope).cost for e in entries)


def _map(node: MapOf, scope: Scope) -> Guess:
    return Guess(MAP + _entries(node.entries, scope), len(node.entries), "map")


def _struct(node: Struct, scope: Scope) -> Guess:
    return Guess(STRUCT + _entries(node.entries, scope))


# What a macro does for each item besides its body: look whether to go on, and join what it has found so far.
_EACH = {"all": 3, "exists": 4, "exists_one": 2, "filter": 13, "map": 12, "sortBy": 12}


def _fold(node: Fold, scope: Scope) -> Guess:
    over = _guess(node.range, scope)
    inner = {**scope, **dict(zip(node.variables, _variables(node, over), strict=True))}
    bodies = [_guess(b, inner) for b in node.body]
    each = _EACH.get(node.kind, 2) + sum(b.cost for b in bodies)
    total = over.cost + over.size * each + 1
    if node.kind not in ("filter", "map", "sortBy"):
        return Guess(total, 1)
    total += LIST
    if node.kind != "map" and over.kind == "list":
        return over.at(total)
    return Guess(total, over.size, "list")


def _variables(node: Fold, over: Guess) -> tuple[Guess, ...]:
    item = _item(over)
    if len(node.variables) == 2:
        return (Guess(0, 1), item)
    return (item,) if over.kind == "list" else (Guess(0),)


def _bind(node: Bind, scope: Scope) -> Guess:
    operand = _guess(node.operand, scope)
    body = _guess(node.body, {**scope, node.variable: operand})
    return body.at(operand.cost + body.cost)


_VISITORS: Mapping[type, Callable[[Any, Scope], Guess]] = {
    Literal: _literal,
    Ident: _ident,
    Select: _select,
    Call: _call,
    ListOf: _list,
    MapOf: _map,
    Struct: _struct,
    Fold: _fold,
    Bind: _bind,
}
