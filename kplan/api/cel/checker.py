"""The types of an expression, before it is ever run. Follows cel-go's checker/checker.go.

A fault is recorded and the check goes on, so one expression can have several.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.api.cel.declarations import OF_MUTATIONS, functions, overloads
from kplan.api.cel.tree import (
    Bind,
    Call,
    CompileError,
    Entry,
    Fold,
    Ident,
    Issue,
    ListOf,
    Literal,
    MapOf,
    Node,
    Select,
    Struct,
    qualified,
)
from kplan.api.cel.types import (
    BOOL,
    DYN,
    ERROR,
    INT,
    Bindings,
    Type,
    list_of,
    map_of,
    open_type,
    optional_of,
    simple,
)
from kplan.hints import Any
from kplan.record import field, record

# Names of types are values too: `type(x) == string`.
_TYPE_NAMES = frozenset(
    "bool bytes double dyn int list map null_type string type uint optional_type net.IP net.CIDR kubernetes.Quantity "
    "kubernetes.URL".split()
)


@record
class Environment:
    """What an expression may refer to: variables, and the messages that it may build; `lacks` are functions that it may
    not call."""

    variables: Mapping[str, Type] = field(default_factory=dict)
    struct: Callable[[str], Type | None] = lambda _: None
    lacks: frozenset[str] = OF_MUTATIONS


def check(source: str, tree: Node, environment: Environment) -> Type:
    """The type of the value of an expression; raises CompileError."""
    checker = _Checker(environment)
    try:
        found = checker.type_of(tree, environment.variables)
    except RecursionError:
        raise CompileError(source, [Issue(0, "expression recursion limit exceeded: 250")]) from None
    if checker.issues:
        raise CompileError(source, checker.issues)
    return found


# The last expression of these macros is a value and no condition.
_VALUED = frozenset({"map", "sortBy", "transformList", "transformMap", "transformMapEntry"})

Scope = Mapping[str, Type]


class _Checker:
    def __init__(self, environment: Environment) -> None:
        self.issues: list[Issue] = []
        self._struct = environment.struct
        self._lacks = environment.lacks
        self._visitors: dict[type, Callable[[Any, Scope], Type]] = {
            Literal: lambda node, _: simple(node.type),
            Ident: self._ident,
            Select: self._select,
            Call: self._call,
            ListOf: self._list,
            MapOf: self._map,
            Struct: self._message,
            Fold: self._fold,
            Bind: self._bind,
        }

    def type_of(self, node: Node, scope: Scope) -> Type:
        """The type of a node, given those of the variables in scope."""
        return self._visitors[type(node)](node, scope)

    def _wrong(self, at: int, message: str) -> Type:
        self.issues.append(Issue(at, message))
        return ERROR

    def _ident(self, node: Ident, scope: Scope) -> Type:
        if node.name in scope:
            return scope[node.name]
        if node.name in _TYPE_NAMES:
            return Type("type", (Type(node.name),))
        return self._wrong(node.at, f"undeclared reference to '{node.name}' (in container '')")

    def _select(self, node: Select, scope: Scope) -> Type:
        name = qualified(node)
        if name is not None and name in scope:
            return scope[name]
        if name is not None and name in _TYPE_NAMES:
            return Type("type", (Type(name),))
        operand = self.type_of(node.operand, scope)
        found = self._field(node, operand)
        return BOOL if node.test else found

    def _field(self, node: Select, operand: Type) -> Type:
        wrap = node.optional or operand.name == "optional_type"
        inner = operand.parts[0] if operand.name == "optional_type" else operand
        if open_type(inner):
            found = DYN
        elif inner.name == "map":
            found = inner.parts[1]
        elif inner.fields is not None:
            found = inner.fields(node.field) or self._wrong(node.at, f"undefined field '{node.field}'")
        else:
            return self._wrong(node.at, f"type '{inner}' does not support field selection")
        return optional_of(found) if wrap and found.name != "optional_type" else found

    def _call(self, node: Call, scope: Scope) -> Type:
        target = [] if node.target is None else [self.type_of(node.target, scope)]
        args = [self.type_of(a, scope) for a in node.args]
        if node.function in ("_&&_", "_||_"):
            return self._logical(node, args)
        if node.function not in functions() or node.function in self._lacks:
            return self._wrong(node.at, f"undeclared reference to '{node.function}' (in container '')")
        results: list[Type] = []
        given = target + args
        for overload in overloads(node.function, bool(target), len(given)):
            bindings = Bindings()
            if all(map(bindings.accepts, overload.args, given)):
                results.append(bindings.resolve(overload.result))
        if results:
            return results[0] if len(results) == 1 or all(r == results[0] for r in results) else DYN
        if ERROR in given:
            return ERROR
        return self._no_overload(node, target, args)

    def _logical(self, node: Call, args: list[Type]) -> Type:
        wrong = next((a for a in args if a.name != BOOL.name and not open_type(a)), None)
        if wrong is None:
            return BOOL
        i = args.index(wrong)
        pair = args[:2] if i < 2 else [BOOL, wrong]
        return self._no_overload(node, [], pair)

    def _no_overload(self, node: Call, target: list[Type], args: list[Type]) -> Type:
        shown = f"({', '.join(map(str, args))})"
        receiver = f"{target[0]}." if target else ""
        return self._wrong(node.at, f"found no matching overload for '{node.function}' applied to '{receiver}{shown}'")

    def _list(self, node: ListOf, scope: Scope) -> Type:
        found: list[tuple[int, Type]] = []
        for i, item in enumerate(node.items):
            t = self.type_of(item, scope)
            found.append((item.at, _unwrapped(t) if i in node.optional else t))
        return list_of(self._joined(found))

    def _map(self, node: MapOf, scope: Scope) -> Type:
        keys: list[tuple[int, Type]] = []
        values: list[tuple[int, Type]] = []
        for entry in node.entries:
            assert not isinstance(entry.key, str)
            keys.append((entry.key.at, self.type_of(entry.key, scope)))
            values.append((entry.value.at, self._entry_value(entry, scope)))
        return map_of(self._joined(keys), self._joined(values))

    def _entry_value(self, entry: Entry, scope: Scope) -> Type:
        found = self.type_of(entry.value, scope)
        return _unwrapped(found) if entry.optional else found

    def _joined(self, found: list[tuple[int, Type]]) -> Type:
        """The one type of all items of a literal, which may not be mixed."""
        joined: Type | None = None
        for at, t in found:
            if joined is None or (joined.name == "null_type" and Bindings().accepts(t, joined)):
                joined = t
            elif open_type(t) or open_type(joined):
                joined = DYN
            elif not Bindings().accepts(joined, t):
                return self._wrong(at, f"expected type '{joined}' but found '{t}'")
        return Type("A") if joined is None else joined

    def _message(self, node: Struct, scope: Scope) -> Type:
        message = self._struct(node.type)
        if message is None or message.fields is None:
            return self._wrong(node.at, f"undeclared reference to '{node.type}' (in container '')")
        for entry in node.entries:
            given = self._entry_value(entry, scope)
            wanted = message.fields(str(entry.key))
            if wanted is None:
                self._wrong(entry.at, f"undefined field '{entry.key}'")
            elif not Bindings().accepts(wanted, given):
                message_ = f"expected type of field '{entry.key}' is '{wanted}' but provided type is '{given}'"
                self._wrong(entry.at, message_)
        return message

    def _fold(self, node: Fold, scope: Scope) -> Type:
        if node.kind in self._lacks:
            arguments = (*(Ident(node.at, v) for v in node.variables), *node.body)
            return self._call(Call(node.at, node.kind, node.range, arguments), scope)
        over = self.type_of(node.range, scope)
        inner = {**scope, **dict(zip(node.variables, self._variables(node, over), strict=True))}
        types = [self.type_of(b, inner) for b in node.body]
        conditions = types[:-1] if node.kind in _VALUED else types
        for condition, body in zip(conditions, node.body, strict=False):
            if condition != BOOL and not open_type(condition):
                self._wrong(body.at, f"expected type 'bool' but found '{condition}'")
        match node.kind:
            case "filter" | "sortBy":
                return list_of(inner[node.variables[0]])
            case "map" | "transformList":
                return list_of(types[-1])
            case "transformMap":
                return map_of(over.parts[0] if over.name == "map" else INT, types[-1])
            case "transformMapEntry":
                return types[-1]
        return BOOL

    def _variables(self, node: Fold, over: Type) -> tuple[Type, ...]:
        two = len(node.variables) == 2
        if over.name == "list":
            return (INT, over.parts[0]) if two else over.parts
        if over.name == "map":
            return over.parts if two else over.parts[:1]
        if not open_type(over):
            self._wrong(
                node.range.at,
                f"expression of type '{over}' cannot be range of a comprehension (must be list, map, or dynamic)",
            )
        return (DYN, DYN) if two else (DYN,)

    def _bind(self, node: Bind, scope: Scope) -> Type:
        operand = self.type_of(node.operand, scope)
        if operand.name != "optional_type" and not open_type(operand):
            return self._wrong(node.at, f"found no matching overload for '{node.kind}' applied to '{operand}.()'")
        result = self.type_of(node.body, {**scope, node.variable: _unwrapped(operand)})
        return result if node.kind == "optFlatMap" else optional_of(result)


def _unwrapped(t: Type) -> Type:
    return t.parts[0] if t.name == "optional_type" else DYN
