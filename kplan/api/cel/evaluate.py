"""The value of an expression. Follows the language definition: errors are values that && and || can absorb.

Work is counted as cel-go's runtime cost does, roughly: one unit a node, a tenth of a unit a character of text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kplan.api.cel import library
from kplan.api.cel.errors import CALL_LIMIT, BudgetError, EvalError
from kplan.api.cel.schematypes import unescape
from kplan.api.cel.tree import Bind, Call, Entry, Fold, Ident, ListOf, Literal, MapOf, Node, Select, Struct, qualified
from kplan.api.cel.values import Optional, TypeValue, Uint, size_of
from kplan.hints import Any

Scope = Mapping[str, Any]

_TYPE_VALUES = {"duration": "google.protobuf.Duration", "timestamp": "google.protobuf.Timestamp"}


class Evaluator:
    """One evaluation; `cost` is what it has cost so far."""

    def __init__(self, limit: int = CALL_LIMIT) -> None:
        self.cost = 0
        self._limit = limit
        self._visitors: dict[type, Callable[[Any, Scope], Any]] = {
            Literal: self._literal,
            Ident: self._ident,
            Select: self._select,
            Call: self._call,
            ListOf: self._list,
            MapOf: self._map,
            Struct: self._struct,
            Fold: self._fold,
            Bind: self._bind,
        }

    def value(self, node: Node, scope: Scope) -> Any:
        """The value of a node; raises EvalError."""
        self.spend(1)
        return self._visitors[type(node)](node, scope)

    def spend(self, cost: int) -> None:
        """Count work; raises BudgetError when there was too much."""
        self.cost += cost
        if self.cost > self._limit:
            raise BudgetError("operation cancelled: actual cost limit exceeded")

    def _literal(self, node: Literal, _: Scope) -> Any:
        return Uint(node.value) if node.type == "uint" else node.value

    def _ident(self, node: Ident, scope: Scope) -> Any:
        if node.name in scope:
            found = scope[node.name]
            return found() if callable(found) else found
        return TypeValue(_TYPE_VALUES.get(node.name, node.name))

    def _select(self, node: Select, scope: Scope) -> Any:
        name = qualified(node)
        if name is not None and name in scope:
            return scope[name]
        operand = self.value(node.operand, scope)
        if isinstance(operand, Optional):
            if not operand.present:
                return False if node.test else operand
            found = self._field(operand.inner, node.field)
            return found.present if node.test else found
        if node.test or node.optional:
            found = self._field(operand, node.field)
            return found.present if node.test else found
        found = self._field(operand, node.field)
        if not found.present:
            raise EvalError(f"no such key: {node.field}")
        return found.inner

    def _field(self, operand: Any, name: str) -> Optional:
        if not isinstance(operand, dict):
            raise EvalError(f"no such key: {name}" if operand is None else "unsupported type for field selection")
        if name not in operand:
            return Optional()
        found = operand[name]
        return Optional(True, found() if callable(found) else found)

    def _call(self, node: Call, scope: Scope) -> Any:
        match node.function:
            case "_&&_" | "_||_":
                return self._logical(node, scope)
            case "_?_:_":
                condition = self.value(node.args[0], scope)
                if not isinstance(condition, bool):
                    raise EvalError("no such overload")
                return self.value(node.args[1 if condition else 2], scope)
            case "or" | "orValue":
                return self._alternative(node, scope)
        args = [] if node.target is None else [self.value(node.target, scope)]
        args += [self.value(a, scope) for a in node.args]
        self.spend(sum(size_of(a) for a in args if not isinstance(a, dict)) // 10)
        return library.call(node.function, args)

    def _logical(self, node: Call, scope: Scope) -> bool:
        """One term that decides is enough, even if others have no value."""
        decisive = node.function == "_||_"
        failure: EvalError | None = None
        for term in node.args:
            try:
                if self._holds(term, scope) is decisive:
                    return decisive
            except BudgetError:
                raise
            except EvalError as e:
                failure = failure or e
        if failure is not None:
            raise failure
        return not decisive

    def _alternative(self, node: Call, scope: Scope) -> Any:
        assert node.target is not None
        first = self.value(node.target, scope)
        if not isinstance(first, Optional):
            raise EvalError("no such overload")
        if first.present:
            return first if node.function == "or" else first.inner
        return self.value(node.args[0], scope)

    def _list(self, node: ListOf, scope: Scope) -> list[Any]:
        out = []
        for i, item in enumerate(node.items):
            value = self.value(item, scope)
            if i not in node.optional:
                out.append(value)
            elif value.present:
                out.append(value.inner)
        return out

    def _map(self, node: MapOf, scope: Scope) -> dict[Any, Any]:
        out: dict[Any, Any] = {}
        for entry in node.entries:
            assert not isinstance(entry.key, str)
            key = library.map_key(self.value(entry.key, scope))
            if key in out:
                raise EvalError(f"Failed with repeated key: {key}")
            self._put(out, key, entry, scope)
        return out

    def _put(self, out: dict[Any, Any], key: Any, entry: Entry, scope: Scope) -> None:
        value = self.value(entry.value, scope)
        if not entry.optional:
            out[key] = value
        elif value.present:
            out[key] = value.inner

    def _struct(self, node: Struct, scope: Scope) -> dict[Any, Any]:
        out: dict[Any, Any] = {}
        for entry in node.entries:
            self._put(out, unescape(str(entry.key)), entry, scope)
        return out

    def _fold(self, node: Fold, scope: Scope) -> Any:
        over = self.value(node.range, scope)
        if not isinstance(over, (list, dict)):
            raise EvalError("no such overload")
        scopes = self._scopes(node, over, scope)
        match node.kind:
            case "all":
                return self._quantified(node.body[0], scopes, decisive=False)
            case "exists":
                return self._quantified(node.body[0], scopes, decisive=True)
            case "exists_one":
                return sum(1 for inner in scopes if self._holds(node.body[0], inner)) == 1
            case "filter":
                name = node.variables[0]
                return [inner[name] for inner in scopes if self._holds(node.body[0], inner)]
            case "sortBy":
                from kplan.api.cel.lists import sorted_by  # few expressions need it

                if not isinstance(over, list):
                    raise EvalError("no such overload")
                return sorted_by(over, [self.value(node.body[0], inner) for inner in scopes])
        *condition, body = node.body
        kept = (s for s in scopes if all(self._holds(c, s) for c in condition))
        return self._transformed(node, body, kept)

    def _transformed(self, node: Fold, body: Node, scopes: Iterator[Scope]) -> Any:
        if node.kind in ("map", "transformList"):
            return [self.value(body, inner) for inner in scopes]
        if node.kind == "transformMap":
            return {library.map_key(inner[node.variables[0]]): self.value(body, inner) for inner in scopes}
        out: dict[Any, Any] = {}
        for inner in scopes:
            out.update(self.value(body, inner))
        return out

    def _scopes(self, node: Fold, over: list[Any] | dict[Any, Any], scope: Scope) -> Iterator[Scope]:
        if len(node.variables) == 2:
            pairs = over.items() if isinstance(over, dict) else enumerate(over)
            yield from ({**scope, node.variables[0]: k, node.variables[1]: v} for k, v in pairs)
        else:
            yield from ({**scope, node.variables[0]: item} for item in over)

    def _holds(self, node: Node, scope: Scope) -> bool:
        value = self.value(node, scope)
        if not isinstance(value, bool):
            raise EvalError("no such overload")
        return value

    def _quantified(self, body: Node, scopes: Iterator[Scope], *, decisive: bool) -> bool:
        failure: EvalError | None = None
        for inner in scopes:
            try:
                if self._holds(body, inner) is decisive:
                    return decisive
            except BudgetError:
                raise
            except EvalError as e:
                failure = failure or e
        if failure is not None:
            raise failure
        return not decisive

    def _bind(self, node: Bind, scope: Scope) -> Any:
        operand = self.value(node.operand, scope)
        if not isinstance(operand, Optional):
            raise EvalError("no such overload")
        if not operand.present:
            return operand
        value = self.value(node.body, {**scope, node.variable: operand.inner})
        return value if node.kind == "optFlatMap" else Optional(True, value)
