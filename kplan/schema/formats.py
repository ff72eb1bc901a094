"""The value formats that Kubernetes reads with decoders of their own, and the formats of custom resources.

Decoders: metav1.Time and MicroTime (time.go, micro_time.go over Go's time.Parse), []byte in encoding/json,
resource.Quantity, intstr.IntOrString. Formats of custom resources: kube-openapi/pkg/validation/strfmt, of which an
unknown one is ignored as the server does.
"""

from __future__ import annotations

import calendar
import ipaddress
import re
from collections.abc import Callable, Mapping

from kplan import quantity

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?P<fraction>[.,]\d+)?(?:Z|[-+](?P<hours>\d\d):(?P<minutes>\d\d))\Z",
    re.ASCII,
)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
_INT = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1), "": (-(2**63), 2**63 - 1)}


def is_time(text: str) -> bool:
    """RFC 3339 as Go's time.Parse takes it: a fraction of any length, an hour of one digit."""
    m = _TIME.match(text)
    if m is None:
        return False
    year, month, day, hour, minute, second = map(int, m.groups()[:6])
    return (
        1 <= month <= 12
        and 1 <= day <= (calendar.monthrange(year, month)[1] if year else (29 if month == 2 else 31))
        and hour < 24
        and minute < 60
        and second < 60
        and int(m["hours"] or 0) <= 24
        and int(m["minutes"] or 0) <= 60
    )


def is_micro_time(text: str) -> bool:
    """RFC 3339 with exactly six digits after the point."""
    m = _TIME.match(text)
    return m is not None and m["fraction"] is not None and len(m["fraction"]) == 7 and is_time(text)


def is_base64(text: str) -> bool:
    """Padded standard base64; line breaks are skipped (encoding/base64)."""
    return _BASE64.match(text.replace("\n", "").replace("\r", "")) is not None


def is_quantity(value: object) -> bool:
    """A string or number that Quantity.UnmarshalJSON takes."""
    return quantity.normalise(value.strip() if isinstance(value, str) else value) is not None


def is_integer(value: object, width: str) -> bool:
    """A JSON number without fraction that fits int32 or int64. 80.0 is one, for it is sent as 80."""
    if isinstance(value, float):
        if not value.is_integer():
            return False
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    low, high = _INT[width]
    return low <= value <= high


def _is_date(text: str) -> bool:
    return is_time(f"{text}T00:00:00Z")


def _is_address(version: int) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            return "%" not in text and ipaddress.ip_address(text).version == version
        except ValueError:
            return False

    return check


def _is_cidr(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return re.search(r"/\d{1,3}\Z", text) is not None


_UUID = r"(?i:[0-9a-f]{8}-?[0-9a-f]{4}-?%s-?%s-?[0-9a-f]{12})\Z"


def _pattern(text: str) -> Callable[[str], bool]:
    compiled = re.compile(text, re.ASCII)
    return lambda value: compiled.match(value) is not None


# Formats of a string in a custom resource. The names are compared without "-", as strfmt does.
STRING_FORMATS: Mapping[str, Callable[[str], bool]] = {
    "byte": is_base64,
    "datetime": is_time,
    "date": _is_date,
    "ipv4": _is_address(4),
    "ipv6": _is_address(6),
    "cidr": _is_cidr,
    "mac": _pattern(r"(?i:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})\Z"),
    "uuid": _pattern(_UUID % ("[0-9a-f]{4}", "[0-9a-f]{4}")),
    "uuid3": _pattern(_UUID % ("3[0-9a-f]{3}", "[0-9a-f]{4}")),
    "uuid4": _pattern(_UUID % ("4[0-9a-f]{3}", "[89ab][0-9a-f]{3}")),
    "uuid5": _pattern(_UUID % ("5[0-9a-f]{3}", "[89ab][0-9a-f]{3}")),
    "duration": _pattern(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)\Z"),
    "hexcolor": _pattern(r"#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z"),
    "bsonobjectid": _pattern(r"[0-9a-fA-F]{24}\Z"),
}


def matches(format_: str, text: str) -> bool:
    """Whether a string has a format; a format without a rule here always matches."""
    check = STRING_FORMATS.get(format_.replace("-", ""))
    return check is None or check(text)
