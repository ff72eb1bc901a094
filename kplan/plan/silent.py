"""What applying does otherwise than manifests say: fields that stay although they were dropped, changes to lists that
kubectl cannot send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kplan.api.listorder import fault
from kplan.hints import Any
from kplan.model import ABSENT, Action, Key
from kplan.plan.kinds import Kinds
from kplan.plan.patterns import parse
from kplan.plan.values import get, submap

Value = dict[str, Any]

_TWICE = (
    "kubectl apply gives up on this change, for a list has two items of one key: the order in its patch list does not "
    "match the $setElementOrder list"
)


def sentences(
    actions: Iterable[Action], written: tuple[Mapping[Key, Value], Mapping[Key, Value]], kinds: Kinds
) -> Iterator[str]:
    """One sentence for every field that was in the current manifest, is in the desired one no more, and stays; and for
    every object whose changes cannot be sent."""
    for action in actions:
        if action.before_ref is None:
            continue
        old, new = written[0].get(action.before_ref.key), written[1].get(action.ref.key)
        if old is None or new is None:
            continue
        for place in (*_allocated(action, old), *_string_data(action, old, new)):
            yield f"{action.ref}: {place}"
        if action.verb == "update" and fault(old, new, kinds.of(action.ref).node):
            yield f"{action.ref}: {_TWICE}"


def _allocated(action: Action, old: Value) -> Iterator[str]:
    for item in action.ignored:
        if item.reason == "allocated" and item.after is ABSENT and get(old, parse(item.path)) is not ABSENT:
            yield f"{item.path} is left out, but the server keeps the value it has"


def _string_data(action: Action, old: Value, new: Value) -> Iterator[str]:
    if action.ref.kind != "Secret" or action.ref.group:
        return
    has = {**submap(new, "stringData"), **submap(new, "data")}
    for name in submap(old, "stringData"):
        if name not in has:
            yield f"key {name} is gone from stringData, but apply leaves it in data"
