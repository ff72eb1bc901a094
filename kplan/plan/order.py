"""In which order the actions run: waves, each of which needs only earlier ones.

Without a graph of references the order is the install order by kind that helm, argo-cd and kapp agree on: what other
objects live in or are made of first, workloads after what they read, webhooks last. Objects that go away do so after
everything else, in the opposite order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kplan.model import Action, Ref

_RANKS: Mapping[str, int] = {
    kind: rank
    for rank, kinds in enumerate(
        (
            "CustomResourceDefinition Namespace",
            "PriorityClass RuntimeClass StorageClass VolumeAttributesClass IngressClass GatewayClass CSIDriver",
            "DeviceClass ClusterRole PodSecurityPolicy",
            "ResourceQuota LimitRange NetworkPolicy PodDisruptionBudget ServiceAccount Role ClusterRoleBinding",
            "RoleBinding Secret ConfigMap PersistentVolume",
            "PersistentVolumeClaim ResourceClaim ResourceClaimTemplate Service Endpoints EndpointSlice",
            "Deployment DaemonSet StatefulSet ReplicaSet ReplicationController Pod Job CronJob",
            "HorizontalPodAutoscaler Ingress APIService",
        )
    )
    for kind in kinds.split()
}
_CUSTOM = 7
_WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "ValidatingAdmissionPolicyBinding")
_LAST = 8


def rank(ref: Ref) -> int:
    """The place of a kind in the install order; a kind that is not in it comes near the end."""
    if ref.kind in _WEBHOOKS:
        return _LAST
    return _RANKS.get(ref.kind, _CUSTOM)


def arrange(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The actions in the order of execution, each with its wave, counted from 1; what is kept has wave 0 and ends."""
    acting: list[tuple[tuple[int, int], Action]] = []
    kept: list[Action] = []
    for action in actions:
        if action.verb == "keep":
            kept.append(action)
        else:
            gone = action.verb == "delete"
            acting.append(((int(gone), -rank(action.ref) if gone else rank(action.ref)), action))
    levels = {level: n for n, level in enumerate(sorted({level for level, _ in acting}), 1)}
    placed = [replace(a, wave=levels[level]) for level, a in acting]
    return (*sorted(placed, key=lambda a: (a.wave, _name(a.ref))), *kept)


def _name(ref: Ref) -> tuple[str, ...]:
    return (ref.namespace, ref.kind, ref.name, ref.group)
