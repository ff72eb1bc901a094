"""The Common Expression Language as the API server uses it: parsed, type-checked, and evaluated within a budget.

kplan's own, because no library serves: an expression must be refused in the words of cel-go (its type checker), know
the functions of Kubernetes, and never run for long. `compile` and `Program.evaluate` are all that others need.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kplan.api.cel.checker import Environment, check
from kplan.api.cel.errors import CALL_LIMIT, BudgetError, EvalError
from kplan.api.cel.parser import parse
from kplan.api.cel.tree import CompileError, Node
from kplan.api.cel.types import Type
from kplan.hints import Any
from kplan.record import record

__all__ = ["CALL_LIMIT", "BudgetError", "CompileError", "Environment", "EvalError", "Program", "compile"]


@record
class Program:
    """A compiled expression and the type of its value."""

    source: str
    tree: Node
    type: Type

    def evaluate(self, variables: Mapping[str, Any], *, limit: int = CALL_LIMIT) -> tuple[Any, int]:
        """The value for these variables, and what it cost. Raises EvalError, BudgetError beyond `limit`."""
        from kplan.api.cel.evaluate import Evaluator  # most are only compiled

        evaluator = Evaluator(limit)
        try:
            return evaluator.value(self.tree, variables), evaluator.cost
        except RecursionError:
            raise EvalError("the expression is nested too deeply") from None


_tree = lru_cache(maxsize=256)(parse)  # one rule often stands at many places


def compile(source: str, environment: Environment) -> Program:  # noqa: A001 - the usual word
    """A program of an expression; raises CompileError with cel-go's text."""
    tree = _tree(source)
    return Program(source, tree, check(source, tree, environment))
