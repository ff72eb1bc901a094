"""From labels to the objects whose selectors match them, without trying every selector on every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kplan import labels as label_rules
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]
_Shelf = tuple[str, str, str]  # namespace, and the key and value of a label; both empty where none is required


class _Filed(NamedTuple):
    selector: Value
    shelf: _Shelf


class Selecting:
    """The selectors of one kind of object. It must be shown every change of that kind.

    `selector` takes the metav1.LabelSelector out of an object, None if it has none. Each selector is filed under one
    label that it requires, so that only those are tried which might match.
    """

    def __init__(self, selector: Callable[[Value], Value | None]) -> None:
        self._selector = selector
        self._filed: dict[Key, _Filed] = {}
        self._shelves: dict[_Shelf, dict[Key, None]] = {}

    def see(self, write: Write) -> None:
        """Take note of an object that is new, has changed or is gone."""
        key = write.key
        selector = self._selector(write.new) if write.new is not None else None
        known = self._filed.get(key)
        if known is not None:
            if known.selector == selector:
                return
            del self._filed[key]
            del self._shelves[known.shelf][key]
        if selector is not None:
            shelf = self._shelf(key.namespace, selector)
            self._filed[key] = _Filed(selector, shelf)
            self._shelves.setdefault(shelf, {})[key] = None

    def _shelf(self, namespace: str, selector: Value) -> _Shelf:
        """The emptiest shelf: a label that everything in a namespace carries tells nothing."""
        shelves: list[_Shelf] = [(namespace, k, v) for k, v in required(selector).items()]
        return min(shelves, key=lambda s: len(self._shelves.get(s, ())), default=(namespace, "", ""))

    def matching(self, namespace: str, labels: Mapping[str, str]) -> list[Key]:
        """The objects of a namespace that select these labels."""
        shelves = [(namespace, "", ""), *((namespace, k, v) for k, v in labels.items())]
        tried = (key for shelf in shelves for key in self._shelves.get(shelf, ()))
        return [key for key in tried if label_rules.matches(self._filed[key].selector, labels)]


def required(selector: Value) -> dict[str, str]:
    """The labels that something must carry to be selected; there may be other conditions."""
    found = {k: v for k, v in (selector.get("matchLabels") or {}).items() if isinstance(v, str)}
    for e in selector.get("matchExpressions") or ():
        values = e.get("values") or []
        if e.get("operator") == "In" and len(values) == 1:
            found.setdefault(e["key"], values[0])
    return found


def go_text(selector: Value | None) -> str:
    """A selector as its generated String method prints it."""
    if selector is None:
        return "nil"
    plain = selector.get("matchLabels") or {}
    pairs = "".join(f"{k}: {plain[k]}," for k in sorted(plain))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{e.get('key', '')},Operator:{e.get('operator', '')},"
        f"Values:[{' '.join(e.get('values') or ())}],}},"
        for e in selector.get("matchExpressions") or ()
    )
    listed = f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}}"
    return f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},{listed},}}"
