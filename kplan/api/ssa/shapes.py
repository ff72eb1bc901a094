"""How server-side apply sees a value of a type: which parts of it have an owner each.

A map or struct is taken apart unless it is atomic, a list only if it is a set or a map of items by their keys. What the
schema says nothing about is deduced from the value: maps are taken apart, lists are atomic. Follows KEP-555,
k8s.io/kube-openapi/pkg/schemaconv and sigs.k8s.io/structured-merge-diff/typed (helpers.go).
"""

from __future__ import annotations

from typing import Any

from kplan.api.ssa.paths import text_of
from kplan.model import ABSENT
from kplan.schema.definitions import read
from kplan.schema.node import Node, Shape

Value = dict[str, Any]

ANY = Node()


class NoElement(Exception):  # noqa: N818 - a verdict about an item
    """An item of a set or list map that cannot be told apart from others; the text says why."""


def resource_of_unknown_kind(metadata: Node) -> Node:
    """The type of an object whose kind nobody knows, with the type of all metadata."""
    return Node("object", shape=Shape({"metadata": metadata}), preserve_unknown=True)


def member(node: Node, name: str) -> Node | None:
    """The type of a field or key of a map; None if there is no such field."""
    known = (node.fields or {}).get(name)
    if known is not None:
        return known
    if node.values is not None:
        return node.values
    return ANY if not node.fields or node.preserve_unknown else None


def inside(node: Node, element: str) -> Node:
    """The type of the part that a path element names."""
    if element.startswith("f:"):
        return member(node, element[2:]) or ANY
    return node.items or ANY


def is_field(node: Node, name: str) -> bool:
    """Whether this is a field of a struct, and so there even if it is empty, and no key of a map."""
    return name in (node.fields or {})


def is_atomic(node: Node, value: Any) -> bool:
    """Whether a map or list has one owner as a whole."""
    if isinstance(value, dict):
        return node.map_type == "atomic"
    return node.list_type not in ("set", "map")


def element_of(node: Node, item: Any) -> str:
    """The path element of an item of a set or list map; raises NoElement."""
    if node.list_type == "set":
        return _member_of_set(item)
    if item is None:
        raise NoElement("associative list with keys may not have a null element")
    if not isinstance(item, dict):
        raise NoElement("associative list with keys may not have non-map elements")
    keys: Value = {}
    for name in node.list_keys:
        value = item.get(name, ABSENT)
        if value is ABSENT:
            value = _default(node.items or ANY, name)
        if value is not ABSENT:
            keys[name] = value
    if not keys:
        names = " ".join(f'"{n}"' for n in node.list_keys)
        why = "has an element that omits all key fields"
        raise NoElement(f"associative list with keys {why} [{names}] (and doesn't have default values for any key)")
    return f"k:{text_of(keys)}"


def _member_of_set(item: Any) -> str:
    if isinstance(item, dict):
        raise NoElement("associative list without keys has an element that's a map type")
    if isinstance(item, list):
        raise NoElement("not supported: associative list with lists as elements")
    if item is None:
        raise NoElement("associative list without keys has an element that's an explicit null")
    return f"v:{text_of(item)}"


def _default(item: Node, name: str) -> Any:
    """The default that the schema of the items has for a key, such as protocol TCP; ABSENT for none."""
    if item.custom:
        rules = item.fields[name].rules if item.fields and name in item.fields else {}
        return rules.get("default", ABSENT)
    return read("facts/defaults").get(item.name, {}).get(name, ABSENT)


def elements(node: Node, items: list[Any]) -> list[str]:
    """The path elements of all items of a stored list; one that should not be there counts by its place."""
    found = []
    for i, item in enumerate(items):
        try:
            found.append(element_of(node, item))
        except NoElement:
            found.append(f"i:{i}")
    return found
