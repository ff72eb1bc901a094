"""StorageObjectInUseProtection: claims, volumes and their attribute classes get a finalizer that keeps them in use.

Follows plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go.
"""

from __future__ import annotations

from kplan.api.request import CREATE, Request
from kplan.hints import Any

Value = dict[str, Any]

FINALIZERS = {
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PersistentVolume": "kubernetes.io/pv-protection",
    "VolumeAttributesClass": "kubernetes.io/vac-protection",
}


def mutate(obj: Value, request: Request) -> None:
    """Append the finalizer if it is not there."""
    if request.operation != CREATE:
        return
    finalizer = FINALIZERS[request.kind]
    own = obj["metadata"].get("finalizers") or []
    if finalizer not in own:
        obj["metadata"]["finalizers"] = [*own, finalizer]
