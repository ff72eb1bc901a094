"""What rules in CEL may cost. The factors are those of public reports of the API server's answer."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.api.cel.costs import cost
from kplan.api.cel.parser import parse
from tests.definitions import definition

Value = dict[str, Any]

ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)
NUMBERS: Value = {"type": "array", "items": {"type": "number"}}
TEXT: Value = {"type": "string"}
TAG = "^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"


@pytest.mark.parametrize(
    ("schema", "rule", "expected"),
    [
        (NUMBERS, "self.all(x, true)", 4718591),
        (NUMBERS | {"maxItems": 10}, "self.all(x, true)", 32),
        (NUMBERS | {"maxItems": 10}, "self.all(x, self.all(y, true))", 352),
        (NUMBERS | {"maxItems": 10}, "self.all(x, self.all(y, self.all(z, true)))", 3552),
        (TEXT, "self.matches('x')", 314574),
        (TEXT | {"maxLength": 50}, "self.matches('x')", 22),
        (TEXT, f'"".matches("{"(" * 10}{")" * 10}[0-9]")', 7),
    ],
)
def test_loops_and_patterns_cost_what_the_lengths_allow(schema: Value, rule: str, expected: int) -> None:
    assert cost(parse(rule), schema, root=False) == expected


def refusals(spec: Value) -> list[str]:
    where = "spec.validation.openAPIV3Schema"
    return [f"{c.field.removeprefix(where)}: {c.message}" for c in kplan.admit(definition(spec)).causes]


def ruled(schema: Value, rule: str, **rest: Any) -> Value:
    return {**schema, "x-kubernetes-validations": [{"rule": rule, **rest}]}


def tags(most: int) -> Value:
    return ruled({"type": "array", "maxItems": most, "items": TEXT}, f"self.all(t, t.matches('{TAG}'))")


SPEC, RULE = ".properties[spec]", ".x-kubernetes-validations[0].rule: Forbidden: "


def test_a_pattern_for_every_item_of_a_list_is_dear() -> None:
    """https://github.com/cloudpilot-ai/karpenter-provider-gcp/issues/160 and pull request 172 of that project."""
    shared = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
    total = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
    assert refusals(tags(64)) == [
        f"{SPEC}{RULE}estimated rule cost exceeds budget by factor of 18.1x {ADVICE}",
        f"{SPEC}{RULE}{shared}",
        f": Forbidden: {total} exceeds budget by factor of 1.8x {ADVICE}",
    ]
    assert refusals(tags(20)) == [f"{SPEC}{RULE}estimated rule cost exceeds budget by factor of 5.7x {ADVICE}"]
    assert refusals(tags(3)) == []


def test_a_rule_runs_for_every_item_that_fits_into_a_request() -> None:
    """An object takes three bytes: there is room for 1,048,576, and ten units for each are a little too much."""
    item: Value = {"type": "object", "properties": {n: {"type": "integer"} for n in "abcd"}}
    ten = "self.a < self.b || self.c < self.d"
    items = ruled(item, ten)
    at = f"{SPEC}.items{RULE}"
    over = f"{at}estimated rule cost exceeds budget by factor of 1.048576x {ADVICE}"
    assert refusals({"type": "array", "items": items}) == [over]
    assert refusals({"type": "array", "maxItems": 1000, "items": items}) == []
    assert refusals({"type": "array", "items": ruled(item, "self.a < self.b")}) == []
    # What is required makes an item larger, so there are fewer.
    assert refusals({"type": "array", "items": items | {"required": ["a"]}}) == []


def test_what_is_unlikely_is_not_given_a_number() -> None:
    quadratic = ruled({"type": "array", "items": TEXT}, "self.all(a, self.exists_one(b, a == b))")
    assert any("by factor of more than 100x" in r for r in refusals(quadratic))


def test_who_has_does_not_pay_for_asking() -> None:
    """https://github.com/kubernetes/kubernetes/pull/122193."""
    item: Value = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    either = "(has(self.a) && !has(self.b)) || (!has(self.a) && has(self.b))"
    assert refusals({"type": "array", "items": ruled(item, either)}) == []


def test_the_text_of_a_message_has_a_price() -> None:
    long = {"type": "string", "maxLength": 1 << 31}
    spec = ruled({"type": "object", "properties": {"a": long}}, "true", messageExpression="'no ' + self.a")
    first = refusals(spec)[0]
    where = f"{SPEC}.x-kubernetes-validations[0].messageExpression"
    assert first == f"{where}: Forbidden: estimated messageExpression cost exceeds budget by factor of 85.9x {ADVICE}"


def test_a_schema_that_is_stored_already_is_not_billed_again() -> None:
    cluster = kplan.Cluster([definition(tags(64))])
    changed = definition(tags(64))
    changed["metadata"]["labels"] = {"a": "b"}
    assert cluster.apply([changed], mode="replace", dry_run=True)[0].accepted
    assert not cluster.apply([definition(tags(65))], mode="replace", dry_run=True)[0].accepted
