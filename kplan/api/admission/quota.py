"""ResourceQuota: what a new object costs, and whether the namespace can pay.

Follows k8s.io/apiserver/pkg/admission/plugin/resourcequota and pkg/quota/v1/evaluator/core. What is already used is
counted from the stored objects, so that the answer needs no status.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kplan import labels, resourcelist
from kplan.api.request import Request
from kplan.model import split_api_version
from kplan.resourcelist import Amounts
from kplan.workloads import get

Value = dict[str, Any]

ONE = 10**9
CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
CLASS_KEY = "volume.beta.kubernetes.io/storage-class"
# Kinds that a quota may also name without `count/`.
LEGACY = frozenset(
    ("configmaps", "secrets", "services", "persistentvolumeclaims", "pods", "resourcequotas", "replicationcontrollers")
)
COMPUTE = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def validate(obj: Value, request: Request) -> None:
    """Refuse what would take a quota of the namespace over its hard limits."""
    if request.store is None or not request.namespace or request.kind == "ResourceQuota":
        return
    quotas = [q for q in request.store.all("ResourceQuota", request.namespace) if applies(q, obj)]
    for quota in sorted(quotas, key=lambda q: str(q["metadata"]["name"])):
        _check(quota, obj, request)


def _check(quota: Value, obj: Value, request: Request) -> None:
    hard = hard_limits(quota)
    name = quota["metadata"]["name"]
    if request.kind == "Pod" and request.old is None:
        missing = _unset(obj["spec"], hard)
        if missing:
            raise request.forbidden(f"failed quota: {name}: must specify {missing}")
    cost = _increase(obj, request)
    charged = {k: n for k, n in cost.items() if k in hard and n > 0}
    if not charged:
        return
    assert request.store is not None
    used = usage(quota, request.store.all(namespace=request.namespace), skip=request.old)
    if request.old is not None:
        resourcelist.add(used, charges(request.old, request.resource))
    over = sorted(k for k, n in charged.items() if used.get(k, 0) + n > hard[k])
    if over:
        requested, taken, limited = (_listing(over, amounts) for amounts in (charged, used, hard))
        reason = f"exceeded quota: {name}, requested: {requested}, used: {taken}, limited: {limited}"
        raise request.forbidden(reason)


def _listing(names: list[str], amounts: Mapping[str, int]) -> str:
    return ",".join(f"{name}={resourcelist.text(name, amounts.get(name, 0))}" for name in names)


def _increase(obj: Value, request: Request) -> Amounts:
    new = charges(obj, request.resource)
    old = charges(request.old, request.resource) if request.old is not None else {}
    return {k: n - old.get(k, 0) for k, n in new.items()}


def hard_limits(quota: Value) -> Amounts:
    """The limits in force: status.hard where a controller has set it, else spec.hard."""
    status = get(quota, "status", "hard")
    return resourcelist.amounts(status or get(quota, "spec", "hard"))


def usage(quota: Value, objects: Iterator[Value], *, skip: Value | None = None) -> Amounts:
    """What the objects of a namespace cost under a quota; finished pods cost only their count."""
    total: Amounts = {}
    for o in objects:
        if o is not skip and applies(quota, o):
            resourcelist.add(total, charges(o, _plural(str(o.get("kind")))))
    return total


def _plural(kind: str) -> str:
    lower = kind.lower()
    if lower.endswith(("s", "x", "ch")):
        return lower + "es" if lower != "endpoints" else lower
    return lower[:-1] + "ies" if lower.endswith("y") and lower[-2] not in "aeiou" else lower + "s"


def charges(obj: Value, resource: str) -> Amounts:
    """What an object costs, by every name under which a quota may limit it."""
    group, _ = split_api_version(str(obj.get("apiVersion", "")))
    out: Amounts = {f"count/{resource}.{group}" if group else f"count/{resource}": ONE}
    if not group and resource in LEGACY:
        out[resource] = ONE
    kind = obj.get("kind")
    if kind == "Pod":
        if get(obj, "status", "phase") in ("Succeeded", "Failed"):
            return {"count/pods": ONE}
        out.update(_pod_charges(obj.get("spec") or {}))
    elif kind == "Service":
        out.update(_service_charges(obj.get("spec") or {}))
    elif kind == "PersistentVolumeClaim":
        out.update(_claim_charges(obj))
    return out


def _pod_charges(spec: Value) -> Amounts:
    out: Amounts = {}
    for name, n in resourcelist.of_pod(spec, "requests").items():
        out[f"requests.{name}"] = n
        if name in ("cpu", "memory", "ephemeral-storage") or name.startswith("hugepages-"):
            out[name] = n
    for name, n in resourcelist.of_pod(spec, "limits").items():
        if name in ("cpu", "memory", "ephemeral-storage"):
            out[f"limits.{name}"] = n
    return out


def _service_charges(spec: Value) -> Amounts:
    type_, ports = spec.get("type"), spec.get("ports") or []
    node_ports = len(ports) if type_ in ("NodePort", "LoadBalancer") else 0
    if type_ == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        node_ports = sum(1 for p in ports if p.get("nodePort"))
    return {
        "services.loadbalancers": ONE if type_ == "LoadBalancer" else 0,
        "services.nodeports": node_ports * ONE,
    }


def _claim_charges(obj: Value) -> Amounts:
    storage = resourcelist.amounts(get(obj, "spec", "resources", "requests")).get("storage", 0)
    out = {"requests.storage": storage}
    name = (obj["metadata"].get("annotations") or {}).get(CLASS_KEY) or get(obj, "spec", "storageClassName")
    if name:
        out[f"{name}{CLASS_SUFFIX}requests.storage"] = storage
        out[f"{name}{CLASS_SUFFIX}persistentvolumeclaims"] = ONE
    return out


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


def applies(quota: Value, obj: Value) -> bool:
    """Whether an object is in all scopes of a quota; scopes other than the volume one speak of pods only."""
    spec = quota.get("spec") or {}
    conditions = [labels.Requirement(scope, "Exists") for scope in spec.get("scopes") or ()]
    conditions += [
        labels.Requirement(e["scopeName"], e["operator"], tuple(e.get("values") or ()))
        for e in get(spec, "scopeSelector", "matchExpressions") or ()
    ]
    return all(_in_scope(c, obj) for c in conditions)


def _in_scope(condition: labels.Requirement, obj: Value) -> bool:
    spec = obj.get("spec") or {}
    if condition.key == "VolumeAttributesClass":
        return obj.get("kind") == "PersistentVolumeClaim" and _matches(condition, spec.get("volumeAttributesClassName"))
    if obj.get("kind") != "Pod":
        return False
    match condition.key:
        case "Terminating":
            return int(spec.get("activeDeadlineSeconds") or -1) >= 0
        case "NotTerminating":
            return int(spec.get("activeDeadlineSeconds") or -1) < 0
        case "BestEffort":
            return is_best_effort(spec)
        case "NotBestEffort":
            return not is_best_effort(spec)
        case "PriorityClass":
            return _matches(condition, spec.get("priorityClassName"))
        case "CrossNamespacePodAffinity":
            return any(t.get("namespaces") or t.get("namespaceSelector") is not None for t in _terms(spec))
    return False


def _matches(condition: labels.Requirement, name: Any) -> bool:
    return condition._replace(key="name").matches({"name": name} if name else {})


def is_best_effort(spec: Value) -> bool:
    """Whether a pod asks for no cpu or memory at all."""
    lists = [spec, *(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return not any(
        n > 0 and name in ("cpu", "memory")
        for c in lists
        for side in ("requests", "limits")
        for name, n in resourcelist.amounts((c.get("resources") or {}).get(side)).items()
    )


def _terms(spec: Value) -> Iterator[Value]:
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = get(spec, "affinity", kind) or {}
        yield from affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
        for weighted in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}
