"""Stand-ins for what a plan's manifests refer to, with the keys that are read of them and volumes for claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kplan import standins
from kplan.hints import Any
from kplan.model import Key
from kplan.plan.values import get, submap

Value = dict[str, Any]

_CLASS = "standard"


def of(key: Key, part: str, known: Value | None) -> Iterator[Value]:
    """Objects for a reference; `part` is the key that is read of it, `known` the stand-in that there is already."""
    if (key.group, key.kind) == ("", "PersistentVolumeClaim"):
        yield from _claim(key)
    elif standins.is_known(key.group, key.kind):
        plain = standins.of(key.kind, key.name, key.namespace)
        has_data = key.kind in ("ConfigMap", "Secret")
        yield {**plain, "data": {**submap(known, "data"), **({part: ""} if part else {})}} if has_data else plain


def namespace(name: str) -> Value:
    """A Namespace."""
    return standins.of("Namespace", name)


def default_class(values: Iterable[Value]) -> list[Value]:
    """A default StorageClass, if claims need one and none is there."""
    given = list(values)
    classes = (v for v in given if v.get("kind") == "StorageClass")
    if any(submap(c, "metadata", "annotations").get(standins.DEFAULT_CLASS) == "true" for c in classes):
        return []
    wanting = any(not isinstance(get(c, ("spec", "storageClassName")), str) for c in standins.claims(given))
    return [standins.default_class(_CLASS)] if wanting else []


def _claim(key: Key) -> Iterator[Value]:
    """A claim that is bound to a volume which any node can use."""
    spec = {
        "accessModes": ["ReadWriteMany"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "",
        "volumeMode": "Filesystem",
    }
    meta = {"name": key.name, "namespace": key.namespace, "uid": f"<uid {key.namespace}/{key.name}>"}
    claim = {"apiVersion": "v1", "kind": key.kind, "metadata": meta}
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
