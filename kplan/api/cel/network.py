"""URLs, IP addresses and CIDRs. Follows k8s.io/apiserver/pkg/cel/library (urls.go, ip.go, cidr.go)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, quote, urlsplit

from kplan.api.cel.errors import EvalError
from kplan.api.cel.values import URL, Address, Network
from kplan.hints import Any

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
CIDR = ipaddress.IPv4Interface | ipaddress.IPv6Interface

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _ip(text: str) -> IP:
    try:
        address = ipaddress.ip_address(_text(text))
    except ValueError:
        raise EvalError(f"IP Address {text!r} parse error during conversion from string".replace("'", '"')) from None
    if "%" in text or getattr(address, "ipv4_mapped", None) is not None:
        raise EvalError(f'IP Address "{text}" with zone value or IPv4-mapped IPv6 address is not allowed')
    return address


def _cidr(text: str) -> CIDR:
    address, slash, bits = _text(text).partition("/")
    try:
        if not slash or not bits.isascii() or not bits.isdecimal() or (bits != "0" and bits[0] == "0"):
            raise ValueError
        interface = ipaddress.ip_interface(text)
    except ValueError:
        raise EvalError(f'network address parse error during conversion from string: "{text}"') from None
    _ip(address)
    return interface


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise EvalError("no such overload")
    return value


def _reads(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        try:
            read(text)
        except EvalError:
            return False
        return True

    return test


def _url(text: str) -> URL:
    """An absolute URL or path, as Go's url.ParseRequestURI takes it."""
    failure = EvalError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    try:
        parts = urlsplit(_text(text))
        port = parts.port
    except ValueError:
        raise failure from None
    if any(c < " " or c == "\x7f" for c in text) or _BAD_ESCAPE.search(parts.path):
        raise failure
    if not text.startswith("/") and not parts.scheme:
        raise failure
    host = parts.netloc.rpartition("@")[2]
    query = parse_qs(parts.query, keep_blank_values=True)
    path = quote(parts.path, safe="%/:@!$&'()*+,;=-._~")
    return URL(parts.scheme, host, _hostname(host), str(port) if port is not None else "", path, query, text)


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _contains_ip(network: CIDR, address: Any) -> bool:
    ip = address if isinstance(address, Address) else _ip(address)
    return ip.version == network.version and ip in network.network


def _contains_cidr(network: CIDR, other: Any) -> bool:
    inner = other if isinstance(other, Network) else _cidr(other)
    return inner.version == network.version and inner.network.subnet_of(network.network)  # type: ignore[arg-type]


def _masked(network: CIDR) -> CIDR:
    return ipaddress.ip_interface(str(network.network))


def _canonical(text: str) -> bool:
    return str(_ip(text)) == text


def _global(ip: IP) -> bool:
    return not (ip.is_unspecified or ip.is_loopback or ip.is_multicast or ip.is_link_local) and str(ip) != _BROADCAST


_BROADCAST = "255.255.255.255"

FUNCTIONS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("url", "string"): _url,
    ("isURL", "string"): _reads(_url),
    ("getScheme", "kubernetes.URL"): lambda u: u.scheme,
    ("getHost", "kubernetes.URL"): lambda u: u.host,
    ("getHostname", "kubernetes.URL"): lambda u: u.hostname,
    ("getPort", "kubernetes.URL"): lambda u: u.port,
    ("getEscapedPath", "kubernetes.URL"): lambda u: u.path,
    ("getQuery", "kubernetes.URL"): lambda u: dict(u.query),
    ("ip", "string"): _ip,
    ("ip", "net.CIDR"): lambda n: n.ip,
    ("isIP", "string"): _reads(_ip),
    ("ip.isCanonical", "string"): _canonical,
    ("family", "net.IP"): lambda ip: ip.version,
    ("isUnspecified", "net.IP"): lambda ip: ip.is_unspecified,
    ("isLoopback", "net.IP"): lambda ip: ip.is_loopback,
    ("isLinkLocalMulticast", "net.IP"): lambda ip: (
        ip in ipaddress.ip_network("224.0.0.0/24" if ip.version == 4 else "ff02::/16")
    ),
    ("isLinkLocalUnicast", "net.IP"): lambda ip: ip.is_link_local,
    ("isGlobalUnicast", "net.IP"): _global,
    ("cidr", "string"): _cidr,
    ("isCIDR", "string"): _reads(_cidr),
    ("containsIP", "net.CIDR"): _contains_ip,
    ("containsCIDR", "net.CIDR"): _contains_cidr,
    ("masked", "net.CIDR"): _masked,
    ("prefixLength", "net.CIDR"): lambda n: n.network.prefixlen,
}
