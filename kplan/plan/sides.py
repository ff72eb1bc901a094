"""Both sides of a plan as its consequences ask for them: what stands where, and which workloads a selector means.

A manifest without a namespace is taken to be in `default`, as kubectl does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from kplan import labels
from kplan.hints import Any
from kplan.model import Key, Ref
from kplan.plan.values import get, items, submap
from kplan.store import ref_of
from kplan.tuples import NamedTuple
from kplan.workloads import pod_template

Value = dict[str, Any]

DEFAULT = "default"
WORKLOADS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("apps", "extensions"),
    "ReplicaSet": ("apps", "extensions"),
    "StatefulSet": ("apps",),
    "DaemonSet": ("apps", "extensions"),
    "ReplicationController": ("",),
    "Pod": ("",),
    "Job": ("batch",),
    "CronJob": ("batch",),
}
# What runs with workloads, is asked by them or asks for them.
SUPPORTS: Mapping[str, tuple[str, ...]] = {
    "Service": ("",),
    "PodDisruptionBudget": ("policy",),
    "HorizontalPodAutoscaler": ("autoscaling",),
    "ResourceQuota": ("",),
    "LimitRange": ("",),
    "ConfigMap": ("",),
    "Secret": ("",),
    "ServiceAccount": ("",),
    "PersistentVolumeClaim": ("",),
    "PersistentVolume": ("",),
    "StorageClass": ("storage.k8s.io",),
    "CSIDriver": ("storage.k8s.io",),
    "CSINode": ("storage.k8s.io",),
    "PriorityClass": ("scheduling.k8s.io",),
    "RuntimeClass": ("node.k8s.io",),
    "Namespace": ("",),
    "Node": ("",),
    "ControllerRevision": ("apps",),
    "ValidatingAdmissionPolicy": ("admissionregistration.k8s.io",),
    "ValidatingAdmissionPolicyBinding": ("admissionregistration.k8s.io",),
    "MutatingAdmissionPolicy": ("admissionregistration.k8s.io",),
    "MutatingAdmissionPolicyBinding": ("admissionregistration.k8s.io",),
}
# Those of them that belong to no namespace.
NOWHERE = ("PersistentVolume", "StorageClass", "CSIDriver", "CSINode", "PriorityClass", "RuntimeClass") + (
    *("Namespace", "Node", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    *("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"),
)
_KINDS = {**WORKLOADS, **SUPPORTS}


class Workload(NamedTuple):
    """Something that makes pods, and the labels that they carry."""

    ref: Ref
    labels: Mapping[str, str]
    value: Value


def is_workload(ref: Ref) -> bool:
    """Whether the control plane makes pods from an object, now or some day."""
    return ref.group in WORKLOADS.get(ref.kind, ())


def is_asked_for(key: Key) -> bool:
    """Whether a Side finds the object by its kind."""
    return key.group in _KINDS.get(key.kind, ())


def namespace_of(value: Value) -> str:
    """The namespace in which an object will be stored; `default` as well for one that belongs to none."""
    return str(submap(value, "metadata").get("namespace") or DEFAULT)


def replicas(value: Value) -> int:
    """`spec.replicas`, 1 where it is left out."""
    wanted = get(value, ("spec", "replicas"))
    return wanted if isinstance(wanted, int) else 1


def counted(n: int, what: str) -> str:
    """`1 pod`, `2 pods`."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


class Side:
    """The objects of one side, found by kind and namespace."""

    def __init__(self, values: Iterable[Value]) -> None:
        self._values = list(values)

    @cached_property
    def _groups(self) -> dict[tuple[str, str], dict[str, Value]]:
        found: dict[tuple[str, str], dict[str, Value]] = {}
        for value in self._values:
            kind = value.get("kind")
            groups = _KINDS.get(kind) if isinstance(kind, str) else None
            if groups is not None and isinstance(kind, str):
                ref = ref_of(value)
                if ref.group in groups:
                    found.setdefault((kind, ref.namespace or DEFAULT), {})[ref.name] = value
        return found

    def __len__(self) -> int:
        return len(self._values)

    def all(self, kind: str, namespace: str | None = None) -> Iterator[Value]:
        """The objects of a built-in kind, of one namespace if it is given."""
        if namespace is not None:
            yield from self._groups.get((kind, namespace), {}).values()
            return
        for (name, _), values in self._groups.items():
            if name == kind:
                yield from values.values()

    def find(self, kind: str, name: str, namespace: str = DEFAULT) -> Value | None:
        """The object of a built-in kind, or None; one that belongs to no namespace counts to `default`."""
        return self._groups.get((kind, namespace), {}).get(name)

    def within(self, namespace: str) -> Iterator[Value]:
        """The objects of any kind that name this namespace."""
        return (v for v in self._values if submap(v, "metadata").get("namespace") == namespace)

    def is_whole(self, kind: str, namespace: str = DEFAULT) -> bool:
        """Whether what is not here of this kind, in this namespace, does not exist.

        Taken so where objects of the kind were read from a server: a dump has all of a kind or none.
        """
        asked = (kind, namespace or DEFAULT)
        if asked not in self._whole:
            self._whole[asked] = any(submap(v, "metadata").get("uid") for v in self.all(*asked))
        return self._whole[asked]

    @cached_property
    def _whole(self) -> dict[tuple[str, str], bool]:
        return {}

    def workloads(self, namespace: str) -> list[Workload]:
        """What makes pods in a namespace, and pods that nothing here made."""
        found = self._workloads.get(namespace)
        if found is None:
            values = (v for kind in WORKLOADS for v in self.all(kind, namespace))
            found = self._workloads[namespace] = [_workload(v) for v in values if not self._is_made(v)]
        return found

    def selected(self, namespace: str, wanted: Callable[[Mapping[str, str]], bool]) -> list[Workload]:
        """The workloads whose pods have labels that are wanted."""
        return [w for w in self.workloads(namespace) if wanted(w.labels)]

    @cached_property
    def _workloads(self) -> dict[str, list[Workload]]:
        return {}

    @cached_property
    def _uids(self) -> frozenset[str]:
        values = (v for kind in WORKLOADS for v in self.all(kind))
        return frozenset(str(uid) for v in values if (uid := submap(v, "metadata").get("uid")))

    def _is_made(self, value: Value) -> bool:
        return any(r.get("uid") in self._uids for r in items(value, "metadata", "ownerReferences"))


def _workload(value: Value) -> Workload:
    pod = pod_template(value)
    return Workload(ref_of(value), pod.labels if pod is not None else {}, value)


def of_service(service: Value) -> Callable[[Mapping[str, str]], bool]:
    """What a Service selects: nothing without a selector, or when it is only another name."""
    selector = submap(service, "spec", "selector")
    if not selector or get(service, ("spec", "type")) == "ExternalName":
        return lambda _: False
    return lambda have: labels.matches_map(selector, have)


def of_budget(budget: Value) -> Callable[[Mapping[str, str]], bool]:
    """What a PodDisruptionBudget selects."""
    selector = get(budget, ("spec", "selector"))
    return lambda have: isinstance(selector, dict) and labels.matches(selector, have)


def targets(scaler: Value, ref: Ref) -> bool:
    """Whether a HorizontalPodAutoscaler scales this object."""
    target = submap(scaler, "spec", "scaleTargetRef")
    group = str(target.get("apiVersion") or "").rpartition("/")[0]
    return target.get("kind") == ref.kind and target.get("name") == ref.name and group in ("", ref.group)
