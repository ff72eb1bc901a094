"""What the server says of an applied object that does not fit the schema of its kind.

An applied object is not decoded but read by the OpenAPI of the kind, which knows its own errors. Follows
sigs.k8s.io/structured-merge-diff/typed (validate.go, helpers.go) and k8s.io/kube-openapi/pkg/schemaconv (openapi.go).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kplan.api.gotext import plain, syntax, type_name
from kplan.api.ssa.paths import element_text
from kplan.api.ssa.shapes import ANY, NoElement, element_of, is_atomic, member
from kplan.schema.node import Node

Value = dict[str, Any]

_UNTYPED = ("quantity", "int-or-string")  # these are "one of" in OpenAPI, and anything in a typed object


def problem(value: Value, node: Node) -> str:
    """What is wrong with an applied object, "" if it fits: one error, or all of them on lines of their own."""
    found = list(_value(value, node, ""))
    if value.get("kind") == "Secret":
        found = [_hidden(text) for text in found]
    return found[0] if len(found) == 1 else "\n  ".join(["errors:", *found]) if found else ""


def _hidden(text: str) -> str:
    """The error without the value, if that is one of a Secret."""
    head, got, _ = text.partition(", got &")
    return f"{head}, got (sensitive)" if got and text.startswith((".data", ".stringData")) else text


def _value(value: Any, node: Node, at: str) -> Iterator[str]:
    if value is None:
        return
    kind = _kind(node)
    if kind == "map" or (kind == "any" and isinstance(value, dict)):
        if isinstance(value, dict):
            yield from _map(value, node, at)
        else:
            yield f"{at}: expected map, got &{{{plain(value)}}}"
    elif kind == "list" or (kind == "any" and isinstance(value, list)):
        if isinstance(value, list):
            yield from _list(value, node, at)
        else:
            yield f"{at}: expected list, got &{{{plain(value)}}}"
    else:
        wrong = _scalar(value, kind)
        if wrong:
            yield f"{at}: {wrong}"


def _kind(node: Node) -> str:
    if not node.type or node.format in _UNTYPED:
        return "any"
    if node.type in ("object", "array"):
        return "map" if node.type == "object" else "list"
    if node.type == "string":
        return "string" if node.format in ("", "byte") else "scalar"
    return "boolean" if node.type == "boolean" else "numeric"


def _map(value: Value, node: Node, at: str) -> Iterator[str]:
    unknown = ""
    for name in sorted(value):
        inner = member(node, name)
        if inner is not None:
            yield from _value(value[name], inner, f"{at}.{name}")
        else:
            unknown = unknown or name
    if unknown:  # the server stops at the first one that it meets
        yield f"{at}.{unknown}: field not declared in schema"


def _list(items: list[Any], node: Node, at: str) -> Iterator[str]:
    associative = not is_atomic(node, items)
    seen = set()
    for i, item in enumerate(items):
        place = f"[{i}]"
        if associative:
            try:
                element = element_of(node, item)
            except NoElement as why:
                yield f"{at}: element {i}: {why}"
                return
            place = element_text(element)
            if element in seen:
                yield f"{at}: duplicate entries for key {place}"
            seen.add(element)
        yield from _value(item, node.items or ANY, at + place)


def _scalar(value: Any, kind: str) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "numeric":
        return "" if is_number else f"expected numeric (int or float), got {type_name(value)}"
    if kind == "string":
        return (
            "" if isinstance(value, str) else f"expected string, got &value.valueUnstructured{{Value:{syntax(value)}}}"
        )
    if kind == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got &{{{plain(value)}}}"
    return f"expected any scalar, got &{{{plain(value)}}}" if isinstance(value, dict | list) else ""
