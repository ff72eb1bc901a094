"""`kplan describe`: an object in kubectl's words, with what belongs to it and its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kplan.model import split_api_version
from kplan.render.describe import config, endpoints, network, nodes, pods, policy, storage, workloads
from kplan.render.describe.context import Context, Value
from kplan.render.describe.generic import generic
from kplan.render.describe.lines import Lines

__all__ = ["Context", "describe", "describe_all"]

_RBAC = "rbac.authorization.k8s.io"
_STORAGE = "storage.k8s.io"
_NETWORKING = "networking.k8s.io"

Describer = Callable[[Lines, Value, Context], None]
BY_KIND: Mapping[tuple[str, str], Describer] = {
    ("", "ConfigMap"): config.config_map,
    ("", "Endpoints"): endpoints.endpoints,
    ("", "LimitRange"): policy.limit_range,
    ("", "Namespace"): policy.namespace,
    ("", "Node"): nodes.node,
    ("", "PersistentVolume"): storage.persistent_volume,
    ("", "PersistentVolumeClaim"): storage.persistent_volume_claim,
    ("", "Pod"): pods.pod,
    ("", "ReplicationController"): workloads.replication_controller,
    ("", "ResourceQuota"): policy.quota,
    ("", "Secret"): config.secret,
    ("", "Service"): network.service,
    ("", "ServiceAccount"): config.service_account,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("autoscaling", "HorizontalPodAutoscaler"): policy.autoscaler,
    ("batch", "CronJob"): workloads.cron_job,
    ("batch", "Job"): workloads.job,
    ("discovery.k8s.io", "EndpointSlice"): endpoints.endpoint_slice,
    (_NETWORKING, "IPAddress"): endpoints.ip_address,
    (_NETWORKING, "Ingress"): network.ingress,
    (_NETWORKING, "IngressClass"): network.ingress_class,
    (_NETWORKING, "NetworkPolicy"): network.network_policy,
    (_NETWORKING, "ServiceCIDR"): endpoints.service_cidr,
    ("policy", "PodDisruptionBudget"): policy.budget,
    (_RBAC, "ClusterRole"): config.role,
    (_RBAC, "ClusterRoleBinding"): config.binding,
    (_RBAC, "Role"): config.role,
    (_RBAC, "RoleBinding"): config.binding,
    ("scheduling.k8s.io", "PriorityClass"): policy.priority_class,
    (_STORAGE, "CSINode"): storage.csi_node,
    (_STORAGE, "StorageClass"): storage.storage_class,
    (_STORAGE, "VolumeAttributesClass"): storage.attributes_class,
}


def describe(obj: Value, context: Context) -> str:
    """One object as text. Secret values in it are masked already; `context` tells what is around it."""
    out = Lines()
    group, _ = split_api_version(str(obj.get("apiVersion", "")))
    BY_KIND.get((group, str(obj.get("kind"))), generic)(out, obj, context)
    return out.text()


def describe_all(described: Iterable[str]) -> str:
    """Several descriptions, two empty lines between them."""
    return "\n\n".join(described)
