"""All controllers, in the order in which they are told of a change."""

from __future__ import annotations

from importlib import import_module

from kplan.controllers.manager import Controller

_HOMES = (
    ("kplan.kubelet.registration", "CONTROLLER"),
    ("kplan.controllers.nodelifecycle", "CONTROLLER"),
    ("kplan.controllers.serviceaccounts", "CONTROLLER"),
    ("kplan.controllers.rootca", "CONTROLLER"),
    ("kplan.controllers.namespaces", "CONTROLLER"),
    ("kplan.controllers.resourcequota", "CONTROLLER"),
    ("kplan.controllers.aggregation", "CONTROLLER"),
    ("kplan.controllers.loadbalancers", "CONTROLLER"),
    ("kplan.controllers.endpointslice", "CONTROLLER"),
    ("kplan.controllers.endpoints", "CONTROLLER"),
    ("kplan.controllers.mirroring", "CONTROLLER"),
    ("kplan.controllers.disruption", "CONTROLLER"),
    ("kplan.controllers.replicaset", "CONTROLLER"),
    ("kplan.controllers.replicaset", "REPLICATION"),
    ("kplan.controllers.deployment", "CONTROLLER"),
    ("kplan.controllers.statefulset", "CONTROLLER"),
    ("kplan.controllers.daemonset", "CONTROLLER"),
    ("kplan.kubelet.readiness", "CONTROLLER"),
    ("kplan.controllers.ephemeral", "CONTROLLER"),
    ("kplan.controllers.persistentvolume", "CONTROLLER"),
    ("kplan.controllers.expander", "CONTROLLER"),
    ("kplan.controllers.protection", "CLAIMS"),
    ("kplan.controllers.protection", "VOLUMES"),
    ("kplan.controllers.tainteviction", "CONTROLLER"),
    ("kplan.controllers.podgc", "CONTROLLER"),
    ("kplan.controllers.garbage", "CONTROLLER"),
    ("kplan.controllers.autoscaling.horizontal", "CONTROLLER"),
    ("kplan.controllers.job", "CONTROLLER"),
    ("kplan.controllers.job", "ORPHANS"),
    ("kplan.controllers.ttl", "CONTROLLER"),
    ("kplan.controllers.cronjob", "CONTROLLER"),
)
_PROVISIONER = ("kplan.controllers.provisioner", "CONTROLLER")


def controllers(*, provision: bool = False) -> list[Controller]:
    """The controllers that kube-controller-manager runs, as far as they are simulated.

    With `provision` a stand-in for the provisioners of storage classes, which are no part of Kubernetes, runs too.
    """
    homes = (*_HOMES, _PROVISIONER) if provision else _HOMES
    return [getattr(import_module(module), name) for module, name in homes]
