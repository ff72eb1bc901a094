"""What the API server does with a custom resource by its structural schema before it validates it.

Pruning, defaulting and the uniqueness of list sets and list maps: apiextensions-apiserver/pkg/apiserver/schema
(pruning, defaulting, listtype). Values are never edited: what changes is copied, what does not is the same object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from kplan.hints import Any
from kplan.model import Path
from kplan.schema.node import Node

_CONTAINERS = frozenset((dict, list))
_NO_FIELDS: Mapping[str, Node] = {}
_NOTHING_KNOWN = Node()


def prune(node: Node, value: Any, *, keep: bool = False) -> Any:
    """The value without the fields that the schema does not know; the same object if there are none.

    `keep` leaves unknown fields of the value itself in, as x-kubernetes-preserve-unknown-fields on its list does.
    """
    if type(value) is list:
        item, keep = node.items or _NOTHING_KNOWN, keep or node.preserve_unknown
        return _same_or([prune(item, v, keep=keep) if type(v) in _CONTAINERS else v for v in value], value)
    if type(value) is not dict:
        return value
    fields, keep = node.fields or _NO_FIELDS, keep or _keeps_unknown(node)
    out: dict[str, Any] = {}
    changed = False
    for name, v in value.items():
        inner = fields.get(name, node.values)
        if inner is not None and type(v) in _CONTAINERS:
            out[name] = kept = prune(inner, v)
            changed = changed or kept is not v
        elif inner is not None or keep:
            out[name] = v
        else:
            changed = True
    return out if changed else value


def unknown_fields(node: Node, value: Any, path: Path = (), *, keep: bool = False) -> Iterator[Path]:
    """The paths of the fields that `prune` drops, in the order of the value."""
    if type(value) is list:
        item, keep = node.items or _NOTHING_KNOWN, keep or node.preserve_unknown
        for i, v in enumerate(value):
            yield from unknown_fields(item, v, path + (i,), keep=keep)
    elif type(value) is dict:
        fields, keep = node.fields or _NO_FIELDS, keep or _keeps_unknown(node)
        for name, v in value.items():
            inner = fields.get(name, node.values)
            if inner is not None:
                yield from unknown_fields(inner, v, path + (name,))
            elif not keep:
                yield path + (name,)


def _keeps_unknown(node: Node) -> bool:
    """A built-in type that is no struct (a quantity, any JSON) is not looked into."""
    return node.preserve_unknown or (not node.custom and node.fields is None)


def _same_or(items: list[Any], value: list[Any]) -> list[Any]:
    return value if all(a is b for a, b in zip(items, value, strict=True)) else items


def apply_defaults(node: Node, value: Any) -> Any:
    """The value with the defaults of its schema; nulls that the schema does not allow give way to them, or go.

    The same object if nothing changes.
    """
    if type(value) is list and node.items is not None and node.items.custom:
        return _same_or([_defaulted(node.items, v) for v in value], value)
    if type(value) is not dict or not node.custom:
        return value
    fields = node.fields or _NO_FIELDS
    out: dict[str, Any] = {}
    for name, v in value.items():
        inner = fields.get(name, node.values)
        if inner is None or not inner.custom:
            out[name] = v
        elif v is not None or _nullable(inner) or inner.rules.get("default") is not None:
            out[name] = _defaulted(inner, v)
    for name in node.defaults:
        if name not in out:
            out[name] = _defaulted(fields[name], None)
    same = len(out) == len(value) and all(out[k] is v for k, v in value.items() if k in out)
    return value if same else out


def _defaulted(node: Node, value: Any) -> Any:
    """A member with its own default in place of a null that it must not be, and the defaults inside it."""
    if value is None and not _nullable(node):
        from copy import deepcopy

        value = deepcopy(node.rules.get("default"))
    return apply_defaults(node, value) if type(value) in _CONTAINERS else value


def _nullable(node: Node) -> bool:
    return node.rules.get("nullable") is True


def duplicates(node: Node, value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The items that a list set or list map has twice: the path of the second one, and the item or its keys."""
    if type(value) is list:
        if node.list_type in ("set", "map") and len(value) > 1:
            yield from _repeated(node, value, path)
        if node.items is not None:
            for i, v in enumerate(value):
                if type(v) in _CONTAINERS:
                    yield from duplicates(node.items, v, path + (i,))
    elif type(value) is dict:
        fields = node.fields or _NO_FIELDS
        for name, v in value.items():
            inner = fields.get(name, node.values)
            if inner is not None and inner.custom and type(v) in _CONTAINERS:
                yield from duplicates(inner, v, path + (name,))


def _repeated(node: Node, items: list[Any], path: Path) -> Iterator[tuple[Path, Any]]:
    if node.list_type == "map":
        if not all(v is None or isinstance(v, dict) for v in items):
            return
        items = [{k: v[k] for k in node.list_keys if k in v} if v else {} for v in items]
    seen: dict[str, int] = {}
    for i, item in enumerate(items):
        key = json.dumps(item, sort_keys=True)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] == 2:
            yield path + (i,), item
