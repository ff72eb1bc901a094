"""ResourceQuota: whether a namespace can pay for a new object.

Follows k8s.io/apiserver/pkg/admission/plugin/resourcequota (controller.go). In a simulated cluster the status of a
quota says what is used, and each accepted object raises it. Otherwise, and as long as a quota has no status, the stored
objects are counted: what the controller would write there in no time.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan import quantity, resourcelist
from kplan.api.admission.quotacosts import COMPUTE, applies, charges, notation, resource_of, usage
from kplan.api.request import Request
from kplan.hints import Any
from kplan.quantity import Quantity
from kplan.resourcelist import Amounts
from kplan.store import Store
from kplan.workloads import get

Value = dict[str, Any]
Texts = dict[str, str]


def validate(obj: Value, request: Request) -> None:
    """Refuse what would take a quota of the namespace over its hard limits."""
    if request.store is None or not request.namespace:
        return
    quotas = [q for q in request.store.all("ResourceQuota", request.namespace) if applies(q, obj)]
    quotas.sort(key=lambda q: str(q["metadata"]["name"]))
    if request.kind == "Pod" and request.old is None:
        for quota in quotas:  # of all of them, before any is asked whether it can pay
            missing = _unset(obj["spec"], hard_limits(quota))
            if missing:
                raise request.forbidden(f"failed quota: {quota['metadata']['name']}: must specify {missing}")
    for quota in quotas:
        _check(quota, obj, request)


def charge(new: Value, old: Value | None, store: Store) -> None:
    """Raise the use of the quotas of a namespace by an object that was accepted; only in a simulated cluster."""
    namespace = new["metadata"].get("namespace")
    if not store.simulated or not namespace:
        return
    for quota in list(store.all("ResourceQuota", namespace)):
        used: Texts | None = get(quota, "status", "used")
        if used is None or not applies(quota, new):
            continue
        resource = resource_of(new, store)
        raised = {k: n for k, n in _increase(new, old, resource).items() if k in used and n > 0}
        if raised:
            status = {**quota["status"], "used": {**used, **_raised(used, raised, new)}}
            meta = {**quota["metadata"], "resourceVersion": str(store.revision + 1)}
            store.put({**quota, "metadata": meta, "status": status})


def _raised(used: Texts, cost: Amounts, obj: Value) -> Texts:
    """Used amounts with a cost on top, in the notation of what was there first."""
    out = {}
    for name, n in cost.items():
        before = quantity.parse(used[name])
        out[name] = str(Quantity(before.nanos + n, before.format if before.nanos else notation(obj, name)))
    return out


def _check(quota: Value, obj: Value, request: Request) -> None:
    hard = hard_limits(quota)
    name = quota["metadata"]["name"]
    cost = _increase(obj, request.old, request.resource)
    charged = {k: n for k, n in cost.items() if k in hard and n > 0}
    if not charged:
        return
    used = _used(quota, request)
    unknown = sorted(k for k in charged if k not in used) if _is_known(quota, request) else []
    if unknown:
        raise request.forbidden(f"status unknown for quota: {name}, resources: {','.join(unknown)}")
    taken = resourcelist.amounts(used)
    over = sorted(k for k, n in charged.items() if taken.get(k, 0) + n > hard[k])
    if over:
        limits = get(quota, "status", "hard") or get(quota, "spec", "hard") or {}
        requested = _listing(over, {k: str(Quantity(charged[k], notation(obj, k))) for k in over})
        reason = f"exceeded quota: {name}, requested: {requested}, used: {_listing(over, used)}"
        raise request.forbidden(f"{reason}, limited: {_listing(over, limits)}")


def _is_known(quota: Value, request: Request) -> bool:
    """Whether the status of a quota counts: a controller keeps it."""
    assert request.store is not None
    return request.store.simulated and bool(get(quota, "status", "hard"))


def _used(quota: Value, request: Request) -> Texts:
    assert request.store is not None
    if _is_known(quota, request):
        return get(quota, "status", "used") or {}
    counted = usage(quota, request.store.all(namespace=request.namespace), request.store, skip=request.old)
    if request.old is not None:
        resourcelist.add(counted, charges(request.old, request.resource))
    return {k: resourcelist.text(k, n) for k, n in counted.items()}


def _listing(names: list[str], amounts: Mapping[str, str]) -> str:
    return ",".join(f"{name}={quantity.normalise(amounts.get(name, '0'))}" for name in names)


def _increase(obj: Value, old: Value | None, resource: str) -> Amounts:
    before = charges(old, resource) if old is not None else {}
    return {k: n - before.get(k, 0) for k, n in charges(obj, resource).items()}


def hard_limits(quota: Value) -> Amounts:
    """The limits in force: status.hard where a controller has set it, else spec.hard."""
    status = get(quota, "status", "hard")
    return resourcelist.amounts(status or get(quota, "spec", "hard"))


def _unset(spec: Value, hard: Amounts) -> str:
    """`limits.cpu for: a,b; requests.memory for: a`: limited compute resources that a container leaves open."""
    pod_level = {side: resourcelist.amounts((spec.get("resources") or {}).get(side)) for side in ("requests", "limits")}
    parts = []
    for name in sorted(n for n in COMPUTE if n in hard):
        side, _, resource = name.rpartition(".")
        side = side or "requests"
        if resource in pod_level[side]:
            continue
        containers = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
        names = sorted(c["name"] for c in containers if resource not in (get(c, "resources", side) or {}))
        if names:
            parts.append(f"{name} for: {','.join(names)}")
    return "; ".join(parts)
