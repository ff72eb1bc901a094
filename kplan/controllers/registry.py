"""All controllers, in the order in which they are told of a change."""

from __future__ import annotations

from importlib import import_module

from kplan.controllers.manager import Controller

_HOMES = (
    ("deployment", "CONTROLLER"),
    ("replicaset", "CONTROLLER"),
    ("replicaset", "REPLICATION"),
    ("job", "CONTROLLER"),
    ("job", "ORPHANS"),
    ("ttl", "CONTROLLER"),
    ("cronjob", "CONTROLLER"),
    ("garbage", "CONTROLLER"),
)


def controllers() -> list[Controller]:
    """The controllers that kube-controller-manager runs, as far as they are simulated."""
    return [getattr(import_module(f"kplan.controllers.{module}"), name) for module, name in _HOMES]
