"""Quantities, semantic versions and named formats.

Follows k8s.io/apiserver/pkg/cel/library (quantity.go, semverlib.go, format.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kplan import quantity
from kplan.api.cel.declarations import NAMED_FORMATS
from kplan.api.cel.errors import EvalError
from kplan.api.cel.values import INT_MAX, INT_MIN, NamedFormat, Optional, Quantity, Semver, compare
from kplan.api.validation import names
from kplan.hints import Any
from kplan.schema import strfmt

_NANO = 10**9
_NUMBER = r"(0|[1-9][0-9]{0,18})"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)"
    r"(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_LOOSE = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(.*)", re.ASCII | re.DOTALL)
_LONGEST = 512


def _quantity(text: str) -> Quantity:
    if not isinstance(text, str):
        raise EvalError("no such overload")
    try:
        return Quantity(quantity.parse(text).nanos)
    except quantity.QuantityError as e:
        raise EvalError(str(e)) from None


def _is_quantity(text: str) -> bool:
    try:
        _quantity(text)
    except EvalError:
        return False
    return True


def _is_integer(q: Quantity) -> bool:
    return q.nanos % _NANO == 0 and INT_MIN <= q.nanos // _NANO <= INT_MAX


def _as_integer(q: Quantity) -> int:
    if not _is_integer(q):
        raise EvalError("cannot convert value to integer")
    return q.nanos // _NANO


def _added(sign: int) -> Callable[[Quantity, Any], Quantity]:
    def apply(q: Quantity, other: Any) -> Quantity:
        return Quantity(q.nanos + sign * (other.nanos if isinstance(other, Quantity) else other * _NANO))

    return apply


def _semver(text: str, loose: bool = False) -> Semver:
    if len(text) > _LONGEST:
        raise EvalError("semver string is too long")
    m = _SEMVER.fullmatch(_tightened(text) if loose else text)
    if m is None:
        raise EvalError("Invalid character(s) found in version")
    return Semver((int(m[1]), int(m[2]), int(m[3])), tuple(m[4].split(".")) if m[4] else ())


def _tightened(text: str) -> str:
    """A version without the liberties that are allowed on demand: a leading v, zeros, missing parts."""
    m = _LOOSE.fullmatch(text)
    if m is None:
        return text
    return ".".join((m[i] or "0").lstrip("0") or "0" for i in (1, 2, 3)) + m[4]


def _is_semver(text: str, loose: bool = False) -> bool:
    try:
        _semver(text, loose)
    except EvalError:
        return False
    return True


def _named(name: str) -> Optional:
    return Optional(True, NamedFormat(name)) if name in NAMED_FORMATS else Optional()


def _strfmt(name: str, sentence: str) -> names.Check:
    return lambda text: names.OK if strfmt.matches(name, text) else (sentence,)


def _prefix(check: names.Check) -> names.Check:
    return lambda text: names.generated(check, text)


_CHECKS: Mapping[str, names.Check] = {
    "dns1123Label": names.dns1123_label,
    "dns1123Subdomain": names.dns1123_subdomain,
    "dns1035Label": names.dns1035_label,
    "qualifiedName": names.qualified_name,
    "dns1123LabelPrefix": _prefix(names.dns1123_label),
    "dns1123SubdomainPrefix": _prefix(names.dns1123_subdomain),
    "dns1035LabelPrefix": _prefix(names.dns1035_label),
    "labelValue": names.label_value,
    "uri": _strfmt("uri", "invalid URI for request"),
    "uuid": _strfmt("uuid", "does not match the UUID format"),
    "byte": _strfmt("byte", "invalid base64"),
    "date": _strfmt("date", "invalid date"),
    "datetime": _strfmt("datetime", "invalid datetime"),
}


def _validate(form: NamedFormat, text: str) -> Optional:
    messages = _CHECKS[form.name](text)
    return Optional(True, list(messages)) if messages else Optional()


_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "isLessThan": lambda a, b: a < b,
    "isGreaterThan": lambda a, b: a > b,
    "compareTo": compare,
}

FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("quantity", "string"): _quantity,
    ("isQuantity", "string"): _is_quantity,
    ("isInteger", "kubernetes.Quantity"): _is_integer,
    ("asInteger", "kubernetes.Quantity"): _as_integer,
    ("asApproximateFloat", "kubernetes.Quantity"): lambda q: q.nanos / _NANO,
    ("sign", "kubernetes.Quantity"): lambda q: (q.nanos > 0) - (q.nanos < 0),
    ("add", "kubernetes.Quantity"): _added(1),
    ("sub", "kubernetes.Quantity"): _added(-1),
    **{(name, "kubernetes.Quantity"): order for name, order in _ORDERS.items()},
    ("semver", "string"): _semver,
    ("isSemver", "string"): _is_semver,
    ("major", "kubernetes.Semver"): lambda v: v.numbers[0],
    ("minor", "kubernetes.Semver"): lambda v: v.numbers[1],
    ("patch", "kubernetes.Semver"): lambda v: v.numbers[2],
    **{(name, "kubernetes.Semver"): order for name, order in _ORDERS.items()},
    ("format.named", "string"): _named,
    **{(f"format.{name}", ""): (lambda n=name: NamedFormat(n)) for name in NAMED_FORMATS},
    ("validate", "kubernetes.NamedFormat"): _validate,
}
