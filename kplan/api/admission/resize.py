"""PersistentVolumeClaimResize: only what a class can expand may grow.

Follows plugin/pkg/admission/storage/persistentvolume/resize/admission.go.
"""

from __future__ import annotations

from kplan import quantity
from kplan.api.request import Request
from kplan.hints import Any
from kplan.workloads import get

Value = dict[str, Any]


def validate(obj: Value, request: Request) -> None:
    """Refuse growth of a claim that is bound but not expandable."""
    old = request.old
    if old is None:
        return
    before, after = (get(o, "spec", "resources", "requests", "storage") for o in (old, obj))
    if not before or not after or quantity.parse(str(after)).nanos <= quantity.parse(str(before)).nanos:
        return
    if get(old, "status", "phase") != "Bound":
        raise request.forbidden("Only bound persistent volume claims can be expanded")
    name = get(obj, "spec", "storageClassName")
    found = request.store.find("StorageClass", name) if request.store and name else None
    if not (found or {}).get("allowVolumeExpansion") and (found is not None or request.is_closed):
        raise request.forbidden(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
            "support resize"
        )
