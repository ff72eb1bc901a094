"""IP addresses and CIDRs: validity, and the warnings about forms that other software reads differently.

Follows k8s.io/apimachinery/pkg/util/validation/ip.go and k8s.io/utils/net/parse.go. "Sloppy" is what the first Go
parsers took: leading zeros in IPv4 octets and prefix lengths, and IPv4-mapped IPv6 addresses.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kplan.api.validation.field import Errors, go_quote
from kplan.hints import TYPE_CHECKING
from kplan.patterns import lazy
from kplan.tuples import NamedTuple

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    IP = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

STRICT_SINCE = 36
IP_ERROR = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
CIDR_ERROR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

_OCTETS = lazy(r"(.*?)([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)", re.DOTALL)
_ZEROS = lazy(r"(?<![0-9])0+(?=[0-9])")
_DIGITS = lazy(r"[0-9]+")
_PLAIN_LENGTHS = frozenset(map(str, range(33)))


class Cidr(NamedTuple):
    """A CIDR as written: the address before the slash and the network it lies in."""

    ip: IP
    network: Network


@lru_cache(maxsize=1024)
def is_plain_ipv4(text: str) -> bool:
    """Whether a text is an IPv4 address in its one form, as nearly all are: nothing is to be said of it."""
    parts = text.split(".")
    return len(parts) == 4 and all(p.isascii() and p.isdigit() and p == str(int(p[:4])) and int(p) < 256 for p in parts)


def is_plain_ipv4_cidr(text: str) -> bool:
    """Whether a text is an IPv4 network in its one form, without bits beyond the prefix."""
    address, _, length = text.partition("/")
    if length not in _PLAIN_LENGTHS or not is_plain_ipv4(address):
        return False
    number = int.from_bytes(map(int, address.split(".")), "big")
    return number & ((1 << 32 - int(length)) - 1) == 0


def parse_ip(text: str) -> IP | None:
    """The address of a text as the sloppy parser reads it (an IPv4-mapped one stays IPv6); None if it is none."""
    return None if len(text) > 64 or "%" in text else _parsed(text)


@lru_cache(maxsize=1024)
def _parsed(text: str) -> IP | None:
    m = _OCTETS.fullmatch(text)
    if m is not None:
        text = m[1] + _ZEROS.sub("", m[2])
    from ipaddress import ip_address

    try:
        return ip_address(text)
    except ValueError:
        return None


def parse_cidr(text: str) -> Cidr | None:
    """The CIDR of a text as the sloppy parser reads it; None if it is none."""
    address, slash, length = text.partition("/")
    if not slash or len(length) > 8 or not _DIGITS.fullmatch(length):
        return None
    ip = parse_ip(address)
    if ip is None or int(length) > ip.max_prefixlen:
        return None
    from ipaddress import ip_network

    return Cidr(ip, ip_network((ip, int(length)), strict=False))


def go_text(ip: IP) -> str:
    """An address as Go prints it: an IPv4-mapped one as plain IPv4."""
    mapped = ip.ipv4_mapped if ip.version == 6 else None
    return str(mapped if mapped is not None else ip)


def is_mapped(ip: IP) -> bool:
    """Whether an address is IPv4-mapped IPv6."""
    return ip.version == 6 and ip.ipv4_mapped is not None


def is_ipv6(ip: IP) -> bool:
    """Whether Kubernetes counts an address as IPv6: an IPv4-mapped one is IPv4."""
    return ip.version == 6 and ip.ipv4_mapped is None


def _network_text(cidr: Cidr) -> str:
    ip, length = cidr.network.network_address, cidr.network.prefixlen
    if is_mapped(ip) and length >= 96:
        return f"{go_text(ip)}/{length - 96}"
    return f"{ip}/{length}"


def _leading_zeros(address: str) -> bool:
    m = _OCTETS.fullmatch(address)
    return m is not None and _ZEROS.search(m[2]) is not None


def legacy_ip(errors: Errors, field: str, value: str, minor: int, old: tuple[str, ...] = ()) -> None:
    """An address in a field that predates strict parsing; `old` are stored values that stay allowed."""
    if value not in old and not is_plain_ipv4(value):
        _ip(errors, field, value, strict=minor >= STRICT_SINCE)


def canonical_ip(errors: Errors, field: str, value: str) -> None:
    """An address in a newer field, which must be written in its one form."""
    ip = _ip(errors, field, value, strict=True)
    if ip is not None and value != go_text(ip):
        errors.invalid(field, value, f"must be in canonical form ({go_quote(go_text(ip))})")


def _ip(errors: Errors, field: str, value: str, *, strict: bool) -> IP | None:
    ip = parse_ip(value)
    if ip is None:
        errors.invalid(field, value, IP_ERROR)
        return None
    if strict and _leading_zeros(value):
        errors.invalid(field, value, "must not have leading 0s")
        return None
    if strict and is_mapped(ip):
        errors.invalid(field, value, "must not be an IPv4-mapped IPv6 address")
        return None
    return ip


def legacy_cidr(errors: Errors, field: str, value: str, minor: int, old: tuple[str, ...] = ()) -> None:
    """A CIDR in a field that predates strict parsing; `old` are stored values that stay allowed."""
    if value not in old and not is_plain_ipv4_cidr(value):
        _cidr(errors, field, value, strict=minor >= STRICT_SINCE)


def canonical_cidr(errors: Errors, field: str, value: str) -> None:
    """A CIDR in a newer field, which must be written in its one form."""
    cidr = _cidr(errors, field, value, strict=True)
    if cidr is not None and value != _network_text(cidr):
        errors.invalid(field, value, f"must be in canonical form ({go_quote(_network_text(cidr))})")


def _cidr(errors: Errors, field: str, value: str, *, strict: bool) -> Cidr | None:
    cidr = parse_cidr(value)
    if cidr is None:
        errors.invalid(field, value, CIDR_ERROR)
        return None
    fault = _cidr_fault(value, cidr) if strict else ""
    if fault:
        errors.invalid(field, value, fault)
        return None
    return cidr


def _cidr_fault(value: str, cidr: Cidr) -> str:
    if _zeros_in_cidr(value):
        return "must not have leading 0s in IP or prefix length"
    if is_mapped(cidr.ip):
        return "must not have an IPv4-mapped IPv6 address"
    if cidr.ip != cidr.network.network_address:
        return "must not have bits set beyond the prefix length"
    return ""


def _zeros_in_cidr(value: str) -> bool:
    address, _, length = value.partition("/")
    return _leading_zeros(address) or _ZEROS.match(length) is not None


def ip_warnings(field: str, value: str) -> list[str]:
    """What the server says about a valid address in an unusual form."""
    ip = None if not value or is_plain_ipv4(value) else parse_ip(value)
    if ip is None:
        return []
    if _leading_zeros(value) or is_mapped(ip):
        return [f"{field}: non-standard IP address {go_quote(value)} is invalid: use {go_quote(go_text(ip))}"]
    if ip.version == 6 and str(ip) != value:
        return [f"{field}: IPv6 address {go_quote(value)} should be in RFC 5952 canonical format ({go_quote(str(ip))})"]
    return []


def cidr_warnings(field: str, value: str) -> list[str]:
    """What the server says about a valid CIDR in an unusual or ambiguous form."""
    cidr = None if not value or is_plain_ipv4_cidr(value) else parse_cidr(value)
    if cidr is None:
        return []
    quoted, network = go_quote(value), _network_text(cidr)
    out = []
    if cidr.ip != cidr.network.network_address:
        single = f"{go_text(cidr.ip)}/{cidr.ip.max_prefixlen}"
        out.append(
            f"{field}: CIDR value {quoted} is ambiguous in this context "
            f"(should be {go_quote(network)} or {go_quote(single)}?)"
        )
    if _zeros_in_cidr(value) or is_mapped(cidr.ip):
        out.append(f"{field}: non-standard CIDR value {quoted} is invalid: use {go_quote(network)}")
    if not out and cidr.ip.version == 6 and network != value:
        out.append(f"{field}: IPv6 CIDR value {quoted} should be in RFC 5952 canonical format ({go_quote(network)})")
    return out
