"""DefaultStorageClass: a claim without a class gets the default one.

Follows plugin/pkg/admission/storage/storageclass/setdefault and pkg/volume/util/storageclass.go.
"""

from __future__ import annotations

from kplan.api.request import CREATE, Request
from kplan.hints import Any

Value = dict[str, Any]

DEFAULT_KEYS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
CLASS_KEY = "volume.beta.kubernetes.io/storage-class"


def mutate(obj: Value, request: Request) -> None:
    """Set spec.storageClassName where neither field nor annotation is given."""
    if request.operation != CREATE or request.store is None:
        return
    spec: Value = obj["spec"]
    if spec.get("storageClassName") is not None or CLASS_KEY in (obj["metadata"].get("annotations") or {}):
        return
    chosen = newest_default(request.store.all("StorageClass"), DEFAULT_KEYS)
    if chosen is not None:
        spec["storageClassName"] = chosen["metadata"]["name"]


def newest_default(classes: Any, keys: tuple[str, ...]) -> Value | None:
    """Of the classes annotated as default the newest, then the first by name; None if there is none."""

    def is_default(c: Value) -> bool:
        notes = c["metadata"].get("annotations") or {}
        return any(notes.get(k) == "true" for k in keys)

    by_name = sorted(filter(is_default, classes), key=lambda c: str(c["metadata"]["name"]))
    return max(by_name, key=lambda c: str(c["metadata"].get("creationTimestamp") or ""), default=None)
