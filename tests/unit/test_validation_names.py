"""Names and formats: for every check, texts that are right, and texts that are wrong with the reason in a word."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kplan.api.validation import addresses, names
from kplan.api.validation.field import Errors

L = "a" * 63
LONG = ".".join([L] * 4)  # 255 bytes

RIGHT = [
    (names.dns1123_label, ["a", "0", "a-b", "1a", "a--b", L]),
    (names.dns1123_subdomain, ["a", "a.b", "1.2.3.4", "a-b.c-d", ".".join([L, L, L, "a" * 61])]),
    (names.dns1123_subdomain_with_underscore, ["a", "_a._b", "a_b.c"]),
    (names.dns1035_label, ["a", "a1", "a-b", L]),
    (names.wildcard_dns1123_subdomain, ["*.a", "*.a.b-c"]),
    (names.label_value, ["", "a", "A_b.c-d", "0", L]),
    (names.qualified_name, ["a", "A.b_c-d", L, "a/b", "example.com/A_b", f"{L}.{L}.{L}/{L}"]),
    (names.percent, ["0%", "100%", "007%"]),
    (names.http_header, ["a", "X-Header-Name", "-"]),
    (names.c_identifier, ["a", "_", "A_1"]),
    (names.config_key, ["a", ".a", "a..b", "A_b-c.d", "0" * 253]),
    (names.port_name, ["a", "http", "1a", "a-1-b", "a" * 15]),
    (names.decimal_integer, ["0", "1", "-1", "9" * 40]),
    (names.path_segment, ["a", "...", "system:node", "A b", "\u00e9"]),
]

WRONG = [
    (names.dns1123_label, "", ["a lowercase RFC 1123 label must consist of"]),
    (names.dns1123_label, "A", ["a lowercase RFC 1123 label must consist of"]),
    (names.dns1123_label, "-a", ["a lowercase RFC 1123 label must consist of"]),
    (names.dns1123_label, "a\n", ["a lowercase RFC 1123 label must consist of"]),
    (names.dns1123_label, "\u0661", ["a lowercase RFC 1123 label must consist of"]),
    (names.dns1123_label, "a.b", ["must not contain dots"]),
    (names.dns1123_label, "a" * 64, ["must be no more than 63 characters"]),
    (names.dns1123_label, "\u00e9" * 32, ["must be no more than 63 characters", "a lowercase RFC 1123 label"]),
    (names.dns1123_subdomain, "a..b", ["a lowercase RFC 1123 subdomain must consist of"]),
    (names.dns1123_subdomain, "a_b", ["a lowercase RFC 1123 subdomain must consist of"]),
    (names.dns1123_subdomain, LONG, ["must be no more than 253 characters"]),
    (names.long_name, LONG, ["must be no more than 253 bytes"]),
    (names.dns1123_subdomain_with_underscore, "a_", ["a lowercase RFC 1123 subdomain must consist of"]),
    (names.dns1035_label, "1a", ["a DNS-1035 label must consist of"]),
    (names.dns1035_label, "a.b", ["a DNS-1035 label must consist of"]),
    (names.wildcard_dns1123_subdomain, "*", ["a wildcard DNS-1123 subdomain must start with '*.'"]),
    (names.wildcard_dns1123_subdomain, "a.*.b", ["a wildcard DNS-1123 subdomain must start with '*.'"]),
    (names.label_value, "a/b", ["a valid label must be an empty string or consist of"]),
    (names.label_value, "a" * 64, ["must be no more than 63 bytes"]),
    (names.qualified_name, "", ["name part must be non-empty", "name part must consist of"]),
    (names.qualified_name, "/a", ["prefix part must be non-empty"]),
    (names.qualified_name, "a/", ["name part must be non-empty", "name part must consist of"]),
    (names.qualified_name, "A/b", ["prefix part a lowercase RFC 1123 subdomain"]),
    (names.qualified_name, "a/b/c", ["a valid label key must consist of"]),
    (names.qualified_name, "a" * 64, ["name part must be no more than 63 bytes"]),
    (names.qualified_name, f"{LONG}/-", ["prefix part must be no more than 253 bytes", "name part must consist of"]),
    (names.percent, "50", ["a valid percent string must be"]),
    (names.percent, "-1%", ["a valid percent string must be"]),
    (names.http_header, "X_Y", ["a valid HTTP header must consist of"]),
    (names.c_identifier, "1a", ["a valid C identifier must start with"]),
    (names.config_key, "", ["a valid config key must consist of"]),
    (names.config_key, ".", ["must not be '.'"]),
    (names.config_key, "..", ["must not be '..'"]),
    (names.config_key, "..a", ["must not start with '..'"]),
    (names.config_key, "a/" * 127, ["must be no more than 253 characters", "a valid config key must consist of"]),
    (names.port_name, "", ["must contain only alpha-numeric", "must contain at least one letter"]),
    (names.port_name, "80", ["must contain at least one letter"]),
    (names.port_name, "HTTP", ["must contain only alpha-numeric", "must contain at least one letter"]),
    (names.port_name, "a--b-", ["must not contain consecutive hyphens", "must not begin or end with a hyphen"]),
    (names.port_name, "a" * 16, ["must be no more than 15 characters"]),
    (names.decimal_integer, "", ["must be non-empty"]),
    (names.decimal_integer, "+1", ["must be a valid decimal integer in canonical form"]),
    (names.decimal_integer, "-0", ["must be a valid decimal integer in canonical form"]),
    (names.decimal_integer, "\u0661", ["must be a valid decimal integer in canonical form"]),
    (names.path_segment, ".", ["may not be '.'"]),
    (names.path_segment, "a/b%c", ["may not contain '/'", "may not contain '%'"]),
]


@pytest.mark.parametrize(("check", "texts"), RIGHT)
def test_right(check: names.Check, texts: list[str]) -> None:
    assert [t for t in texts if check(t)] == []


@pytest.mark.parametrize(("check", "text", "sentences"), WRONG)
def test_wrong(check: names.Check, text: str, sentences: list[str]) -> None:
    found = check(text)
    assert [m[: len(s)] for m, s in zip(found, sentences, strict=True)] == sentences


def test_a_whole_sentence() -> None:
    assert names.dns1123_subdomain("A")[0] == (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
        "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
    )
    assert names.qualified_name("a/b/c")[0] == (
        "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
        "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' "
        "(e.g. 'example.com/MyName')"
    )


@pytest.mark.parametrize(
    ("text", "minor", "ok"),
    [
        ("A", 29, True),
        ("a b", 31, False),
        ("a b", 32, True),
        ("1", 31, False),
        ("1", 32, True),
        ("..a", 31, False),
        ("..", 32, True),
        ("a=b", 36, False),
        ("\u00e9", 36, False),
        ("\t", 36, False),
        ("", 31, False),
        ("", 36, False),
    ],
)
def test_env_name(text: str, minor: int, ok: bool) -> None:
    assert (names.env_name(text, minor) == names.OK) is ok


@pytest.mark.parametrize(
    ("check", "prefix", "ok"),
    [
        (names.dns1123_label, "web-", True),
        (names.dns1123_label, "web--", True),
        (names.dns1123_label, "-", False),
        (names.dns1123_label, "a" * 64, False),
        (names.dns1123_label, "web.", False),
        (names.path_segment, "..", True),
        (names.path_segment, "a/", False),
    ],
)
def test_generated(check: names.Check, prefix: str, ok: bool) -> None:
    assert (names.generated(check, prefix) == names.OK) is ok


def reported(check: Callable[..., object], *args: object) -> list[str]:
    errors = Errors()
    check(errors, "f", *args)
    return [c.message for c in errors.causes]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("acme.io/foo", []),
        ("acme.io/foo/bar", []),
        ("", ["Required value"]),
        ("acme.io", ['Invalid value: "acme.io": must be a domain-prefixed path (such as "acme.io/foo")']),
        ("/foo", ['Invalid value: "/foo": must be a domain-prefixed path (such as "acme.io/foo")']),
        (
            "acme.io/a b",
            ["Invalid value: \"a b\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')"],
        ),
    ],
)
def test_domain_prefixed_path(text: str, messages: list[str]) -> None:
    assert reported(names.domain_prefixed_path, text) == messages


LEGACY_IP = [
    ("10.9.8.7", 36, True),
    ("2001:db8::ffff", 36, True),
    ("010.9.8.7", 35, True),
    ("010.9.8.7", 36, False),
    ("::ffff:1.2.3.4", 35, True),
    ("::ffff:1.2.3.4", 36, False),
    ("1.2.3", 35, False),
    ("1.2.3.256", 35, False),
    ("1.2.3.4/8", 35, False),
    ("fe80::1%eth0", 35, False),
    ("", 35, False),
    ("\u0661.2.3.4", 35, False),
]


@pytest.mark.parametrize(("text", "minor", "ok"), LEGACY_IP)
def test_legacy_ip(text: str, minor: int, ok: bool) -> None:
    assert (reported(addresses.legacy_ip, text, minor) == []) is ok


def test_a_stored_address_stays_allowed() -> None:
    assert reported(addresses.legacy_ip, "010.9.8.7", 36, ("010.9.8.7",)) == []
    assert reported(addresses.legacy_cidr, "10.9.8.7/8", 36, ("10.9.8.7/8",)) == []


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("::1", []),
        ("0:0::1", ['Invalid value: "0:0::1": must be in canonical form ("::1")']),
        ("010.0.0.1", ['Invalid value: "010.0.0.1": must not have leading 0s']),
        ("::ffff:1.2.3.4", ['Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address']),
        ("x", ['Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
    ],
)
def test_canonical_ip(text: str, messages: list[str]) -> None:
    assert reported(addresses.canonical_ip, text) == messages


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("10.0.0.0/8", []),
        ("2001:db8::/64", []),
        ("2001:DB8::/64", ['Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")']),
        ("10.0.0.0/08", ['Invalid value: "10.0.0.0/08": must not have leading 0s in IP or prefix length']),
        ("10.0.0.1/8", ['Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length']),
        ("::ffff:10.0.0.0/104", ['Invalid value: "::ffff:10.0.0.0/104": must not have an IPv4-mapped IPv6 address']),
        ("10.0.0.0", [f'Invalid value: "10.0.0.0": {addresses.CIDR_ERROR}']),
        ("10.0.0.0/33", [f'Invalid value: "10.0.0.0/33": {addresses.CIDR_ERROR}']),
        ("10.0.0.0/-1", [f'Invalid value: "10.0.0.0/-1": {addresses.CIDR_ERROR}']),
    ],
)
def test_canonical_cidr(text: str, messages: list[str]) -> None:
    assert reported(addresses.canonical_cidr, text) == messages


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("10.0.0.1", []),
        ("nonsense", []),
        ("::1", []),
        ("010.0.0.1", ['f: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"']),
        ("::ffff:1.2.3.4", ['f: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"']),
        ("2001:DB8::1", ['f: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")']),
    ],
)
def test_ip_warnings(text: str, warnings: list[str]) -> None:
    assert addresses.ip_warnings("f", text) == warnings


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("10.0.0.0/8", None),
        ("nonsense", None),
        ("10.0.0.1/8", 'is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)'),
        ("10.0.0.0/08", 'is invalid: use "10.0.0.0/8"'),
        ("2001:DB8::/64", 'should be in RFC 5952 canonical format ("2001:db8::/64")'),
    ],
)
def test_cidr_warnings(text: str, warning: str | None) -> None:
    words = {"10.0.0.1/8": "CIDR value", "10.0.0.0/08": "non-standard CIDR value", "2001:DB8::/64": "IPv6 CIDR value"}
    wanted = [f'f: {words[text]} "{text}" {warning}'] if warning else []
    assert addresses.cidr_warnings("f", text) == wanted
