"""Taints of nodes that follow from their conditions and from being cordoned.

Follows pkg/controller/nodelifecycle/node_lifecycle_controller.go (doNoScheduleTaintingPass, processTaintBaseEviction)
and KEP-382. Nobody sends heartbeats here: a node that does not say whether it is ready counts as ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]

NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
_PREFIX = "node.kubernetes.io/"
NOT_READY, UNREACHABLE, UNSCHEDULABLE = (f"{_PREFIX}{n}" for n in ("not-ready", "unreachable", "unschedulable"))
# condition and status -> key of the taint
_OF_CONDITION: Mapping[tuple[str, str], str] = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): f"{_PREFIX}memory-pressure",
    ("DiskPressure", "True"): f"{_PREFIX}disk-pressure",
    ("NetworkUnavailable", "True"): f"{_PREFIX}network-unavailable",
    ("PIDPressure", "True"): f"{_PREFIX}pid-pressure",
}
_NO_SCHEDULE_KEYS = frozenset((*_OF_CONDITION.values(), UNSCHEDULABLE))
_NO_EXECUTE_KEYS = frozenset((NOT_READY, UNREACHABLE))


def reconcile(key: Key, control: Control) -> None:
    """Give one node the taints that it should have, and take away those that it should not."""
    node = control.get(key)
    if node is None:
        return
    taints: list[Value] = (node.get("spec") or {}).get("taints") or []
    conditions = [
        (str(c.get("type")), str(c.get("status"))) for c in (node.get("status") or {}).get("conditions") or ()
    ]
    found = [_OF_CONDITION[c] for c in conditions if c in _OF_CONDITION]
    unready = [k for k in found if k in _NO_EXECUTE_KEYS]
    if (node.get("spec") or {}).get("unschedulable"):
        found.append(UNSCHEDULABLE)
    new = _swapped(taints, found, NO_SCHEDULE, _NO_SCHEDULE_KEYS, control.now)
    new = _swapped(new, unready, NO_EXECUTE, _NO_EXECUTE_KEYS, control.now)
    if new == taints:
        return
    spec = {k: v for k, v in (node.get("spec") or {}).items() if k != "taints"}
    control.update({**node, "spec": {**spec, **({"taints": new} if new else {})}})


def _swapped(taints: list[Value], wanted: list[str], effect: str, ours: frozenset[str], now: str) -> list[Value]:
    """The taints without those of ours that are not wanted, and with those that are missing behind them."""
    kept = [t for t in taints if t.get("effect") != effect or t.get("key") not in ours or t.get("key") in wanted]
    have = {t.get("key") for t in kept if t.get("effect") == effect}
    missing = [key for key in dict.fromkeys(wanted) if key not in have]
    return [*kept, *({"key": key, "effect": effect, "timeAdded": now} for key in missing)]


def _affected(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    if write.new is None or (write.old is not None and _seen(write.old) == _seen(write.new)):
        return []
    return [write.key]


def _seen(node: Value) -> tuple[Any, ...]:
    return node.get("spec"), (node.get("status") or {}).get("conditions")


CONTROLLER = Controller("nodelifecycle", {"Node": _affected}, reconcile)
