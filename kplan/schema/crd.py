"""CustomResourceDefinitions as kinds: the structural schema of each version as a Node tree.

Follows apiextensions-apiserver (pkg/apiserver/schema, customresource_handler.go). A v1beta1 CustomResourceDefinition
is read too: it may hold one schema for all versions, and keeps unknown fields unless it says otherwise.
Input is taken as it comes: a part of a wrong type counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kplan.hints import Any
from kplan.schema.definitions import Definitions
from kplan.schema.kinds import KindInfo
from kplan.schema.node import Node, Shape

Schema = Mapping[str, Any]

_TYPE_META = Node("string", go_type="string")
_EMPTY: Mapping[str, Any] = {}


def kinds_of(crd: Mapping[str, Any], definitions: Definitions) -> Iterator[tuple[KindInfo, Mapping[str, Any]]]:
    """The kinds that a CustomResourceDefinition serves, each with its entry of spec.versions.

    What v1beta1 says once for all versions (subresources) is put into each entry.
    """
    spec = _map(crd, "spec")
    names = _map(spec, "names")
    group, kind, plural = spec.get("group"), names.get("kind"), names.get("plural")
    if not (isinstance(group, str) and isinstance(kind, str) and isinstance(plural, str) and group and kind):
        return
    for version in versions(crd):
        name = version.get("name")
        if isinstance(name, str) and name and version.get("served", True) is not False:
            info = KindInfo(
                group,
                name,
                kind,
                plural,
                spec.get("scope") != "Cluster",
                resource_node(_schema(spec, version), definitions, preserve=preserves_unknown(crd)),
                short_names=_texts(names, "shortNames"),
                categories=_texts(names, "categories"),
                custom=True,
            )
            yield info, {"subresources": _map(spec, "subresources"), **version}


def versions(crd: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The versions of a CustomResourceDefinition; v1beta1 may name a single one in spec.version."""
    spec = _map(crd, "spec")
    listed = spec.get("versions")
    found: list[Mapping[str, Any]] = []
    if isinstance(listed, list):
        found = [v for v in listed if isinstance(v, Mapping)]
    return found or [{"name": spec.get("version")}]


def preserves_unknown(crd: Mapping[str, Any]) -> bool:
    """Whether nothing is pruned at all: spec.preserveUnknownFields, true by default in v1beta1 only."""
    default = crd.get("apiVersion") == "apiextensions.k8s.io/v1beta1"
    return _map(crd, "spec").get("preserveUnknownFields", default) is True


def _schema(spec: Mapping[str, Any], version: Mapping[str, Any]) -> Schema:
    for holder in (_map(version, "schema"), _map(spec, "validation")):
        found = _map(holder, "openAPIV3Schema")
        if found:
            return found
    return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def _map(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = holder.get(key)
    return value if isinstance(value, Mapping) else _EMPTY


def _text(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _texts(holder: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = holder.get(key)
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list) else ()


def resource_node(schema: Schema, definitions: Definitions, *, preserve: bool = False) -> Node:
    """The tree of a whole custom resource: its schema, with apiVersion, kind and a real ObjectMeta."""
    return _node(schema, definitions, preserve, resource=True)


def _node(schema: Schema, definitions: Definitions, preserve: bool, *, resource: bool = False) -> Node:
    """A schema as a node. `rules` is the schema itself; the rest is what it means for the shape of values."""
    int_or_string = schema.get("x-kubernetes-int-or-string") is True
    embedded = resource or schema.get("x-kubernetes-embedded-resource") is True
    keeps = preserve or schema.get("x-kubernetes-preserve-unknown-fields") is True
    items, enum = schema.get("items"), schema.get("enum")
    values = _values(schema, definitions, preserve)
    empty = schema.get("type") == "object" and values is None and not keeps
    has_fields = embedded or empty or bool(_map(schema, "properties"))
    return Node(
        "string" if int_or_string else _text(schema, "type"),
        "int-or-string" if int_or_string else _text(schema, "format"),
        expand=(lambda: _shape(schema, definitions, preserve, embedded)) if has_fields else None,
        items=_node(items, definitions, preserve) if isinstance(items, Mapping) else None,
        values=values,
        enum=tuple(enum) if isinstance(enum, list) else (),
        list_type=_text(schema, "x-kubernetes-list-type"),
        list_keys=_texts(schema, "x-kubernetes-list-map-keys"),
        map_type=_text(schema, "x-kubernetes-map-type"),
        preserve_unknown=keeps,
        rules=schema,
    )


def _values(schema: Schema, definitions: Definitions, preserve: bool) -> Node | None:
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        return _node(additional, definitions, preserve)
    # "true" allows any value, but the fields of an object inside are unknown, and pruned.
    return Node(preserve_unknown=preserve, rules={"nullable": True}) if additional is True else None


def _shape(schema: Schema, definitions: Definitions, preserve: bool, embedded: bool) -> Shape:
    properties = _map(schema, "properties")
    fields = {n: _node(s, definitions, preserve) for n, s in properties.items() if isinstance(s, Mapping)}
    if embedded:
        fields = {"apiVersion": _TYPE_META, "kind": _TYPE_META, **fields}
        fields["metadata"] = definitions.node("meta.v1.ObjectMeta")
    defaults = tuple(n for n, f in fields.items() if f.rules.get("default") is not None)
    return Shape(fields, _texts(schema, "required"), defaults=defaults)
