"""x-kubernetes-validations: the rules in CEL that a CustomResourceDefinition has for its values.

Follows apiextensions-apiserver/pkg/apis/apiextensions/validation (validation.go, cel_validation.go) and
pkg/apiserver/schema/cel/compilation.go. What the rules of a schema may cost is in rulecosts.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.api import cel
from kplan.api.cel import costs, sizes
from kplan.api.cel.declarations import OF_MUTATIONS
from kplan.api.cel.schematypes import escape, properties, type_of
from kplan.api.cel.tree import uses
from kplan.api.cel.types import BOOL, DYN, STRING, Type, optional_of
from kplan.api.validation.expressions import text_of
from kplan.api.validation.field import Errors
from kplan.api.validation.rulecosts import Bill
from kplan.hints import Any
from kplan.tuples import NamedTuple

Schema = Mapping[str, Any]

REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_SELF = "selfType"


class Place(NamedTuple):
    """Where a schema stands: the name of its type, whether its old value can be found on update, and inside of what.

    What its rules may cost goes on `bill`; they may not use what the release `lacks`.
    """

    schema: Schema
    name: str
    root: bool = False
    correlated: bool = True
    bill: Bill | None = None
    above: Place | None = None
    lacks: frozenset[str] = OF_MUTATIONS

    @property
    def type(self) -> Type | None:
        """The type of `self` here."""
        return type_of(self.schema, self.name, root=self.root)

    @property
    def number(self) -> int | None:
        """How many values an object has here at most; None without a limit."""
        if self.above is None:
            return 1
        number, parts = self.above.number, 1 if self.above.root else sizes.count(self.above.schema)
        return None if number is None or parts is None else number * parts

    def cost(self, program: cel.Program) -> int:
        """The most that an expression about one value here may cost."""
        return costs.cost(program.tree, self.schema, root=self.root)


class Compiled(NamedTuple):
    """A rule ready to run; `old` whether it asks for the old value."""

    rule: Schema
    program: cel.Program
    message: cel.Program | None
    old: bool


def root(schema: Schema, bill: Bill | None = None, lacks: frozenset[str] = OF_MUTATIONS) -> Place:
    """The place of a whole resource."""
    return Place(schema, _SELF, root=True, bill=bill, lacks=lacks)


def inside(place: Place, schema: Schema, name: str, *, correlated: bool = True) -> Place:
    """The place of a schema inside another, by the name of its property (`@idx` for items)."""
    name = f"{place.name}.{escape(name) or name}"
    same = place.correlated and correlated
    return Place(schema, name, correlated=same, bill=place.bill, above=place, lacks=place.lacks)


def rules(schema: Schema, errors: Errors, at: str, place: Place | None) -> None:
    """Report what is wrong with the rules of one schema; without a place they are not compiled."""
    before = len(errors.causes)
    listed = [
        (f"{at}.x-kubernetes-validations[{i}]", r or {}) for i, r in enumerate(schema["x-kubernetes-validations"])
    ]
    for path, rule in listed:
        _texts(rule, errors, path)
        field_path = text_of(rule, "fieldPath")
        if place is None or not field_path.strip() or "\n" in field_path:
            continue
        if field_schema(place.schema, field_path, arrays=True, root=place.root)[0] is None:
            errors.invalid(f"{path}.fieldPath", field_path, "must be a valid path")
    if place is not None and len(errors.causes) == before:
        self_type = place.type or DYN
        for path, rule in listed:
            _compile(rule, errors, path, place, self_type)


def _texts(rule: Schema, errors: Errors, at: str) -> None:
    expression, message = text_of(rule, "rule").strip(), text_of(rule, "message")
    if not expression:
        errors.required(f"{at}.rule", "rule is not specified")
    if message and not message.strip():
        errors.invalid(f"{at}.message", message, "message must be non-empty if specified")
    elif "\n" in message.strip():
        errors.invalid(f"{at}.message", message, "message must not contain line breaks")
    elif "\n" in expression and not message:
        errors.required(f"{at}.message", "message must be specified if rule contains line breaks")
    source = text_of(rule, "messageExpression")
    if source and not source.strip():
        errors.required(f"{at}.messageExpression", "messageExpression must be non-empty if specified")
    if rule.get("reason") is not None:
        errors.one_of(f"{at}.reason", rule["reason"], REASONS)
    field_path = text_of(rule, "fieldPath")
    if field_path and not field_path.strip():
        errors.invalid(f"{at}.fieldPath", field_path, "fieldPath must be non-empty if specified")
    elif "\n" in field_path:
        errors.invalid(f"{at}.fieldPath", field_path, "fieldPath must not contain line breaks")


def _compile(rule: Schema, errors: Errors, at: str, place: Place, self_type: Type) -> None:
    shown, old = _shown(rule), False
    environment = _environment(rule, self_type, place.lacks)
    try:
        program = cel.compile(rule["rule"], environment)
        old = _asks_old(program)
        if program.type != BOOL:
            errors.invalid(f"{at}.rule", shown, "cel expression must evaluate to a bool")
        elif place.bill is not None:
            # It runs for every value that an object can have here.
            runs = place.number
            each = place.cost(program)
            place.bill.add(each * (sizes.most(place.schema) if runs is None else runs), errors, f"{at}.rule", "rule")
    except cel.CompileError as e:
        errors.invalid(f"{at}.rule", shown, f"compilation failed: {e}")
    if text_of(rule, "messageExpression").strip():
        _message(rule, errors, f"{at}.messageExpression", place, environment)
    if old and not place.correlated:
        detail = "oldSelf cannot be used on the uncorrelatable portion of the schema"
        errors.invalid(f"{at}.rule", rule["rule"], detail)
    elif not old and rule.get("optionalOldSelf") is not None:
        detail = "may not be set if oldSelf is not used in rule"
        errors.invalid(f"{at}.optionalOldSelf", rule["optionalOldSelf"], detail)


def _asks_old(program: cel.Program) -> bool:
    return "oldSelf" in program.source and uses(program.tree, "oldSelf")


def _message(rule: Schema, errors: Errors, at: str, place: Place, environment: cel.Environment) -> None:
    try:
        program = cel.compile(rule["messageExpression"], environment)
        if program.type != STRING:
            errors.invalid(at, _shown(rule), "messageExpression must evaluate to a string")
        elif place.bill is not None:
            place.bill.add(place.cost(program), errors, at, "messageExpression")
    except cel.CompileError as e:
        errors.invalid(at, _shown(rule), f"messageExpression compilation failed: {e}")


def _environment(rule: Schema, self_type: Type, lacks: frozenset[str]) -> cel.Environment:
    old = optional_of(self_type) if rule.get("optionalOldSelf") is True else self_type
    return cel.Environment({"self": self_type, "oldSelf": old}, lacks=lacks)


def _shown(rule: Schema) -> dict[str, Any]:
    """A rule as the server prints it."""
    return {
        "Rule": text_of(rule, "rule"),
        "Message": text_of(rule, "message"),
        "MessageExpression": text_of(rule, "messageExpression"),
        "Reason": rule.get("reason"),
        "FieldPath": text_of(rule, "fieldPath"),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }


def compiled(place: Place) -> list[Compiled]:
    """The rules of a schema that compile, ready to run."""
    found = []
    self_type = place.type or DYN
    listed = place.schema.get("x-kubernetes-validations")
    for rule in listed if isinstance(listed, list) else ():
        # A definition that is taken as stored may be broken in any way.
        if not isinstance(rule, Mapping) or not isinstance(rule.get("rule"), str):
            continue
        environment = _environment(rule, self_type, place.lacks)
        try:
            program = cel.compile(text_of(rule, "rule"), environment)
        except cel.CompileError:
            continue
        found.append(Compiled(rule, program, _message_program(rule, environment), _asks_old(program)))
    return found


def _message_program(rule: Schema, environment: cel.Environment) -> cel.Program | None:
    source = text_of(rule, "messageExpression")
    try:
        return cel.compile(source, environment) if source.strip() else None
    except cel.CompileError:
        return None


def field_schema(
    schema: Schema, path: str, *, arrays: bool, root: bool = False
) -> tuple[Schema | None, str | tuple[str, ...]]:
    """The schema that a simple JSON path leads to and the steps to it, or None and why it leads nowhere."""
    tokens = iter(_tokens(path))
    steps: list[str] = []
    found, first = schema, root
    for sign in tokens:
        if sign not in ".[":
            return None, f"expected [ or . but got: {sign}"
        if sign == "[" and not arrays:
            return None, "array notation is not allowed"
        step = next(tokens, None)
        if step is None:
            return None, "unexpected end of JSON path"
        if sign == "[":
            if len(step) < 2 or step[0] != "'" or step[-1] != "'" or next(tokens, None) != "]":
                return None, f"expected single quoted string but got {step}"
            step = step[1:-1]
        known = properties(found, root=first)
        inner = known[step] or {} if step in known else found.get("additionalProperties")
        if not isinstance(inner, Mapping):
            return None, "does not refer to a valid field"
        found, first = inner, False
        steps.append(step)
    return found, tuple(steps)


def _tokens(path: str) -> list[str]:
    """A path cut at its dots and brackets, which are tokens of their own."""
    out, word = [], ""
    for c in path:
        if c in ".[]":
            out += [word, c] if word else [c]
            word = ""
        else:
            word += c
    return [*out, word] if word else out
