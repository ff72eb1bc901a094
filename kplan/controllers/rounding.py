"""Counts that are given as a number or as a percentage.

Follows k8s.io/apimachinery/pkg/util/intstr (GetScaledValueFromIntOrPercent).
"""

from __future__ import annotations


def resolve(value: int | str | None, total: int, *, up: bool) -> int:
    """A count as it is, or a percentage of `total` rounded up or down; 0 for what is neither."""
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    digits = value.removesuffix("%")
    if digits == value or not digits.isdigit():
        return 0
    share = int(digits) * total
    return -(-share // 100) if up else share // 100
