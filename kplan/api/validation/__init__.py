"""Field validation by kind family: what kube-apiserver refuses with 422, and in which words.

`validate` is the only entry. A family is a module with two tables, `CREATE` and `UPDATE`, from (group, kind) to a
function `(new, errors, context)` or `(new, old, errors, context)`; it is imported when a kind of it is first seen.
Values are defaulted objects; types were checked by decoding, so a validator may trust them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kplan.api.validation import metadata
from kplan.api.validation.field import Errors
from kplan.hints import TYPE_CHECKING, Any
from kplan.record import record

if TYPE_CHECKING:
    from kplan.model import Cause
    from kplan.store import Store

Value = dict[str, Any]


@record
class Context:
    """What a rule may depend on besides the object: the minor of the release, and the cluster if it is known."""

    minor: int
    store: Store | None = None


FAMILIES: Mapping[tuple[str, str], str] = {
    ("", "Pod"): "pods",
    ("", "PodTemplate"): "pods",
    ("", "Binding"): "pods",
    ("apps", "Deployment"): "workloads",
    ("apps", "ReplicaSet"): "workloads",
    ("apps", "DaemonSet"): "workloads",
    ("apps", "StatefulSet"): "statefulsets",
    ("apps", "ControllerRevision"): "workloads",
    ("", "ReplicationController"): "workloads",
    ("batch", "Job"): "batch",
    ("batch", "CronJob"): "batch",
    ("autoscaling", "HorizontalPodAutoscaler"): "autoscaling",
    ("policy", "PodDisruptionBudget"): "policy",
    ("", "Service"): "services",
    ("", "Endpoints"): "endpoints",
    ("discovery.k8s.io", "EndpointSlice"): "endpoints",
    ("networking.k8s.io", "Ingress"): "networking",
    ("networking.k8s.io", "IngressClass"): "networking",
    ("networking.k8s.io", "NetworkPolicy"): "networkpolicies",
    ("networking.k8s.io", "IPAddress"): "networking",
    ("networking.k8s.io", "ServiceCIDR"): "networking",
    ("", "PersistentVolume"): "volumes",
    ("", "PersistentVolumeClaim"): "volumes",
    ("storage.k8s.io", "StorageClass"): "storage",
    ("storage.k8s.io", "CSIDriver"): "storage",
    ("storage.k8s.io", "CSINode"): "storage",
    ("storage.k8s.io", "CSIStorageCapacity"): "storage",
    ("storage.k8s.io", "VolumeAttachment"): "storage",
    ("storage.k8s.io", "VolumeAttributesClass"): "storage",
    ("", "ConfigMap"): "config",
    ("", "Secret"): "config",
    ("", "ServiceAccount"): "config",
    ("", "Namespace"): "config",
    ("", "Event"): "events",
    ("events.k8s.io", "Event"): "events",
    ("", "Node"): "nodes",
    ("node.k8s.io", "RuntimeClass"): "nodes",
    ("coordination.k8s.io", "Lease"): "nodes",
    ("", "LimitRange"): "quota",
    ("", "ResourceQuota"): "quota",
    ("scheduling.k8s.io", "PriorityClass"): "scheduling",
    ("rbac.authorization.k8s.io", "Role"): "rbac",
    ("rbac.authorization.k8s.io", "ClusterRole"): "rbac",
    ("rbac.authorization.k8s.io", "RoleBinding"): "rbac",
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): "rbac",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "apiextensions",
    ("apiregistration.k8s.io", "APIService"): "apiregistration",
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): "webhooks",
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): "webhooks",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): "admissionpolicies",
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): "admissionpolicies",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): "admissionpolicies",
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): "admissionpolicies",
    ("authorization.k8s.io", "SelfSubjectAccessReview"): "reviews",
    ("authorization.k8s.io", "SubjectAccessReview"): "reviews",
    ("authorization.k8s.io", "LocalSubjectAccessReview"): "reviews",
    ("certificates.k8s.io", "CertificateSigningRequest"): "certificates",
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): "flowcontrol",
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): "flowcontrol",
    ("resource.k8s.io", "ResourceClaim"): "resources",
    ("resource.k8s.io", "ResourceClaimTemplate"): "resources",
    ("resource.k8s.io", "ResourceSlice"): "resources",
    ("resource.k8s.io", "DeviceClass"): "resources",
}
# Groups of questions to the server: nothing of them is stored, and they have no names.
REVIEWS = frozenset(("authentication.k8s.io", "authorization.k8s.io"))


def validate(new: Value, *, group: str, context: Context, old: Value | None = None) -> list[Cause]:
    """The causes for which the server refuses an object (`old` given: an update), in the server's order.

    What the registry asks of the metadata of every object comes after the rules of the kind on creation, and only if
    those are kept; before them on update. A kind without a family has no other rules here.
    """
    kind = (group, str(new.get("kind")))
    errors = Errors()
    name = FAMILIES.get(kind)
    family = _family(name) if name else None
    if old is None:
        if family is not None and kind in family.CREATE:
            family.CREATE[kind](new, errors, context)
        if not errors and group not in REVIEWS:
            metadata.generic_create(new, errors)
    else:
        metadata.generic_update(new, old, errors)
        if family is not None and kind in family.UPDATE:
            family.UPDATE[kind](new, old, errors, context)
    if not errors:
        return []
    from kplan.api.validation import wording

    return wording.in_release(errors.causes, context.minor)


@cache
def _family(name: str) -> Any:
    return __import__(f"kplan.api.validation.{name}", fromlist=["validate"])  # importlib takes longer to load
