"""The priority of a pod: the number itself, or the class that it names.

Follows pkg/apis/scheduling (helpers.go) and the Priority admission plugin; a class that is not there counts as 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kplan.scheduler.fields import number, text

Value = dict[str, Any]

PREEMPT, NEVER = "PreemptLowerPriority", "Never"


class Priority(NamedTuple):
    """How important a pod is, and whether it may evict others."""

    value: int
    preempts: bool


SYSTEM = {
    "system-node-critical": Priority(2000001000, True),
    "system-cluster-critical": Priority(2000000000, True),
}


class Priorities:
    """The PriorityClasses of a cluster."""

    def __init__(self, classes: Iterable[Value]) -> None:
        self._by_name = dict(SYSTEM)
        defaults = []
        for c in classes:
            found = Priority(number(c, "value"), text(c, "preemptionPolicy") != NEVER)
            self._by_name[text(c, "metadata", "name")] = found
            if c.get("globalDefault") is True:
                defaults.append(found)
        self._default = min(defaults, default=Priority(0, True), key=lambda p: p.value)

    def of(self, spec: Value) -> Priority:
        """The priority of a pod spec; its own fields win over its class."""
        name = text(spec, "priorityClassName")
        found = self._by_name.get(name, Priority(0, True)) if name else self._default
        policy = text(spec, "preemptionPolicy")
        preempts = policy != NEVER if policy else found.preempts
        return Priority(number(spec, "priority", default=found.value), preempts)
