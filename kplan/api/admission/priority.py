"""Priority: the number behind a pod's priority class, and the one default class.

Follows plugin/pkg/admission/priority/admission.go and pkg/apis/scheduling/helpers.go.
"""

from __future__ import annotations

from kplan.api.request import Request
from kplan.api.validation.names import dns1123_subdomain
from kplan.hints import Any

Value = dict[str, Any]

SYSTEM_CLASSES = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
PREEMPT = "PreemptLowerPriority"


def mutate(obj: Value, request: Request) -> None:
    """Resolve a pod's priority; refuse a second default PriorityClass."""
    if request.kind == "PriorityClass":
        _one_default(obj, request)
    elif request.old is None:
        _resolve(obj["spec"], request)
    else:
        before = request.old.get("spec") or {}
        for name in ("priority", "preemptionPolicy"):
            if name in before:
                obj["spec"].setdefault(name, before[name])


def _resolve(spec: Value, request: Request) -> None:
    name = spec.get("priorityClassName") or ""
    found = _class(name, request) if name else _default_class(request)
    if found is None and name:
        if request.is_closed or dns1123_subdomain(name):  # no class has a name that is none
            raise request.forbidden(f"no PriorityClass with name {name} was found")
        return
    value = int((found or {}).get("value") or 0)
    policy = (found or {}).get("preemptionPolicy") or PREEMPT
    if found is not None and not name:
        spec["priorityClassName"] = found["metadata"]["name"]
    given = spec.get("priority")
    if given is not None and given != value:
        raise request.forbidden(
            f"the integer value of priority ({given}) must not be provided in pod spec; "
            f"priority admission controller computed {value} from the given PriorityClass name"
        )
    given_policy = spec.get("preemptionPolicy")
    if given_policy is not None and given_policy != policy:
        raise request.forbidden(
            f"the string value of PreemptionPolicy ({given_policy}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
    spec["priority"] = value
    spec["preemptionPolicy"] = policy


def _class(name: str, request: Request) -> Value | None:
    found = request.store.find("PriorityClass", name) if request.store else None
    if found is None and name in SYSTEM_CLASSES:
        return {"metadata": {"name": name}, "value": SYSTEM_CLASSES[name]}
    return found


def _default_class(request: Request) -> Value | None:
    """The default class with the lowest value, as the server does when there are several."""
    classes = request.store.all("PriorityClass") if request.store else ()
    defaults = [c for c in classes if c.get("globalDefault")]
    return min(defaults, key=lambda c: int(c.get("value") or 0), default=None)


def _one_default(obj: Value, request: Request) -> None:
    if not obj.get("globalDefault") or request.store is None:
        return
    for other in request.store.all("PriorityClass"):
        name = other["metadata"]["name"]
        if other.get("globalDefault") and name != request.name:
            raise request.forbidden(f"PriorityClass {name} is already marked as default. Only one default can exist")
