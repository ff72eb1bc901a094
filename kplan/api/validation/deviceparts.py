"""What claims, classes and slices of dynamic resource allocation share: names, CEL selectors, configuration, taints.

Follows pkg/apis/resource/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

DRIVER_BYTES, POOL_BYTES, ID_BYTES, DOMAIN_BYTES, VALUE_BYTES = 63, 253, 32, 63, 64
MAX_SELECTORS, MAX_EXPRESSION, MAX_PARAMETERS = 32, 10 * 1024, 10 * 1024
MAX_TOLERATIONS = 16
EFFECTS = ("NoExecute", "NoSchedule", "None")
OPERATORS = ("Equal", "Exists")
GREATER = "must be greater than zero"
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?"
).fullmatch


def limited(errors: Errors, field: str, items: list[Any], limit: int) -> bool:
    """Whether a list is short enough; reports one that is not, whose items are then left alone."""
    if len(items) <= limit:
        return True
    errors.too_many(field, len(items), limit)
    return False


def unique(errors: Errors, fields: Iterable[tuple[str, Any]]) -> None:
    """Report every value that stands a second time."""
    seen: set[Any] = set()
    for field, value in fields:
        if value in seen:
            errors.duplicate(field, value)
        seen.add(value)


def driver_name(errors: Errors, field: str, name: str) -> None:
    """The name of a driver: a DNS subdomain of 63 bytes at most."""
    if not name:
        errors.required(field)
        return
    if names.size(name) > DRIVER_BYTES:
        errors.too_long(field, DRIVER_BYTES)
    names.invalid(errors, field, name, names.dns1123_subdomain(name))


def pool_name(errors: Errors, field: str, name: str) -> None:
    """The name of a pool: DNS subdomains with slashes between."""
    if not name:
        errors.required(field)
        return
    if names.size(name) > POOL_BYTES:
        errors.too_long(field, POOL_BYTES)
    for part in name.split("/"):
        names.invalid(errors, field, part, names.dns1123_subdomain(part))


def device_class(errors: Errors, field: str, name: str) -> None:
    """The DeviceClass that a request names."""
    if not name:
        errors.required(field)
    else:
        names.invalid(errors, field, name, names.dns1123_subdomain(name))


def selectors(errors: Errors, field: str, items: list[Value], minor: int) -> None:
    """CEL selectors of devices."""
    if not limited(errors, field, items, MAX_SELECTORS):
        return
    for i, item in enumerate(items):
        cel = (item or {}).get("cel")
        if cel is None:
            errors.required(f"{field}[{i}].cel")
            continue
        expression, at = cel.get("expression") or "", f"{field}[{i}].cel.expression"
        if len(expression) > MAX_EXPRESSION:
            errors.too_long(at, MAX_EXPRESSION)
            continue
        problem = _compile(expression, minor)
        if problem:
            errors.invalid(at, expression, problem)


def _compile(expression: str, minor: int) -> str:
    from kplan.api.cel.devices import selector_problem

    return selector_problem(expression, minor)


def configuration(errors: Errors, field: str, item: Value) -> None:
    """Parameters that only a driver understands."""
    opaque = item.get("opaque")
    if opaque is None:
        errors.required(f"{field}.opaque")
        return
    at, parameters = f"{field}.opaque", opaque.get("parameters")
    driver_name(errors, f"{at}.driver", opaque.get("driver") or "")
    if parameters is None:
        errors.required(f"{at}.parameters")
    elif not isinstance(parameters, dict):
        errors.invalid(f"{at}.parameters", "<value omitted>", "must be a valid JSON object")


def qualified(errors: Errors, field: str, name: str) -> None:
    """The name of an attribute or capacity: a C identifier, with an optional domain before a slash."""
    parts = name.split("/")
    if len(parts) == 1:
        identifier(errors, field, name)
    elif len(parts) == 2:
        domain, own = parts
        if not domain:
            errors.required(field, "the domain must not be empty")
        else:
            if names.size(domain) > DOMAIN_BYTES:
                errors.too_long(field, DOMAIN_BYTES)
            names.invalid(errors, field, domain, names.dns1123_subdomain(domain))
        if not own:
            errors.required(field, "the name must not be empty")
        else:
            identifier(errors, field, own)
    # The server says nothing of names with more slashes.


def fully_qualified(errors: Errors, field: str, name: str) -> None:
    """The same where the domain is needed."""
    qualified(errors, field, name)
    if "/" not in name:
        errors.invalid(field, name, "a fully qualified name must be a domain and a name separated by a slash")


def identifier(errors: Errors, field: str, name: str) -> None:
    """A C identifier of 32 bytes at most."""
    if names.size(name) > ID_BYTES:
        errors.too_long(field, ID_BYTES)
    names.invalid(errors, field, name, names.c_identifier(name))


def is_semver(text: str) -> bool:
    """Whether a text is a version by semver.org 2.0.0."""
    return _SEMVER(text) is not None


def tolerations(errors: Errors, field: str, items: list[Value]) -> None:
    """The taints of devices that a request bears."""
    if not limited(errors, field, items, MAX_TOLERATIONS):
        return
    for i, item in enumerate(items):
        at, key, operator = f"{field}[{i}]", item.get("key") or "", item.get("operator") or ""
        if key:
            names.label_name(errors, f"{at}.key", key)
        if operator == "Exists":
            if item.get("value"):
                errors.invalid(f"{at}.value", item["value"], "must be empty for operator `Exists`")
        elif operator == "Equal":
            names.invalid(errors, f"{at}.value", item.get("value") or "", names.label_value(item.get("value") or ""))
        elif not operator:
            errors.required(f"{at}.operator")
        else:
            errors.not_supported(f"{at}.operator", operator, OPERATORS)
        effect = item.get("effect") or ""
        if effect and effect not in EFFECTS:
            errors.not_supported(f"{at}.effect", effect, EFFECTS)
