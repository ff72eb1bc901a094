"""Aggregated ClusterRoles: their rules are those of the roles that they select.

Follows pkg/controller/clusterroleaggregation/clusterroleaggregation_controller.go.
"""

from __future__ import annotations

from typing import Any

from kplan import labels
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]


def reconcile(key: Key, control: Control) -> None:
    """Write the rules of one aggregated role: selector by selector, roles by name, each rule once."""
    role = control.get(key)
    if role is None or role.get("aggregationRule") is None:
        return
    others = sorted(
        (r for r in control.store.all("ClusterRole") if r["metadata"]["name"] != key.name),
        key=lambda r: str(r["metadata"]["name"]),
    )
    rules: list[Value] = []
    for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
        chosen = (o for o in others if labels.matches(selector, o["metadata"].get("labels")))
        for rule in (r for o in chosen for r in o.get("rules") or ()):
            if rule not in rules:
                rules.append(rule)
    if rules != (role.get("rules") or []):
        control.update({**role, "rules": rules})


def _affected(write: Write, control: Control) -> list[Key]:
    """Any change may concern every aggregated role."""
    old, new = write.old, write.new
    if old is not None and new is not None and _seen(old) == _seen(new):
        return []
    return [ref_of(r).key for r in control.store.all("ClusterRole") if r.get("aggregationRule") is not None]


def _seen(role: Value) -> tuple[Any, ...]:
    return role["metadata"].get("labels"), role.get("rules"), role.get("aggregationRule")


CONTROLLER = Controller("clusterrole-aggregation", {"ClusterRole": _affected}, reconcile)
