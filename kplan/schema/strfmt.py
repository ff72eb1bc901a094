"""The string formats of custom resources (kube-openapi/pkg/validation/strfmt).

A format that the API server does not know is ignored; `KNOWN` are those it does. ISBN and credit card numbers are
known but taken as they come. The values are hostile: no expression here takes more than linear time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kplan.schema import re2
from kplan.schema.formats import is_date

Check = Callable[[str], bool]

_OCTET = r"0*(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_UUID = "[0-9a-f]{{8}}-?[0-9a-f]{{4}}-?{}-?{}-?[0-9a-f]{{12}}"
_HEX4, _VARIANT = "[0-9a-f]{4}", "[89ab][0-9a-f]{3}"
_BYTE = r"(?:0|[1-9]\d?|1\d\d?|2[0-4]\d|25[0-5])"
_LABEL = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"


def _is(pattern: str, flags: re.RegexFlag = re.ASCII) -> Check:
    # Compiled by the first use, and kept by `re`: few runs meet any of these formats.
    return lambda text: re.fullmatch(pattern, text, flags) is not None


_ATOM = r'[^\x00-\x20\x7f()<>\[\]:;@\\,."]'
_WORDS = rf'(?:"[^"]*+"|[\s.]|{_ATOM})*+'
_dotted = _is(rf"{_ATOM}++(?:\.{_ATOM}++)*+")
_any_of_ipv4 = _is(_IPV4)
_UNIT = r"(?<!\d)\d++\s*+([A-Za-z\u00b5]+)"
_go_duration = _is(r"[-+]?(?:0|(?:(?:\d++(?:\.\d*+)?|\.\d++)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)")
_clock = _is(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.\d+)?(?:z|[-+]\d\d:\d\d)")
_UNITS = ("ns", "us", "\u00b5s", "ms", "s", "m", "h", "hr", "d", "w", "wk")
_UNIT_PREFIXES = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
_HOSTNAME = (
    r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)"
    r"|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
)


def _ip(text: str) -> bool:
    """Whether net.ParseIP takes it, leading zeros of a decimal octet included."""
    if "." in text and ":" not in text:
        return _any_of_ipv4(text)
    head, _, tail = text.rpartition(":")
    if "." in tail:
        if not _any_of_ipv4(tail):
            return False
        text = f"{head}:0:0"
    groups = text.split(":", 9)
    if not all(re.fullmatch("0*+[0-9a-fA-F]{0,4}", g) for g in groups):
        return False
    if "::" not in text:
        return len(groups) == 8 and all(groups)
    before, _, after = text.partition("::")
    full = [g for part in (before, after) if part for g in part.split(":")]
    return "::" not in after and all(full) and len(full) < 8


def _cidr(text: str) -> bool:
    address, slash, bits = text.partition("/")
    if not slash or not _ip(address) or not re.fullmatch(r"\d{1,3}", bits, re.ASCII):
        return False
    return int(bits) <= (128 if ":" in address else 32)


def _date(text: str) -> bool:
    m = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text, re.ASCII)
    return m is not None and is_date(*map(int, m.groups()))


def _date_time(text: str) -> bool:
    day, t, clock = text.lower().partition("t")
    return bool(t) and _date(day) and _clock(clock.partition("t")[0])


def _duration(text: str) -> bool:
    """Go's notation, or any text that holds a number with a unit, as the Scala notation is read."""
    units = (u.lower() for u in re.findall(_UNIT, text, re.ASCII))
    return _go_duration(text) or any(u in _UNITS or u.startswith(_UNIT_PREFIXES) for u in units)


def _hostname(text: str) -> bool:
    size = len(text.encode(errors="surrogatepass"))
    return (
        size <= 255
        and all(len(p.encode(errors="surrogatepass")) <= 63 for p in text.split("."))
        and (re2.compile(_HOSTNAME).search(text))
    )


def _email(text: str) -> bool:
    """An address, alone or in angle brackets after a name (net/mail.ParseAddress, without comments and groups)."""
    m = re.fullmatch(rf"{_WORDS}<(.*)>\s*|(.*)", text, re.DOTALL)
    if m is None:
        return False
    local, at, domain = (m[1] if m[1] is not None else m[2]).strip(" \t").rpartition("@")
    quoted = re.fullmatch(r'"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*+"', local)
    return bool(at) and (quoted is not None or _dotted(local)) and (_dotted(domain) or domain[:1] + domain[-1:] == "[]")


def _uri(text: str) -> bool:
    """An absolute URI or path (net/url.ParseRequestURI)."""
    if any(c < " " or c == "\x7f" for c in text):
        return False
    m = re.match(r"([A-Za-z][-+.A-Za-z0-9]*+):", text)
    rest = (text[m.end() :] if m else text).partition("?")[0]
    if not rest.startswith("/"):
        return m is not None
    authority, path = "", rest
    if m and rest.startswith("//"):
        authority, slash, tail = rest[2:].partition("/")
        path = slash + tail
    return re.search(r"%(?![0-9A-Fa-f]{2})", path) is None and _authority(authority)


def _authority(text: str) -> bool:
    user, _, host = text.rpartition("@")
    if not re.fullmatch(r"(?:[-A-Za-z0-9._:~!$&'()*+,;=@]|%[0-9A-Fa-f]{2})*+", user):
        return False
    m = re.fullmatch(r"(?:\[[^\]]*+\]|(?:[^\x00-\x20#/?@\\^`{|}%\[\]:]|%25|%[89A-Fa-f][0-9A-Fa-f])*+)(?::\d*+)?", host)
    return m is not None


def _short_name(text: str) -> bool:
    return len(text) <= 63 and _is(_LABEL)(text)


def _long_name(text: str) -> bool:
    return len(text) <= 253 and all(map(_is(_LABEL), text.split(".")))


_CHECKS: Mapping[str, Check] = {
    "bsonobjectid": _is("[0-9a-fA-F]{24}"),
    "byte": _is(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})"),
    "cidr": _cidr,
    "date": _date,
    "datetime": _date_time,
    "duration": _duration,
    "email": _email,
    "hexcolor": _is("#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "hostname": _hostname,
    "ipv4": lambda text: "." in text and _ip(text),
    "ipv6": lambda text: ":" in text and _ip(text),
    "mac": _is(
        r"(?i:[0-9a-f]{2}([-:])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}(?:(?:\1[0-9a-f]{2}){2}|(?:\1[0-9a-f]{2}){14})?"
        r"|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}(?:(?:\.[0-9a-f]{4})|(?:\.[0-9a-f]{4}){7})?)"
    ),
    "rgbcolor": _is(rf"rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)"),
    "ssn": _is(r"\d{3}[- ]\d{2}[- ]\d{4}"),
    "uri": _uri,
    "uuid": _is(_UUID.format(_HEX4, _HEX4), re.IGNORECASE | re.ASCII),
    "uuid3": _is(_UUID.format("3[0-9a-f]{3}", _HEX4), re.IGNORECASE | re.ASCII),
    "uuid4": _is(_UUID.format("4[0-9a-f]{3}", _VARIANT), re.IGNORECASE | re.ASCII),
    "uuid5": _is(_UUID.format("5[0-9a-f]{3}", _VARIANT), re.IGNORECASE | re.ASCII),
    "k8sshortname": _short_name,
    "k8slongname": _long_name,
}
KNOWN = frozenset(_CHECKS) | {"creditcard", "isbn", "isbn10", "isbn13", "password"}


def known(name: str) -> str:
    """The format as strfmt calls it (without "-"); "" for one that the server does not know."""
    name = name.replace("-", "")
    return name if name in KNOWN else ""


def matches(name: str, text: str) -> bool:
    """Whether a text has a `known` format. A format that is not checked here always matches."""
    check = _CHECKS.get(name)
    return check is None or check(text)
