"""Adoption and release: which objects a controller takes as its own.

Follows pkg/controller/controller_ref_manager.go: an owned object that no longer matches is released, one without a
controller that matches is adopted; nothing is adopted by or for an object that is being deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kplan.controllers.control import Control, reference
from kplan.controllers.metadata import with_owners, without_finalizer

Value = dict[str, Any]


def claim(
    owner: Value,
    kind: str,
    control: Control,
    matches: Callable[[Value], bool],
    counts: Callable[[Value], bool] = lambda _: True,
    finalizer: str = "",
) -> list[Value]:
    """The objects of a kind that `owner` controls after adoption and release, oldest first.

    What does not count is neither adopted nor released, nor returned. A `finalizer` comes and goes with the owner.
    """
    namespace = owner["metadata"]["namespace"]
    leaving = bool(owner["metadata"].get("deletionTimestamp"))
    mine = []
    for o in control.owned(owner, kind):
        if not counts(o):
            continue
        if matches(o):
            mine.append(o)
        elif not leaving:
            control.update(_released(o, owner, finalizer))
    if leaving:
        return mine
    free = [o for o in control.orphans(kind, namespace) if not o["metadata"].get("deletionTimestamp")]
    return mine + [control.update(_adopted(o, owner, finalizer)) for o in free if counts(o) and matches(o)]


def _adopted(obj: Value, owner: Value, finalizer: str) -> Value:
    meta = {**obj["metadata"], "ownerReferences": [*controllerless(obj, owner), reference(owner)]}
    held = meta.get("finalizers") or []
    if finalizer and finalizer not in held:
        meta["finalizers"] = [*held, finalizer]
    return {**obj, "metadata": meta}


def _released(obj: Value, owner: Value, finalizer: str) -> Value:
    return without_finalizer(with_owners(obj, controllerless(obj, owner)), finalizer)


def controllerless(obj: Value, owner: Value) -> list[Value]:
    """The owner references of an object without those to `owner`."""
    uid = owner["metadata"].get("uid")
    return [r for r in obj["metadata"].get("ownerReferences") or () if r.get("uid") != uid]
