"""The status of ResourceQuotas: what is used of each limited resource.

Follows pkg/controller/resourcequota/resource_quota_controller.go and resource_quota_monitor.go. An account is kept for
each quota, so that a change costs no more than the object that changed.
"""

from __future__ import annotations

from typing import Any

from kplan.api.admission.quotacosts import applies, charges, notation, resource_of
from kplan.api.customresources import catalog_of
from kplan.controllers import pods
from kplan.controllers.control import Control
from kplan.controllers.manager import ANY, Controller
from kplan.model import Key
from kplan.quantity import DECIMAL, Quantity
from kplan.resourcelist import Amounts
from kplan.schema import Catalog
from kplan.store import Write, ref_of

Value = dict[str, Any]

NAME = "resourcequota"


class Account:
    """What the objects of a namespace cost under one quota, each by itself and together."""

    __slots__ = ("_catalog", "_costs", "_names", "_notations", "_total", "spec")

    def __init__(self, spec: Value) -> None:
        self.spec = spec
        self._costs: dict[Key, Amounts] = {}
        self._total: Amounts = dict.fromkeys(spec.get("hard") or {}, 0)
        self._notations: dict[str, str] = {}
        self._catalog: Catalog | None = None
        self._names: list[str] = []

    def note(self, key: Key, obj: Value | None, control: Control) -> bool:
        """Take note of an object as it is now, None if it is gone; whether that changes what is used."""
        new: Amounts = {}
        if obj is not None and applies({"spec": self.spec}, obj):
            costs = charges(obj, resource_of(obj, control.store))
            new = {name: costs[name] for name in self._total if costs.get(name)}
        old = self._costs.get(key, {})
        if new == old:
            return False
        for name in {**old, **new}:
            if not self._total[name] and obj is not None:
                self._notations[name] = notation(obj, name)
            self._total[name] += new.get(name, 0) - old.get(name, 0)
        self._costs[key] = new
        if not new:
            del self._costs[key]
        return True

    def used(self, control: Control) -> dict[str, str]:
        """The used amounts of the limited resources, in the notation of the first object that counts."""
        catalog = catalog_of(control.version, control.store)
        if catalog is not self._catalog:
            self._catalog = catalog
            self._names = [name for name in self._total if _is_countable(name, catalog)]
        return {name: str(Quantity(self._total[name], self._notations.get(name, DECIMAL))) for name in self._names}


def reconcile(key: Key, control: Control) -> None:
    """Bring the status of one quota up to date."""
    quota = control.get(key)
    accounts = _accounts(control).setdefault(key.namespace, {})
    if quota is None:
        accounts.pop(key, None)
        return
    spec = quota.get("spec") or {}
    account = accounts.get(key)
    if account is None or account.spec != spec:
        account = accounts[key] = Account(spec)
        for obj in control.store.all(namespace=key.namespace):
            account.note(ref_of(obj).key, obj, control)
    control.status(quota, {"hard": spec.get("hard") or {}, "used": account.used(control)})


def _accounts(control: Control) -> dict[str, dict[Key, Account]]:
    return control.remembered(NAME, dict[str, dict[Key, Account]])


def _is_countable(name: str, catalog: Catalog) -> bool:
    """Whether it is known what a name stands for: `count/` needs a resource that the server has."""
    return not name.startswith("count/") or catalog.find(name.removeprefix("count/")) is not None


def _quota(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    known = write.old is not None and write.new is not None and write.old.get("spec") == write.new.get("spec")
    return [] if known else [write.key]


def _charged(write: Write, control: Control) -> list[Key]:
    """The quotas under which a changed object costs more or less than before."""
    accounts = _accounts(control).get(write.key.namespace)
    if not accounts or not _may_differ(write):
        return []
    current = control.get(write.key)
    return [key for key, account in accounts.items() if account.note(write.key, current, control)]


def _may_differ(write: Write) -> bool:
    old, new = write.old, write.new
    if old is None or new is None:
        return True
    match new["kind"]:
        case "Pod":
            same_spec = old.get("spec") is new.get("spec") or old.get("spec") == new.get("spec")
            return not same_spec or pods.has_ended(old) != pods.has_ended(new)
        case "Service" | "PersistentVolumeClaim":
            return bool(old.get("spec") != new.get("spec"))
    return False


CONTROLLER = Controller(NAME, {"ResourceQuota": _quota, ANY: _charged}, reconcile)
