"""The parts of a CustomResourceDefinition's schema of which something may have to be said.

Such schemas have thousands of nodes, and nearly all are plain: a type, a description, limits. Each rule about schemas
is a walk of its own; one cheap walk finds what those have to look at. A node is plain only if everything in it is known
not to matter, so a doubt costs time and no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.hints import Any
from kplan.tuples import NamedTuple

_TYPES = frozenset(("array", "boolean", "integer", "number", "object", "string"))
_INT_OR_STRING, _PRESERVE = "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"
_LIST_TYPE, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-map-type"
_EITHER = [{"type": "integer"}, {"type": "string"}]
FORMATS = frozenset(
    "int32 int64 float double byte bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn "
    "isbn10 isbn13 creditcard ssn hexcolor rgbcolor password date duration datetime date-time k8s-short-name "
    "k8s-long-name".split()
)
_OF_NUMBERS = frozenset(("int32", "int64", "float", "double"))
# What no rule looks at inside of a schema, wherever it stands.
_SAID = frozenset(
    "description title nullable enum example externalDocs required maximum minimum exclusiveMaximum "
    "exclusiveMinimum multipleOf maxLength minLength maxItems minItems maxProperties minProperties".split()
)
_INSIDE = frozenset(("properties", "items", "additionalProperties"))
_OF_EITHER = _SAID | {"anyOf", "default", "format", "pattern", _INT_OR_STRING}
_OF_STRUCTURE = _SAID | _INSIDE | {"type", "default", "format", "pattern", _PRESERVE, _LIST_TYPE, _MAP_TYPE}
_MOST_FORMS = 1_000
_MOST_RECENT = 8


class Part(NamedTuple):
    """A node of a schema that is not plain, or has such a node inside, and those of its parts that are so too.

    Of a `quiet` node itself nothing can be said but what its default may be.
    """

    schema: Mapping[str, Any]
    quiet: bool = False
    item: Part | None = None
    additional: Part | None = None
    properties: tuple[tuple[str, Part], ...] = ()


_NOTHING = Part({})


class _Form(NamedTuple):
    """What the keys of a node say: with which types and tests of its values it is quiet, and whether it is plain if it
    has nothing inside."""

    types: frozenset[str | None]
    tests: tuple[tuple[str, Callable[[Any, Any], bool]], ...]
    inside: tuple[str, ...]
    can_be_plain: bool


_forms: dict[tuple[str, ...], _Form] = {}
_leaves: dict[tuple[str, ...], frozenset[str | None]] = {}  # the types of plain nodes without tests and parts
_recent: dict[int, Part] = {}  # by the identity of the schema, which the part holds


def parts(schema: Mapping[str, Any]) -> Part:
    """What there is to look at in the structure of a schema. The last answers are remembered, for validation and
    warnings ask for those of all versions of a definition, one after the other."""
    found = _recent.get(id(schema))
    if found is None:
        if len(_recent) >= _MOST_RECENT:
            del _recent[next(iter(_recent))]  # the oldest
        found = _recent[id(schema)] = root(schema)
    return found


def root(schema: Mapping[str, Any]) -> Part:
    """The same for a schema of which nobody will ask again. A root has rules of its own: it is never quiet."""
    found = _part(schema) if type(schema) is dict else None
    return found._replace(quiet=False) if found else Part(schema)


def _part(node: dict[str, Any]) -> Part | None:
    """None for a node that is plain with all that is in it."""
    names = tuple(node)
    types, tests, inside, can_be_plain = _forms.get(names) or _form(names)
    kind = node.get("type")
    quiet = kind in types
    if quiet:
        for key, test in tests:
            if not test(node[key], kind):
                quiet = False
                break
    parts: dict[str, Any] = {}
    for key in inside:
        inner = node[key]
        if type(inner) is not dict:
            quiet = False
        elif part := _properties(inner) if key == "properties" else _part(inner):
            parts[key] = part
    if parts:
        return Part(node, quiet, parts.get("items"), parts.get("additionalProperties"), parts.get("properties", ()))
    return None if quiet and can_be_plain else Part(node, quiet)


def _properties(properties: dict[str, Any]) -> tuple[tuple[str, Part], ...]:
    """The properties that are not plain, in the order of their names."""
    found: list[tuple[str, Part]] = []
    leaves = _leaves
    for name, inner in properties.items():
        if type(inner) is not dict:
            found.append((name, _NOTHING))
            continue
        types = leaves.get(tuple(inner))
        if types is None or inner["type"] not in types:
            part = _part(inner)
            if part:
                found.append((name, part))
    return tuple(sorted(found, key=_name)) if found else ()


def _name(named: tuple[str, Part]) -> str:
    return named[0]


def _form(names: tuple[str, ...]) -> _Form:
    """The form of nodes with these keys."""
    keys = frozenset(names)
    types: frozenset[str | None] = frozenset()
    if {_INT_OR_STRING, "anyOf"} <= keys <= _OF_EITHER:
        types = frozenset((None,))
    elif keys <= _OF_STRUCTURE and not {"properties", "additionalProperties"} <= keys:
        types = _TYPES if "items" in keys else _TYPES - {"array"}
        for key, kind in ((_LIST_TYPE, "array"), (_MAP_TYPE, "object")):
            types = types & {kind} if key in keys else types
    tests = tuple((key, test) for key, test in _TESTS.items() if key in keys) if types else ()
    if len(_forms) >= _MOST_FORMS:
        _forms.clear()
        _leaves.clear()
    found = _forms[names] = _Form(types, tests, tuple(keys & _INSIDE), "default" not in keys)
    if not tests and "type" in keys and found.can_be_plain and not found.inside:
        _leaves[names] = types
    return found


def _is_true(value: Any, _type: Any) -> bool:
    return value is True


def _is_pattern(value: Any, _type: Any) -> bool:
    """Whether this is a pattern that Go compiles."""
    from kplan.schema import re2

    try:
        re2.compile(value)
    except re2.PatternError:
        return False
    return True


def is_known_format(name: Any, type_: Any) -> bool:
    """Whether the server knows a format for values of a type: those of numbers say nothing about a text."""
    return name in FORMATS and not (type_ == "string" and name in _OF_NUMBERS)


# What keys must say of which something can be said otherwise.
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "format": is_known_format,
    "pattern": _is_pattern,
    "anyOf": lambda value, _: bool(value == _EITHER),
    _INT_OR_STRING: _is_true,
    _PRESERVE: _is_true,
    _LIST_TYPE: lambda value, _: bool(value == "atomic"),
    _MAP_TYPE: lambda value, _: value in ("atomic", "granular"),
}
