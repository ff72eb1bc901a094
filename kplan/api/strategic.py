"""Strategic merge patch: a JSON merge patch that knows which lists merge, and has directives.

Follows k8s.io/apimachinery/pkg/util/strategicpatch (patch.go) and mergepatch (errors.go). Nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kplan.api import listorder
from kplan.api.decode import copied
from kplan.api.gotext import plain
from kplan.api.merge import field_of, put_in_order
from kplan.api.request import Refused
from kplan.schema.node import Node

Value = dict[str, Any]

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"
_INVALID = "the server rejected our request due to an error in our request"


def patched(target: Value, patch: Value, node: Node) -> Value:
    """The target, an object of this type, after the patch. Raises Refused for a patch that the server does not take."""
    return _map(target, copied(patch), node)


def _map(target: Value, patch: Value, node: Node | None) -> Value:
    directive = patch.pop(_PATCH, None)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    if directive is not None:
        raise Refused(500, f"unknown patch type: {directive} in map: {plain(patch)}")
    out = _retained(target, patch)
    orders = {k[len(_ORDER) :]: _directive_list(patch, k) for k in list(patch) if k.startswith(_ORDER)}
    deletions = {k[len(_DELETE) :]: _directive_list(patch, k) for k in list(patch) if k.startswith(_DELETE)}
    for name, gone in deletions.items():
        if isinstance(out.get(name), list):
            out[name] = [v for v in out[name] if v not in gone]
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            inner = field_of(node, name)
            if name in orders and isinstance(value, list):
                _ordered(value, orders[name], inner)
            # A list that is not there is taken as it is sent: nobody looks for keys in it.
            is_new = name not in out and isinstance(value, list)
            out[name] = _clean(value) if is_new else _value(out.get(name), value, inner)
    for name, order in orders.items():
        _reorder(out, name, order, target.get(name), field_of(node, name))
    return out


def _retained(target: Value, patch: Value) -> Value:
    """The target without what $retainKeys, which is taken out of the patch, does not name."""
    if _RETAIN not in patch:
        return dict(target)
    keys = patch.pop(_RETAIN)
    if not isinstance(keys, list):
        raise Refused(400, "invalid patch format of retainKeys")
    if any(k not in keys and v is not None for k, v in patch.items() if not k.startswith("$")):
        raise Refused(500, "patch content doesn't match retainKeys list")
    return {k: v for k, v in target.items() if k in keys}


def _directive_list(patch: Value, key: str) -> list[Any]:
    found = patch.pop(key)
    if not isinstance(found, list):
        what = "setElementOrder list" if key.startswith(_ORDER) else "primitive list"
        raise Refused(400, f"invalid patch format of {what}")
    return found


def _value(target: Any, patch: Any, node: Node | None) -> Any:
    replaces = node is not None and "replace" in node.patch_strategy
    if isinstance(patch, dict):
        return _clean(patch) if replaces else _map(target if isinstance(target, dict) else {}, patch, node)
    if isinstance(patch, list) and node is not None and "merge" in node.patch_strategy:
        return _list(target if isinstance(target, list) else [], patch, node)
    return _clean(patch) if isinstance(patch, list) else patch


def _clean(value: Any) -> Any:
    """What a patch adds as a whole: without directives and, in objects, without nulls."""
    if isinstance(value, dict):
        return {k: _clean(v) for k, v in value.items() if v is not None and not k.startswith("$")}
    if isinstance(value, list):
        return [_clean(v) for v in value if not (isinstance(v, dict) and _PATCH in v)]
    return value


def _list(target: list[Any], patch: list[Any], node: Node) -> list[Any]:
    if not any(isinstance(v, dict) for v in (*target, *patch)):
        if any(isinstance(v, list) for v in (*target, *patch)):
            raise Refused(422, _INVALID)
        return list(dict.fromkeys([*target, *patch]))
    if not all(isinstance(v, dict) for v in (*target, *patch)):
        raise Refused(500, "list element types are not identical: all must be maps or none")
    if not node.patch_key:
        raise Refused(500, "cannot merge lists without merge key")
    return _list_of_maps(target, patch, node.patch_key, node.items)


def _list_of_maps(target: list[Value], patch: list[Value], key: str, item: Node | None) -> list[Value]:
    out = list(target)
    wanted = []
    for value in patch:
        directive = value.get(_PATCH)
        if directive is None:
            wanted.append(value)
        elif directive == "replace":
            out = []  # an item of its own, which speaks of the whole list
        elif directive == "delete":
            gone = _key_of(value, key)
            out = [v for v in out if v.get(key) != gone]
        elif directive == "merge":
            raise Refused(500, "merging lists cannot yet be specified in the patch")
        else:
            raise Refused(500, f"unknown patch type: {directive} in map: {plain(value)}")
    for value in wanted:
        name = _key_of(value, key)
        at = next((i for i, v in enumerate(out) if v.get(key) == name), None)
        if at is None:
            out.append(_map({}, value, item))
        else:
            out[at] = _map(out[at], value, item)
    return out


def _key_of(value: Value, key: str) -> Any:
    if key not in value:
        raise Refused(500, f"map: {plain(value)} does not contain declared merge key: {key}")
    return value[key]


def _ordered(items: list[Any], order: list[Any], node: Node | None) -> None:
    """Raises Refused for items that are sent in another order than the patch asks for."""
    key = node.patch_key if node is not None else ""
    sent = [v for v in items if not (isinstance(v, dict) and _PATCH in v)]
    if not listorder.follows(_keys(sent, key), _keys(order, key)):
        raise Refused(500, listorder.mismatch(items, order))


def _reorder(out: Value, name: str, order: list[Any], before: Any, node: Node | None) -> None:
    """Put a merged list into the order that the patch asks for, in place; items that it does not name keep theirs."""
    items = out.get(name)
    if not isinstance(items, list) or not items:
        return
    key = node.patch_key if node is not None else ""
    want, have = _keys(order, key), _keys(items, key)
    out[name] = put_in_order(list(zip(have, items, strict=True)), _keys(before or [], key), want)


def _keys(items: Iterable[Any], key: str) -> list[Any]:
    found = [v.get(key) if isinstance(v, dict) else v for v in items]
    if any(isinstance(k, dict | list) for k in found):
        raise Refused(400, "invalid patch format of setElementOrder list")
    return found
