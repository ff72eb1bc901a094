"""What the API server does to objects before the scheduler sees them, as far as it matters to placement.

The world is taken as open: a class, namespace or service account that is not in the input may exist elsewhere.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from kplan import release, standins
from kplan.scheduler.fields import mapping, text
from kplan.scheduler.volumes import default_class, read_claim
from kplan.store import Store

Value = dict[str, Any]

ANY_CLASS = "<default>"
# the mutating admission plugins that change where a pod can go, in the API server's order
_PLUGINS = ("limits", "priority", "tolerations", "runtimeclasses")
_NAMESPACED = frozenset(
    {
        *("Pod", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job", "CronJob"),
        *("PersistentVolumeClaim", "Service", "PodDisruptionBudget", "LimitRange", "CSIStorageCapacity"),
    }
)


def namespaced(value: Value) -> Value:
    """The object with the namespace `default` where it names none and needs one."""
    if text(value, "kind") not in _NAMESPACED or text(value, "metadata", "namespace"):
        return value
    return {**value, "metadata": {**mapping(value, "metadata"), "namespace": "default"}}


def missing_classes(claims: Iterable[Value], store: Store) -> list[Value]:
    """Storage classes that the claims want and that are not in the input, as ones that make volumes for any node.

    A claim that names no class wants the default one.
    """
    known = {text(c, "metadata", "name") for c in store.all("StorageClass")}
    default = default_class(store.all("StorageClass"))
    wanted: dict[str, None] = {}
    for claim in claims:
        if not read_claim(claim).volume:
            wanted[read_claim(claim, default or ANY_CLASS).class_name] = None
    new = [name for name in wanted if name and name not in known]
    return [standins.default_class(n) if n == ANY_CLASS else standins.of("StorageClass", n) for n in new]


def prepared(pod: Value, world: Store, version: str) -> tuple[Value, str]:
    """A new pod with its defaults, priority, overhead and tolerations; or the API server's refusal as a sentence.

    `world` holds what admission looks up, without Namespaces: with them it would be a closed one.
    """
    from importlib import import_module

    from kplan.api.request import Refused, Request
    from kplan.api.stored import stored, undecodable

    value, why = stored(copy.deepcopy(pod), version)
    if value is None or (why and undecodable(pod, version)):
        return pod, why
    value["spec"] = mapping(value, "spec")
    namespace, name = text(value, "metadata", "namespace"), text(value, "metadata", "name")
    request = Request(
        group="",
        version="v1",
        kind="Pod",
        resource="pods",
        namespace=namespace,
        name=name,
        release=version,
        minor=release.minor(version),
        store=world,
    )
    try:
        for plugin in _PLUGINS:
            import_module(f"kplan.api.admission.{plugin}").mutate(value, request)
    except Refused as no:
        return value, no.message
    return value, ""
