"""From a pod that changed to the workload that has to look at it.

Follows the pod handlers of pkg/controller/statefulset/stateful_set.go and pkg/controller/daemon/daemon_controller.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kplan import labels
from kplan.controllers.control import Control, controller_of
from kplan.controllers.manager import Route
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]


def selects(owner: Value, obj: Value) -> bool:
    """Whether the selector of a workload matches the labels of an object."""
    selector = owner["spec"].get("selector")
    return bool(selector) and labels.matches(selector, obj["metadata"].get("labels"))


def of_controlled(group: str, kind: str, wants: Callable[[Value, Value], bool] = selects) -> Route:
    """From an object to its controller of a kind; without a controller to those of the kind that want it.

    `wants` is asked with a workload and the object, when the object is new or its labels or owners have changed.
    """

    def route(write: Write, control: Control) -> list[Key]:
        found: dict[Key, None] = {}
        for obj in (write.old, write.new):
            ref = controller_of(obj) if obj is not None else None
            if ref is not None and ref["kind"] == kind:
                key = Key(group, kind, write.key.namespace, ref["name"])
                owner = control.get(key)
                if owner is not None and owner["metadata"].get("uid") == ref.get("uid"):
                    found[key] = None
        new = write.new
        if new is not None and controller_of(new) is None and _is_news(write.old, new):
            for owner in control.store.all(kind, write.key.namespace):
                if wants(owner, new):
                    found[ref_of(owner).key] = None
        return list(found)

    return route


def _is_news(old: Value | None, new: Value) -> bool:
    if old is None:
        return True
    return any(old["metadata"].get(f) != new["metadata"].get(f) for f in ("labels", "ownerReferences"))
