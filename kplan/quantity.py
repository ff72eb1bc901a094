"""Kubernetes quantities: parsing, arithmetic and canonical text.

Follows k8s.io/apimachinery/pkg/api/resource (quantity.go, suffix.go). A quantity is held as a whole number of
nano-units, the finest step the API knows, so every comparison is exact.
"""

from __future__ import annotations

import math
from functools import lru_cache

from kplan.patterns import lazy
from kplan.tuples import NamedTuple

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
# Possessive, so that a hostile text of many digits takes linear time.
_PARTS = lazy(r"([+-]?)([0-9]*+)(?:\.([0-9]*+))?+([eEinumkKMGTP]*+[-+]?[0-9]*+)\Z")
_POWER = lazy(r"[eE]([-+]?[0-9]+)\Z")
_ZERO_EXPONENT = lazy(r"e-0(\d)\Z")
# Go reads numbers of any length; Python refuses to print integers beyond 4300 digits, and nobody means them.
_LONGEST = 2000


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


class _Scanned(NamedTuple):
    """The parts of a quantity's text: digits before the point (no leading zeros) and after it, and the suffix."""

    negative: bool
    whole: str
    fraction: str
    base: int
    exponent: int
    notation: str

    @property
    def is_fast(self) -> bool:
        """Whether ParseQuantity takes its way over int64: by number of digits, and no finer than nano."""
        if self.base == 10:
            return len(self.whole + self.fraction) <= 18 and self.exponent - len(self.fraction) >= -9
        return not self.fraction and len(self.whole) + self.exponent * 3 // 10 <= 14


def _scan(text: str) -> _Scanned:
    suffix = text.lstrip("0123456789")
    if text != suffix and len(text) < 20 and (suffix in _DECIMAL_EXPONENTS or suffix in _BINARY_EXPONENTS):
        return _Scanned(False, text[: len(text) - len(suffix)].lstrip("0") or "0", "", *_suffix(suffix))
    m = _PARTS.match(text)
    if not text or m is None:
        raise QuantityError(FORMAT_ERROR)
    base, exponent, notation = _suffix(m[4])
    scanned = _Scanned(m[1] == "-", m[2].lstrip("0") or "0", m[3] or "", base, exponent, notation)
    # A text without any digit is zero to ParseQuantity, unless it has to leave the fast way.
    if not m[2] and not m[3] and not scanned.is_fast:
        raise QuantityError(NUMERIC_ERROR)
    if len(text) > _LONGEST:
        raise QuantityError(NUMERIC_ERROR)
    return scanned


@lru_cache(maxsize=8192)
def parse(text: str) -> Quantity:
    """Read a quantity as ParseQuantity does; raises QuantityError with the server's text."""
    s = _scan(text)
    digits = int(s.whole + s.fraction)
    power = 9 - len(s.fraction)
    if s.base == 2:
        digits <<= s.exponent
    else:
        power += s.exponent
    nanos = digits * 10**power if power >= 0 else _divide_up(digits, 10**-power)
    notation = s.notation
    if notation == BINARY:
        nanos = min(nanos, _MAX)
        if 0 < nanos < _NANO:
            notation = DECIMAL
    return Quantity(-nanos if s.negative else nanos, notation)


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
    while n % 1000 == 0:
        n, power = n // 1000, power + 3
    if q.format == EXPONENT or power > 18:
        return f"{sign}{n}e{power}" if power else f"{sign}{n}"
    return f"{sign}{n}{_DECIMAL_SUFFIXES[power]}"


def _is_kept(s: _Scanned) -> bool:
    """Whether the server keeps the text as it was written: ParseQuantity takes it for canonical at a glance.

    The glance sees neither a sign nor a decimal point, so `+1` and `1.500` stay what they are.
    """
    if not s.is_fast:
        return False
    if s.base == 2:
        return int(s.whole) & 7 != 0
    digits = s.whole + s.fraction
    return (s.exponent - len(s.fraction)) % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def normalise(value: object) -> str | None:
    """The text that the server stores for a quantity given as JSON string or number; None if it is not one.

    It is the canonical text but for the few forms that the server keeps as they are (`1.500`, `+1`): compare amounts
    by `equal`, not by this text.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        text = value.strip() if isinstance(value, str) else number_text(value)
        return _stored(text)
    except ValueError:  # a QuantityError, or an integer too long to print
        return None


@lru_cache(maxsize=8192)
def _stored(text: str) -> str:
    return text if _is_kept(_scan(text)) else canonical(parse(text))


class GoQuantity(NamedTuple):
    """What a resource.Quantity holds in memory: value * 10**scale, or `unscaled` nano-units where int64 is too small.

    `text` is the text it was read from if the parser took that for canonical at a glance, else "".
    """

    value: int
    scale: int
    unscaled: int | None
    text: str
    format: str


@lru_cache(maxsize=8192)
def as_go(text: str) -> GoQuantity:
    """A stored quantity (see `normalise`) as ParseQuantity leaves it in memory; raises QuantityError."""
    if text == "0":
        return GoQuantity(0, 0, None, text, "")
    s = _scan(text)
    if not s.is_fast:
        q = parse(text)
        return GoQuantity(0, 0, q.nanos, "", q.format)
    value, scale = int(s.whole + s.fraction), s.exponent - len(s.fraction)
    if s.base == 2:
        value, scale = value << s.exponent, 0
    return GoQuantity(-value if s.negative else value, scale, None, text if _is_kept(s) else "", s.notation)


def number_text(value: int | float) -> str:
    """A JSON number as the text that reaches the quantity parser: as Go's encoding/json prints it."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return repr(value)
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        from decimal import Decimal

        text = f"{Decimal(repr(value)):f}"
        return text.removesuffix(".0")
    return _ZERO_EXPONENT.sub(r"e-\1", repr(value))


def equal(a: object, b: object) -> bool:
    """Whether two JSON values are the same amount; False if either is no quantity."""
    x, y = normalise(a), normalise(b)
    return x is not None and y is not None and parse(x).nanos == parse(y).nanos
