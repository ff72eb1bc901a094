"""What `kubectl apply` makes of a stored object: the three-way merge of last applied, stored and new.

Client-side apply follows k8s.io/apimachinery/pkg/util/strategicpatch (CreateThreeWayMergePatch,
StrategicMergeMapPatch): what was applied before and is gone now is deleted, what is given now is set, everything else
stays. Lists merge by their patch merge key, others are replaced. Server-side apply (KEP-555) does the same with what
the manager owned in place of what it applied, and tells list items apart by their list-map keys.
"""

from __future__ import annotations

from collections.abc import Hashable

from kplan.hints import Any
from kplan.schema.node import Node

Value = dict[str, Any]


def three_way(
    original: Value | None, current: Value, modified: Value, node: Node | None, *, server_side: bool = False
) -> Value:
    """The object that results when `modified` is applied onto `current`, `original` having been applied before.

    `node` is the schema of the kind; without one (a kind that the client does not know) lists are replaced, as a JSON
    merge patch does. None of the arguments is changed.
    """
    merged: Value = _Merge(server_side).merge_map(original or {}, current, modified, node)
    return merged


class _Merge:
    """One merge: which of the two kinds of list keys counts."""

    __slots__ = ("server_side",)

    def __init__(self, server_side: bool) -> None:
        self.server_side = server_side

    def merge_value(self, original: Any, current: Any, modified: Any, node: Node | None) -> Any:
        if isinstance(modified, dict):
            old = original if isinstance(original, dict) else {}
            return self.merge_map(old, current if isinstance(current, dict) else {}, modified, node)
        if isinstance(modified, list) and isinstance(current, list):
            return self.merge_list(original if isinstance(original, list) else [], current, modified, node)
        return modified

    def merge_map(self, original: Value, current: Value, modified: Value, node: Node | None) -> Value:
        if self._replaces(node):
            return {k: v for k, v in modified.items() if v is not None}
        gone = {k for k in current if (k in original and k not in modified) or modified.get(k, "") is None}
        out = {k: v for k, v in current.items() if k not in gone}
        for k, v in modified.items():
            if v is not None:
                out[k] = self.merge_value(original.get(k), current.get(k), v, field_of(node, k))
        if node is not None and "retainKeys" in node.patch_strategy and not self.server_side and out != current:
            return {k: v for k, v in out.items() if k in modified}
        return out

    def _replaces(self, node: Node | None) -> bool:
        if node is None:
            return False
        return node.map_type == "atomic" if self.server_side else "replace" in node.patch_strategy

    def merge_list(self, original: list[Any], current: list[Any], modified: list[Any], node: Node | None) -> list[Any]:
        names = self._keys(node)
        if names is None:
            return modified
        keys = [_keys_of(items, names) for items in (original, current, modified)]
        if any(k is None for k in keys):
            return modified
        old, have, want = (k or [] for k in keys)
        items = node.items if node is not None else None
        gone = set(old) - set(want)
        kept = [(k, item) for k, item in zip(have, current, strict=True) if k not in gone]
        applied, stored = _occurrences(old, original), _occurrences(have, current)
        for occurrence, wanted in _occurrences(want, modified).items():
            now = stored.get(occurrence)
            result = self.merge_value(applied.get(occurrence), now, wanted, items)
            if occurrence in stored and result == now:
                continue
            _put(kept, occurrence[0], result, now, wanted)
        if len(kept) == len(current) and [k for k in have if k in want] == want:
            return [item for _, item in kept]
        return put_in_order(kept, have, want)

    def _keys(self, node: Node | None) -> tuple[str, ...] | None:
        """The key fields of a list that merges; () for one of scalars; None for one that is replaced."""
        if node is None:
            return None
        if self.server_side:
            return {"map": node.list_keys, "set": ()}.get(node.list_type)
        if "merge" not in node.patch_strategy:
            return None
        return (node.patch_key,) if node.patch_key else ()


def field_of(node: Node | None, name: str) -> Node | None:
    if node is None:
        return None
    return (node.fields or {}).get(name) or node.values


def _keys_of(items: list[Any], names: tuple[str, ...]) -> list[Hashable] | None:
    """The key of every item; None if one has none. A port without protocol is one of TCP: the one default in a key."""
    keys: list[Hashable] = []
    for item in items:
        if not names:
            key = item
        else:
            parts = (
                [item.get(n, "TCP" if n == "protocol" else None) for n in names] if isinstance(item, dict) else [None]
            )
            key = None if parts[0] is None or any(isinstance(p, (dict, list)) for p in parts) else tuple(parts)
        if key is None or isinstance(key, (dict, list)):
            return None
        keys.append(key)
    return keys


def _occurrences(keys: list[Hashable], items: list[Any]) -> dict[tuple[Hashable, int], Any]:
    """Items by key and by how many of this key came before: a client compares the first with the first, and so on."""
    seen: dict[Hashable, int] = {}
    out = {}
    for key, item in zip(keys, items, strict=True):
        out[key, seen.setdefault(key, 0)] = item
        seen[key] += 1
    return out


def _put(kept: list[tuple[Hashable, Any]], key: Hashable, result: Any, now: Any, wanted: Any) -> None:
    """Patch the item with this key, or add it. The server takes the first item that has the key, whichever of several
    was meant: this is how a port gets lost."""
    at = next((i for i, (k, _) in enumerate(kept) if k == key), None)
    if at is None:
        kept.append((key, result))
    elif now is kept[at][1] or not isinstance(wanted, dict):
        kept[at] = (key, result)
    else:
        known = now if isinstance(now, dict) else {}
        kept[at] = (key, {**kept[at][1], **{k: v for k, v in wanted.items() if known.get(k) != v}})


def put_in_order(kept: list[tuple[Hashable, Any]], have: list[Hashable], want: list[Hashable]) -> list[Any]:
    """The wanted items in their order; what only the server has keeps its place before what followed it there."""
    place = {k: n for n, k in reversed(list(enumerate(have)))}
    order = {k: n for n, k in reversed(list(enumerate(want)))}
    mine = sorted((pair for pair in kept if pair[0] in order), key=lambda pair: order[pair[0]])
    rest = [pair for pair in kept if pair[0] not in order]
    out: list[Any] = []
    for key, item in mine:
        while rest and key in place and place[rest[0][0]] < place[key]:
            out.append(rest.pop(0)[1])
        out.append(item)
    return out + [item for _, item in rest]
