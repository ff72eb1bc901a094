"""Warnings about kinds other than pods. Follows WarningsOnCreate of pkg/registry/*/strategy.go."""

from __future__ import annotations

from collections.abc import Iterator

from kplan import quantity
from kplan.api.request import Request
from kplan.api.validation.addresses import cidr_warnings, ip_warnings
from kplan.api.warnings import pods
from kplan.hints import Any
from kplan.workloads import get

Value = dict[str, Any]

STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"
MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
INGRESS_CLASS = "kubernetes.io/ingress.class"
TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
PEM_BEGIN = b"-----BEGIN "
# Sources of a PersistentVolume that warn; pods warn of more.
VOLUME_SOURCES = ("photonPersistentDisk", "scaleIO", "storageos", "glusterfs", "rbd", "cephfs")


def stateful_set(obj: Value, minor: int) -> Iterator[str]:
    """A StatefulSet: its template, its claims and an endless history."""
    yield from pods.template_at("spec.template")(obj, minor)
    yield from claims_and_history(obj, minor)


def claims_and_history(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """What is odd about a StatefulSet besides its template."""
    for i, claim in enumerate(get(obj, "spec", "volumeClaimTemplates") or ()):
        yield from pods.claim_size(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{i}]")
    if (get(obj, "spec", "revisionHistoryLimit") or 0) < 0:
        yield (
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
        )


def job(obj: Value, minor: int) -> Iterator[str]:
    """A Job: its name, its template and more indexes than can be tracked."""
    yield from pods.workload(obj, minor)
    spec = obj.get("spec") or {}
    many = (spec.get("completions") or 0) > 100_000 and (spec.get("parallelism") or 0) > 10_000
    if spec.get("completionMode") == "Indexed" and many:
        yield (
            "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, "
            "Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        )


def cron_job(obj: Value, minor: int) -> Iterator[str]:
    """A CronJob: its name and the pods of its Jobs."""
    yield from pods.name_warnings(obj, "Pod names and hostnames")
    yield from pods.template_at("spec.jobTemplate.spec.template")(obj, minor)


def service(obj: Value, minor: int) -> Iterator[str]:
    """A Service: addresses, fields that do nothing, and fields on their way out."""
    spec = obj.get("spec") or {}
    type_, external = spec.get("type"), spec.get("externalIPs") or []
    if TOPOLOGY_HINTS in ((obj.get("metadata") or {}).get("annotations") or {}):
        yield f"annotation {TOPOLOGY_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
    if minor >= 33:
        if spec.get("clusterIP") not in (None, "", "None"):
            for i, address in enumerate(spec.get("clusterIPs") or ()):
                yield from ip_warnings(f"spec.clusterIPs[{i}]", address)
        for i, address in enumerate(external):
            yield from ip_warnings(f"spec.externalIPs[{i}]", address)
        yield from ip_warnings("spec.loadBalancerIP", spec.get("loadBalancerIP") or "")
        for i, cidr in enumerate(spec.get("loadBalancerSourceRanges") or ()):
            yield from cidr_warnings(f"spec.loadBalancerSourceRanges[{i}]", cidr.strip())
    if type_ == "ExternalName" and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if type_ != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("clusterIP") == "None" and spec.get("sessionAffinity") == "ClientIP":
        yield "spec.SessionAffinity is ignored for headless services"
    if minor >= 34 and spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
    if minor >= 36 and external:
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"


def persistent_volume(obj: Value, minor: int) -> Iterator[str]:
    """A PersistentVolume: old annotations, plugins that are gone, and recycling."""
    spec = obj.get("spec") or {}
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if STORAGE_CLASS in annotations:
        yield f'metadata.annotations[{STORAGE_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead'
    if MOUNT_OPTIONS in annotations and minor >= 31:
        yield f'metadata.annotations[{MOUNT_OPTIONS}]: deprecated since v1.31; use "mountOptions" attribute instead'
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield (
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended "
            "approach is to use dynamic provisioning."
        )
    for source in VOLUME_SOURCES:
        if spec.get(source) is not None:
            printed, text = pods.VOLUMES[source]
            yield f"spec.{printed}: {text}"
    from kplan.api.warnings import nodelabels

    yield from nodelabels.in_selector(get(spec, "nodeAffinity", "required"), "spec.nodeAffinity.required")


def persistent_volume_claim(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """A PersistentVolumeClaim: the old class annotation and parts of a byte."""
    if STORAGE_CLASS in ((obj.get("metadata") or {}).get("annotations") or {}):
        text = 'deprecated since v1.8; use "storageClassName" attribute instead'
        yield f"metadata.annotations[{STORAGE_CLASS}]: {text}"
    yield from pods.claim_size(obj.get("spec") or {}, "spec")


def storage_class(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """A StorageClass: old node labels in its topologies."""
    from kplan.api.warnings import nodelabels

    for i, term in enumerate(obj.get("allowedTopologies") or ()):
        for n, expression in enumerate(term.get("matchLabelExpressions") or ()):
            key = expression.get("key") or ""
            if key in nodelabels.MESSAGES:
                yield f"allowedTopologies[{i}].matchLabelExpressions[{n}].key: {key} is {nodelabels.MESSAGES[key]}"


def csi_driver(obj: Value, minor: int) -> Iterator[str]:
    """A CSIDriver that gets tokens in its volume attributes."""
    spec = obj.get("spec") or {}
    if minor >= 35 and spec.get("tokenRequests") and spec.get("serviceAccountTokenInSecrets") is None:
        yield (
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent "
            "possible logging of tokens in volume attributes"
        )


def node(obj: Value, minor: int) -> Iterator[str]:
    """A Node: fields that nobody reads any more, and its pod networks."""
    spec = obj.get("spec") or {}
    if spec.get("configSource") is not None:
        yield "spec.configSource: the feature was deprecated in v1.22, removed in v1.24"
    if spec.get("externalID"):
        yield "spec.externalID: this field is deprecated, and is unused by Kubernetes"
    if minor >= 33:
        for i, cidr in enumerate(spec.get("podCIDRs") or ()):
            yield from cidr_warnings(f"spec.podCIDRs[{i}]", cidr)


def runtime_class(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """A RuntimeClass that selects nodes by an old label."""
    from kplan.api.warnings import nodelabels

    yield from nodelabels.in_map(get(obj, "scheduling", "nodeSelector") or {}, "scheduling.nodeSelector")


def secret(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """A TLS Secret whose parts are no PEM; the first part that is wrong answers."""
    if obj.get("type") != "kubernetes.io/tls":
        return
    for key, what in (("tls.crt", "certificate"), ("tls.key", "key")):
        if PEM_BEGIN not in _decoded(get(obj, "data", key)):
            yield f"tls: failed to find any PEM data in {what} input"
            return


def _decoded(text: Any) -> bytes:
    from base64 import b64decode

    try:
        return b64decode(str(text or ""))
    except ValueError:
        return b""


def service_account(obj: Value, minor: int) -> Iterator[str]:
    """A ServiceAccount that limits which secrets may be mounted."""
    if minor >= 32 and ((obj.get("metadata") or {}).get("annotations") or {}).get(MOUNTABLE) == "true":
        yield (
            f"metadata.annotations[{MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access "
            "to mounted secrets"
        )


def resource_quota(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """A ResourceQuota that allows more requests than limits."""
    hard = get(obj, "spec", "hard") or {}
    for name in ("cpu", "memory", "ephemeral-storage"):
        limit = hard.get(f"limits.{name}")
        for request in (name, f"requests.{name}"):
            if limit is None or hard.get(request) is None:
                continue
            asked, limited = quantity.parse(str(hard[request])), quantity.parse(str(limit))
            if asked.nanos > limited.nanos:
                yield f"ResourceQuota {request} ({asked}) should be less than limits.{name} ({limited})"


def ingress(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """An Ingress that names its class in the old annotation."""
    if INGRESS_CLASS in ((obj.get("metadata") or {}).get("annotations") or {}):
        yield f"annotation \"{INGRESS_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"


def network_policy(obj: Value, minor: int) -> Iterator[str]:
    """A NetworkPolicy with unusual CIDRs."""
    if minor < 33:
        return
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for i, rule in enumerate(get(obj, "spec", side) or ()):
            for n, peer in enumerate(rule.get(peers) or ()):
                block, at = peer.get("ipBlock") or {}, f"spec.{side}[{i}].{peers}[{n}].ipBlock"
                yield from cidr_warnings(f"{at}.cidr", block.get("cidr") or "")
                for k, cidr in enumerate(block.get("except") or ()):
                    yield from cidr_warnings(f"{at}.except[{k}]", cidr)


def endpoint_slice(obj: Value, minor: int) -> Iterator[str]:
    """An EndpointSlice with domain names, which nobody defined, or with unusual addresses."""
    if obj.get("addressType") == "FQDN":
        yield "spec.addressType: FQDN endpoints are deprecated"  # kubernetes/kubernetes#114677; there is no such spec
    elif minor >= 33:
        for i, endpoint in enumerate(obj.get("endpoints") or ()):
            for n, address in enumerate(endpoint.get("addresses") or ()):
                yield from ip_warnings(f"endpoints[{i}].addresses[{n}]", address)


def custom_resource_definition(obj: Value, minor: int) -> Iterator[str]:  # noqa: ARG001 - a source's signature
    """A CustomResourceDefinition with formats that nothing checks."""
    from kplan.api.warnings.formats import unknown_formats  # for what few have

    for version in get(obj, "spec", "versions") or ():
        schema = get(version, "schema", "openAPIV3Schema")
        for unknown in dict.fromkeys(unknown_formats(schema)) if isinstance(schema, dict) else ():
            yield f'unrecognized format "{unknown}"'


def deprecated_api(request: Request) -> Iterator[str]:
    """An API version that is on its way out."""
    if (request.group, request.version, request.kind) == ("", "v1", "Endpoints") and request.minor >= 33:
        yield "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    if (request.group, request.version, request.kind) == ("", "v1", "ComponentStatus"):
        yield "v1 ComponentStatus is deprecated in v1.19+"
