"""What the registry of each kind does to a new object before it is validated: metadata, first status, dropped fields.

Follows PrepareForCreate in pkg/registry/*/*/strategy.go, apiextensions-apiserver and kube-aggregator, and
k8s.io/apiserver/pkg/registry/rest (create.go, meta.go). There is no clock and no chance here: times stay unset, uids
and generated names follow from the object's own name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from kplan.api.decode import Mode, zero
from kplan.api.defaults.cluster import NAME_LABEL
from kplan.api.defaults.rules import finisher
from kplan.api.gated import drop_disabled
from kplan.api.request import Refused, Request, invalid
from kplan.api.validation import REVIEWS
from kplan.digests import sha1
from kplan.hints import Any
from kplan.schema import KindInfo

Value = dict[str, Any]

# Kinds whose metadata.generation counts from 1; custom resources do so too.
GENERATION = frozenset(
    """apps/DaemonSet apps/Deployment apps/ReplicaSet apps/StatefulSet batch/CronJob batch/Job /Pod /PodTemplate
    /ReplicationController networking.k8s.io/Ingress networking.k8s.io/IngressClass networking.k8s.io/NetworkPolicy
    policy/PodDisruptionBudget discovery.k8s.io/EndpointSlice scheduling.k8s.io/PriorityClass
    resource.k8s.io/DeviceClass resource.k8s.io/DeviceTaintRule resource.k8s.io/ResourceSlice
    flowcontrol.apiserver.k8s.io/FlowSchema flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration
    apiextensions.k8s.io/CustomResourceDefinition
    admissionregistration.k8s.io/MutatingAdmissionPolicy admissionregistration.k8s.io/MutatingAdmissionPolicyBinding
    admissionregistration.k8s.io/MutatingWebhookConfiguration admissionregistration.k8s.io/ValidatingAdmissionPolicy
    admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding
    admissionregistration.k8s.io/ValidatingWebhookConfiguration""".split()
)
# Kinds whose users may set the status of a new object, and pods, whose status is made below.
STATUS_KEPT = frozenset(
    ["/Node", "/Pod", "storage.k8s.io/CSINode", "admissionregistration.k8s.io/MutatingAdmissionPolicy"]
)

_SYSTEM_FIELDS = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "managedFields",
    "resourceVersion",
    "selfLink",
)
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # k8s.io/apimachinery/pkg/util/rand: no vowels, no words
_URL_NAMESPACE = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")
_LONGEST_PREFIX, _SUFFIX = 58, 5
_JOB_NAME = ("job-name", "batch.kubernetes.io/job-name")
_CONTROLLER_UID = ("controller-uid", "batch.kubernetes.io/controller-uid")
_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_STATUS_ANNOTATIONS = (
    "autoscaling.alpha.kubernetes.io/conditions",
    "autoscaling.alpha.kubernetes.io/current-metrics",
)
_STATUS_SINCE: Mapping[str, int] = {"networking.k8s.io/ServiceCIDR": 36}


def prepare_for_create(obj: Value, info: KindInfo, request: Request) -> Value:
    """The object as it would be stored; `obj` is changed in place."""
    key = f"{info.group}/{info.kind}"
    if info.group in REVIEWS:
        question = PREPARE.get(key)
        if question is not None:
            question(obj, request)
        return obj
    fill_system_fields(obj, request)
    if key in GENERATION or info.custom:
        obj["metadata"]["generation"] = 1
    if info.custom:
        from kplan.api import customresources

        return customresources.without_status(obj, info, request.store)
    status = (info.node.fields or {}).get("status")
    if status is not None and key not in STATUS_KEPT and request.minor >= _STATUS_SINCE.get(key, 0):
        obj["status"] = zero(status, _mode(request.minor))
    drop_disabled(info.node, obj, request.minor)
    prepare = PREPARE.get(key)
    if prepare is not None:
        prepare(obj, request)
    return obj


@cache
def _mode(minor: int) -> Mode:
    return Mode(finish=finisher(minor))


def fill_system_fields(obj: Value, request: Request) -> None:
    """What users cannot choose: uid and, from generateName, the name."""
    meta = obj["metadata"]
    for name in _SYSTEM_FIELDS:
        meta.pop(name, None)
    serial = request.store.changes(request.kind) if request.store is not None else 0
    if meta.get("generateName") and not meta.get("name"):
        meta["name"] = generated_name(meta["generateName"], f"{request.kind}/{request.namespace}/{serial}")
    where = f"{request.group}/{request.kind}/{request.namespace}/{meta.get('name')}/{serial}"
    meta["uid"] = _uid(where)


def _uid(text: str) -> str:
    """A UUID of version 5 in the namespace of URLs (RFC 9562); the module `uuid` takes long to load."""
    digest = bytearray(sha1(_URL_NAMESPACE + text.encode(errors="replace"))[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    h = digest.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


def generated_name(prefix: str, seed: str) -> str:
    """A name as generateName makes it: the prefix, cut to 58 characters, and five more."""
    from zlib import crc32  # slow to load

    number = crc32(f"{prefix}{seed}".encode(errors="replace"))
    suffix = ""
    for _ in range(_SUFFIX):
        number, digit = divmod(number, len(_ALPHABET))
        suffix += _ALPHABET[digit]
    return prefix[:_LONGEST_PREFIX] + suffix


def _pod(pod: Value, request: Request) -> None:
    from kplan.api import newpods

    newpods.prepare(pod, request.minor)


def _service(service: Value, request: Request) -> None:
    from kplan.api.allocation import allocate

    causes = allocate(service, request.minor, request.store)
    if causes:
        raise invalid(request.group, service, causes)


def _namespace(namespace: Value, request: Request) -> None:  # noqa: ARG001
    finalizers = namespace["spec"].get("finalizers") or []
    if "kubernetes" not in finalizers:
        namespace["spec"]["finalizers"] = [*finalizers, "kubernetes"]
    meta = namespace["metadata"]
    meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta.get("name", "")}


def _service_account(account: Value, request: Request) -> None:  # noqa: ARG001
    if account.get("secrets"):
        account["secrets"] = [{"name": s["name"]} if s.get("name") else {} for s in account["secrets"]]


def _limit_range(limits: Value, request: Request) -> None:  # noqa: ARG001
    """Alone among all kinds, it may come without a name."""
    limits["metadata"].setdefault("name", limits["metadata"]["uid"])


def _daemon_set(daemon_set: Value, request: Request) -> None:  # noqa: ARG001
    meta = daemon_set["metadata"]
    annotations = meta.get("annotations") or {}
    given = annotations.get(_TEMPLATE_GENERATION, "")
    generation = given if given.isascii() and given.isdigit() and int(given) > 0 else "1"
    meta["annotations"] = {**annotations, _TEMPLATE_GENERATION: str(int(generation))}


def _job(job: Value, request: Request) -> None:  # noqa: ARG001
    """The selector of a job that brings none: its own uid, which goes into the labels of its pods."""
    spec, meta = job["spec"], job["metadata"]
    if spec.get("manualSelector"):
        return
    own = dict.fromkeys(_JOB_NAME, meta.get("name", "")) | dict.fromkeys(_CONTROLLER_UID, meta["uid"])
    labels = spec["template"]["metadata"].get("labels")
    grown = spec["template"]["metadata"]["labels"] = own | (labels or {})
    # Labels that defaulting took from the template are the same map in the server, and grow with it.
    if not meta.get("labels") or meta["labels"] is labels:
        meta["labels"] = dict(grown)
    selector = spec.setdefault("selector", {})
    selector["matchLabels"] = {_CONTROLLER_UID[1]: meta["uid"]} | (selector.get("matchLabels") or {})


def _persistent_volume_claim(claim: Value, request: Request) -> None:  # noqa: ARG001
    """KEP-1495: dataSource and dataSourceRef mirror each other; old names of odd kinds are dropped."""
    spec = claim["spec"]
    source, ref = spec.get("dataSource"), spec.get("dataSourceRef")
    if ref is not None and ref.get("namespace"):  # CrossNamespaceVolumeDataSource is off by default
        spec.pop("dataSourceRef")
        ref = None
    if ref is None and source is not None:
        kind = (source.get("apiGroup") or "", source.get("kind"))
        if kind in (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot")):
            spec["dataSourceRef"] = dict(source)
        else:
            spec.pop("dataSource")
    elif ref is not None and source is None:
        spec["dataSource"] = {k: v for k, v in ref.items() if k != "namespace"}


def _horizontal_pod_autoscaler(hpa: Value, request: Request) -> None:  # noqa: ARG001
    """Version 1 carries parts of the status in annotations."""
    annotations = hpa["metadata"].get("annotations")
    if annotations and hpa["apiVersion"] == "autoscaling/v1":
        kept = {k: v for k, v in annotations.items() if k not in _STATUS_ANNOTATIONS}
        hpa["metadata"]["annotations"] = kept
        if not kept:
            del hpa["metadata"]["annotations"]


def _endpoint_slice(endpoint_slice: Value, request: Request) -> None:  # noqa: ARG001
    for endpoint in endpoint_slice.get("endpoints") or ():
        endpoint.pop("deprecatedTopology", None)


def _certificate_signing_request(csr: Value, request: Request) -> None:  # noqa: ARG001
    """The server writes who asks, whatever the request says; known is only the group of all whom it let in."""
    for name in ("username", "uid", "extra"):
        csr["spec"].pop(name, None)
    csr["spec"]["groups"] = ["system:authenticated"]


def _custom_resource_definition(crd: Value, request: Request) -> None:  # noqa: ARG001
    stored = next((v["name"] for v in crd["spec"].get("versions") or () if v.get("storage")), None)
    if stored is not None:
        crd["status"]["storedVersions"] = [stored]


def _api_service(service: Value, request: Request) -> None:  # noqa: ARG001
    if "service" not in service["spec"]:
        message = "Local APIServices are always available"
        condition = {"type": "Available", "status": "True", "reason": "Local", "message": message}
        service["status"]["conditions"] = [condition]


def _token_review(review: Value, request: Request) -> None:  # noqa: ARG001
    if not (review.get("spec") or {}).get("token"):
        raise Refused(400, "token is required for TokenReview in authentication")


def _self_subject_rules_review(review: Value, request: Request) -> None:  # noqa: ARG001
    if not (review.get("spec") or {}).get("namespace"):
        raise Refused(400, "no namespace on request")


PREPARE: Mapping[str, Callable[[Value, Request], None]] = {
    "authentication.k8s.io/TokenReview": _token_review,
    "authorization.k8s.io/SelfSubjectRulesReview": _self_subject_rules_review,
    "/Pod": _pod,
    "/Service": _service,
    "/Namespace": _namespace,
    "/ServiceAccount": _service_account,
    "/LimitRange": _limit_range,
    "/PersistentVolumeClaim": _persistent_volume_claim,
    "apps/DaemonSet": _daemon_set,
    "autoscaling/HorizontalPodAutoscaler": _horizontal_pod_autoscaler,
    "batch/Job": _job,
    "discovery.k8s.io/EndpointSlice": _endpoint_slice,
    "certificates.k8s.io/CertificateSigningRequest": _certificate_signing_request,
    "apiextensions.k8s.io/CustomResourceDefinition": _custom_resource_definition,
    "apiregistration.k8s.io/APIService": _api_service,
}
