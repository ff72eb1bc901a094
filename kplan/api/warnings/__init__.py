"""Warnings: what the API server accepts but complains about, in its `Warning` headers.

Follows the WarningsOnCreate and WarningsOnUpdate of pkg/registry/*/strategy.go and the warnings.go of pkg/api/*. They
never change a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kplan.api.request import Request
from kplan.api.warnings import kinds, pods
from kplan.hints import Any

Value = dict[str, Any]
Source = Callable[[Value, int], Iterable[str]]

SOURCES: Mapping[tuple[str, str], Source] = {
    ("", "Pod"): pods.pod,
    ("", "PodTemplate"): pods.template_at("template"),
    ("", "ReplicationController"): pods.workload,
    ("apps", "Deployment"): pods.workload,
    ("apps", "ReplicaSet"): pods.workload,
    ("apps", "DaemonSet"): pods.template_at("spec.template"),
    ("apps", "StatefulSet"): kinds.stateful_set,
    ("batch", "Job"): kinds.job,
    ("batch", "CronJob"): kinds.cron_job,
    ("", "Service"): kinds.service,
    ("", "PersistentVolume"): kinds.persistent_volume,
    ("", "PersistentVolumeClaim"): kinds.persistent_volume_claim,
    ("storage.k8s.io", "StorageClass"): kinds.storage_class,
    ("storage.k8s.io", "CSIDriver"): kinds.csi_driver,
    ("", "Node"): kinds.node,
    ("node.k8s.io", "RuntimeClass"): kinds.runtime_class,
    ("", "Secret"): kinds.secret,
    ("", "ServiceAccount"): kinds.service_account,
    ("", "ResourceQuota"): kinds.resource_quota,
    ("networking.k8s.io", "Ingress"): kinds.ingress,
    ("networking.k8s.io", "NetworkPolicy"): kinds.network_policy,
    ("discovery.k8s.io", "EndpointSlice"): kinds.endpoint_slice,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): kinds.custom_resource_definition,
}


def warn(obj: Value, request: Request) -> list[str]:
    """The warnings that come with an accepted object, new or changed; the order has no meaning."""
    kind = (request.group, request.kind)
    source = SOURCES.get(kind)
    if request.old is None:
        found = list(source(obj, request.minor)) if source else []
    else:
        from kplan.api.warnings import updates

        found = updates.of(obj, request.old, kind, source, request.minor)
    if request.namespace_object is not None or request.kind == "Namespace":
        from kplan.api.admission import podsecurity

        found += podsecurity.warnings(obj, request)
    if request.store is not None:  # without one no kind but the built-in ones is known
        from kplan.api.warnings import custom

        found += custom.resource(obj, request)
        if next(request.store.all("ValidatingAdmissionPolicyBinding"), None) is not None:
            from kplan.api.admission import policies

            found += policies.warnings(obj, request)
    found += kinds.deprecated_api(request)
    return list(dict.fromkeys(found))
