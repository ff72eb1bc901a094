"""Every warning that comes with an accepted object: one small object for each text."""

from __future__ import annotations

from typing import Any

import pytest

import kplan

Value = dict[str, Any]


def obj(api_version: str, kind: str, /, annotations: Value | None = None, name: str = "a", **rest: Any) -> Value:
    meta: Value = {"name": name} | ({"annotations": annotations} if annotations else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **rest}


def pod(annotations: Value | None = None, name: str = "a", container: Value | None = None, **spec: Any) -> Value:
    containers = [{"name": "c", "image": "i", **(container or {})}]
    return obj("v1", "Pod", annotations, name, spec={"containers": containers, **spec})


def deployment(annotations: Value | None = None, **spec: Any) -> Value:
    template: Value = {"metadata": {"labels": {"a": "b"}, "annotations": annotations or {}}}
    template["spec"] = {"containers": [{"name": "c", "image": "i"}], **spec}
    return obj("apps/v1", "Deployment", spec={"selector": {"matchLabels": {"a": "b"}}, "template": template})


def volume(**source: Any) -> Value:
    return pod(volumes=[{"name": "v", **source}])


def service(annotations: Value | None = None, **spec: Any) -> Value:
    return obj("v1", "Service", annotations, spec={"ports": [{"port": 80}], **spec})


def persistent_volume(annotations: Value | None = None, **spec: Any) -> Value:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], **spec}
    if len(spec) < 3 or not spec.keys() & {"cephfs", "rbd", "glusterfs"}:
        spec["nfs"] = {"server": "s", "path": "/p"}
    return obj("v1", "PersistentVolume", annotations, spec=spec)


def required(term: Value) -> Value:
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}


CLASS = "volume.beta.kubernetes.io/storage-class"
CIDR = "2001:db8:0:0::/64"
CRITICAL, SECCOMP = "scheduler.alpha.kubernetes.io/critical-pod", "seccomp.security.alpha.kubernetes.io/pod"
ARM = {"key": "beta.kubernetes.io/arch", "operator": "Exists"}
ARCH = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
GRACE = "spec.template.spec.terminationGracePeriodSeconds"
NODE = "spec.affinity.nodeAffinity."
NULL = "a null labelSelector results in matching no pod"
TOPOLOGY = {"topologyKey": "zone"}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}}
SPREAD = {"maxSkew": 1, "topologyKey": "failure-domain.beta.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
HARD = {"requests.cpu": "2", "limits.cpu": "1"}

WARNINGS: list[tuple[Value, list[str]]] = [
    (pod(), []),
    (
        pod({CRITICAL: ""}),
        [f'metadata.annotations[{CRITICAL}]: non-functional in v1.16+; use the "priorityClassName" field instead'],
    ),
    (
        pod({SECCOMP: "runtime/default"}),
        [f'metadata.annotations[{SECCOMP}]: non-functional in v1.27+; use the "seccompProfile" field instead'],
    ),
    (
        deployment({"container.apparmor.security.beta.kubernetes.io/c": "runtime/default"}),
        [
            (
                "spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: "
                'deprecated since v1.30; use the "appArmorProfile" field instead'
            )
        ],
    ),
    (
        pod(nodeSelector={"beta.kubernetes.io/os": "linux"}),
        ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ),
    (
        pod(affinity={"nodeAffinity": required({"matchExpressions": [ARM]})}),
        [
            (
                f"{NODE}requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: "
                f"beta.kubernetes.io/arch is {ARCH}"
            )
        ],
    ),
    (
        pod(topologySpreadConstraints=[SPREAD]),
        [
            f"spec.topologySpreadConstraints[0].labelSelector: {NULL}",
            (
                "spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is "
                'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
            ),
        ],
    ),
    (
        pod(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [TOPOLOGY]}}),
        [f"spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: {NULL}"],
    ),
    (
        volume(gitRepo={"repository": "r"}),
        ["spec.volumes[0].gitRepo: deprecated in v1.11, and disabled by default in v1.33+"],
    ),
    (volume(cephfs={"monitors": ["m"]}), ["spec.volumes[0].cephfs: deprecated in v1.28, non-functional in v1.31+"]),
    (volume(projected={"sources": [{}]}), ['volume "v" (Projected) has no sources provided']),
    (volume(projected={"sources": []}), []),
    (
        obj("discovery.k8s.io/v1", "EndpointSlice", addressType="FQDN", endpoints=[{"addresses": ["a.example.org"]}]),
        ["spec.addressType: FQDN endpoints are deprecated"],
    ),
    (
        volume(configMap={"name": "m", "items": [{"key": "a", "path": "p"}, {"key": "b", "path": "p/q"}]}),
        ['volume "v" (ConfigMap "m"): overlapping paths: "p/q" with "p"'],
    ),
    (
        deployment(terminationGracePeriodSeconds=-1),
        [f"{GRACE}: must be >= 0; negative values are invalid and will be treated as 1"],
    ),
    (
        pod(hostAliases=[{"ip": "10.0.0.1"}, {"ip": "10.0.0.1"}]),
        ['spec.hostAliases[1].ip: duplicate ip "10.0.0.1"'],
    ),
    (
        pod(imagePullSecrets=[{"name": "s"}, {"name": "s"}, {}]),
        [
            'spec.imagePullSecrets[1].name: duplicate name "s"',
            'spec.imagePullSecrets[2].name: invalid empty name ""',
        ],
    ),
    (
        pod(container={"resources": {"limits": {"memory": "100m"}}}),
        [
            f'spec.containers[0].resources.{side}[memory]: fractional byte value "100m" is invalid, must be an integer'
            for side in ("limits", "requests")
        ],
    ),
    (
        pod(container={"env": [{"name": "E", "value": "1"}, {"name": "E", "value": "2"}]}),
        ['spec.containers[0].env[1]: hides previous definition of "E", which may be dropped when using apply'],
    ),
    (
        pod(container={"ports": [{"containerPort": 80, "name": "a"}, {"containerPort": 80, "name": "b"}]}),
        ["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"],
    ),
    (
        pod(container={"ports": [{"containerPort": 80, "hostIP": "10.0.0.1"}]}),
        [
            (
                "spec.containers[0].ports[0]: hostIP set without hostPort: "
                "{Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}"
            )
        ],
    ),
    (
        service({"service.kubernetes.io/topology-aware-hints": "auto"}),
        [
            (
                "annotation service.kubernetes.io/topology-aware-hints is deprecated, "
                "please use service.kubernetes.io/topology-mode instead"
            )
        ],
    ),
    (service(externalName="x.y"), ['spec.externalName is ignored when spec.type is not "ExternalName"']),
    (
        service(type="ExternalName", externalName="x.y", externalIPs=["10.0.0.1"]),
        [
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters",
            'spec.externalIPs is ignored when spec.type is "ExternalName"',
        ],
    ),
    (
        service(clusterIP="None", selector={"a": "b"}, sessionAffinity="ClientIP"),
        ["spec.SessionAffinity is ignored for headless services"],
    ),
    (
        service(trafficDistribution="PreferClose"),
        ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    ),
    (
        persistent_volume({CLASS: "x"}),
        [f'metadata.annotations[{CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead'],
    ),
    (
        persistent_volume({"volume.beta.kubernetes.io/mount-options": "ro"}),
        [
            (
                "metadata.annotations[volume.beta.kubernetes.io/mount-options]: "
                'deprecated since v1.31; use "mountOptions" attribute instead'
            )
        ],
    ),
    (
        persistent_volume(persistentVolumeReclaimPolicy="Recycle"),
        [
            (
                "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, "
                "the recommended approach is to use dynamic provisioning."
            )
        ],
    ),
    (
        persistent_volume(cephfs={"monitors": ["m"]}),
        ["spec.cephfs: deprecated in v1.28, non-functional in v1.31+"],
    ),
    (
        obj("v1", "PersistentVolumeClaim", {CLASS: "x"}, spec=CLAIM),
        [
            f'metadata.annotations[{CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead',
            'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
        ],
    ),
    (
        obj(
            "storage.k8s.io/v1",
            "StorageClass",
            provisioner="p.example",
            allowedTopologies=[{"matchLabelExpressions": [{"key": "beta.kubernetes.io/arch", "values": ["arm64"]}]}],
        ),
        [f"allowedTopologies[0].matchLabelExpressions[0].key: beta.kubernetes.io/arch is {ARCH}"],
    ),
    (
        obj("storage.k8s.io/v1", "CSIDriver", spec={"tokenRequests": [{"audience": "a"}]}),
        [
            (
                "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent "
                "possible logging of tokens in volume attributes"
            )
        ],
    ),
    (
        obj("v1", "Node", spec={"externalID": "x"}),
        ["spec.externalID: this field is deprecated, and is unused by Kubernetes"],
    ),
    (
        obj(
            "node.k8s.io/v1", "RuntimeClass", handler="h", scheduling={"nodeSelector": {"beta.kubernetes.io/arch": "x"}}
        ),
        [f"scheduling.nodeSelector[beta.kubernetes.io/arch]: {ARCH}"],
    ),
    (
        obj("v1", "Secret", type="kubernetes.io/tls", data={"tls.crt": "", "tls.key": ""}),
        ["tls: failed to find any PEM data in certificate input"],
    ),
    (
        obj("v1", "ServiceAccount", {"kubernetes.io/enforce-mountable-secrets": "true"}),
        [
            (
                "metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate "
                "namespaces to isolate access to mounted secrets"
            )
        ],
    ),
    (
        obj("v1", "ResourceQuota", spec={"hard": HARD}),
        ["ResourceQuota requests.cpu (2) should be less than limits.cpu (1)"],
    ),
    (
        obj(
            "networking.k8s.io/v1",
            "Ingress",
            {"kubernetes.io/ingress.class": "x"},
            spec={"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}},
        ),
        ["annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"],
    ),
    (
        obj("v1", "Endpoints"),
        ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"],
    ),
]


@pytest.mark.parametrize(("sent", "warnings"), WARNINGS)
def test_warnings(sent: Value, warnings: list[str]) -> None:
    answer = kplan.admit(sent)
    assert answer.accepted, answer.message
    assert sorted(answer.warnings) == sorted(warnings)


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        (pod(name="a.b"), "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior"),
        (
            obj(
                "networking.k8s.io/v1",
                "NetworkPolicy",
                spec={"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": CIDR}}]}]},
            ),
            "spec.ingress[0].from[0].ipBlock.cidr: ",
        ),
        (
            obj(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                addressType="IPv6",
                endpoints=[{"addresses": ["2001:db8:0:0::1"]}],
            ),
            "endpoints[0].addresses[0]: ",
        ),
        (
            service(type="LoadBalancer", loadBalancerSourceRanges=[CIDR]),
            "spec.loadBalancerSourceRanges[0]: ",
        ),
        (
            obj("v1", "Node", spec={"podCIDR": CIDR, "podCIDRs": [CIDR]}),
            "spec.podCIDRs[0]: ",
        ),
    ],
)
def test_beginnings(sent: Value, begins: str) -> None:
    answer = kplan.admit(sent)
    assert answer.accepted, answer.message
    assert [w[: len(begins)] for w in answer.warnings] == [begins]


@pytest.mark.parametrize(("version", "count"), [("1.34", 0), ("1.36", 1)])
def test_external_ips_by_release(version: str, count: int) -> None:
    assert len(kplan.admit(service(externalIPs=["10.0.0.1"]), version=version).warnings) == count


def definition(*versions: Value) -> Value:
    names = {"kind": "Jar", "plural": "jars"}
    schema = {"openAPIV3Schema": {"type": "object"}}
    listed = [{"served": True, "storage": not i, "schema": schema, **v} for i, v in enumerate(versions)]
    spec = {"group": "example.org", "names": names, "scope": "Namespaced", "versions": listed}
    return obj("apiextensions.k8s.io/v1", "CustomResourceDefinition", name="jars.example.org", spec=spec)


DEPRECATED: Value = {"deprecated": True}


@pytest.mark.parametrize(
    ("versions", "warnings"),
    [
        ([{"name": "v1"}], []),
        ([{"name": "v1", **DEPRECATED, "deprecationWarning": "no more"}], ["no more"]),
        ([{"name": "v1", **DEPRECATED}], ["example.org/v1 Jar is deprecated"]),
        ([{"name": "v1", **DEPRECATED}, {"name": "v2beta1"}], ["example.org/v1 Jar is deprecated"]),
        (
            [{"name": "v1", **DEPRECATED}, {"name": "v2"}, {"name": "v3"}, {"name": "v4", **DEPRECATED}],
            ["example.org/v1 Jar is deprecated; use example.org/v3 Jar"],
        ),
    ],
)
def test_deprecated_versions_of_custom_resources(versions: list[Value], warnings: list[str]) -> None:
    cluster = kplan.Cluster([definition(*versions)])
    assert list(kplan.admit(obj("example.org/v1", "Jar"), cluster=cluster).warnings) == warnings


@pytest.mark.parametrize(("version", "path"), [("1.31", ""), ("1.36", " including a path (/)")])
def test_finalizers_of_custom_resources(version: str, path: str) -> None:
    namespace = obj("v1", "Namespace", name="default")
    cluster = kplan.Cluster([namespace, definition({"name": "v1"})], version=version)
    sent = obj("example.org/v1", "Jar")
    sent["metadata"]["finalizers"] = ["finalizer.example.org", "example.org/finalizer", "foregroundDeletion"]
    warning = (
        f'metadata.finalizers: "finalizer.example.org": prefer a domain-qualified finalizer name{path} to avoid '
        "accidental conflicts with other finalizer writers"
    )
    assert cluster.apply([sent], mode="replace")[0].warnings == (warning,)
    sent["metadata"]["labels"] = {"a": "b"}
    assert cluster.apply([sent], mode="replace")[0].warnings == ()  # it had that finalizer before


@pytest.mark.parametrize(
    ("type_", "format_", "known"),
    [("integer", "int64", True), ("string", "int64", False), ("string", "date-time", True), ("string", "x", False)],
)
def test_formats_of_definitions(type_: str, format_: str, known: bool) -> None:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"a": {"type": type_, "format": format_}}}}
    answer = kplan.admit(definition({"name": "v1", "schema": schema}))
    assert list(answer.warnings) == [f'unrecognized format "{format_}"'] * (not known)


def test_parts_of_a_byte_in_templates_of_claims() -> None:
    annotated = {"metadata": {"name": "c", "annotations": {CLASS: "x"}}, "spec": CLAIM}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template, "volumeClaimTemplates": [annotated]}
    fraction = 'resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer'
    found = kplan.admit(obj("apps/v1", "StatefulSet", spec=spec)).warnings
    assert found == (f"spec.volumeClaimTemplates[0].{fraction}",)
    found = kplan.admit(volume(ephemeral={"volumeClaimTemplate": {"spec": CLAIM}})).warnings
    assert found == (f"spec.volumes[0].ephemeral.volumeClaimTemplate.spec.{fraction}",)


UNSET = {"containers": [{"name": "c", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}]}
HIDES = 'env[1]: hides previous definition of "A", which may be dropped when using apply'


@pytest.mark.parametrize(
    ("api", "kind", "name", "change", "hides"),
    [
        ("apps/v1", "Deployment", "a.b", {"metadata": {"labels": {"x": "y"}}}, False),
        ("apps/v1", "Deployment", "a.b", {"spec": {"minReadySeconds": 5}}, True),
        ("v1", "Pod", "a.b", {"metadata": {"labels": {"x": "y"}}}, False),
        ("v1", "Pod", "a.b", {"spec": {"activeDeadlineSeconds": 5}}, False),
    ],
)
def test_warnings_of_updates(api: str, kind: str, name: str, change: Value, hides: bool) -> None:
    labels = {"a": "b"}
    template = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": UNSET}}
    cluster = kplan.Cluster()
    made = {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "default"}}
    (first,) = cluster.apply({**made, "spec": UNSET if kind == "Pod" else template}, mode="replace")
    assert len(first.warnings) == 2, "of the name and of the variable"
    found = cluster.patch(kind, name, change).warnings
    assert [w.endswith(HIDES) for w in found] == [True] * hides


@pytest.mark.parametrize(("before", "count"), [({}, 1), ({"kubernetes.io/enforce-mountable-secrets": "true"}, 0)])
def test_what_an_account_had_before_is_not_said_again(before: Value, count: int) -> None:
    cluster = kplan.Cluster()
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "s", "namespace": "default"}}
    cluster.apply({**made, "metadata": {**made["metadata"], "annotations": before}}, mode="replace")
    note = {"kubernetes.io/enforce-mountable-secrets": "true", "a": "b"}
    assert len(cluster.patch("ServiceAccount", "s", {"metadata": {"annotations": note}}).warnings) == count
