"""Names and formats: what the API server takes for a DNS label, a label key, a port name, a config key and so on.

Follows k8s.io/apimachinery/pkg/util/validation/validation.go and pkg/api/validate/content. A check gets a text and
returns the sentences of what is wrong with it, () when nothing is; `invalid` reports them at a field. Addresses are
in addresses.py. Sentences are those of 1.36; wording.py turns them into those of older releases. Lengths are bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from kplan.api.validation.field import Errors
from kplan.hints import Any
from kplan.patterns import lazy

Messages = tuple[str, ...]
Check = Callable[[str], Messages]

OK: Messages = ()
SUBDOMAIN_LENGTH, LABEL_LENGTH = 253, 63
NON_EMPTY = "must be non-empty"
NEGATIVE = "must be greater than or equal to 0"
POSITIVE = "must be greater than zero"
IMMUTABLE = "field is immutable"
MAX_INT32 = 2**31 - 1

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SUBDOMAIN_UNDERSCORE = rf"{_LABEL_UNDERSCORE}(\.{_LABEL_UNDERSCORE})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_WILDCARD = rf"\*\.{_SUBDOMAIN}"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

_LOWER, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
_LABEL_CHARACTERS = f"{_LOWER}{_DIGITS}-"
_KEY_ENDS = f"{_LOWER}{_LOWER.upper()}{_DIGITS}"
_KEY_CHARACTERS = f"{_KEY_ENDS}-_."


# The three patterns that nearly every object is held to, in words: to compile a pattern takes longer than to check a
# hundred names. What `strip` leaves are characters that may not be there.
def _label(text: str) -> bool:
    """Whether a text fits _LABEL."""
    return text != "" and text[0] != "-" and text[-1] != "-" and not text.strip(_LABEL_CHARACTERS)


def _subdomain(text: str) -> bool:
    """Whether a text fits _SUBDOMAIN."""
    return _label(text) if "." not in text else all(map(_label, text.split(".")))


def _key(text: str) -> bool:
    """Whether a text fits _KEY."""
    return text != "" and text[0] in _KEY_ENDS and text[-1] in _KEY_ENDS and not text.strip(_KEY_CHARACTERS)


def regex_error(sentence: str, pattern: str, *examples: str) -> str:
    """The sentence with examples and the pattern, in the server's own punctuation."""
    if not examples:
        return f"{sentence} (regex used for validation is '{pattern}')"
    listed = " or ".join(f"'{e}', " for e in examples)
    return f"{sentence} (e.g. {listed}regex used for validation is '{pattern}')"


def max_length(limit: int, unit: str = "characters") -> str:
    """The sentence for a text that is too long."""
    return f"must be no more than {limit} {unit}"


def inclusive_range(low: int, high: int) -> str:
    """The sentence for a number out of range."""
    return f"must be between {low} and {high}, inclusive"


def size(text: str) -> int:
    """The length of a text in bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


_ALNUM = "and must start and end with an alphanumeric character"
_LABEL_ERROR = regex_error(
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', {_ALNUM}",
    _LABEL,
    "my-name",
    "123-abc",
)
_SUBDOMAIN_ERROR = regex_error(
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', {_ALNUM}",
    _SUBDOMAIN,
    "example.com",
)
_KEY_ERROR = regex_error(
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ALNUM}", _KEY, "MyName", "my.name", "123-abc"
)
_KEY_SHAPE_ERROR = (
    f"a valid label key {_KEY_ERROR} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
)


@lru_cache(maxsize=4096)
def dns1123_label(value: str) -> Messages:
    """One label of a DNS name, 63 bytes at most."""
    ok = _label(value)
    if ok and len(value) <= LABEL_LENGTH:
        return OK
    out: Messages = (max_length(LABEL_LENGTH),) if size(value) > LABEL_LENGTH else ()
    if not ok:
        out += ("must not contain dots",) if _subdomain(value) else (_LABEL_ERROR,)
    return out


@lru_cache(maxsize=4096)
def dns1123_subdomain(value: str) -> Messages:
    """A DNS name, 253 bytes at most: the rule of most object names."""
    return _pattern(value, _subdomain, _SUBDOMAIN_ERROR, SUBDOMAIN_LENGTH)


def _pattern(value: str, match: Callable[[str], Any], sentence: str, limit: int, unit: str = "characters") -> Messages:
    out: Messages = (max_length(limit, unit),) if size(value) > limit else ()
    return out if match(value) else (*out, sentence)


@lru_cache(maxsize=1024)
def long_name(value: str) -> Messages:
    """A DNS name as declarative validation (`k8s-long-name`) words it: a length in bytes."""
    return _pattern(value, _subdomain, _SUBDOMAIN_ERROR, SUBDOMAIN_LENGTH, "bytes")


def _format(
    pattern: str,
    sentence: str,
    *examples: str,
    limit: int = 0,
    unit: str = "characters",
    cache: int = 1024,
    fits: Callable[[str], bool] | None = None,
) -> Check:
    """A check of one pattern, or of the function that says the same; `limit` 0 is no limit."""
    compiled = lazy(pattern)
    check = partial(
        _pattern,
        match=fits or (lambda value: compiled.fullmatch(value) is not None),
        sentence=regex_error(sentence, pattern, *examples),
        limit=limit or 1 << 62,
        unit=unit,
    )
    return lru_cache(maxsize=cache)(check)


dns1123_subdomain_with_underscore = _format(
    _SUBDOMAIN_UNDERSCORE,
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', {_ALNUM}",
    "example.com",
    limit=SUBDOMAIN_LENGTH,
)
dns1035_label = _format(
    _LABEL_1035,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character",
    "my-name",
    "abc-123",
    limit=LABEL_LENGTH,
)
wildcard_dns1123_subdomain = _format(
    _WILDCARD,
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of "
    "lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    "*.example.com",
    limit=SUBDOMAIN_LENGTH,
)
label_value = _format(
    f"({_KEY})?",
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', {_ALNUM}",
    "MyValue",
    "my_value",
    "12345",
    limit=LABEL_LENGTH,
    unit="bytes",
    cache=4096,
    fits=lambda text: text == "" or _key(text),
)
percent = _format("[0-9]+%", "a valid percent string must be a numeric string followed by an ending '%'", "1%", "93%")
http_header = _format(
    "[-A-Za-z0-9]+", "a valid HTTP header must consist of alphanumeric characters or '-'", "X-Header-Name"
)
c_identifier = _format(
    "[A-Za-z_][A-Za-z0-9_]*",
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric "
    "characters or '_'",
    "my_name",
    "MY_NAME",
    "MyName",
)
_strict_env_name = _format(
    "[-._a-zA-Z][-._a-zA-Z0-9]*",
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not "
    "start with a digit",
    "my.env-name",
    "MY_ENV.NAME",
    "MyEnvName1",
)
_config_key = _format(
    "[-._a-zA-Z0-9]+",
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
    "key.name",
    "KEY_NAME",
    "key-name",
    limit=SUBDOMAIN_LENGTH,
    fits=lambda text: text != "" and not text.strip(_KEY_CHARACTERS),
)


@lru_cache(maxsize=4096)
def qualified_name(value: str) -> Messages:
    """A label key: a name of 63 bytes at most, with an optional DNS prefix and a slash before it."""
    if _key(value) and len(value) <= LABEL_LENGTH:
        return OK
    parts = value.split("/")
    if len(parts) > 2:
        return (_KEY_SHAPE_ERROR,)
    name, out = parts[-1], OK
    if len(parts) == 2:
        wrong = long_name(parts[0]) if parts[0] else (NON_EMPTY,)
        out = tuple(f"prefix part {m}" for m in wrong)
    if not name:
        out += (f"name part {NON_EMPTY}",)
    elif size(name) > LABEL_LENGTH:
        out += (f"name part {max_length(LABEL_LENGTH, 'bytes')}",)
    return out if _key(name) else (*out, f"name part {_KEY_ERROR}")


_HTTP_PATH = lazy(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def domain_prefixed_path(errors: Errors, field: str, value: str) -> None:
    """Report what is wrong with a name such as `example.com/foo`: a domain, a slash and a path."""
    domain, _, path = value.partition("/")
    if not value:
        errors.required(field)
    elif not domain or not path:
        errors.invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
    else:
        invalid(errors, field, domain, dns1123_subdomain(domain))
        if not _HTTP_PATH.fullmatch(path):
            errors.invalid(field, path, regex_error("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"))


def config_key(value: str) -> Messages:
    """A key of a ConfigMap or a Secret: a file name that cannot leave its directory."""
    return _config_key(value) + _climbs(value)


RELAXED_ENV_NAMES = 32


def env_name(value: str, minor: int) -> Messages:
    """The name of an environment variable; relaxed to printable ASCII since 1.32."""
    if minor < RELAXED_ENV_NAMES:
        return _strict_env_name(value) + _climbs(value)
    out: Messages = OK if value else (f"environment variable name {NON_EMPTY}",)
    if value.isascii() and value.isprintable() and "=" not in value:
        return out
    return (*out, "a valid environment variable name must consist only of printable ASCII characters other than '='")


def _climbs(value: str) -> Messages:
    if not value.startswith("."):
        return OK
    if value in {".", ".."}:
        return (f"must not be '{value}'",)
    return ("must not start with '..'",) if value.startswith("..") else OK


@lru_cache(maxsize=1024)
def port_name(value: str) -> Messages:
    """The IANA service name of a port."""
    checks = (
        (size(value) > 15, max_length(15)),
        (
            value == "" or value.strip(_LABEL_CHARACTERS) != "",
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
        ),
        (not any(c in _LOWER for c in value), "must contain at least one letter (a-z)"),
        ("--" in value, "must not contain consecutive hyphens"),
        (value[:1] == "-" or value[-1:] == "-", "must not begin or end with a hyphen"),
    )
    return tuple(sentence for wrong, sentence in checks if wrong)


def decimal_integer(value: str) -> Messages:
    """A whole number without superfluous signs and zeros."""
    if not value:
        return (NON_EMPTY,)
    digits = value.removeprefix("-")
    canonical = digits.isascii() and digits.isdigit() and (digits[0] != "0" or value == "0")
    return OK if canonical else ("must be a valid decimal integer in canonical form",)


def int64_fault(text: str) -> str:
    """What Go's strconv has against a text as a decimal 64-bit integer, signs and zeros allowed; "" for nothing."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not digits.isascii() or not digits.isdigit():
        return "invalid syntax"
    return "" if len(digits.lstrip("0")) < 20 and -(2**63) <= int(text) < 2**63 else "value out of range"


def in_range(value: int, low: int, high: int) -> Messages:
    """A number between two others, both allowed."""
    return OK if low <= value <= high else (inclusive_range(low, high),)


def port_number(value: int) -> Messages:
    """A TCP or UDP port."""
    return in_range(value, 1, 65535)


def user_or_group_id(value: int) -> Messages:
    """A Linux user or group id."""
    return in_range(value, 0, MAX_INT32)


def path_segment(value: str) -> Messages:
    """A name that can stand in a URL path: the rule of RBAC names and the least that every name must keep."""
    if value in {".", ".."}:
        return (f"may not be '{value}'",)
    return path_segment_prefix(value)


def path_segment_prefix(value: str) -> Messages:
    """The beginning of a path segment."""
    return tuple(f"may not contain '{c}'" for c in "/%" if c in value)


def generated(check: Check, prefix: str) -> Messages:
    """A `generateName` by the rule of the name: its trailing dash will not be the end, so it is masked."""
    if check is path_segment:
        return path_segment_prefix(prefix)
    if len(prefix) > 1 and prefix.endswith("-"):
        prefix = prefix[:-2] + "a"
    return check(prefix)


def invalid(errors: Errors, field: str, value: Any, messages: Messages) -> None:
    """Report every sentence about one value."""
    for m in messages:
        errors.invalid(field, value, m)


def non_negative(errors: Errors, field: str, value: int | None) -> None:
    """Report a negative number; None is unset and fine."""
    if value is not None and value < 0:
        errors.invalid(field, value, NEGATIVE)


def label_name(errors: Errors, field: str, value: str) -> None:
    """Report what is wrong with a label key."""
    invalid(errors, field, value, qualified_name(value))
