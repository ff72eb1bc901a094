"""What webhooks and admission policies look at: rules with operations, selectors, match conditions.

Follows pkg/apis/admissionregistration/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from kplan.api.validation import expressions, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SCOPES = ("*", "Cluster", "Namespaced")
FAILURE_POLICIES = ("Fail", "Ignore")
MATCH_POLICIES = ("Equivalent", "Exact")
_MOST_CONDITIONS = 64


def required_one_of(errors: Errors, at: str, value: str | None, supported: Sequence[str]) -> None:
    """An enumeration that must be given."""
    if value is None:
        errors.required(at)
    else:
        errors.one_of(at, value, supported)


def rule(value: Value, errors: Errors, at: str) -> None:
    """A rule with operations."""
    operations = [o or "" for o in value.get("operations") or ()]
    if not operations:
        errors.required(f"{at}.operations")
    _no_company(operations, errors, f"{at}.operations", "operations")
    for i, operation in enumerate(operations):
        errors.one_of(f"{at}.operations[{i}]", operation, OPERATIONS)
    for name, plural in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        items = [v or "" for v in value.get(name) or ()]
        if not items:
            errors.required(f"{at}.{name}")
        _no_company(items, errors, f"{at}.{name}", plural)
        for i, item in enumerate(items):
            if not item and name == "apiVersions":
                errors.required(f"{at}.{name}[{i}]")
    _resources([r or "" for r in value.get("resources") or ()], errors, f"{at}.resources")
    if value.get("scope") is not None:
        errors.one_of(f"{at}.scope", value["scope"], SCOPES)


def _no_company(items: list[str], errors: Errors, at: str, plural: str) -> None:
    if len(items) > 1 and "*" in items:
        errors.invalid(at, items, f"if '*' is present, must not specify other {plural}")


def _resources(resources: list[str], errors: Errors, at: str) -> None:
    if not resources:
        errors.required(at)
    whole: set[str] = set()  # x of x/*
    everywhere: set[str] = set()  # x of */x
    plain = False
    for i, resource in enumerate(resources):
        name, slash, part = resource.partition("/")
        if not resource:
            errors.required(f"{at}[{i}]")
        elif not slash:
            plain = resource != "*"
        else:
            for taken, known, shown in ((name, whole, f"{name}/*"), (part, everywhere, f"*/{part}")):
                if taken in known:
                    errors.invalid(f"{at}[{i}]", resource, f"if '{shown}' is present, must not specify {resource}")
            if part == "*":
                whole.add(name)
            if name == "*":
                everywhere.add(part)
    if len(resources) > 1 and "*/*" in resources:
        errors.invalid(at, resources, "if '*/*' is present, must not specify other resources")
    if "*" in resources and plain:
        detail = "if '*' is present, must not specify other resources without subresources"
        errors.invalid(at, resources, detail)


def named_rule(value: Value, errors: Errors, at: str) -> None:
    """A rule with operations that may name single objects."""
    seen: set[str] = set()
    for i, name in enumerate(n or "" for n in value.get("resourceNames") or ()):
        names.invalid(errors, f"{at}.resourceNames[{i}]", name, names.path_segment(name))
        if name in seen:
            errors.duplicate(f"{at}.resourceNames[{i}]", name)
        seen.add(name)
    rule(value, errors, at)


def match_resources(value: Value, errors: Errors, at: str) -> None:
    """Which objects a policy or its binding is for."""
    required_one_of(errors, f"{at}.matchPolicy", value.get("matchPolicy"), MATCH_POLICIES)
    for name in ("namespaceSelector", "objectSelector"):
        if value.get(name) is None:
            errors.required(f"{at}.{name}")
        else:
            metadata.label_selector(value[name], errors, f"{at}.{name}")
    for name in ("resourceRules", "excludeResourceRules"):
        for i, item in enumerate(value.get(name) or ()):
            named_rule(item or {}, errors, f"{at}.{name}[{i}]")


def match_conditions(
    conditions: Sequence[Value | None], errors: Errors, at: str, variables: expressions.Variables
) -> None:
    """Conditions in CEL that a request must meet to be looked at."""
    if len(conditions) > _MOST_CONDITIONS:
        errors.too_many(at, len(conditions), _MOST_CONDITIONS)
    seen: set[str] = set()
    for i, condition in enumerate(c or {} for c in conditions):
        expression, name = (condition.get("expression") or "").strip(), condition.get("name") or ""
        if not expression:
            errors.required(f"{at}[{i}].expression")
        else:
            expressions.judge(expression, errors, f"{at}[{i}].expression", variables, expressions.BOOL_RESULT)
        if not name:
            errors.required(f"{at}[{i}].name")
            continue
        names.label_name(errors, f"{at}[{i}].name", name)
        if name in seen:
            errors.duplicate(f"{at}[{i}].name", name)
        seen.add(name)
