"""What manifests refer to and the input does not hold, as far as the API server would refuse their pods for it.

Manifests are seldom all that a cluster holds. ConfigMaps, Secrets and volumes are not among it: that a pod waits for
one is what a simulation is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from kplan import standins
from kplan.store import Store, ref_of
from kplan.workloads import get, pod_template

if TYPE_CHECKING:
    from kplan.cluster import Cluster

Value = dict[str, Any]

_ALWAYS_THERE = frozenset(("default", "kube-system", "kube-public", "kube-node-lease"))
_SHOWN = 5


def added(cluster: Cluster) -> tuple[str, ...]:
    """Put what is missing into a cluster of which it is not known what else it holds; sentences about it."""
    notes: list[str] = []
    store = cluster.store
    for find in (_namespaces, _accounts, _classes, _storage):
        made: dict[str, list[str]] = {}
        for o in [o for o in find(store) if ref_of(o).key not in store]:
            cluster.apply(o, mode="replace")
            if o["kind"] != "Namespace" or o["metadata"]["name"] not in _ALWAYS_THERE:
                made.setdefault(o["kind"], []).append(_title(o))
        notes += [_sentence(kind, names) for kind, names in made.items()]
    return tuple(notes)


def _title(o: Value) -> str:
    namespace, name = o["metadata"].get("namespace"), o["metadata"]["name"]
    return f"{namespace}/{name}" if namespace else str(name)


def _sentence(kind: str, names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    verb = "is" if len(names) == 1 else "are"
    made = ", making volumes for any node" if kind == "StorageClass" else ""
    return f"{kind} {', '.join(names[:_SHOWN])}{more} {verb} not in the input, and taken to exist{made}"


def _namespaces(store: Store) -> list[Value]:
    """The namespaces that objects are in."""
    return [standins.of("Namespace", n) for n in dict.fromkeys(k.namespace for k, _ in store.items() if k.namespace)]


def _pods(store: Store) -> Iterator[tuple[str, Value]]:
    """The namespace and spec of every pod that there is or may come."""
    for key, value in store.items():
        template = pod_template(value)
        if template is not None and key.namespace:
            yield key.namespace, template.spec


def _accounts(store: Store) -> list[Value]:
    wanted = dict.fromkeys((ns, spec.get("serviceAccountName") or "default") for ns, spec in _pods(store))
    missing = [w for w in wanted if store.find("ServiceAccount", w[1], w[0]) is None and w[1] != "default"]
    return [standins.of("ServiceAccount", name, namespace) for namespace, name in missing]


def _classes(store: Store) -> list[Value]:
    """Priority and runtime classes; those of the system are always there."""
    pods = list(_pods(store))
    priorities = dict.fromkeys(spec["priorityClassName"] for _, spec in pods if spec.get("priorityClassName"))
    runtimes = dict.fromkeys(spec["runtimeClassName"] for _, spec in pods if spec.get("runtimeClassName"))
    return [
        *(standins.of("PriorityClass", n) for n in priorities if n[:7] != "system-"),
        *(standins.of("RuntimeClass", n) for n in runtimes),
    ]


def _storage(store: Store) -> list[Value]:
    """Storage classes, the default one too if a claim names none; none that volumes of the input have."""
    from kplan.scheduler.prepare import ANY_CLASS, missing_classes

    of_volumes = {get(v, "spec", "storageClassName") or ANY_CLASS for v in store.all("PersistentVolume")}
    names = [c["metadata"]["name"] for c in missing_classes(standins.claims(store.all()), store)]
    wanted = [n for n in names if n not in of_volumes]
    return [standins.default_class(_free(store)) if n == ANY_CLASS else standins.of("StorageClass", n) for n in wanted]


def _free(store: Store) -> str:
    """A name for the default class that no class has."""
    names = ("default", *(f"default-{i}" for i in range(2, len(store) + 3)))
    return next(n for n in names if store.find("StorageClass", n) is None)
