"""The ServiceAccount `default` of every namespace.

Follows pkg/controller/serviceaccount/serviceaccounts_controller.go: it is made where it is missing, never changed, and
not made again in a namespace that is being deleted.
"""

from __future__ import annotations

from kplan.api.request import Refused
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.controllers.namespaces import is_active
from kplan.model import Key
from kplan.store import Write

DEFAULT = "default"


def reconcile(key: Key, control: Control) -> None:
    """Make the account of one namespace if it is missing."""
    namespace = control.get(key)
    if namespace is None or not is_active(namespace):
        return
    if control.get(Key("", "ServiceAccount", key.name, DEFAULT)) is not None:
        return
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": DEFAULT, "namespace": key.name}}
    try:
        control.create(account)
    except Refused as no:
        if not no.by_terminating_namespace:
            control.retry()


def _namespace(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    return [write.key] if write.new is not None else []


def _account(write: Write, control: Control) -> list[Key]:  # noqa: ARG001
    gone = write.new is None and write.key.name == DEFAULT
    return [Key("", "Namespace", "", write.key.namespace)] if gone else []


CONTROLLER = Controller("serviceaccount", {"Namespace": _namespace, "ServiceAccount": _account}, reconcile)
