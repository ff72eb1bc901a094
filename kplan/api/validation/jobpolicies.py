"""What a Job counts as failure and as success, and the limits of Indexed Jobs.

Follows pkg/apis/batch/validation/validation.go (validatePodFailurePolicy, validateSuccessPolicy,
validateIndexesFormat).
"""

from __future__ import annotations

from kplan.api.validation import names
from kplan.api.validation.field import OMIT, Errors, go_quote
from kplan.api.validation.internal import internal
from kplan.hints import Any

Value = dict[str, Any]

ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS = ("In", "NotIn")
STATUSES = ("False", "True", "Unknown")

_MANY = 100_000
_MANY_LIMIT = 10_000
_MAX_RULES, _MAX_CODES, _MAX_INDEXES_TEXT = 20, 255, 64 * 1024


def indexed_limits(errors: Errors, field: str, spec: Value) -> None:
    """The numbers of an Indexed Job, which are smaller the more completions there are."""
    completions, parallelism = spec.get("completions"), spec.get("parallelism") or 0
    failed, path = spec.get("maxFailedIndexes"), f"{field}.maxFailedIndexes"
    if completions is None:
        errors.required(f"{field}.completions", "when completion mode is Indexed")
    if parallelism > _MANY:
        sentence = f"must be less than or equal to {_MANY} when completion mode is Indexed"
        errors.invalid(f"{field}.parallelism", parallelism, sentence)
    if failed is not None:
        if completions is not None and failed > completions:
            errors.invalid(path, failed, "must be less than or equal to completions")
        if failed > _MANY:
            errors.invalid(path, failed, f"must be less than or equal to {_MANY}")
    if completions is None or completions <= _MANY or spec.get("backoffLimitPerIndex") is None:
        return
    sentence = (
        f"must be less than or equal to {_MANY_LIMIT} when completions are above {_MANY} "
        "and used with backoff limit per index"
    )
    if failed is None:
        errors.required(path, f"must be specified when completions is above {_MANY}")
    if parallelism > _MANY_LIMIT:
        errors.invalid(f"{field}.parallelism", parallelism, sentence)
    if failed is not None and failed > _MANY_LIMIT:
        errors.invalid(path, failed, sentence)


def pod_failure_policy(errors: Errors, field: str, spec: Value) -> None:
    """The rules by which failures of pods count; `field` is the path of the rules."""
    rules = spec["podFailurePolicy"].get("rules") or ()
    if len(rules) > _MAX_RULES:
        errors.too_many(field, len(rules), _MAX_RULES)
    pod = (spec.get("template") or {}).get("spec") or {}
    containers = {c.get("name") or "" for role in ("containers", "initContainers") for c in pod.get(role) or ()}
    for i, rule in enumerate(rules):
        _failure_rule(errors, f"{field}[{i}]", rule, spec, containers)


def _failure_rule(errors: Errors, path: str, rule: Value, spec: Value, containers: set[str]) -> None:
    action, codes = rule.get("action") or "", rule.get("onExitCodes")
    conditions = rule.get("onPodConditions") or ()
    if action == "FailIndex":
        if spec.get("backoffLimitPerIndex") is None:
            errors.invalid(f"{path}.action", action, "requires the backoffLimitPerIndex to be set")
    else:
        _enum(errors, f"{path}.action", action, ACTIONS)
    if codes is not None:
        _exit_codes(errors, f"{path}.onExitCodes", codes, containers)
    if len(conditions) > _MAX_RULES:
        errors.too_many(f"{path}.onPodConditions", len(conditions), _MAX_RULES)
    for i, condition in enumerate(conditions):
        where = f"{path}.onPodConditions[{i}]"
        names.label_name(errors, f"{where}.type", condition.get("type") or "")
        _enum(errors, f"{where}.status", condition.get("status") or "", STATUSES)
    if codes is not None and conditions:
        errors.invalid(path, OMIT, "specifying both OnExitCodes and OnPodConditions is not supported")
    if codes is None and not conditions:
        errors.invalid(path, OMIT, "specifying one of OnExitCodes and OnPodConditions is required")


def _enum(errors: Errors, field: str, value: str, allowed: tuple[str, ...]) -> None:
    if not value:
        listed = " ".join(f'"{v}"' for v in allowed)
        errors.required(field, f"valid values: [{listed}]")
    else:
        errors.one_of(field, value, allowed)


def _exit_codes(errors: Errors, field: str, codes: Value, containers: set[str]) -> None:
    operator, values = codes.get("operator") or "", codes.get("values") or []
    _enum(errors, f"{field}.operator", operator, OPERATORS)
    container = codes.get("containerName")
    if container is not None and container not in containers:
        sentence = "must be one of the container or initContainer names in the pod template"
        errors.invalid(f"{field}.containerName", container, sentence)
    if not values:
        errors.invalid(f"{field}.values", codes.get("values"), "at least one value is required")
    elif len(values) > _MAX_CODES:
        errors.too_many(f"{field}.values", len(values), _MAX_CODES)
    seen: set[int] = set()
    for i, value in enumerate(values):
        if operator == "In" and value == 0:
            errors.invalid(f"{field}.values[{i}]", value, "must not be 0 for the In operator")
        if value in seen:
            errors.duplicate(f"{field}.values[{i}]", value)
        seen.add(value)
    if values != sorted(values):
        errors.invalid(f"{field}.values", values, "must be ordered")


def success_policy(errors: Errors, field: str, spec: Value) -> None:
    """The rules by which an Indexed Job has succeeded before all of its indexes have."""
    policy = spec["successPolicy"]
    if spec.get("completionMode") != "Indexed":
        errors.invalid(field, internal(policy, "SuccessPolicy"), "requires indexed completion mode")
        return
    rules, field = policy.get("rules") or (), f"{field}.rules"
    if not rules:
        errors.required(field, "at least one rules must be specified when the successPolicy is specified")
    if len(rules) > _MAX_RULES:
        errors.too_many(field, len(rules), _MAX_RULES)
    for i, rule in enumerate(rules):
        _success_rule(errors, f"{field}[{i}]", rule, spec.get("completions") or 0)


def _success_rule(errors: Errors, path: str, rule: Value, completions: int) -> None:
    indexes, count, field = rule.get("succeededIndexes"), rule.get("succeededCount"), f"{path}.succeededCount"
    if indexes is None and count is None:
        errors.required(path, "at least one of succeededCount or succeededIndexes must be specified")
    total = 0
    if indexes is not None:
        if names.size(indexes) > _MAX_INDEXES_TEXT:
            errors.too_long(f"{path}.succeededIndexes", _MAX_INDEXES_TEXT)
        try:
            total = count_indexes(indexes, completions)
        except ValueError as fault:
            errors.invalid(f"{path}.succeededIndexes", indexes, f"error parsing succeededIndexes: {fault}")
    if count is None:
        return
    names.non_negative(errors, field, count)
    if count > completions:
        sentence = f"must be less than or equal to {completions} (the number of specified completions)"
        errors.invalid(field, count, sentence)
    if indexes is not None and count > total:
        sentence = (
            f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
        )
        errors.invalid(field, count, sentence)


def count_indexes(text: str, completions: int) -> int:
    """How many indexes a text such as "1,3-5" names; raises ValueError with the server's words."""
    total, last = 0, None
    for interval in text.split(",") if text else ():
        first, end = _interval(interval, completions)
        if last is not None and last >= first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total += end - first + 1
        last = end
    return total


def _interval(text: str, completions: int) -> tuple[int, int]:
    ends = text.split("-")
    if len(ends) > 2:
        raise ValueError(
            f"the fragment {go_quote(text)} violates the requirement that an index interval can have at most "
            "two parts separated by '-'"
        )
    numbers = []
    for end in ends:
        if names.int64_fault(end):
            raise ValueError(f"cannot convert string to integer for index: {go_quote(end)}")
        if int(end) >= completions:
            raise ValueError(f"too large index: {go_quote(end)}")
        numbers.append(int(end))
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise ValueError(f"non-increasing order, previous: {numbers[0]}, current: {numbers[1]}")
    return numbers[0], numbers[-1]
