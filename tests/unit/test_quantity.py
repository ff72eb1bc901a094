"""Quantities: what is read, what is refused, and the text that is stored."""

from __future__ import annotations

import pytest

from kplan import quantity
from kplan.quantity import BINARY, DECIMAL, EXPONENT, FORMAT_ERROR, NUMERIC_ERROR, SUFFIX_ERROR, Quantity

NANO = 10**9

AMOUNTS = [
    ("0", 0, DECIMAL),
    ("1", NANO, DECIMAL),
    ("100m", 10**8, DECIMAL),
    (".5", 5 * 10**8, DECIMAL),
    ("5.", 5 * NANO, DECIMAL),
    ("-1.5", -15 * 10**8, DECIMAL),
    ("1k", 10**12, DECIMAL),
    ("1Ki", 1024 * NANO, BINARY),
    ("1.5Gi", 1536 * 2**20 * NANO, BINARY),
    ("0.0001Ki", 102_400_000, DECIMAL),
    ("9Ei", (2**63 - 1) * NANO, BINARY),
    ("-9Ei", -(2**63 - 1) * NANO, BINARY),
    ("12e6", 12 * 10**15, EXPONENT),
    ("1E-3", 10**6, EXPONENT),
    ("0.1n", 1, DECIMAL),
    ("1e-20", 1, EXPONENT),
    ("18446744073709551616", 2**64 * NANO, DECIMAL),
    # No digit at all counts as zero, as long as the number fits the fast way.
    ("+", 0, DECIMAL),
    (".", 0, DECIMAL),
    ("k", 0, DECIMAL),
    ("Ti", 0, BINARY),
]

REFUSED = [
    ("", FORMAT_ERROR),
    ("foo", FORMAT_ERROR),
    ("1.2.3", FORMAT_ERROR),
    ("1 Gi", FORMAT_ERROR),
    (" 1", FORMAT_ERROR),
    ("150%", FORMAT_ERROR),
    ("true", FORMAT_ERROR),
    ("1.1.M", FORMAT_ERROR),
    ("1i", SUFFIX_ERROR),
    ("1mi", SUFFIX_ERROR),
    ("1KI", FORMAT_ERROR),
    ("1e", SUFFIX_ERROR),
    ("1e-", SUFFIX_ERROR),
    ("1e99999999999999999999", SUFFIX_ERROR),
    ("Pi", NUMERIC_ERROR),
    ("e-20", NUMERIC_ERROR),
    ("9" * 5000, NUMERIC_ERROR),
]

STORED = [
    ("1000m", "1"),
    ("0.5", "500m"),
    ("1024Mi", "1Gi"),
    ("1.5Gi", "1536Mi"),
    ("1000Mi", "1000Mi"),
    ("1023", "1023"),
    ("0.1Ki", "102400m"),
    ("512", "512"),
    ("2048", "2048"),
    ("1000k", "1M"),
    ("1E3", "1E3"),
    ("1e22", "10e21"),
    ("1000E", "1e21"),
    ("0.0", "0"),
    ("-0", "0"),
    ("-1.5", "-1500m"),
    (" 1 ", "1"),
    # The server takes these for canonical already and keeps them.
    ("+1", "+1"),
    ("1.500", "1.500"),
    ("05Gi", "05Gi"),
    (1, "1"),
    (1.0, "1"),
    (0.1, "100m"),
    (0.00001, "10u"),
    (1e-7, "100e-9"),
    (1e20, "100E"),
    (1e22, "10e21"),
    (True, None),
    (None, None),
    ([1], None),
    ("foo", None),
    (float("inf"), None),
    (10**5000, None),
]


@pytest.mark.parametrize(("text", "nanos", "notation"), AMOUNTS)
def test_parse(text: str, nanos: int, notation: str) -> None:
    assert quantity.parse(text) == Quantity(nanos, notation)


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=lambda v: v[:20])
def test_refused_with_the_servers_text(text: str, message: str) -> None:
    with pytest.raises(quantity.QuantityError) as error:
        quantity.parse(text)
    assert str(error.value) == message


@pytest.mark.parametrize(("value", "text"), STORED, ids=lambda v: str(v)[:12] if not isinstance(v, int) else "int")
def test_stored_text(value: object, text: str | None) -> None:
    assert quantity.normalise(value) == text


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("1", "1000m", True),
        ("1.500", "1500m", True),
        ("1Gi", 1073741824, True),
        (0.1, "100m", True),
        ("1", "2", False),
        ("x", "x", False),
        ("1", None, False),
    ],
)
def test_equal(a: object, b: object, same: bool) -> None:
    assert quantity.equal(a, b) is same
    assert quantity.equal(b, a) is same


@pytest.mark.parametrize(
    ("text", "value", "milli"), [("1.5", 2, 1500), ("-1.5", -2, -1500), ("1n", 1, 1), ("1Ki", 1024, 1024000)]
)
def test_whole_units_round_away_from_zero(text: str, value: int, milli: int) -> None:
    assert (quantity.parse(text).value, quantity.parse(text).milli) == (value, milli)


def test_text_of_a_sum_keeps_the_family() -> None:
    total = quantity.parse("512Mi").nanos + quantity.parse("1Gi").nanos
    assert str(Quantity(total, BINARY)) == "1536Mi"
    assert str(Quantity(quantity.parse("250m").nanos * 4)) == "1"
