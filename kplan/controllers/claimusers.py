"""Which pods use a PersistentVolumeClaim.

Follows the index of pkg/controller/util/indexer: kept up to date by the routes of the controllers that ask, so that
nobody looks through all pods.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.control import Control
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]
Users = dict[Key, dict[Key, None]]


def names(pod: Value) -> list[str]:
    """The names of the claims that a pod uses; a generic ephemeral volume has one of its own."""
    found = []
    for volume in pod["spec"].get("volumes") or ():
        if "persistentVolumeClaim" in volume:
            found.append(str(volume["persistentVolumeClaim"].get("claimName", "")))
        elif "ephemeral" in volume:
            found.append(f"{pod['metadata']['name']}-{volume['name']}")
    return found


def keys(pod: Value) -> list[Key]:
    """The same as identities."""
    namespace = pod["metadata"].get("namespace") or ""
    return [Key("", "PersistentVolumeClaim", namespace, name) for name in names(pod)]


def see(write: Write, control: Control) -> None:
    """Take note of a changed pod; a second time does nothing."""
    if write.old is not None and write.new is not None:
        return  # the volumes of a pod never change
    pod = write.new if write.new is not None else write.old
    assert pod is not None
    users = _users(control)
    for claim in keys(pod):
        if write.new is not None:
            users.setdefault(claim, {})[write.key] = None
        else:
            users.get(claim, {}).pop(write.key, None)


def of(claim: Key, control: Control) -> list[Value]:
    """The pods that use a claim, oldest first."""
    found = (control.get(key) for key in _users(control).get(claim, ()))
    return [pod for pod in found if pod is not None]


def _users(control: Control) -> Users:
    return control.remembered("claimusers", Users)
