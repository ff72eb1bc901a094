"""Why a value does not fit an OpenAPI schema, in the words of the server.

Follows kube-openapi/pkg/validation (validate, errors) and apiextensions-apiserver's validation.go, which turns its
errors into causes. kplan/schema/rules.py answers the same question with yes or no, and fast: ask there first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from kplan.api.cel.schematypes import list_keys
from kplan.api.validation.field import Errors, go_quote
from kplan.api.validation.structural import schema_at
from kplan.hints import Any
from kplan.model import ABSENT, Cause
from kplan.schema import formats, re2, rules, strfmt

Schema = Mapping[str, Any]

# The field of an error that no field is to blame for.
NOWHERE = "<nil>"
_KINDS: Mapping[type, tuple[str, str]] = {
    int: ("integer", "int64"),
    float: ("number", "float64"),
    bool: ("boolean", ""),
}
_JSON_INTEGER = (1 << 53) - 1


class GoFloat(float):
    """A float that prints as Go's %v does."""

    __slots__ = ()

    def __str__(self) -> str:
        return go_float(float(self))


def go_float(value: float) -> str:
    """A float as Go's %v prints it: the shortest digits, an exponent from the seventh place on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    digits = next(d for d in range(18) if float(f"{value:.{d}e}") == value)
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    if -4 <= int(exponent) < 6:
        return f"{value:.{max(0, digits - int(exponent))}f}"
    return f"{mantissa}e{exponent}"


def causes(schema: Schema, value: Any, at: str = "", old: Any = ABSENT) -> list[Cause]:
    """Every rule of the schema that the value breaks; `at` is the field of the value itself, "" for a whole object.

    What is as it was in the stored value `old` is not judged again (KEP-4008, CRD validation ratcheting).
    """
    if rules.holds(rules.compile(schema), value):
        return []
    walk = _Walk(at)
    walk.value(schema, value, "", old)
    return walk.errors.causes


def same(value: Any, old: Any) -> bool:
    """Whether a value is the old one, of the same types everywhere."""
    return bool(value == old) and json.dumps(value, sort_keys=True) == json.dumps(old, sort_keys=True)


def item_before(schema: Schema, item: Any, old: Any) -> Any:
    """The item of an old list that has the keys of this one; ABSENT if there is none, or if its items have no keys."""
    if schema.get("x-kubernetes-list-type") != "map" or not isinstance(old, list) or not isinstance(item, dict):
        return ABSENT
    keys = list_keys(schema)
    wanted = [item.get(k) for k in keys]
    return next((o for o in old if isinstance(o, dict) and [o.get(k) for k in keys] == wanted), ABSENT)


class _Walk:
    """One validation: the errors, and how many checks were made (which decides between failed alternatives)."""

    def __init__(self, at: str) -> None:
        self.errors = Errors()
        self.checks = 0
        self._at = at

    def _field(self, path: str) -> str:
        path = path.removeprefix(".")
        return ".".join(p for p in (self._at, path) if p) or NOWHERE

    def _general(self, message: str) -> None:
        self.errors.invalid(self._at or NOWHERE, "", message)

    def _wrong(self, path: str, value: Any, sentence: str) -> None:
        self.errors.invalid(self._field(path), value, f"{path} in body {sentence}")

    def value(self, schema: Schema, value: Any, path: str, old: Any = ABSENT) -> None:
        """Check a value against a schema; `path` is the text that messages begin with, `old` what was there before."""
        if same(value, old):
            return
        if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
            value = float(value)  # as Go reads it
        self._type(schema, value, path)
        if value is None:
            if isinstance(schema.get("enum"), list) and schema["enum"] and not schema.get("nullable"):
                self._enum(schema, value, path)
            return
        self._combinations(schema, value, path)
        if isinstance(value, str):
            self._string(schema, value, path)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            self._number(schema, value, path)
        elif isinstance(value, list):
            self._list(schema, value, path, old)
        if isinstance(schema.get("enum"), list) and schema["enum"]:
            self._enum(schema, value, path)
        if isinstance(value, dict):
            self._object(schema, value, path, old)

    def _type(self, schema: Schema, value: Any, path: str) -> None:
        types = rules.declared_types(schema)
        format_ = str(schema.get("format") or "")
        if not types and not format_:
            return
        self.checks += 1
        if value is None:
            if types and not schema.get("nullable"):
                self._type_error(path, ",".join(types), "null")
            return
        kind, width = _KINDS.get(type(value), (formats.json_type(value), ""))
        whole = isinstance(value, float) and value.is_integer() and abs(value) <= _JSON_INTEGER and "integer" in types
        fits = kind in types or whole or (kind == "integer" and "number" in types)
        if kind in ("string", "array"):
            if format_ and "number" not in types and "integer" not in types:
                return
        elif format_ and not fits and width != format_:
            self._type_error(path, format_, width)
            return
        if types and not fits:
            self._type_error(path, ",".join(types), kind)

    def _type_error(self, path: str, wanted: str, given: str) -> None:
        self.errors.type_invalid(
            self._field(path), given, f"{path} in body must be of type {wanted}: {go_quote(given)}"
        )

    def _attempt(self, schema: Schema, value: Any, path: str) -> _Walk:
        walk = _Walk(self._at)
        walk.value(schema, value, path)
        return walk

    def _merge(self, other: _Walk) -> None:
        self.errors.causes += other.errors.causes
        self.checks += other.checks

    def _combinations(self, schema: Schema, value: Any, path: str) -> None:
        self.checks += 1
        any_of = [self._attempt(s, value, path) for s in rules.sub_schemas(schema.get("anyOf"))]
        if any_of:
            passed = next((w for w in any_of if not w.errors), None)
            if passed is None:
                self._general(f"{go_quote(path)} must validate at least one schema (anyOf)")
            self._merge(passed or max(any_of, key=lambda w: w.checks))
        one_of = [self._attempt(s, value, path) for s in rules.sub_schemas(schema.get("oneOf"))]
        if one_of:
            self._one_of(one_of, path)
        all_of = [self._attempt(s, value, path) for s in rules.sub_schemas(schema.get("allOf"))]
        for walk in all_of:
            self._merge(walk)
        valid = sum(not w.errors for w in all_of)
        if valid < len(all_of):
            self._general(
                f"{go_quote(path)} must validate all the schemas (allOf){'' if valid else '. None validated'}"
            )
        unwanted = schema.get("not")
        if isinstance(unwanted, Mapping) and not self._attempt(unwanted, value, path).errors:
            self._general(f"{go_quote(path)} must not validate the schema (not)")

    def _one_of(self, walks: list[_Walk], path: str) -> None:
        passed = [w for w in walks if not w.errors]
        if len(passed) != 1:
            found = f"Found {len(passed)} valid alternatives" if passed else "Found none valid"
            self._general(f"{go_quote(path)} must validate one and only one schema (oneOf). {found}")
        if len(passed) <= 1:
            self._merge(passed[0] if passed else max(walks, key=lambda w: w.checks))

    def _string(self, schema: Schema, value: str, path: str) -> None:
        self.checks += 1
        longest, shortest, pattern = _number(schema, "maxLength"), _number(schema, "minLength"), schema.get("pattern")
        if longest is not None and len(value) > longest:
            self.errors.too_long(self._field(path), longest)
        elif shortest is not None and len(value) < shortest:
            self._wrong(path, value, f"should be at least {shortest} chars long")
        elif isinstance(pattern, str) and pattern and not _matches(pattern, value):
            self._wrong(path, value, f"should match '{pattern}'")
        name = strfmt.known(str(schema.get("format") or ""))
        if name:
            self.checks += 1
            if not strfmt.matches(name, value):
                wanted = schema["format"]
                detail = f"{path} in body must be of type {wanted}: {go_quote(value)}"
                self.errors.type_invalid(self._field(path), value, detail)

    def _number(self, schema: Schema, value: int | float, path: str) -> None:
        self.checks += 1
        self._in_range(schema, value, "Checked", path)
        factor = _number(schema, "multipleOf")
        if factor is not None:
            number, factor = self._comparable(schema, value, factor, "MultipleOf", path)
            if factor <= 0:
                detail = f"factor MultipleOf declared for {path} must be positive: {_text(factor)}"
                self.errors.invalid(self._field(path), factor, detail)
            elif not _divides(number, factor):
                self._wrong(path, number, f"should be a multiple of {_text(factor)}")
        low, high = _number(schema, "minimum"), _number(schema, "maximum")
        if high is not None:
            exclusive = schema.get("exclusiveMaximum") is True
            number, high = self._comparable(schema, value, high, "Maximum boundary", path)
            if number > high or (exclusive and number == high):
                self._wrong(path, number, f"should be less than {'' if exclusive else 'or equal to '}{_text(high)}")
        if low is not None:
            exclusive = schema.get("exclusiveMinimum") is True
            number, low = self._comparable(schema, value, low, "Minimum boundary", path)
            if number < low or (exclusive and number == low):
                self._wrong(path, number, f"should be greater than {'' if exclusive else 'or equal to '}{_text(low)}")

    def _comparable(
        self, schema: Schema, value: int | float, bound: int | float, what: str, path: str
    ) -> tuple[int | float, int | float]:
        """A number and its bound as numbers of one kind: those of the value, if the bound is in its range."""
        if self._in_range(schema, bound, what, path) and isinstance(value, int):
            return value, int(bound)
        return GoFloat(value), GoFloat(bound)

    def _in_range(self, schema: Schema, number: int | float, what: str, path: str) -> bool:
        if rules.declared_types(schema)[:1] != ("integer",):
            return True
        format_ = str(schema.get("format") or "")
        bits = 31 if format_ == "int32" else 63
        if (isinstance(number, int) or number.is_integer()) and -(1 << bits) <= number < 1 << bits:
            return True
        width = f"with format {format_}" if format_ else "(default format)"
        self._general(f"{what} value must be of type integer {width} in {path}")
        return False

    def _list(self, schema: Schema, value: list[Any], path: str, old: Any) -> None:
        self.checks += 1
        item = schema.get("items")
        if isinstance(item, Mapping):
            for i, v in enumerate(value):
                self.value(item, v, f"{path}[{i}]", item_before(schema, v, old))
        fewest, most = _number(schema, "minItems"), _number(schema, "maxItems")
        if fewest is not None and len(value) < fewest:
            self._wrong(path, len(value), f"should have at least {fewest} items")
        if most is not None and len(value) > most:
            self.errors.too_many(self._field(path), len(value), most)
        if schema.get("uniqueItems") is True and len({json.dumps(v, sort_keys=True) for v in value}) < len(value):
            self._wrong(path, value, "shouldn't contain duplicates")

    def _enum(self, schema: Schema, value: Any, path: str) -> None:
        self.checks += 1
        if not rules.holds(rules.compile({"enum": schema["enum"]}), value):
            texts = [v if isinstance(v, str) else json.dumps(v, separators=(",", ":")) for v in schema["enum"]]
            self.errors.not_supported(self._field(path), value, texts, keep_order=True)

    def _object(self, schema: Schema, value: dict[str, Any], path: str, old: Any) -> None:
        self.checks += 1
        fewest, most = _number(schema, "minProperties"), _number(schema, "maxProperties")
        if fewest is not None and len(value) < fewest:
            self._wrong(path, len(value), f"should have at least {fewest} properties")
            return
        if most is not None and len(value) > most:
            self.errors.too_many(self._field(path), len(value), most)
            return
        required = schema.get("required")
        for name in required if isinstance(required, list) else ():
            if isinstance(name, str) and name not in value:
                self.errors.required(self._field(f"{path}.{name}"))
        properties, additional = schema_at(schema, "properties") or {}, schema.get("additionalProperties")
        for name, inner in value.items():
            known = properties.get(name, additional)
            if isinstance(known, Mapping):
                before = old.get(name, ABSENT) if isinstance(old, dict) else ABSENT
                self.value(known, inner, f"{path}.{name}" if path else str(name), before)


def _number(schema: Schema, keyword: str) -> Any:
    """A bound of the schema; None if there is none."""
    bound = schema.get(keyword)
    return bound if isinstance(bound, (int, float)) and not isinstance(bound, bool) else None


def _text(number: int | float) -> str:
    return go_float(number) if isinstance(number, float) else str(number)


def _divides(number: int | float, factor: int | float) -> bool:
    if isinstance(number, int):
        return number % int(factor) == 0
    quotient = 1 / factor * number if factor < 1 else number / factor
    return quotient.is_integer() and abs(quotient) <= _JSON_INTEGER


def _matches(pattern: str, text: str) -> bool:
    try:
        return re2.compile(pattern).search(text)
    except re2.PatternError:
        return True
