"""Kubernetes quantities: parsing, arithmetic and canonical text.

Follows k8s.io/apimachinery/pkg/api/resource (quantity.go, suffix.go). A quantity is held as a whole number of
nano-units, the finest step the API knows, so every comparison is exact.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

BINARY, DECIMAL, EXPONENT = "BinarySI", "DecimalSI", "DecimalExponent"

FORMAT_ERROR = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
SUFFIX_ERROR = "unable to parse quantity's suffix"
NUMERIC_ERROR = "unable to parse numeric part of quantity"

_NANO = 10**9
_MAX = (2**63 - 1) * _NANO
_DECIMAL_EXPONENTS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_EXPONENTS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIXES = {v: k for k, v in _DECIMAL_EXPONENTS.items()}
_BINARY_SUFFIXES = {v: k for k, v in _BINARY_EXPONENTS.items()}
_PARTS = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)\Z")
_POWER = re.compile(r"[eE]([-+]?[0-9]+)\Z")


class QuantityError(ValueError):
    """A text that the API server does not read as a quantity; the message is its own."""


class Quantity(NamedTuple):
    """An amount in nano-units and the notation family it was written in. Compare by `nanos`."""

    nanos: int
    format: str = DECIMAL

    @property
    def value(self) -> int:
        """Whole units, rounded away from zero as Quantity.Value does."""
        return _divide_up(self.nanos, _NANO)

    @property
    def milli(self) -> int:
        """Thousandths, rounded away from zero as Quantity.MilliValue does."""
        return _divide_up(self.nanos, 10**6)

    def __str__(self) -> str:
        return canonical(self)


def _divide_up(n: int, d: int) -> int:
    up = -(-abs(n) // d)
    return up if n >= 0 else -up


@lru_cache(maxsize=8192)
def parse(text: str) -> Quantity:
    """Read a quantity as ParseQuantity does; raises QuantityError with the server's text."""
    m = _PARTS.match(text)
    if not text or m is None:
        raise QuantityError(FORMAT_ERROR)
    sign, whole, fraction, suffix = m[1], m[2], m[3] or "", m[4]
    if not whole and not fraction and not suffix:
        raise QuantityError(FORMAT_ERROR if m[3] is None else NUMERIC_ERROR)
    base, exponent, notation = _suffix(suffix)
    if not whole and not fraction:
        raise QuantityError(NUMERIC_ERROR)
    digits = int((whole + fraction) or "0")
    if base == 2:
        digits <<= exponent
        power = 9 - len(fraction)
    else:
        power = 9 + exponent - len(fraction)
    nanos = digits * 10**power if power >= 0 else _divide_up(digits, 10**-power)
    if notation == BINARY:
        nanos = min(nanos, _MAX)
        if 0 < nanos < _NANO:
            notation = DECIMAL
    return Quantity(-nanos if sign == "-" else nanos, notation)


def _suffix(suffix: str) -> tuple[int, int, str]:
    if suffix in _DECIMAL_EXPONENTS:
        return 10, _DECIMAL_EXPONENTS[suffix], DECIMAL
    if suffix in _BINARY_EXPONENTS:
        return 2, _BINARY_EXPONENTS[suffix], BINARY
    m = _POWER.match(suffix)
    # An exponent of a million digits is a denial of service, not a quantity; Go stops at int64 too.
    if m is None or len(m[1]) > 6:
        raise QuantityError(SUFFIX_ERROR)
    return 10, max(-1000, min(1000, int(m[1]))), EXPONENT


def canonical(q: Quantity) -> str:
    """The text the server stores: no fraction, largest suffix, three-digit groups."""
    if q.nanos == 0:
        return "0"
    sign, n = ("-", -q.nanos) if q.nanos < 0 else ("", q.nanos)
    if q.format == BINARY and n >= 1024 * _NANO and n % _NANO == 0:
        n, power = n // _NANO, 0
        while n % 1024 == 0 and power < 60:
            n, power = n // 1024, power + 10
        return f"{sign}{n}{_BINARY_SUFFIXES.get(power, '')}"
    power = -9
    while n % 1000 == 0 and (q.format == EXPONENT or power < 18):
        n, power = n // 1000, power + 3
    if q.format == EXPONENT:
        return f"{sign}{n}e{power}" if power else f"{sign}{n}"
    return f"{sign}{n}{_DECIMAL_SUFFIXES[power]}"


def normalise(value: object) -> str | None:
    """The canonical text of a quantity given as JSON string or number; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return canonical(parse(value if isinstance(value, str) else number_text(value)))
    except QuantityError:
        return None


def number_text(value: int | float) -> str:
    """A JSON number as the text that reaches the quantity parser."""
    return str(value) if isinstance(value, int) else repr(int(value)) if value.is_integer() else repr(value)


def equal(a: object, b: object) -> bool:
    """Whether two JSON values are the same amount; False if either is no quantity."""
    x = normalise(a)
    return x is not None and parse(x).nanos == parse(normalise(b) or "0").nanos and normalise(b) is not None
