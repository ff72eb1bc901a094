"""The value formats that Kubernetes reads with decoders of their own.

metav1.Time and MicroTime (time.go, micro_time.go over Go's time.Parse), []byte in encoding/json, resource.Quantity
and integers. The formats of custom resources, which are other rules under some of the same names, are in
kplan/schema/strfmt.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kplan import quantity
from kplan.patterns import lazy

_TIME = lazy(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?P<fraction>[.,]\d+)?(?:Z|[-+](?P<hours>\d\d):(?P<minutes>\d\d))\Z",
    re.ASCII,
)
_BASE64 = lazy(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
_DAYS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1), "": (-(2**63), 2**63 - 1)}


def is_time(text: str) -> bool:
    """RFC 3339 as Go's time.Parse takes it: a fraction of any length, an hour of one digit."""
    m = _TIME.match(text)
    if m is None:
        return False
    year, month, day, hour, minute, second = map(int, m.groups()[:6])
    return (
        is_date(year, month, day)
        and hour < 24
        and minute < 60
        and second < 60
        and int(m["hours"] or 0) <= 24
        and int(m["minutes"] or 0) <= 60
    )


def is_date(year: int, month: int, day: int) -> bool:
    """Whether the Gregorian calendar, extended to the year 0, has this day."""
    if not 1 <= month <= 12 or day < 1:
        return False
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return day <= (29 if month == 2 and is_leap else _DAYS[month])


def is_micro_time(text: str) -> bool:
    """RFC 3339 with exactly six digits after the point."""
    m = _TIME.match(text)
    return m is not None and m["fraction"] is not None and len(m["fraction"]) == 7 and is_time(text)


def is_base64(text: str) -> bool:
    """Padded standard base64; line breaks are skipped (encoding/base64)."""
    return _BASE64.match(text.replace("\n", "").replace("\r", "")) is not None


def is_quantity(value: object) -> bool:
    """A string or number that Quantity.UnmarshalJSON takes."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = quantity.number_text(value)
        return isinstance(value, str) and quantity.parse(value.strip()) is not None
    except ValueError:  # no quantity, or a number of more digits than Python prints
        return False


def is_integer(value: object, width: str) -> bool:
    """A JSON number without fraction that fits int32 or int64 (`width` "" too). 80.0 is one: it is sent as 80."""
    if isinstance(value, float):
        if not value.is_integer():
            return False
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    low, high = _BOUNDS[width]
    return low <= value <= high


def json_type(value: object) -> str:
    """The JSON type of a value, a whole float counting as a number."""
    return _NAMES.get(type(value), "object")


_NAMES: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
