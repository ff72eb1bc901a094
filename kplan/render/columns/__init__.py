"""Which columns `kplan get` prints for a kind: those that the API server's tables have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kplan.render.columns import cluster, network, pods, policy, storage, workloads
from kplan.render.columns.cell import CREATED_AT, NAME_AND_AGE, Column, Now, Value
from kplan.render.columns.custom import custom

__all__ = ["Column", "Now", "of_custom", "of_kind"]

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_STORAGE = "storage.k8s.io"
_NETWORKING = "networking.k8s.io"
_FLOW = "flowcontrol.apiserver.k8s.io"
_DEVICES = "resource.k8s.io"
_CERTIFICATES = "certificates.k8s.io"

BY_KIND: Mapping[tuple[str, str], tuple[Column, ...]] = {
    ("", "ConfigMap"): cluster.CONFIG_MAPS,
    ("", "Endpoints"): network.ENDPOINTS,
    ("", "Event"): cluster.EVENTS,
    ("", "Namespace"): cluster.NAMESPACES,
    ("", "Node"): cluster.NODES,
    ("", "PersistentVolume"): storage.VOLUMES,
    ("", "PersistentVolumeClaim"): storage.CLAIMS,
    ("", "Pod"): pods.PODS,
    ("", "PodTemplate"): pods.POD_TEMPLATES,
    ("", "ReplicationController"): workloads.REPLICATION_CONTROLLERS,
    ("", "ResourceQuota"): cluster.QUOTAS,
    ("", "Secret"): cluster.SECRETS,
    ("", "Service"): network.SERVICES,
    ("", "ServiceAccount"): cluster.SERVICE_ACCOUNTS,
    (_ADMISSION, "MutatingAdmissionPolicy"): policy.MUTATING_POLICIES,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): policy.POLICY_BINDINGS,
    (_ADMISSION, "MutatingWebhookConfiguration"): policy.WEBHOOKS,
    (_ADMISSION, "ValidatingAdmissionPolicy"): policy.VALIDATING_POLICIES,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): policy.POLICY_BINDINGS,
    (_ADMISSION, "ValidatingWebhookConfiguration"): policy.WEBHOOKS,
    ("apiregistration.k8s.io", "APIService"): cluster.API_SERVICES,
    ("apps", "ControllerRevision"): workloads.CONTROLLER_REVISIONS,
    ("apps", "DaemonSet"): workloads.DAEMON_SETS,
    ("apps", "Deployment"): workloads.DEPLOYMENTS,
    ("apps", "ReplicaSet"): workloads.REPLICA_SETS,
    ("apps", "StatefulSet"): workloads.STATEFUL_SETS,
    ("autoscaling", "HorizontalPodAutoscaler"): policy.AUTOSCALERS,
    ("batch", "CronJob"): workloads.CRON_JOBS,
    ("batch", "Job"): workloads.JOBS,
    (_CERTIFICATES, "CertificateSigningRequest"): cluster.SIGNING_REQUESTS,
    (_CERTIFICATES, "ClusterTrustBundle"): policy.TRUST_BUNDLES,
    ("coordination.k8s.io", "Lease"): cluster.LEASES,
    ("discovery.k8s.io", "EndpointSlice"): network.ENDPOINT_SLICES,
    ("events.k8s.io", "Event"): cluster.EVENTS,
    (_FLOW, "FlowSchema"): policy.FLOW_SCHEMAS,
    (_FLOW, "PriorityLevelConfiguration"): policy.PRIORITY_LEVELS,
    (_NETWORKING, "IPAddress"): network.IP_ADDRESSES,
    (_NETWORKING, "Ingress"): network.INGRESSES,
    (_NETWORKING, "IngressClass"): network.INGRESS_CLASSES,
    (_NETWORKING, "NetworkPolicy"): network.NETWORK_POLICIES,
    (_NETWORKING, "ServiceCIDR"): network.SERVICE_CIDRS,
    ("node.k8s.io", "RuntimeClass"): cluster.RUNTIME_CLASSES,
    ("policy", "PodDisruptionBudget"): policy.BUDGETS,
    (_RBAC, "ClusterRoleBinding"): policy.BINDINGS,
    (_RBAC, "RoleBinding"): policy.BINDINGS,
    (_DEVICES, "DeviceClass"): NAME_AND_AGE,
    (_DEVICES, "ResourceClaim"): policy.RESOURCE_CLAIMS,
    (_DEVICES, "ResourceClaimTemplate"): NAME_AND_AGE,
    (_DEVICES, "ResourceSlice"): policy.RESOURCE_SLICES,
    ("scheduling.k8s.io", "PriorityClass"): cluster.PRIORITY_CLASSES,
    (_STORAGE, "CSIDriver"): storage.CSI_DRIVERS,
    (_STORAGE, "CSINode"): storage.CSI_NODES,
    (_STORAGE, "CSIStorageCapacity"): storage.CSI_CAPACITIES,
    (_STORAGE, "StorageClass"): storage.STORAGE_CLASSES,
    (_STORAGE, "VolumeAttachment"): storage.ATTACHMENTS,
    (_STORAGE, "VolumeAttributesClass"): storage.ATTRIBUTES_CLASSES,
}


def of_kind(group: str, kind: str) -> tuple[Column, ...]:
    """The columns of a built-in kind; NAME and CREATED AT where the server has no table of its own.

    Those are Role, ClusterRole, CustomResourceDefinition, LimitRange and rarer kinds.
    """
    return BY_KIND.get((group, kind), CREATED_AT)


def of_custom(definitions: Iterable[Value]) -> tuple[Column, ...]:
    """The columns of a custom resource, from the `additionalPrinterColumns` of its version."""
    return custom(definitions)
