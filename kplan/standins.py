"""Objects that stand in for what manifests refer to and do not hold: as plain as can be, and in nobody's way.

When one is added, and what is said about it, differs: see kplan/cli/standins.py for a simulation,
kplan/plan/standins.py for the rehearsal of a plan, kplan/scheduler/prepare.py for the what-ifs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from kplan.hints import Any
from kplan.model import split_api_version
from kplan.workloads import dicts, get, pod_template

Value = dict[str, Any]

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"

_KINDS: Mapping[str, tuple[str, Value]] = {
    "Namespace": ("v1", {}),
    "ServiceAccount": ("v1", {}),
    "ConfigMap": ("v1", {}),
    "Secret": ("v1", {}),
    "PriorityClass": ("scheduling.k8s.io/v1", {"value": 0}),
    "RuntimeClass": ("node.k8s.io/v1", {"handler": "unknown"}),
    # Whose volumes can be used on any node.
    "StorageClass": (
        "storage.k8s.io/v1",
        {"provisioner": "unknown", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer"},
    ),
}


def is_known(group: str, kind: str) -> bool:
    """Whether `of` makes objects of this kind."""
    return kind in _KINDS and split_api_version(_KINDS[kind][0])[0] == group


def of(kind: str, name: str, namespace: str = "", **more: Any) -> Value:
    """An object with what its kind must have, and `more`. Raises KeyError for a kind that is not known."""
    api_version, least = _KINDS[kind]
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **least, **more}


def default_class(name: str) -> Value:
    """The StorageClass of claims that name none."""
    return of("StorageClass", name) | {"metadata": {"name": name, "annotations": {DEFAULT_CLASS: "true"}}}


def claims(values: Iterable[Value]) -> Iterator[Value]:
    """The claims among these objects, and those that will be made for their pods, which may have no names yet."""
    for value in values:
        if value.get("kind") == "PersistentVolumeClaim":
            yield value
        elif value.get("kind") == "StatefulSet" and get(value, "spec", "replicas") != 0:
            yield from dicts(value, "spec", "volumeClaimTemplates")
        template = pod_template(value)
        for volume in dicts(template.spec, "volumes") if template is not None else ():
            claim = get(volume, "ephemeral", "volumeClaimTemplate")
            if isinstance(claim, dict):
                yield claim
