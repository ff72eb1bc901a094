"""Which functions there are, and for which types: the standard library of CEL and the libraries of Kubernetes.

Follows cel-go (common/stdlib, cel/library.go, ext/strings.go, ext/sets.go, ext/lists.go) and
k8s.io/apiserver/pkg/cel/library. A line is a signature: a receiver and a dot before the name for a method, then the
arguments and the result. Capital letters are type variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from kplan.api.cel.types import Type
from kplan.tuples import NamedTuple

_COMPARABLE = "bool string bytes timestamp duration"
_NUMBERS = "int uint double"

_STANDARD = """
!_(bool) bool
-_(int) int
-_(double) double
_?_:_(bool, A, A) A
_==_(A, A) bool
_!=_(A, A) bool
@in(A, list(A)) bool
@in(A, map(A, B)) bool
_[_](list(A), int) A
_[_](map(A, B), A) B
_[_](optional_type(list(A)), int) optional_type(A)
_[_](optional_type(map(A, B)), A) optional_type(B)
_[?_](list(A), int) optional_type(A)
_[?_](map(A, B), A) optional_type(B)
_[?_](optional_type(list(A)), int) optional_type(A)
_[?_](optional_type(map(A, B)), A) optional_type(B)
_+_(int, int) int
_+_(uint, uint) uint
_+_(double, double) double
_+_(string, string) string
_+_(bytes, bytes) bytes
_+_(list(A), list(A)) list(A)
_+_(duration, duration) duration
_+_(duration, timestamp) timestamp
_+_(timestamp, duration) timestamp
_-_(int, int) int
_-_(uint, uint) uint
_-_(double, double) double
_-_(duration, duration) duration
_-_(timestamp, timestamp) duration
_-_(timestamp, duration) timestamp
_*_(int, int) int
_*_(uint, uint) uint
_*_(double, double) double
_/_(int, int) int
_/_(uint, uint) uint
_/_(double, double) double
_%_(int, int) int
_%_(uint, uint) uint
dyn(A) dyn
type(A) type(A)
matches(string, string) bool
string.matches(string) bool
string.contains(string) bool
string.startsWith(string) bool
string.endsWith(string) bool
duration(int) duration
timestamp(int) timestamp
bytes(string) bytes
"""

_CONVERSIONS = {
    "bool": "bool string",
    "bytes": "bytes",
    "double": "double int uint string",
    "duration": "duration string",
    "int": "int uint double string timestamp duration",
    "string": "string bool int uint double bytes timestamp duration",
    "timestamp": "timestamp string",
    "uint": "uint int double string",
}
_TIMESTAMP_PARTS = "FullYear Month DayOfYear DayOfMonth Date DayOfWeek Hours Minutes Seconds Milliseconds"
_DURATION_PARTS = "Hours Minutes Seconds Milliseconds"

_OPTIONAL = """
optional.of(A) optional_type(A)
optional.ofNonZeroValue(A) optional_type(A)
optional.none() optional_type(A)
optional_type(A).hasValue() bool
optional_type(A).value() A
optional_type(A).or(optional_type(A)) optional_type(A)
optional_type(A).orValue(A) A
"""

_STRINGS = """
string.charAt(int) string
string.indexOf(string) int
string.indexOf(string, int) int
string.lastIndexOf(string) int
string.lastIndexOf(string, int) int
string.lowerAscii() string
string.upperAscii() string
string.replace(string, string) string
string.replace(string, string, int) string
string.split(string) list(string)
string.split(string, int) list(string)
string.substring(int) string
string.substring(int, int) string
string.trim() string
list(string).join() string
list(string).join(string) string
string.format(list(dyn)) string
strings.quote(string) string
jsonpatch.escapeKey(string) string
string.find(string) string
string.findAll(string) list(string)
string.findAll(string, int) list(string)
"""

_SETS = """
sets.contains(list(A), list(A)) bool
sets.equivalent(list(A), list(A)) bool
sets.intersects(list(A), list(A)) bool
list(A).indexOf(A) int
list(A).lastIndexOf(A) int
list(A).slice(int, int) list(A)
list(A).distinct() list(A)
list(A).reverse() list(A)
list(list(A)).flatten() list(A)
list(dyn).flatten(int) list(dyn)
lists.range(int) list(int)
"""
_SORTABLE = "int uint double bool duration timestamp string bytes"
_ADDABLE = "int uint double duration"

_NETWORK = """
url(string) kubernetes.URL
isURL(string) bool
kubernetes.URL.getScheme() string
kubernetes.URL.getHost() string
kubernetes.URL.getHostname() string
kubernetes.URL.getPort() string
kubernetes.URL.getEscapedPath() string
kubernetes.URL.getQuery() map(string, list(string))
ip(string) net.IP
isIP(string) bool
ip.isCanonical(string) bool
net.IP.family() int
net.IP.isUnspecified() bool
net.IP.isLoopback() bool
net.IP.isLinkLocalMulticast() bool
net.IP.isLinkLocalUnicast() bool
net.IP.isGlobalUnicast() bool
string(net.IP) string
cidr(string) net.CIDR
isCIDR(string) bool
net.CIDR.containsIP(string) bool
net.CIDR.containsIP(net.IP) bool
net.CIDR.containsCIDR(string) bool
net.CIDR.containsCIDR(net.CIDR) bool
net.CIDR.ip() net.IP
net.CIDR.masked() net.CIDR
net.CIDR.prefixLength() int
string(net.CIDR) string
"""

_QUANTITIES = """
quantity(string) kubernetes.Quantity
isQuantity(string) bool
kubernetes.Quantity.isInteger() bool
kubernetes.Quantity.asInteger() int
kubernetes.Quantity.asApproximateFloat() double
kubernetes.Quantity.sign() int
kubernetes.Quantity.add(kubernetes.Quantity) kubernetes.Quantity
kubernetes.Quantity.add(int) kubernetes.Quantity
kubernetes.Quantity.sub(kubernetes.Quantity) kubernetes.Quantity
kubernetes.Quantity.sub(int) kubernetes.Quantity
kubernetes.Quantity.isLessThan(kubernetes.Quantity) bool
kubernetes.Quantity.isGreaterThan(kubernetes.Quantity) bool
kubernetes.Quantity.compareTo(kubernetes.Quantity) int
semver(string) kubernetes.Semver
semver(string, bool) kubernetes.Semver
isSemver(string) bool
isSemver(string, bool) bool
kubernetes.Semver.major() int
kubernetes.Semver.minor() int
kubernetes.Semver.patch() int
kubernetes.Semver.isLessThan(kubernetes.Semver) bool
kubernetes.Semver.isGreaterThan(kubernetes.Semver) bool
kubernetes.Semver.compareTo(kubernetes.Semver) int
format.named(string) optional_type(kubernetes.NamedFormat)
kubernetes.NamedFormat.validate(string) optional_type(list(string))
"""
_NAMESPACES = frozenset("optional sets format ip strings jsonpatch lists".split())
# What only the expressions of a mutation know.
OF_MUTATIONS = frozenset({"jsonpatch.escapeKey"})
# What came late, by the minor since which new expressions may use it: one after that which introduced it ("CEL options,
# language features, and libraries" in the documentation of CEL in Kubernetes).
_SINCE: Mapping[int, str] = {
    30: "sets.contains sets.equivalent sets.intersects",
    31: "ip isIP ip.isCanonical cidr isCIDR",
    34: "semver isSemver",
    35: "slice distinct reverse flatten lists.range sort sortBy",
}
NAMED_FORMATS = tuple(
    "dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix dns1123SubdomainPrefix "
    "dns1035LabelPrefix labelValue uri uuid byte date datetime".split()
)

_AUTHORIZER = """
Authorizer.path(string) PathCheck
Authorizer.group(string) GroupCheck
Authorizer.serviceAccount(string, string) Authorizer
PathCheck.check(string) Decision
GroupCheck.resource(string) ResourceCheck
ResourceCheck.subresource(string) ResourceCheck
ResourceCheck.namespace(string) ResourceCheck
ResourceCheck.name(string) ResourceCheck
ResourceCheck.fieldSelector(string) ResourceCheck
ResourceCheck.labelSelector(string) ResourceCheck
ResourceCheck.check(string) Decision
Decision.allowed() bool
Decision.reason() string
Decision.errored() bool
Decision.error() string
""".replace("Authorizer.", "kubernetes.authorization.Authorizer.")
_AUTHORIZER_TYPE = re.compile(r"(?<![\w.])(Authorizer|PathCheck|GroupCheck|ResourceCheck|Decision)(?=[\s.]|$)")


@lru_cache(maxsize=32)
def missing(minor: int) -> frozenset[str]:
    """The functions and macros that a new expression of a definition may not use in a release."""
    return OF_MUTATIONS.union(*(names.split() for since, names in _SINCE.items() if minor < since))


class Signature(NamedTuple):
    """One overload of a function; the receiver of a method is the first of `args`."""

    method: bool
    args: tuple[Type, ...]
    result: Type


@lru_cache(maxsize=1)
def functions() -> Mapping[str, tuple[Signature, ...]]:
    """Every function with its overloads."""
    table: dict[str, tuple[Signature, ...]] = {}
    for line in _lines():
        name, signature = _signature(line)
        table[name] = (*table.get(name, ()), signature)
    return table


@lru_cache(maxsize=1024)
def overloads(name: str, method: bool, count: int) -> tuple[Signature, ...]:
    """The overloads of a known function, as a method or not, that take so many arguments, the receiver counted."""
    return tuple(s for s in functions()[name] if s.method == method and len(s.args) == count)


def _lines() -> list[str]:
    authorizer = _AUTHORIZER_TYPE.sub(r"kubernetes.authorization.\1", _AUTHORIZER)
    written = (_STANDARD, _OPTIONAL, _STRINGS, _SETS, _NETWORK, _QUANTITIES, authorizer)
    lines = [line for text in written for line in text.strip().splitlines()]
    for op in ("_<_", "_<=_", "_>_", "_>=_"):
        lines += [f"{op}({t}, {t}) bool" for t in _COMPARABLE.split()]
        lines += [f"{op}({a}, {b}) bool" for a in _NUMBERS.split() for b in _NUMBERS.split()]
    lines += [f"{to}({t}) {to}" for to, of in _CONVERSIONS.items() for t in of.split()]
    for sized in ("string", "bytes", "list(A)", "map(A, B)"):
        lines += [f"size({sized}) int", f"{sized}.size() int"]
    for part in _TIMESTAMP_PARTS.split():
        lines += [f"timestamp.get{part}() int", f"timestamp.get{part}(string) int"]
    lines += [f"duration.get{part}() int" for part in _DURATION_PARTS.split()]
    lines += [f"list({t}).isSorted() bool" for t in _SORTABLE.split()]
    lines += [f"list({t}).{f}() {t}" for t in _SORTABLE.split() for f in ("min", "max")]
    lines += [f"list({t}).sort() list({t})" for t in _SORTABLE.split()]
    lines += [f"list({t}).sum() {t}" for t in _ADDABLE.split()]
    lines += [f"format.{name}() kubernetes.NamedFormat" for name in NAMED_FORMATS]
    return lines


def _signature(line: str) -> tuple[str, Signature]:
    head, _, tail = line.rpartition(") ")
    opening = _last_opening(head)
    name, args = head[:opening], head[opening + 1 :]
    receiver, method = "", False
    if "." in name and name.partition(".")[0] not in _NAMESPACES:
        receiver, _, name = name.rpartition(".")
        method = True
    types = [t for t in (receiver, *_split(args)) if t]
    return name, Signature(method, tuple(map(_type, types)), _type(tail))


def _last_opening(text: str) -> int:
    """Where the argument list opens whose closing bracket has just been cut off."""
    depth = 0
    for i in range(len(text) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(text[i], 0)
        if depth < 0:
            return i
    raise AssertionError(text)


def _split(text: str) -> list[str]:
    """A list of types at its commas, leaving those inside brackets alone."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [*parts, text[start:].strip()]


def _type(text: str) -> Type:
    name, opened, inside = text.partition("(")
    return Type(name, tuple(map(_type, _split(inside[:-1])))) if opened else Type(name)
