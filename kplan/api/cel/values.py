"""The values of expressions: plain Python ones where they serve, and the few types that JSON does not have.

int, float, str, bytes, bool, None, list and dict are the CEL values of those names. Follows cel-go's common/types.
"""

from __future__ import annotations

import functools
import ipaddress
import math
from collections.abc import Mapping

from kplan.api.cel.errors import EvalError
from kplan.hints import Any
from kplan.record import record

INT_MIN, INT_MAX, UINT_MAX = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1
SECOND = 1_000_000_000


class Uint(int):
    """An unsigned integer, which is another type than int."""

    __slots__ = ()


@functools.total_ordering
@record
class Duration:
    """A span of time in nanoseconds."""

    nanos: int

    def __lt__(self, other: Duration) -> bool:
        return self.nanos < other.nanos


@functools.total_ordering
@record
class Timestamp:
    """A moment, in nanoseconds since 1970."""

    nanos: int

    def __lt__(self, other: Timestamp) -> bool:
        return self.nanos < other.nanos


@record
class Optional:
    """A value that may be missing."""

    present: bool = False
    inner: Any = None

    def value(self) -> Any:
        """What is inside; raises EvalError."""
        if not self.present:
            raise EvalError("optional.none() dereference")
        return self.inner


@record
class TypeValue:
    """A type as a value."""

    name: str


@functools.total_ordering
@record
class Quantity:
    """A Kubernetes quantity, in nano-units."""

    nanos: int

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos


@functools.total_ordering
@record
class Semver:
    """A semantic version; build metadata does not count."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    def _key(self) -> tuple[Any, ...]:
        identifiers = [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in self.pre]
        return (self.numbers, not self.pre, identifiers)

    def __lt__(self, other: Semver) -> bool:
        return self._key() < other._key()


@record
class URL:
    """A parsed URL, in the parts that expressions may ask for."""

    scheme: str
    host: str
    hostname: str
    port: str
    path: str
    query: Mapping[str, list[str]]
    text: str


@record
class NamedFormat:
    """A format of format.named(): checks a text."""

    name: str


class KeyedList(list[Any]):
    """A list whose items have an identity: a list set (no keys) or a list map (its keys)."""

    __slots__ = ("keys",)

    def __init__(self, items: list[Any], keys: tuple[str, ...]) -> None:
        super().__init__(items)
        self.keys = keys

    def identity(self, item: Any) -> Any:
        """What tells an item from the others."""
        return tuple(item.get(k) for k in self.keys) if self.keys and isinstance(item, dict) else item

    def merged(self, other: list[Any]) -> KeyedList:
        """This list with the other's items: those of the same identity in their places, new ones behind."""
        items = list(self)
        for item in other:
            identity = self.identity(item)
            at = next((i for i, own in enumerate(items) if equal(self.identity(own), identity)), None)
            if at is None:
                items.append(item)
            else:
                items[at] = item
        return KeyedList(items, self.keys)


Address = (ipaddress.IPv4Address, ipaddress.IPv6Address)
Network = (ipaddress.IPv4Interface, ipaddress.IPv6Interface)

_NAMES: Mapping[type, str] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    list: "list",
    KeyedList: "list",
    dict: "map",
    Duration: "google.protobuf.Duration",
    Timestamp: "google.protobuf.Timestamp",
    Optional: "optional_type",
    TypeValue: "type",
    Quantity: "kubernetes.Quantity",
    Semver: "kubernetes.Semver",
    URL: "kubernetes.URL",
    NamedFormat: "kubernetes.NamedFormat",
    ipaddress.IPv4Address: "net.IP",
    ipaddress.IPv6Address: "net.IP",
    ipaddress.IPv4Interface: "net.CIDR",
    ipaddress.IPv6Interface: "net.CIDR",
}


def type_name(value: Any) -> str:
    """The name of the type of a value."""
    return _NAMES.get(type(value), "object")


def is_number(value: Any) -> bool:
    """Whether a value is an int, uint or double."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def equal(a: Any, b: Any) -> bool:
    """Whether two values are equal: numbers by amount whatever their type, other types only among themselves."""
    if is_number(a) and is_number(b):
        return bool(a == b)
    if isinstance(a, KeyedList) and isinstance(b, list):
        return len(a) == len(b) and all(any(equal(x, y) for y in b) for x in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return len(a) == len(b) and all(k in b and equal(v, b[k]) for k, v in a.items())
    if isinstance(a, Optional) and isinstance(b, Optional):
        return a.present == b.present and equal(a.inner, b.inner)
    return type_name(a) == type_name(b) and bool(a == b)


def compare(a: Any, b: Any) -> int | None:
    """-1, 0 or 1; None if one is not a number."""
    if (isinstance(a, float) and math.isnan(a)) or (isinstance(b, float) and math.isnan(b)):
        return None
    return int(a > b) - int(a < b)


def is_zero(value: Any) -> bool:
    """Whether a value is the empty one of its type."""
    if isinstance(value, (Duration, Timestamp)):
        return value.nanos == 0
    return value is None or (isinstance(value, (bool, int, float, str, bytes, list, dict)) and not value)


def size_of(value: Any) -> int:
    """How much work it is to look at a value: the length of texts and lists, 1 for all else."""
    return len(value) if isinstance(value, (str, bytes, list, dict)) else 1
