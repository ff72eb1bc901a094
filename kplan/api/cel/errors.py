"""What keeps an expression from having a value, and how much it may cost."""

from __future__ import annotations

# What one expression may cost (k8s.io/apiserver/pkg/apis/cel/config.go, PerCallLimit).
CALL_LIMIT = 1_000_000


class EvalError(Exception):
    """An expression that has no value for this input; the text is that of cel-go."""


class BudgetError(EvalError):
    """An expression that costs more than is allowed."""
