"""What `kubectl apply` makes of a stored object: the three-way merge of last applied, stored and new.

Client-side apply follows k8s.io/apimachinery/pkg/util/strategicpatch (CreateThreeWayMergePatch,
StrategicMergeMapPatch): what was applied before and is gone now is deleted, what is given now is set, everything else
stays. Lists merge by their patch merge key, others are replaced. Server-side apply (KEP-555) does the same with what
the manager owned in place of what it applied, and tells list items apart by their list-map keys.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from kplan.schema.node import Node

Value = dict[str, Any]


def three_way(
    original: Value | None, current: Value, modified: Value, node: Node | None, *, server_side: bool = False
) -> Value:
    """The object that results when `modified` is applied onto `current`, `original` having been applied before.

    `node` is the schema of the kind; without one (a kind that the client does not know) lists are replaced, as a JSON
    merge patch does. None of the arguments is changed.
    """
    merged: Value = _Merge(server_side).map(original or {}, current, modified, node)
    return merged


class _Merge:
    """One merge: which of the two kinds of list keys counts."""

    __slots__ = ("server_side",)

    def __init__(self, server_side: bool) -> None:
        self.server_side = server_side

    def value(self, original: Any, current: Any, modified: Any, node: Node | None) -> Any:
        if isinstance(modified, dict):
            old = original if isinstance(original, dict) else {}
            return self.map(old, current if isinstance(current, dict) else {}, modified, node)
        if isinstance(modified, list) and isinstance(current, list):
            return self.list(original if isinstance(original, list) else [], current, modified, node)
        return modified

    def map(self, original: Value, current: Value, modified: Value, node: Node | None) -> Value:
        if self._replaces(node):
            return {k: v for k, v in modified.items() if v is not None}
        gone = {k for k in current if (k in original and k not in modified) or modified.get(k, "") is None}
        out = {k: v for k, v in current.items() if k not in gone}
        for k, v in modified.items():
            if v is not None:
                out[k] = self.value(original.get(k), current.get(k), v, _field(node, k))
        if node is not None and "retainKeys" in node.patch_strategy and not self.server_side and out != current:
            return {k: v for k, v in out.items() if k in modified}
        return out

    def _replaces(self, node: Node | None) -> bool:
        if node is None:
            return False
        return node.map_type == "atomic" if self.server_side else "replace" in node.patch_strategy

    def list(self, original: list[Any], current: list[Any], modified: list[Any], node: Node | None) -> list[Any]:
        keys = self._keys(node)
        if keys is None:
            return modified
        found = [_indexed(items, keys) for items in (original, current, modified)]
        if any(index is None for index in found):
            return modified
        old, have, want = (index or {} for index in found)
        items = node.items if node is not None else None
        merged = {k: v for k, v in have.items() if k in want or k not in old}
        for k, v in want.items():
            merged[k] = self.value(old.get(k), have.get(k), v, items) if isinstance(v, dict) else v
        return [merged[k] for k in _ordered(list(have), list(want), list(merged))]

    def _keys(self, node: Node | None) -> tuple[str, ...] | None:
        """The key fields of a list that merges; () for one of scalars; None for one that is replaced."""
        if node is None:
            return None
        if self.server_side:
            return {"map": node.list_keys, "set": ()}.get(node.list_type)
        if "merge" not in node.patch_strategy:
            return None
        return (node.patch_key,) if node.patch_key else ()


def _field(node: Node | None, name: str) -> Node | None:
    if node is None:
        return None
    return (node.fields or {}).get(name) or node.values


def _indexed(items: list[Any], keys: tuple[str, ...]) -> dict[Hashable, Any] | None:
    """Items by key, None if one has none. A port without a protocol is a TCP port: the one default in a key."""
    out: dict[Hashable, Any] = {}
    for item in items:
        if not keys:
            if isinstance(item, (dict, list)):
                return None
            out[item] = item
            continue
        if not isinstance(item, dict):
            return None
        key = tuple(item.get(k, "TCP" if k == "protocol" else None) for k in keys)
        if key[0] is None or any(isinstance(part, (dict, list)) for part in key):
            return None
        # Of two items with one key the later one is merged onto the earlier one: this is how a port gets lost.
        out[key] = {**out[key], **item} if key in out else item
    return out


def _ordered(have: list[Hashable], want: list[Hashable], merged: list[Hashable]) -> list[Hashable]:
    """The wanted items in their order; what only the server has keeps its place before what followed it there."""
    place = {k: n for n, k in enumerate(have)}
    wanted = set(want)
    rest = [k for k in merged if k not in wanted]
    out: list[Hashable] = []
    for k in want:
        while rest and k in place and place[rest[0]] < place[k]:
            out.append(rest.pop(0))
        out.append(k)
    return out + rest
