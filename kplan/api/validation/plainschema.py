"""The parts of a CustomResourceDefinition's schema of which nothing can be said.

Such schemas have thousands of nodes, and nearly all are plain: a type, a description, limits. Each rule about schemas
is a walk of its own; one cheap walk finds the nodes at which none of them has anything to look at, however deep they
go. A node is plain only if everything in it is known not to matter, so a doubt costs time and no finding.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.hints import Any

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_INT_OR_STRING, _PRESERVE = "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"
_LIST_TYPE, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-map-type"
_EITHER = [{"type": "integer"}, {"type": "string"}]
FORMATS = frozenset(
    "int32 int64 float double byte bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn "
    "isbn10 isbn13 creditcard ssn hexcolor rgbcolor password date duration datetime date-time k8s-short-name "
    "k8s-long-name".split()
)
# What no rule looks at inside of a schema, wherever it stands.
_SAID = frozenset(
    "description title format nullable enum example externalDocs required pattern maximum minimum exclusiveMaximum "
    "exclusiveMinimum multipleOf maxLength minLength maxItems minItems maxProperties minProperties".split()
)
_OF_STRUCTURE = _SAID | {"type", "properties", "items", "additionalProperties", _PRESERVE, _LIST_TYPE, _MAP_TYPE}
_OF_EITHER = _SAID | {"anyOf", _INT_OR_STRING}

_last: tuple[Any, frozenset[int]] = (None, frozenset())


def plain_nodes(schema: Mapping[str, Any]) -> frozenset[int]:
    """The ids of the plain nodes below a schema, as far as they are part of its structure. Those of the last schema are
    remembered, for validation and warnings ask one after the other."""
    global _last
    if _last[0] is not schema:
        found: set[int] = set()
        _walk(schema, found)
        found.discard(id(schema))  # a root has rules of its own
        _last = (schema, frozenset(found))
    return _last[1]


def _walk(node: Any, found: set[int]) -> bool:
    """Whether a node is plain with all that is in it; the plain ones are put into `found`."""
    if type(node) is not dict:
        return False
    plain = _is_plain(node)
    properties = node.get("properties")
    if type(properties) is dict:
        for inner in properties.values():
            plain = _walk(inner, found) and plain
    for key in ("items", "additionalProperties"):
        if key in node:
            plain = _walk(node[key], found) and plain
    if plain:
        found.add(id(node))
    return plain


def _is_plain(node: dict[str, Any]) -> bool:
    """Whether a node is plain, whatever is inside."""
    if node.get(_INT_OR_STRING) is True:
        return node.keys() <= _OF_EITHER and node.get("anyOf") == _EITHER and _has_known_words(node)
    kind = node.get("type")
    return (
        node.keys() <= _OF_STRUCTURE
        and kind in _TYPES
        and (kind != "array" or "items" in node)
        and not ("additionalProperties" in node and "properties" in node)
        and type(node.get("properties", {})) is dict
        and node.get(_PRESERVE, True) is True
        and (_LIST_TYPE not in node or (kind == "array" and node[_LIST_TYPE] == "atomic"))
        and (_MAP_TYPE not in node or (kind == "object" and node[_MAP_TYPE] in ("atomic", "granular")))
        and _has_known_words(node)
    )


def _has_known_words(node: dict[str, Any]) -> bool:
    """Whether the format is one that is checked and the pattern one that Go compiles."""
    if "format" in node and node["format"] not in FORMATS:
        return False
    if "pattern" not in node:
        return True
    from kplan.schema import re2

    try:
        re2.compile(node["pattern"])
    except re2.PatternError:
        return False
    return True
