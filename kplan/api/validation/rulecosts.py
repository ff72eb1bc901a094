"""What the rules of a CustomResourceDefinition may cost: each of them, and all of a version together.

Follows apiextensions-apiserver/pkg/apis/apiextensions/validation (validation.go, cel_validation.go) and the limits in
the documentation of custom resources, "Resource use by validation functions".
"""

from __future__ import annotations

from kplan.api.validation.field import Errors
from kplan.tuples import NamedTuple

OF_ONE, OF_ALL = 10_000_000, 100_000_000
_NAMED = 4  # of the rules to blame
_CONTRIBUTED = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
_ALL = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
_ADVICE = (
    "try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared"
)


class _Item(NamedTuple):
    at: str
    cost: int


class Bill:
    """The costs of all rules of one schema."""

    __slots__ = ("_dear", "_total")

    def __init__(self) -> None:
        self._total = 0
        self._dear: list[_Item] = []

    def add(self, cost: int, errors: Errors, at: str, what: str) -> None:
        """Add what one expression costs; one that costs too much is reported as `what`."""
        if cost > OF_ONE:
            errors.forbidden(at, _exceeds(f"estimated {what} cost", cost, OF_ONE))
        self._total += cost
        if cost >= OF_ALL // 100:
            self._dear.append(_Item(at, cost))

    def total(self, errors: Errors, at: str) -> None:
        """Report a total that is too high, and the rules that have most part in it."""
        if self._total <= OF_ALL:
            return
        for item in sorted(self._dear, key=lambda i: -i.cost)[:_NAMED]:
            errors.forbidden(item.at, _CONTRIBUTED)
        errors.forbidden(at, _exceeds(_ALL, self._total, OF_ALL))


def _exceeds(what: str, value: int, limit: int) -> str:
    factor = value / limit
    shown = "more than 100x" if factor > 100 else f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} ({_ADVICE})"
