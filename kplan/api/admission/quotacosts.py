"""What an object costs under a ResourceQuota, by every name under which a quota may limit it.

Follows k8s.io/apiserver/pkg/quota/v1 (resources.go) and pkg/quota/v1/evaluator/core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kplan import labels, quantity, resourcelist
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import split_api_version
from kplan.resourcelist import Amounts
from kplan.store import Store
from kplan.workloads import get

if TYPE_CHECKING:
    from kplan.resourcelist import Side

Value = dict[str, Any]

ONE = 10**9
CLASS_SUFFIX = ".storageclass.storage.k8s.io/"
CLASS_KEY = "volume.beta.kubernetes.io/storage-class"
# Kinds that a quota may also name without `count/`.
LEGACY = frozenset(
    ("configmaps", "secrets", "services", "persistentvolumeclaims", "pods", "resourcequotas", "replicationcontrollers")
)
COMPUTE = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def usage(quota: Value, objects: Iterable[Value], store: Store, *, skip: Value | None = None) -> Amounts:
    """What the objects of a namespace cost under a quota; finished pods cost only their count."""
    total: Amounts = {}
    for o in objects:
        if o is not skip and applies(quota, o):
            resourcelist.add(total, charges(o, resource_of(o, store)))
    return total


def resource_of(obj: Value, store: Store) -> str:
    """The plural of an object's kind."""
    group, _ = split_api_version(str(obj.get("apiVersion", "")))
    kind = str(obj.get("kind"))
    if "." in group:
        for crd in store.all("CustomResourceDefinition"):
            names = get(crd, "spec", "names") or {}
            if get(crd, "spec", "group") == group and names.get("kind") == kind:
                return str(names.get("plural"))
    return _plural(kind)


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


def notation(obj: Value, name: str) -> str:
    """The notation in which an object gives an amount: that of the first part which is not zero (Quantity.Add)."""
    if obj.get("kind") == "PersistentVolumeClaim":
        return (
            _notation([obj.get("spec") or {}], "requests", "storage") if name.endswith("storage") else quantity.DECIMAL
        )
    if obj.get("kind") != "Pod":
        return quantity.DECIMAL
    spec = obj.get("spec") or {}
    side: Side = "limits" if name.startswith("limits.") else "requests"
    holders = [spec, *(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    return _notation(holders, side, name.removeprefix("limits.").removeprefix("requests."))


def _notation(holders: list[Value], side: Side, resource: str) -> str:
    for holder in holders:
        text = (get(holder, "resources", side) or {}).get(resource)
        try:
            amount = quantity.parse(str(text)) if text is not None else None
        except quantity.QuantityError:
            continue
        if amount is not None and amount.nanos:
            return amount.format
    return quantity.DECIMAL


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
