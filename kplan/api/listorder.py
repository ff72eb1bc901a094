"""Whether a patch names the items of a list in the order that it asks for, without which it is not taken.

Follows k8s.io/apimachinery/pkg/util/strategicpatch (patch.go: validatePatchWithSetOrderList, diffListsOfMaps,
normalizeSliceOrder). Items are told apart by their merge key alone. Where one key stands twice in a list, as two
variables of one name, what kubectl would send can be in no order that fits: it gives up then (issue 86163).
"""

from __future__ import annotations

from collections.abc import Sequence

from kplan.api.merge import field_of
from kplan.hints import Any
from kplan.schema.node import Node

Value = dict[str, Any]


def follows(keys: Sequence[Any], order: Sequence[Any]) -> bool:
    """Whether these keys are among those of the order, one after the other."""
    rest = iter(order)
    return all(any(key == other for other in rest) for key in keys)


def mismatch(items: list[Any], order: list[Any]) -> str:
    """What is said of a patch with these items."""
    from kplan.api.gotext import plain  # plans ask whether there is a fault, but not for its words

    return f"The order in patch list:\n{plain(items)}\n doesn't match $setElementOrder list:\n{plain(order)}\n"


def fault(current: Value, modified: Value, node: Node | None) -> str:
    """What keeps kubectl from making a patch that turns `current` into `modified`, objects of this type; "" if nothing
    does."""
    for name, value in sorted(modified.items()):
        now, inner = current.get(name), field_of(node, name)
        if inner is None or "replace" in inner.patch_strategy:
            continue
        found = ""
        if isinstance(value, dict) and isinstance(now, dict):
            found = fault(now, value, inner)
        elif isinstance(value, list) and isinstance(now, list) and inner.patch_key and "merge" in inner.patch_strategy:
            found = _fault_of_list(now, value, inner)
        if found:
            return found
    return ""


def _fault_of_list(current: list[Any], modified: list[Any], node: Node) -> str:
    key = node.patch_key
    if not all(isinstance(item, dict) and isinstance(item.get(key), str | int) for item in (*current, *modified)):
        return ""
    order = [item[key] for item in modified]
    pairs = _pairs(current, modified, key)
    if len(set(order)) < len(order):
        changed = (_difference(now, item, key) for now, item in pairs)
        sent = sorted(filter(None, changed), key=lambda item: order.index(item[key]))
        if not follows([c[key] for c in sent], order):
            return mismatch(sent, [{key: k} for k in order])
    found = (fault(now, item, node.items) for now, item in pairs if now is not None)
    return next(filter(None, found), "")


def _pairs(current: list[Value], modified: list[Value], key: str) -> list[tuple[Value | None, Value]]:
    """The items of a list with those that they stand for: the first of a key with the first of this key, and so on."""
    by_key: dict[Any, list[Value]] = {}
    for item in reversed(current):
        by_key.setdefault(item[key], []).append(item)
    return [(stack.pop() if (stack := by_key.get(item[key])) else None, item) for item in modified]


def _difference(now: Value | None, item: Value, key: str) -> Value:
    """What is sent of an item: all of a new one, of another its key and what has changed; {} if nothing has."""
    if now is None:
        return item
    new = {k: v for k, v in item.items() if not _has(now.get(k), v)}
    return {key: item[key], **new} if new else {}


def _has(now: Any, wanted: Any) -> bool:
    if isinstance(now, dict) and isinstance(wanted, dict):
        return all(_has(now.get(k), v) for k, v in wanted.items())
    return bool(now == wanted)
