"""Finished Jobs that are removed some time after their end.

Follows pkg/controller/ttlafterfinished/ttlafterfinished_controller.go (KEP-592): the deletion is a foreground one, so
the pods go first.
"""

from __future__ import annotations

from typing import Any

from kplan.api.deletion import FOREGROUND
from kplan.controllers.control import Control
from kplan.controllers.job import finished_as
from kplan.controllers.manager import Controller, itself
from kplan.model import Key

Value = dict[str, Any]


def reconcile(key: Key, control: Control) -> None:
    """Delete a finished Job if its time is over, else come back then."""
    control.sleep()
    job = control.get(key)
    if job is None or job["metadata"].get("deletionTimestamp"):
        return
    ttl, end = job["spec"].get("ttlSecondsAfterFinished"), finished_as(job)
    if ttl is None or end is None or not end.get("lastTransitionTime"):
        return  # without the time at which it ended the real controller fails, again and again
    left = float(ttl) - control.since(end.get("lastTransitionTime"))
    if left > 0:
        control.wake(left, lazy=True)
    else:
        control.delete(job, FOREGROUND)


CONTROLLER = Controller("ttlafterfinished", {"Job": itself}, reconcile)
