"""Custom resources: their metadata, the schema of their kind, and its rules in CEL.

Follows apiextensions-apiserver (pkg/registry/customresource/strategy.go, validator.go; pkg/apiserver/schema/cel).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kplan.api import cel
from kplan.api.cel.seenvalues import converted
from kplan.api.cel.values import Optional
from kplan.api.validation import crdrules, metadata, schemavalues
from kplan.api.validation.crdrules import Compiled, Place
from kplan.api.validation.expressions import text_of
from kplan.api.validation.field import OMIT, Errors
from kplan.api.validation.schemavalues import NOWHERE, item_before, same
from kplan.api.validation.structural import properties_of, schema_at
from kplan.model import ABSENT, Cause
from kplan.schema import structural
from kplan.schema.node import Node

Value = dict[str, Any]
Schema = Mapping[str, Any]

# What all rules of an object may cost together (k8s.io/apiserver/pkg/apis/cel/config.go).
COST_BUDGET = 10_000_000
_NO_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_BLOCKING = frozenset({"FieldValueRequired", "FieldValueTooLong", "FieldValueTooMany", "FieldValueTypeInvalid"})
_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)


class Checks(NamedTuple):
    """The rules of a schema and of everything inside it; None stands for a part without rules."""

    place: Place
    rules: list[Compiled]
    fields: Mapping[str, Checks]
    values: Checks | None
    item: Checks | None


def validate(new: Value, node: Node, old: Value | None = None, *, ratchets: bool = True) -> list[Cause]:
    """The causes for which the server refuses a custom resource (`old` given: an update) of a kind with this tree.

    With `ratchets` what is as it was is not judged again (KEP-4008).
    """
    errors = Errors()
    if old is None:
        metadata.resource(new, errors)
    else:
        metadata.generic_update(new, old, errors)
    known = old if old is not None and ratchets else ABSENT
    errors.causes += schemavalues.causes(node.rules, new, old=known)
    if old is None or next(structural.duplicates(node, old), None) is None:
        for path, item in structural.duplicates(node, new):
            field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).removeprefix(".")
            errors.duplicate(field, item)
    checks = _checks_of(node.rules)
    if checks is not None:
        if any(cause.reason in _BLOCKING or "NotSupported" in cause.reason for cause in errors.causes):
            errors.invalid(NOWHERE, None, _UNCHECKED)
        else:
            _expressions(checks, new, old, errors, ratchets=ratchets)
    return errors.causes


_CHECKS: OrderedDict[int, tuple[Schema, Checks | None]] = OrderedDict()
_MOST_CHECKS = 256


def _checks_of(schema: Schema) -> Checks | None:
    """The compiled rules of a whole resource, kept with the schema that they are for."""
    key = id(schema)
    if key not in _CHECKS:
        _CHECKS[key] = (schema, _compiled(crdrules.root(schema)))
        if len(_CHECKS) > _MOST_CHECKS:
            _CHECKS.popitem(last=False)
    return _CHECKS[key][1]


def _compiled(place: Place) -> Checks | None:
    schema = place.schema
    item, additional = schema_at(schema, "items"), schema_at(schema, "additionalProperties")
    correlated = schema.get("x-kubernetes-list-type") == "map"
    fields = {name: _compiled(crdrules.inside(place, inner, name)) for name, inner in properties_of(schema)}
    checks = Checks(
        place,
        crdrules.compiled(place),
        {name: inner for name, inner in fields.items() if inner is not None},
        _compiled(crdrules.inside(place, additional, "@elem")) if additional is not None else None,
        _compiled(crdrules.inside(place, item, "@idx", correlated=correlated)) if item is not None else None,
    )
    return checks if checks.rules or checks.fields or checks.values or checks.item else None


def _expressions(checks: Checks, new: Value, old: Value | None, errors: Errors, *, ratchets: bool) -> None:
    left = COST_BUDGET
    for inside, value, before, at, unchanged in _places(checks, new, old, "", unchanged=False):
        for rule in inside.rules:
            # A rule about a change is always asked; any other has nothing new to judge where there is none.
            if not _applies(rule, before) or (unchanged and ratchets and not rule.old):
                continue
            scope = _scope(inside.place, rule, value, before)
            try:
                spent = _judge(rule, scope, errors, at, min(left, cel.CALL_LIMIT))
            except cel.BudgetError:
                errors.invalid(at or NOWHERE, OMIT, _NO_BUDGET)
                return
            left -= spent


def _places(
    checks: Checks, new: Any, old: Any, at: str, *, unchanged: bool
) -> Iterator[tuple[Checks, Any, Any, str, bool]]:
    """Every place of a value that has rules, with the old value there (None: there was none), outermost first.

    The last is whether the value there, or what it is inside of, is as it was.
    """
    if new is None:
        return
    unchanged = unchanged or same(new, old)
    if checks.rules:
        yield checks, new, old, at, unchanged
    if isinstance(new, dict):
        known = old if isinstance(old, dict) else {}
        for name, value in new.items():
            inner = checks.fields.get(name)
            if inner is not None:
                where = f"{at}.{name}" if at else name
                yield from _places(inner, value, known.get(name), where, unchanged=unchanged)
            elif checks.values is not None:
                yield from _places(checks.values, value, known.get(name), f"{at}[{name}]", unchanged=unchanged)
    elif isinstance(new, list) and checks.item is not None:
        for i, value in enumerate(new):
            before = item_before(checks.place.schema, value, old)
            before = None if before is ABSENT else before
            yield from _places(checks.item, value, before, f"{at}[{i}]", unchanged=unchanged)


def _applies(rule: Compiled, before: Any) -> bool:
    """A transition rule needs an old value, unless it says that it can do without."""
    return not rule.old or before is not None or rule.rule.get("optionalOldSelf") is True


def _scope(place: Place, rule: Compiled, value: Any, before: Any) -> dict[str, Any]:
    scope = {"self": converted(place.schema, value, root=place.root)}
    if rule.old:
        old = converted(place.schema, before, root=place.root)
        optional = rule.rule.get("optionalOldSelf") is True
        scope["oldSelf"] = Optional(before is not None, old) if optional else old
    return scope


def _judge(rule: Compiled, scope: Mapping[str, Any], errors: Errors, at: str, limit: int) -> int:
    """Report a rule that does not hold; returns what it cost."""
    try:
        value, cost = rule.program.evaluate(scope, limit=limit)
    except cel.BudgetError:
        raise
    except cel.EvalError as e:
        shown = text_of(rule.rule, "message").strip() or text_of(rule.rule, "rule").strip()
        errors.invalid(at or NOWHERE, OMIT, f"{e} evaluating rule: {shown}")
        return 0
    if value is not True:
        _refuse(rule, scope, errors, at + _field_path(rule))
    return cost


def _field_path(rule: Compiled) -> str:
    return text_of(rule.rule, "fieldPath").replace("['", "[").replace("']", "]")


def _refuse(rule: Compiled, scope: Mapping[str, Any], errors: Errors, at: str) -> None:
    detail, field = _message(rule, scope), at.removeprefix(".") or NOWHERE
    match rule.rule.get("reason"):
        case "FieldValueRequired":
            errors.required(field, detail)
        case "FieldValueForbidden":
            errors.forbidden(field, detail)
        case "FieldValueDuplicate":
            errors.causes.append(Cause(field, "FieldValueDuplicate", f"Duplicate value: {detail}"))
        case _:
            errors.invalid(field, OMIT, detail)


def _message(rule: Compiled, scope: Mapping[str, Any]) -> str:
    if rule.message is not None:
        try:
            text = rule.message.evaluate(scope)[0]
        except cel.EvalError:
            text = None
        if isinstance(text, str) and text.strip() and "\n" not in text:
            return text.strip()
    return text_of(rule.rule, "message").strip() or f"failed rule: {text_of(rule.rule, 'rule').strip()}"
