"""RuntimeClass: its overhead, node selector and tolerations become the pod's.

Follows plugin/pkg/admission/runtimeclass/admission.go.
"""

from __future__ import annotations

from kplan import quantity
from kplan.api.request import CREATE, Request
from kplan.hints import Any

Value = dict[str, Any]


def mutate(obj: Value, request: Request) -> None:
    """Merge what the pod's class asks for into the pod."""
    found = _class(obj, request)
    if found is None or request.operation != CREATE:
        return
    spec: Value = obj["spec"]
    overhead = (found.get("overhead") or {}).get("podFixed")
    if overhead:
        if spec.get("overhead") and not _same(spec["overhead"], overhead):
            reason = "pod's Overhead doesn't match RuntimeClass's defined Overhead"
            raise request.forbidden(f"pod rejected: {reason}")
        spec["overhead"] = dict(overhead)
    scheduling = found.get("scheduling") or {}
    _merge_selector(spec, scheduling.get("nodeSelector") or {}, request)
    own = spec.get("tolerations") or []
    extra = [t for t in scheduling.get("tolerations") or () if t not in own]
    if extra:
        spec["tolerations"] = [*own, *(dict(t) for t in extra)]


def validate(obj: Value, request: Request) -> None:
    """Refuse overhead that no class asks for."""
    found = _class(obj, request)
    overhead = obj["spec"].get("overhead")
    if not overhead or request.operation != CREATE or (found is None and not request.is_closed):
        return
    if not ((found or {}).get("overhead") or {}).get("podFixed"):
        raise request.forbidden("pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")


def _class(obj: Value, request: Request) -> Value | None:
    name = obj["spec"].get("runtimeClassName")
    if not name or request.store is None:
        return None
    found = request.store.find("RuntimeClass", name)
    if found is None and request.is_closed:
        raise request.forbidden(f'pod rejected: RuntimeClass "{name}" not found')
    return found


def _merge_selector(spec: Value, wanted: Value, request: Request) -> None:
    own = spec.get("nodeSelector") or {}
    for key, value in wanted.items():
        if key in own and own[key] != value:
            raise request.forbidden(f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}")
    if wanted:
        spec["nodeSelector"] = {**own, **wanted}


def _same(a: Value, b: Value) -> bool:
    return a.keys() == b.keys() and all(quantity.equal(a[k], b[k]) for k in a)
