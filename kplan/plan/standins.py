"""Stand-ins for what manifests refer to and do not hold: as plain as can be, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kplan.model import Key
from kplan.plan.values import get, items, submap

Value = dict[str, Any]

_CLASS = "standard"
_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def of(key: Key, part: str, known: Value | None) -> Iterator[Value]:
    """Objects for a reference; `part` is the key that is read of it, `known` the stand-in that there is already."""
    meta = {"name": key.name, **({"namespace": key.namespace} if key.namespace else {})}
    match key.group, key.kind:
        case "", "ConfigMap" | "Secret":
            data = {**submap(known, "data"), **({part: ""} if part else {})}
            yield {"apiVersion": "v1", "kind": key.kind, "metadata": meta, "data": data}
        case "", "ServiceAccount":
            yield {"apiVersion": "v1", "kind": key.kind, "metadata": meta}
        case "", "PersistentVolumeClaim":
            yield from _claim(key, meta)
        case "scheduling.k8s.io", "PriorityClass":
            yield {"apiVersion": "scheduling.k8s.io/v1", "kind": key.kind, "metadata": meta, "value": 0}
        case "node.k8s.io", "RuntimeClass":
            yield {"apiVersion": "node.k8s.io/v1", "kind": key.kind, "metadata": meta, "handler": "stand-in"}
        case "storage.k8s.io", "StorageClass":
            yield _class(key.name, {})


def namespace(name: str) -> Value:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def default_class(values: Iterable[Value]) -> list[Value]:
    """A default StorageClass, if claims need one and none is there."""
    wanting = False
    for value in values:
        if value.get("kind") == "StorageClass" and submap(value, "metadata", "annotations").get(_IS_DEFAULT) == "true":
            return []
        claims = (
            [value] if value.get("kind") == "PersistentVolumeClaim" else items(value, "spec", "volumeClaimTemplates")
        )
        wanting = wanting or any(not isinstance(get(c, ("spec", "storageClassName")), str) for c in claims)
    return [_class(_CLASS, {_IS_DEFAULT: "true"})] if wanting else []


def _class(name: str, annotations: dict[str, str]) -> Value:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "stand-in.invalid/provisioner",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def _claim(key: Key, meta: Value) -> Iterator[Value]:
    """A claim that is bound to a volume which any node can use."""
    spec = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "",
        "volumeMode": "Filesystem",
    }
    claim = {"apiVersion": "v1", "kind": key.kind, "metadata": {**meta, "uid": f"<uid {key.namespace}/{key.name}>"}}
    yield from bound({**claim, "spec": spec}, "Retain")


def bound(claim: Value, policy: str) -> tuple[Value, Value]:
    """A claim, and a volume of just its kind, bound to each other; `policy` is the volume's reclaim policy."""
    meta, spec = claim["metadata"], claim["spec"]
    name = f"pvc-{meta.get('uid')}"
    asked = {"capacity": submap(spec, "resources", "requests"), "accessModes": spec.get("accessModes") or []}
    kind = {
        "storageClassName": spec.get("storageClassName") or "",
        "volumeMode": spec.get("volumeMode") or "Filesystem",
    }
    owner = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        **{k: meta.get(k) for k in ("namespace", "name", "uid")},
    }
    notes = {**submap(meta, "annotations"), "pv.kubernetes.io/bind-completed": "yes"}
    taken = {
        **claim,
        "metadata": {**meta, "annotations": notes},
        "spec": {**spec, "volumeName": name},
        "status": {"phase": "Bound", **asked},
    }
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "uid": f"<uid {name}>"},
        "spec": {**asked, **kind, "claimRef": owner, "persistentVolumeReclaimPolicy": policy},
        "status": {"phase": "Bound"},
    }
    return taken, volume
