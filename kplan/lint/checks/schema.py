"""Check kind `schema`: the value must fit a JSON Schema (draft 2020-12, without references).

The schema becomes closures once, because rules run on every object. A keyword that is not in the table is an error of
the rule: nothing is silently left unchecked, and no reference is ever followed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from kplan.errors import KplanError
from kplan.hints import Any
from kplan.lint.site import Check, Problem, Site
from kplan.model import Path
from kplan.patterns import lazy
from kplan.workloads import get

Search = Callable[[str], bool]
Faults = Sequence[Path]
Test = Callable[[Any], Faults]  # from a value to the paths in it of what does not fit

_NONE: Faults = ()
_ITSELF: Faults = ((),)

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "null": lambda v: v is None,
    "integer": lambda v: not isinstance(v, bool) and (isinstance(v, int) or (isinstance(v, float) and v.is_integer())),
    "number": lambda v: not isinstance(v, bool) and isinstance(v, (int, float)),
}
_ARGUMENTS: Mapping[str, frozenset[str]] = {
    "object": frozenset(("properties", "patternProperties", "dependentRequired")),
    "array": frozenset(("required", "enum", "allOf", "anyOf", "oneOf")),
    "string": frozenset(("pattern",)),
    "boolean": frozenset(("uniqueItems",)),
    "integer": frozenset(f"{end}{what}" for end in ("min", "max") for what in ("Items", "Length", "Properties")),
    "number": frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
}
_WITHOUT_TEST = {"title", "description", "$comment", "then", "else"}


def build(schema: Any, trusted: bool) -> Check:
    """What does not fit a JSON Schema; patterns of rules that kplan does not ship are matched in linear time."""
    test = _compile(schema, _search(trusted))

    def check(site: Site) -> Iterable[Problem]:
        faults = test(site.value)
        if not faults:
            return ()
        found = ((path, get(site.value, *path)) for path in faults)
        return [Problem((*site.path, *path), {"value": value, "item": get(value, "name")}) for path, value in found]

    return check


def _search(trusted: bool) -> Callable[[str], Search]:
    if not trusted:
        from kplan.schema import re2

        return lambda source: re2.compile(source).search

    def search(source: str) -> Search:
        found = lazy(source)
        return lambda text: found.search(text) is not None

    return search


def _compile(schema: Any, search: Callable[[str], Search]) -> Test:
    if schema is True:
        return lambda _: _NONE
    if schema is False:
        return lambda _: _ITSELF
    _check_form(schema)
    tests = [_KEYWORDS[word](schema[word], schema, search) for word in schema if word in _KEYWORDS]
    if len(tests) == 1:
        return tests[0]

    def test(value: Any) -> Faults:
        out = _NONE
        for one in tests:
            found = one(value)
            if found:
                out = (*out, *found)
        return out

    return test


def _below(step: str | int, faults: Faults) -> Faults:
    """Faults of a part of a value, as those of the value."""
    return tuple((step, *path) for path in faults)


def _check_form(schema: Any) -> None:
    """Raise KplanError for what is no schema, or uses what is not supported."""
    if not isinstance(schema, dict):
        raise KplanError("a schema must be a mapping, true or false")
    unknown = schema.keys() - _KEYWORDS.keys() - _WITHOUT_TEST
    if unknown:
        raise KplanError(f"the schema uses {', '.join(sorted(map(str, unknown)))}, which is not supported")
    for word, argument in schema.items():
        wanted = next((t for t, words in _ARGUMENTS.items() if word in words), "")
        if wanted and not _TYPES[wanted](argument):
            raise KplanError(f"in the schema, {word} must be {'an' if wanted[0] in 'aio' else 'a'} {wanted}")


def equal(a: Any, b: Any) -> bool:
    """Equality of JSON values: true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return bool(a == b)


def _plain(holds: Callable[[Any, Any], bool], kind: str = "") -> Callable[..., Test]:
    """A keyword that says yes or no to a value of one type, and yes to any other."""

    def build_test(argument: Any, _schema: Any, _search: Any) -> Test:
        if kind:
            of_type = _TYPES[kind]
            return lambda value: _ITSELF if of_type(value) and not holds(value, argument) else _NONE
        return lambda value: _NONE if holds(value, argument) else _ITSELF

    return build_test


def _type(types: Any, _schema: Any, _search: Any) -> Test:
    fits = _TYPES.get(types) if isinstance(types, str) else None
    if fits is not None:
        return lambda value: _NONE if fits(value) else _ITSELF
    names = [types] if isinstance(types, str) else types
    return lambda value: _NONE if any(_TYPES[t](value) for t in names) else _ITSELF


def _properties(schemas: Any, _schema: Any, search: Any) -> Test:
    tests = [(name, _compile(s, search)) for name, s in schemas.items()]

    def test(value: Any) -> Faults:
        out = _NONE
        if isinstance(value, dict):
            for name, one in tests:
                if name in value:
                    found = one(value[name])
                    if found:
                        out = (*out, *_below(name, found))
        return out

    return test


def _required(names: Any, _schema: Any, _search: Any) -> Test:
    def test(value: Any) -> Faults:
        out = _NONE
        if isinstance(value, dict):
            for name in names:
                if name not in value:
                    out = (*out, (name,))
        return out

    return test


def _items(schema: Any, _schema: Any, search: Any) -> Test:
    one = _compile(schema, search)

    def test(value: Any) -> Faults:
        if not isinstance(value, list):
            return _NONE
        return [p for i, item in enumerate(value) if (found := one(item)) for p in _below(i, found)]

    return test


def _contains(schema: Any, _schema: Any, search: Any) -> Test:
    one = _compile(schema, search)
    return lambda value: _ITSELF if isinstance(value, list) and all(one(v) for v in value) else _NONE


def _other_properties(schema: Any, whole: Any, search: Any) -> Test:
    one = _compile(schema, search)
    named = set(whole.get("properties", ()))
    patterns = [search(p) for p in whole.get("patternProperties", ())]

    def test(value: Any) -> Faults:
        if not isinstance(value, dict):
            return _NONE
        other = [k for k in value if k not in named and not any(p(k) for p in patterns)]
        return [p for k in other for p in _below(k, one(value[k]))]

    return test


def _pattern_properties(schemas: Any, _schema: Any, search: Any) -> Test:
    tests = [(search(pattern), _compile(s, search)) for pattern, s in schemas.items()]

    def test(value: Any) -> Faults:
        if not isinstance(value, dict):
            return _NONE
        return [p for k, v in value.items() for fits, one in tests if fits(k) for p in _below(k, one(v))]

    return test


def _property_names(schema: Any, _schema: Any, search: Any) -> Test:
    one = _compile(schema, search)

    return lambda value: [(k,) for k in value if one(k)] if isinstance(value, dict) else _NONE


def _pattern(source: Any, _schema: Any, search: Any) -> Test:
    fits = search(source)
    return lambda value: _ITSELF if isinstance(value, str) and not fits(value) else _NONE


def _not(schema: Any, _schema: Any, search: Any) -> Test:
    one = _compile(schema, search)
    return lambda value: _NONE if one(value) else _ITSELF


def _all_of(schemas: Any, _schema: Any, search: Any) -> Test:
    tests = [_compile(s, search) for s in schemas]
    return lambda value: [p for one in tests for p in one(value)]


def _any_of(schemas: Any, _schema: Any, search: Any) -> Test:
    tests = [_compile(s, search) for s in schemas]

    def test(value: Any) -> Faults:
        for one in tests:
            if not one(value):
                return _NONE
        return _ITSELF

    return test


def _one_of(schemas: Any, _schema: Any, search: Any) -> Test:
    tests = [_compile(s, search) for s in schemas]
    return lambda value: _NONE if sum(not one(value) for one in tests) == 1 else _ITSELF


def _if(schema: Any, whole: Any, search: Any) -> Test:
    condition = _compile(schema, search)
    then, otherwise = (_compile(whole.get(word, True), search) for word in ("then", "else"))
    return lambda value: otherwise(value) if condition(value) else then(value)


def _dependent(names: Any, _schema: Any, _search: Any) -> Test:
    def test(value: Any) -> Faults:
        if not isinstance(value, dict):
            return _NONE
        return [(n,) for key, need in names.items() if key in value for n in need if n not in value]

    return test


def _unique(value: Any, wanted: Any) -> bool:
    return not wanted or not any(equal(a, b) for i, a in enumerate(value) for b in value[:i])


_KEYWORDS: Mapping[str, Callable[[Any, Any, Any], Test]] = {
    "type": _type,
    "const": _plain(equal),
    "enum": _plain(lambda value, words: value in words if type(value) is str else any(equal(value, w) for w in words)),
    "properties": _properties,
    "required": _required,
    "items": _items,
    "contains": _contains,
    "additionalProperties": _other_properties,
    "patternProperties": _pattern_properties,
    "propertyNames": _property_names,
    "pattern": _pattern,
    "not": _not,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "if": _if,
    "dependentRequired": _dependent,
    "minProperties": _plain(lambda value, n: len(value) >= n, "object"),
    "maxProperties": _plain(lambda value, n: len(value) <= n, "object"),
    "minItems": _plain(lambda value, n: len(value) >= n, "array"),
    "maxItems": _plain(lambda value, n: len(value) <= n, "array"),
    "uniqueItems": _plain(_unique, "array"),
    "minLength": _plain(lambda value, n: len(value) >= n, "string"),
    "maxLength": _plain(lambda value, n: len(value) <= n, "string"),
    "minimum": _plain(lambda value, n: value >= n, "number"),
    "maximum": _plain(lambda value, n: value <= n, "number"),
    "exclusiveMinimum": _plain(lambda value, n: value > n, "number"),
    "exclusiveMaximum": _plain(lambda value, n: value < n, "number"),
    "multipleOf": _plain(lambda value, n: value % n == 0, "number"),
}
