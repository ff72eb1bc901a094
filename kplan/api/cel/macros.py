"""Macros: calls that are no calls. Follows cel-go's parser/macro.go, ext/comprehensions.go and cel/library.go."""

from __future__ import annotations

from collections.abc import Callable

from kplan.api.cel.tree import Bind, Call, Fold, Ident, Node, Select

Fault = Callable[[int, str], Node]

# macro over a list or a map -> how many variables and expressions its arguments may be
_FOLDS: dict[str, frozenset[tuple[int, int]]] = {
    "all": frozenset({(1, 1), (2, 1)}),
    "exists": frozenset({(1, 1), (2, 1)}),
    "exists_one": frozenset({(1, 1), (2, 1)}),
    "existsOne": frozenset({(1, 1), (2, 1)}),
    "filter": frozenset({(1, 1)}),
    "map": frozenset({(1, 1), (1, 2)}),
    "sortBy": frozenset({(1, 1)}),
    "transformList": frozenset({(2, 1), (2, 2)}),
    "transformMap": frozenset({(2, 1), (2, 2)}),
    "transformMapEntry": frozenset({(2, 1), (2, 2)}),
}
_BINDS = frozenset({"optMap", "optFlatMap"})
_NAME = "argument must be a simple name"


def function(at: int, name: str, args: tuple[Node, ...], fault: Fault) -> Node:
    """A call without target: `has` or a function."""
    if name != "has" or len(args) != 1:
        return Call(at, name, None, args)
    (arg,) = args
    if isinstance(arg, Select) and not arg.test:
        return arg._replace(test=True)
    return fault(arg.at, "invalid argument to has() macro")


def method(at: int, name: str, target: Node, args: tuple[Node, ...], fault: Fault) -> Node:
    """A call with a target: a macro over its items, or a method."""
    if name in _BINDS and len(args) == 2:
        variable, body = args
        if not isinstance(variable, Ident):
            return fault(variable.at, f"{name}() variable name must be a simple identifier")
        return Bind(at, name, target, variable.name, body)
    count = _variables(name, len(args))
    if count == 0:
        return Call(at, name, target, args)
    names = []
    for arg in args[:count]:
        if not isinstance(arg, Ident):
            return fault(arg.at, _NAME)
        names.append(arg.name)
    kind = "exists_one" if name == "existsOne" else name
    return Fold(at, kind, target, tuple(names), args[count:])


def _variables(name: str, args: int) -> int:
    """How many of the arguments of a macro are variables; 0 if this is no macro."""
    shapes = _FOLDS.get(name, frozenset())
    return next((variables for variables, bodies in sorted(shapes) if variables + bodies == args), 0)
