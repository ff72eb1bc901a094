"""The value rules of an OpenAPI v3 schema, as the API server applies them to custom resources.

Follows kube-openapi/pkg/validation/validate: a keyword looks only at values of its own JSON type, whole numbers are
compared as int64 (a bound of 0.5 is 0 to them, unless integers are asked for), null passes where the schema is
nullable or has no type. A part of a schema is compiled when a value first reaches it, so the size of a
CustomResourceDefinition costs nothing by itself.
The sentences are kplan's own. A pattern that cannot be matched passes: `unmatchable` lists them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from kplan.hints import Any
from kplan.model import Path
from kplan.schema import formats, re2, strfmt
from kplan.tuples import NamedTuple

Schema = Mapping[str, Any]


class Violation(NamedTuple):
    """A rule that a value breaks; `kind` is the keyword ("maxLength")."""

    path: Path
    kind: str
    detail: str


class _Test(NamedTuple):
    kind: str
    passes: Callable[[Any], bool]
    detail: str
    at: Path = ()


class Rules:
    """A compiled schema: tests of the value itself, and the rules of its members."""

    __slots__ = ("_fields", "_item", "_schema", "every", "tests")

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self.tests = tuple(_tests(schema))
        self.every = tuple(Rules(s) for s in sub_schemas(schema.get("allOf")))
        self._fields: dict[str, Rules | None] = {}
        self._item: Rules | None = None

    def field(self, name: str) -> Rules | None:
        """The rules of a member of an object, declared or additional; None if there are none."""
        if name not in self._fields:
            inner = _properties(self._schema).get(name, self._schema.get("additionalProperties"))
            self._fields[name] = Rules(inner) if isinstance(inner, Mapping) else None
        return self._fields[name]

    def item(self) -> Rules | None:
        """The rules of every item of a list; None if there are none."""
        inner = self._schema.get("items")
        if self._item is None and isinstance(inner, Mapping):
            self._item = Rules(inner)
        return self._item


def compile(schema: Schema) -> Rules:  # noqa: A001 - the usual word
    """The rules of a schema."""
    return Rules(schema)


def holds(rules: Rules, value: Any) -> bool:
    """Whether a value satisfies the rules."""
    for test in rules.tests:
        if not test.passes(value):
            return False
    if value is None:
        return True
    for part in rules.every:
        if not holds(part, value):
            return False
    if type(value) is dict or type(value) is list:
        for _, v, inner in _members(rules, value):
            if not holds(inner, v):
                return False
    return True


def violations(rules: Rules, value: Any, path: Path = ()) -> Iterator[Violation]:
    """All rules that a value breaks, in the order of the value."""
    for test in rules.tests:
        if not test.passes(value):
            yield Violation(path + test.at, test.kind, test.detail)
    for part in rules.every:
        if value is not None:
            yield from violations(part, value, path)
    for step, v, inner in _members(rules, value):
        yield from violations(inner, v, path + (step,))


def _members(rules: Rules, value: Any) -> Iterator[tuple[str | int, Any, Rules]]:
    if isinstance(value, dict):
        for name, v in value.items():
            inner = rules.field(name)
            if inner is not None:
                yield name, v, inner
    elif isinstance(value, list):
        item = rules.item()
        if item is not None:
            for i, v in enumerate(value):
                yield i, v, item


def unmatchable(schema: Schema, path: Path = ()) -> Iterator[Violation]:
    """The patterns of a schema that kplan cannot match (or that Go would refuse), with the reason."""
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        try:
            re2.compile(pattern)
        except re2.PatternError as e:
            yield Violation(path + ("pattern",), "pattern", str(e))
    for key, inner in schema.items():
        if key == "properties":
            for name, s in _properties(schema).items():
                if isinstance(s, Mapping):
                    yield from unmatchable(s, path + (key, name))
        elif isinstance(inner, Mapping) and key in ("items", "additionalProperties", "not"):
            yield from unmatchable(inner, path + (key,))
        elif key in ("allOf", "anyOf", "oneOf"):
            for i, s in enumerate(sub_schemas(inner)):
                yield from unmatchable(s, path + (key, i))


def _properties(schema: Schema) -> Schema:
    value = schema.get("properties")
    return value if isinstance(value, Mapping) else {}


def sub_schemas(value: Any) -> list[Schema]:
    """The schemas of allOf, anyOf or oneOf."""
    return [s for s in value if isinstance(s, Mapping)] if isinstance(value, list) else []


def _tests(schema: Schema) -> Iterator[_Test]:
    yield from _type_tests(schema)
    allowed = schema.get("enum")
    if isinstance(allowed, list) and allowed:
        listed = ", ".join(json.dumps(v) for v in allowed[:20])
        yield _Test("enum", lambda v: any(_same(v, a) for a in allowed), f"must be one of {listed}")
    for keyword, (build, detail) in _BOUNDS.items():
        bound = schema.get(keyword)
        if bound is not None and _is_number(bound) and math.isfinite(bound):
            passes = build(bound, schema) if _in_range(keyword, bound, schema) else _no_number
            yield _Test(keyword, passes, detail.format(bound))
    if isinstance(schema.get("pattern"), str):
        yield _Test("pattern", _of_type(str, _pattern(schema["pattern"])), f"must match {schema['pattern']}")
    if schema.get("uniqueItems") is True:
        yield _Test("uniqueItems", _of_type(list, _all_differ), "must not have the same item twice")
    yield from _field_tests(schema)
    yield from _combination_tests(schema)


def _in_range(keyword: str, bound: Any, schema: Schema) -> bool:
    """Whether a bound is of the schema's own type; the server lets no number pass a bound of 1.5 for integers."""
    if keyword not in _NUMERIC or declared_types(schema)[:1] != ("integer",):
        return True
    return formats.is_integer(bound, "int32" if schema.get("format") == "int32" else "")


def _no_number(value: Any) -> bool:
    return not _is_number(value)


def _field_tests(schema: Schema) -> Iterator[_Test]:
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str):
            yield _Test("required", _of_type(dict, partial(_has, name)), "is required", (name,))
    if schema.get("additionalProperties") is False:
        declared = _properties(schema).keys()
        yield _Test("additionalProperties", _of_type(dict, lambda v: v.keys() <= declared), "has an unknown field")


def _has(name: str, value: dict[str, Any]) -> bool:
    return name in value


def _same(value: Any, allowed: Any) -> bool:
    """Equality of JSON values, for which Python's True is 1."""
    return value is not None and bool(value == allowed) and (type(value) is bool) == (type(allowed) is bool)


def _type_tests(schema: Schema) -> Iterator[_Test]:
    types = declared_types(schema)
    format_ = _format(schema, types)
    if types or format_:
        nullable = bool(schema.get("nullable")) or not types
        detail = f"must be of type {' or '.join(types)}" if types else f"must have the format {format_}"
        plain = _PLAIN.get(types[0]) if len(types) == 1 and not format_ else None
        yield _Test("type", _type_test(plain, nullable) if plain else _open_test(types, format_, nullable), detail)
    if format_ in ("int32", "int64"):
        yield _Test("format", lambda v: not _is_number(v) or formats.is_integer(v, format_), f"must be an {format_}")
    elif types == ("integer",):
        yield _Test("format", lambda v: not _is_number(v) or formats.is_integer(v, ""), "must be an int64")
    elif format_ in strfmt.KNOWN:
        detail = f"must have the format {schema['format']}"
        yield _Test("format", lambda v: type(v) is not str or strfmt.matches(format_, v), detail)


def declared_types(schema: Schema) -> tuple[str, ...]:
    """The JSON types that a schema allows; none for any."""
    if schema.get("x-kubernetes-int-or-string") is True:
        return ("integer", "string")
    declared = schema.get("type")
    return (declared,) if isinstance(declared, str) and declared else ()


def _format(schema: Schema, types: tuple[str, ...]) -> str:
    """The format, if the server knows it for this type (validation/formats.go)."""
    name = schema.get("format")
    if not isinstance(name, str):
        return ""
    match types:
        case ("integer",):
            return name if name in ("int32", "int64") else ""
        case ("number",):
            return name if name in ("float", "double") else ""
        case () | ("string",) | ("integer", "string"):
            return strfmt.known(name)
    return ""


_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict}


def _type_test(plain: type, nullable: bool) -> Callable[[Any], bool]:
    return lambda v: type(v) is plain or (nullable and v is None)


def _open_test(types: tuple[str, ...], format_: str, nullable: bool) -> Callable[[Any], bool]:
    return lambda v: nullable if v is None else _is_of(v, types, format_)


def _is_of(value: Any, types: tuple[str, ...], format_: str) -> bool:
    kind = formats.json_type(value)
    if format_ and kind in ("string", "array") and not {"number", "integer"} & set(types):
        return True  # the format decides, and it only looks at strings
    if kind == "number" and "integer" in types:
        return bool(value.is_integer())
    return kind in types or (kind == "integer" and "number" in types)


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _of_type(type_: type, passes: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda v: type(v) is not type_ or passes(v)


def _bound(value: Any, bound: Any) -> Any:
    """A bound as a number of the value's own kind: truncated for a whole number."""
    return int(bound) if type(value) is int else bound


def _maximum(bound: Any, schema: Schema) -> Callable[[Any], bool]:
    exclusive = bool(schema.get("exclusiveMaximum"))
    return lambda v: not _is_number(v) or v < _bound(v, bound) or (v == _bound(v, bound) and not exclusive)


def _minimum(bound: Any, schema: Schema) -> Callable[[Any], bool]:
    exclusive = bool(schema.get("exclusiveMinimum"))
    return lambda v: not _is_number(v) or v > _bound(v, bound) or (v == _bound(v, bound) and not exclusive)


def _multiple(factor: Any, _: Schema) -> Callable[[Any], bool]:
    def passes(value: Any) -> bool:
        if not _is_number(value):
            return True
        step = _bound(value, factor)
        if step <= 0:
            return False
        if type(value) is int:
            return bool(value % step == 0)
        return bool((1 / step * value if step < 1 else value / step).is_integer())

    return passes


def _pattern(pattern: str) -> Callable[[str], bool]:
    def passes(text: str) -> bool:
        try:
            return re2.compile(pattern).search(text)
        except re2.PatternError:
            return True

    return passes


def _all_differ(items: list[Any]) -> bool:
    return len({json.dumps(v, sort_keys=True) for v in items}) == len(items)


_NUMERIC = frozenset({"maximum", "minimum", "multipleOf"})
# keyword with a number: (how its test is built, what it says)
_BOUNDS: Mapping[str, tuple[Callable[[Any, Schema], Callable[[Any], bool]], str]] = {
    "maximum": (_maximum, "must be at most {}"),
    "minimum": (_minimum, "must be at least {}"),
    "multipleOf": (_multiple, "must be a multiple of {}"),
    "maxLength": (lambda n, _: _of_type(str, lambda v: len(v) <= n), "must be at most {} characters long"),
    "minLength": (lambda n, _: _of_type(str, lambda v: len(v) >= n), "must be at least {} characters long"),
    "maxItems": (lambda n, _: _of_type(list, lambda v: len(v) <= n), "must have at most {} items"),
    "minItems": (lambda n, _: _of_type(list, lambda v: len(v) >= n), "must have at least {} items"),
    "maxProperties": (lambda n, _: _of_type(dict, lambda v: len(v) <= n), "must have at most {} fields"),
    "minProperties": (lambda n, _: _of_type(dict, lambda v: len(v) >= n), "must have at least {} fields"),
}


def _combination_tests(schema: Schema) -> Iterator[_Test]:
    def count(parts: list[Rules], value: Any) -> int:
        return sum(holds(r, value) for r in parts)

    any_of = [Rules(s) for s in sub_schemas(schema.get("anyOf"))]
    if any_of:
        yield _Test("anyOf", lambda v: v is None or count(any_of, v) > 0, "must satisfy one of the schemas of anyOf")
    one_of = [Rules(s) for s in sub_schemas(schema.get("oneOf"))]
    if one_of:
        yield _Test("oneOf", lambda v: v is None or count(one_of, v) == 1, "must satisfy one schema of oneOf, not more")
    if isinstance(schema.get("not"), Mapping):
        unwanted = Rules(schema["not"])
        yield _Test("not", lambda v: v is None or not holds(unwanted, v), "must not satisfy the schema of not")
