"""The schema of a CustomResourceDefinition, node by node.

Follows apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go
(ValidateCustomResourceDefinitionOpenAPISchema) and pkg/apiserver/schema/defaulting/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kplan.api.cel.declarations import missing
from kplan.api.validation import crdrules, schemavalues, structural
from kplan.api.validation.crdrules import Place
from kplan.api.validation.field import Errors
from kplan.api.validation.plainschema import Part, parts, root
from kplan.api.validation.rulecosts import Bill
from kplan.api.validation.structural import properties_of, schema_at, schemas_at
from kplan.hints import Any
from kplan.schema import re2
from kplan.schema import structural as shapes
from kplan.schema.crd import resource_node
from kplan.schema.definitions import Definitions
from kplan.schema.node import Node
from kplan.tuples import NamedTuple

Schema = Mapping[str, Any]

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_LIST_TYPE, _LIST_KEYS, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "x-kubernetes-map-type"
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_ROOT_FIELDS = (
    "Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern "
    "MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields "
    "XValidations"
)
_ROOT_KEYS = frozenset(
    "description type format title maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern "
    "maxItems minItems uniqueItems multipleOf required items properties externalDocs example "
    "x-kubernetes-preserve-unknown-fields x-kubernetes-validations".split()
)


_OF_TYPE = frozenset(("type", "default", "description", "enum"))
_PLAIN: Mapping[str, type] = {"string": str, "boolean": bool}


class _Site(NamedTuple):
    """Where a node stands: `no_default` says why it must have none; `meta` whether it is inside an ObjectMeta."""

    root: bool = False
    no_default: str = ""
    meta: bool = False


def schema(value: Schema, errors: Errors, at: str, *, has_status: bool, minor: int, stored: bool = False) -> None:
    """The schema of one version; `has_status` whether it has a status subresource, `stored` whether it is stored as it
    is: then what its rules cost is not asked again, and they may use all there is."""
    if has_status:
        _root_with_status(value, errors, at)
    if value.get("nullable") is True:
        errors.forbidden(f"{at}.nullable", "nullable cannot be true at the root")
    before = len(errors.causes)
    whole = parts(value)
    structural.structural(whole, errors, at)
    if len(errors.causes) == before:
        _defaults(whole, errors, at, minor)
    # Expressions are compiled only against a schema that stands.
    bill = None if stored else Bill()
    lacks = missing(99 if stored else minor)
    place = crdrules.root(value, bill, lacks) if len(errors.causes) == before else None
    _node(whole, errors, at, _Site(root=True), place)
    if bill is not None:
        bill.total(errors, at)


def _root_with_status(value: Schema, errors: Errors, at: str) -> None:
    kind = value.get("type") or ""
    if kind and kind != "object":
        detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        errors.invalid(f"{at}.type", kind, detail)
    elif any(value[k] and k not in _ROOT_KEYS for k in value):
        shown = f"[{_ROOT_FIELDS}]"
        detail = f"only {shown} fields are allowed at the root of the schema if the status subresource is enabled"
        errors.invalid(at, value, detail)


def _node(part: Part, errors: Errors, at: str, site: _Site, place: Place | None) -> None:
    value = part.schema
    if part.quiet:
        _no_default(value, errors, at, site)
    else:
        _standard(value, errors, at, site)
    if value.get("uniqueItems") is True:
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        errors.forbidden(f"{at}.uniqueItems", detail)
    for path, inner, inside, there in _children(part, errors, at, site, place):
        _node(inner, errors, path, inside, there)
    if part.quiet:
        return
    _extensions(value, errors, at)
    _list_map(value, errors, at)
    _list_map_keys(value, errors, at)
    if value.get("x-kubernetes-validations"):
        crdrules.rules(value, errors, at, place)


def _children(
    part: Part, errors: Errors, at: str, site: _Site, place: Place | None
) -> Iterator[tuple[str, Part, _Site, Place | None]]:
    """Every part directly inside a part, and every schema inside its junctors."""
    value, inside = part.schema, site._replace(root=False) if site.root else site
    additional = value.get("additionalProperties")
    if additional is not None and value.get("properties") and (additional is False or isinstance(additional, Mapping)):
        errors.forbidden(f"{at}.additionalProperties", "additionalProperties and properties are mutual exclusive")
    if part.additional is not None:
        reason = "inside additionalProperties applying to object metadata" if site.meta else inside.no_default
        there = place and crdrules.inside(place, part.additional.schema, "@elem")
        yield f"{at}.additionalProperties", part.additional, inside._replace(no_default=reason), there
    for name, inner in part.properties:
        there = place and crdrules.inside(place, inner.schema, name)
        yield f"{at}.properties[{name}]", inner, _property_site(value, name, site), there
    if not part.quiet:
        unwanted = schema_at(value, "not")
        if unwanted is not None:
            yield f"{at}.not", root(unwanted), inside, None
        for junctor in ("allOf", "anyOf", "oneOf"):
            for i, inner_schema in enumerate(schemas_at(value, junctor)):
                yield f"{at}.{junctor}[{i}]", root(inner_schema), inside, None
    if part.item is not None:
        correlated = value.get(_LIST_TYPE) == "map"
        there = place and crdrules.inside(place, part.item.schema, "@idx", correlated=correlated)
        yield f"{at}.items", part.item, inside, there


def _property_site(value: Schema, name: str, site: _Site) -> _Site:
    inside = site._replace(root=False) if site.root else site
    resource = site.root or value.get("x-kubernetes-embedded-resource") is True
    if not resource or name not in ("metadata", "apiVersion", "kind"):
        return inside
    where = "top-level" if site.root else "embedded"
    if name == "metadata":
        return _Site(meta=True, no_default=f"in {where} {name}" if site.root else site.no_default)
    return inside._replace(no_default=f"in {where} {name}")


def _standard(value: Schema, errors: Errors, at: str, site: _Site) -> None:
    kind = value.get("type") or ""
    if kind and kind not in TYPES:
        errors.not_supported(f"{at}.type", kind, TYPES)
    _no_default(value, errors, at, site)
    for name in _UNSUPPORTED:
        if value.get(name):
            errors.forbidden(f"{at}.{name}", f"{name} is not supported")
    if kind == "null":
        errors.forbidden(f"{at}.type", "type cannot be set to null, use nullable as an alternative")
    items = value.get("items")
    if isinstance(items, list) and items:
        errors.forbidden(f"{at}.items", "items must be a schema object and not an array")
    if kind == "array" and not isinstance(items, Mapping):
        errors.required(f"{at}.items", "must be specified")
    if site.meta and value.get("x-kubernetes-embedded-resource") is True:
        errors.forbidden(f"{at}.x-kubernetes-embedded-resource", "must not be used inside of resource meta")
    _pattern(value.get("pattern") or "", errors, f"{at}.pattern")


def _no_default(value: Schema, errors: Errors, at: str, site: _Site) -> None:
    if site.no_default and value.get("default") is not None:
        errors.forbidden(f"{at}.default", f"must not be set {site.no_default}")


def _pattern(pattern: str, errors: Errors, at: str) -> None:
    try:
        re2.compile(pattern)
    except re2.PatternError as e:
        errors.invalid(at, pattern, f"must be a valid regular expression, but isn't: {e}")


def _extensions(value: Schema, errors: Errors, at: str) -> None:
    kind = value.get("type") or ""
    if value.get("x-kubernetes-preserve-unknown-fields") is False:
        errors.invalid(f"{at}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    for name, wanted, allowed in (
        (_MAP_TYPE, "object", ("atomic", "granular")),
        (_LIST_TYPE, "array", ("atomic", "set", "map")),
    ):
        found = value.get(name)
        if found is None:
            continue
        if kind != wanted:
            detail = f"must be {wanted} if {name} is specified"
            if kind:
                errors.invalid(f"{at}.type", kind, detail)
            else:
                errors.required(f"{at}.type", detail)
        elif name == _LIST_TYPE and found == "set":
            _set_items(schema_at(value, "items") or {}, errors, f"{at}.items")
        errors.one_of(f"{at}.{name}", found, allowed)


def _set_items(item: Schema, errors: Errors, at: str) -> None:
    detail = "must be atomic as item of a list with x-kubernetes-list-type=set"
    kind = item.get("type")
    if kind == "array" and item.get(_LIST_TYPE) not in (None, "atomic"):
        errors.invalid(f"{at}.{_LIST_TYPE}", item[_LIST_TYPE], detail)
    if kind == "object" and item.get(_MAP_TYPE) != "atomic":
        errors.invalid(f"{at}.{_MAP_TYPE}", item.get(_MAP_TYPE), detail)


def _list_map(value: Schema, errors: Errors, at: str) -> None:
    keys, kind = [k or "" for k in value.get(_LIST_KEYS) or ()], value.get(_LIST_TYPE)
    if keys and kind != "map":
        detail = f"must be map if {_LIST_KEYS} is non-empty"
        if kind is None:
            errors.required(f"{at}.{_LIST_TYPE}", detail)
        else:
            errors.invalid(f"{at}.{_LIST_TYPE}", kind, detail)
    if kind != "map":
        return
    if not keys:
        errors.required(f"{at}.{_LIST_KEYS}", f"must not be empty if {_LIST_TYPE} is map")
    items = value.get("items")
    if items is None:
        errors.required(f"{at}.items", f"must have a schema if {_LIST_TYPE} is map")
    elif not isinstance(items, Mapping):
        shown = {"Schema": None, "JSONSchemas": items}
        errors.invalid(f"{at}.items", shown, f"must only have a single schema if {_LIST_TYPE} is map")
    elif items.get("type") != "object":
        detail = f"must be object if parent array's {_LIST_TYPE} is map"
        errors.invalid(f"{at}.items.type", items.get("type") or "", detail)
    else:
        _key_properties(items, keys, errors, at)


def _key_properties(item: Schema, keys: list[str], errors: Errors, at: str) -> None:
    known = dict(properties_of(item))
    for i, key in enumerate(keys):
        if key not in known:
            errors.invalid(f"{at}.{_LIST_KEYS}", keys, "entries must all be names of item properties")
        elif known[key].get("type") in ("array", "object"):
            detail = f"must be a scalar type if parent array's {_LIST_TYPE} is map"
            errors.invalid(f"{at}.items.properties[{key}].type", item.get("type"), detail)
        if key in keys[:i]:
            errors.invalid(f"{at}.{_LIST_KEYS}", keys, "must not contain duplicate entries")


def _list_map_keys(value: Schema, errors: Errors, at: str) -> None:
    """The keys of a list map must always be there."""
    item, kind = schema_at(value, "items"), value.get(_LIST_TYPE)
    if item is None or kind not in ("set", "map"):
        return
    if item.get("nullable") is True:
        errors.forbidden(f"{at}.items.nullable", f"cannot be nullable when {_LIST_TYPE} is {kind}")
    known = dict(properties_of(item))
    for key in (value.get(_LIST_KEYS) or ()) if kind == "map" else ():
        inner = known.get(key)
        if inner is None:
            continue
        if key not in (item.get("required") or ()) and inner.get("default") is None:
            errors.required(
                f"{at}.items.properties[{key}].default",
                f"this property is in {_LIST_KEYS}, so it must have a default or be a required property",
            )
        if inner.get("nullable") is True:
            errors.forbidden(
                f"{at}.items.properties[{key}].nullable",
                f"this property is in {_LIST_KEYS}, so it cannot be nullable",
            )


def _defaults(part: Part, errors: Errors, at: str, minor: int) -> None:
    """Every default must be a value that the schema takes as it is."""
    if part.schema.get("default") is not None:
        _default(part.schema, errors, f"{at}.default", minor)
    if part.item is not None:
        _defaults(part.item, errors, f"{at}.items", minor)
    if part.additional is not None:
        _defaults(part.additional, errors, f"{at}.additionalProperties", minor)
    for name, inner in part.properties:
        _defaults(inner, errors, f"{at}.properties[{name}]", minor)


def _is_typed(value: Schema) -> bool:
    """Whether a default is surely right: of the type that is asked for, and nothing but that and a choice is."""
    default = value["default"]
    of_type = value.keys() <= _OF_TYPE and type(default) is _PLAIN.get(value.get("type") or "")
    return of_type and (not value.get("enum") or (type(default) is str and default in value["enum"]))


def _default(value: Schema, errors: Errors, at: str, minor: int) -> None:
    if _is_typed(value):
        return
    if type(value["default"]) not in (dict, list):  # nothing in it can be unknown or there twice
        errors.causes += schemavalues.causes(value, value["default"], at)
        return
    node = resource_node({"type": "object", "properties": {"value": value}}, Definitions(minor))
    inside: Node = (node.fields or {})["value"]
    default = value["default"]
    if shapes.prune(inside, default) != default:
        errors.invalid(at, default, "must not have unknown fields")
        return
    errors.causes += schemavalues.causes(value, default, at)
    for path, item in shapes.duplicates(inside, default):
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
        errors.duplicate(at + where, item)
