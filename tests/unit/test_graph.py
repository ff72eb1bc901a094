"""The object graph: references by name, what is found, missing or unknown, and where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.errors import KplanError
from kplan.graph import FOUND, MISSING, UNKNOWN, Edge, Graph, build
from kplan.model import Key, Object, format_path
from kplan.store import ref_of

Value = dict[str, Any]


def thing(api_version: str, kind: str, name: str, namespace: str = "shop", **fields: Any) -> Object:
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    value = {"apiVersion": api_version, "kind": kind, "metadata": meta | fields.pop("meta", {}), **fields}
    return Object(ref_of(value), value)


def pod(name: str = "web", namespace: str = "shop", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    meta = {"labels": labels} if labels else {}
    return thing("v1", "Pod", name, namespace, meta=meta, spec={"containers": [{"name": "c"}], **spec})


def configmap(name: str, namespace: str = "shop", **data: str) -> Object:
    return thing("v1", "ConfigMap", name, namespace, data=data)


def edges(graph: Graph, kind: str) -> list[Edge]:
    return [e for e in graph.edges if e.kind == kind]


def told(graph: Graph, *kinds: str) -> list[tuple[str, str, str]]:
    """(path, target, state) of the edges of these kinds."""
    out = []
    for e in graph.edges:
        if e.kind in kinds:
            target = f"{e.target.kind} {e.target.name}" if isinstance(e.target, Key) else str(e.target)
            out.append((format_path(e.path), target, e.state))
    return out


CONTAINER = {
    "name": "c",
    "env": [
        {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "app", "key": "a"}}},
        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "b", "optional": True}}},
    ],
    "envFrom": [{"configMapRef": {"name": "app"}}, {"secretRef": {"name": "keys"}}],
}
VOLUMES = [
    {"name": "v0", "configMap": {"name": "app", "items": [{"key": "a", "path": "a"}]}},
    {"name": "v1", "secret": {"secretName": "keys"}},
    {"name": "v2", "projected": {"sources": [{"configMap": {"name": "app"}}, {"secret": {"name": "keys"}}]}},
    {"name": "v3", "persistentVolumeClaim": {"claimName": "data"}},
    {"name": "v4", "csi": {"driver": "d.example.com", "nodePublishSecretRef": {"name": "keys"}}},
    {"name": "v5", "ephemeral": {"volumeClaimTemplate": {"spec": {"storageClassName": "fast"}}}},
]
FULL = pod(
    containers=[CONTAINER],
    initContainers=[{"name": "i", "envFrom": [{"secretRef": {"name": "keys"}}]}],
    volumes=VOLUMES,
    imagePullSecrets=[{"name": "registry"}],
    serviceAccountName="runner",
    priorityClassName="high",
    runtimeClassName="gvisor",
    resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu-0"}],
)


def test_every_reference_of_a_pod_with_its_place() -> None:
    assert told(build([FULL], closed=True), *{e.kind for e in build([FULL]).edges} - {"namespace"}) == [
        ("spec.serviceAccountName", "ServiceAccount runner", MISSING),
        ("spec.containers[0].env[0].valueFrom.configMapKeyRef.name", "ConfigMap app", MISSING),
        ("spec.containers[0].env[1].valueFrom.secretKeyRef.name", "Secret keys", MISSING),
        ("spec.containers[0].envFrom[0].configMapRef.name", "ConfigMap app", MISSING),
        ("spec.containers[0].envFrom[1].secretRef.name", "Secret keys", MISSING),
        ("spec.initContainers[0].envFrom[0].secretRef.name", "Secret keys", MISSING),
        ("spec.volumes[0].configMap.name", "ConfigMap app", MISSING),
        ("spec.volumes[1].secret.secretName", "Secret keys", MISSING),
        ("spec.volumes[2].projected.sources[0].configMap.name", "ConfigMap app", MISSING),
        ("spec.volumes[2].projected.sources[1].secret.name", "Secret keys", MISSING),
        ("spec.volumes[3].persistentVolumeClaim.claimName", "PersistentVolumeClaim data", MISSING),
        ("spec.volumes[4].csi.driver", "CSIDriver d.example.com", UNKNOWN),
        ("spec.volumes[4].csi.nodePublishSecretRef.name", "Secret keys", MISSING),
        ("spec.volumes[5].ephemeral.volumeClaimTemplate.spec.storageClassName", "StorageClass fast", MISSING),
        ("spec.imagePullSecrets[0].name", "Secret registry", MISSING),
        ("spec.priorityClassName", "PriorityClass high", MISSING),
        ("spec.runtimeClassName", "RuntimeClass gvisor", MISSING),
        ("spec.resourceClaims[0].resourceClaimName", "ResourceClaim gpu-0", MISSING),
    ]


def test_an_open_world_knows_nothing_of_what_is_not_here() -> None:
    graph = build([FULL])
    assert {e.state for e in graph.edges} == {UNKNOWN}
    assert graph.dangling() == ()
    assert len(graph.dangling(unknown=True)) == sum(not e.optional for e in graph.edges)


def test_optional_edges_do_not_dangle() -> None:
    graph = build([FULL], closed=True)
    assert [format_path(e.path) for e in graph.edges if e.optional] == [
        "spec.containers[0].env[1].valueFrom.secretKeyRef.name",
        "spec.volumes[4].csi.driver",
    ]
    assert not any(e.optional for e in graph.dangling())


def test_keys_of_an_object_that_exists() -> None:
    graph = build([FULL, configmap("app", b="1"), configmap("app", namespace="other", a="1")])
    found = [(format_path(e.path), e.kind, e.key, e.state) for e in graph.edges if e.key]
    assert found == [
        ("spec.containers[0].env[0].valueFrom.configMapKeyRef.key", "env-key", "a", MISSING),
        ("spec.volumes[0].configMap.items[0].key", "volume-key", "a", MISSING),
    ]
    assert [e.key for e in graph.dangling()] == ["a", "a"]
    assert graph.dangling()[0].note == "ConfigMap app has no a"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"data": {"b": "x"}}, FOUND),
        ({"stringData": {"b": "x"}}, FOUND),
        ({"data": {"c": "x"}}, MISSING),
        ({"data": {"c": "x"}, "type": "kubernetes.io/service-account-token"}, MISSING),
        ({}, UNKNOWN),
        ({"data": "text"}, None),
    ],
)
def test_keys_of_secrets(fields: Value, state: str | None) -> None:
    graph = build([FULL, thing("v1", "Secret", "keys", **fields)])
    assert [e.state for e in graph.edges if e.key] == ([state] if state else [])


def test_alternatives_of_one_name_count_together() -> None:
    graph = build([FULL, configmap("app", b="1"), configmap("app", a="1")])
    assert {e.state for e in graph.edges if e.key} == {FOUND}
    assert list(graph.duplicates) == [Key("", "ConfigMap", "shop", "app")]


BACKEND = {"service": {"name": "web", "port": {"number": 80}}}
SERVICE = thing("v1", "Service", "web", spec={"ports": [{"port": 8080, "name": "http"}]})
STORE = "storage.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
GATEWAY = "gateway.networking.k8s.io/v1"
NETWORK = "networking.k8s.io/v1"
HOOKS = "admissionregistration.k8s.io/v1"
CALLED = {"clientConfig": {"service": {"name": "hook", "namespace": "n"}}}
NODE_STAGE = "csi.storage.k8s.io/node-stage-secret"


def claim(**spec: Any) -> Object:
    return thing("v1", "PersistentVolumeClaim", "c", spec=spec)


def volume(**spec: Any) -> Object:
    return thing("v1", "PersistentVolume", "p", "", spec=spec)


def ingress(version: str = NETWORK, **spec: Any) -> Object:
    return thing(version, "Ingress", "i", spec=spec)


def bound(kind: str, **fields: Any) -> Object:
    return thing(RBAC, kind, "r", "shop" if kind == "RoleBinding" else "", **fields)


def gateway(kind: str, **spec: Any) -> Object:
    return thing(GATEWAY, kind, "g", spec=spec)


# (source, place, target, namespace of the target)
# fmt: off
REFERENCES: list[tuple[Object, str, str, str]] = [
    (claim(volumeName="pv"), "spec.volumeName", "PersistentVolume pv", ""),
    (claim(volumeAttributesClassName="a"), "spec.volumeAttributesClassName", "VolumeAttributesClass a", ""),
    (claim(dataSource={"kind": "PersistentVolumeClaim", "name": "o"}), "spec.dataSource.name",
     "PersistentVolumeClaim o", "shop"),
    (claim(dataSourceRef={"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "o"}),
     "spec.dataSourceRef.name", "VolumeSnapshot o", "shop"),
    (volume(claimRef={"name": "c", "namespace": "n"}), "spec.claimRef.name", "PersistentVolumeClaim c", "n"),
    (volume(csi={"nodeStageSecretRef": {"name": "s", "namespace": "n"}}), "spec.csi.nodeStageSecretRef.name",
     "Secret s", "n"),
    (volume(azureFile={"secretName": "s", "secretNamespace": "n"}), "spec.azureFile.secretName", "Secret s", "n"),
    (thing(STORE, "StorageClass", "s", "", provisioner="d.example.com"), "provisioner", "CSIDriver d.example.com", ""),
    (thing(STORE, "StorageClass", "s", "", parameters={f"{NODE_STAGE}-name": "k", f"{NODE_STAGE}-namespace": "n"}),
     f"parameters[{NODE_STAGE}-name]", "Secret k", "n"),
    (thing("apps/v1", "StatefulSet", "db", spec={"serviceName": "db"}), "spec.serviceName", "Service db", "shop"),
    (ingress(defaultBackend=BACKEND), "spec.defaultBackend.service.name", "Service web", "shop"),
    (ingress("extensions/v1beta1", rules=[{"http": {"paths": [{"backend": {"serviceName": "web"}}]}}]),
     "spec.rules[0].http.paths[0].backend.serviceName", "Service web", "shop"),
    (ingress(defaultBackend={"resource": {"apiGroup": "k.example.com", "kind": "Bucket", "name": "b"}}),
     "spec.defaultBackend.resource.name", "Bucket b", "shop"),
    (ingress(tls=[{"hosts": []}, {"secretName": "t"}]), "spec.tls[1].secretName", "Secret t", "shop"),
    (ingress(ingressClassName="nginx"), "spec.ingressClassName", "IngressClass nginx", ""),
    (thing(NETWORK, "Ingress", "i", meta={"annotations": {"kubernetes.io/ingress.class": "nginx"}}),
     "metadata.annotations[kubernetes.io/ingress.class]", "IngressClass nginx", ""),
    (thing(NETWORK, "IngressClass", "i", "",
           spec={"parameters": {"kind": "ConfigMap", "name": "p", "scope": "Namespace", "namespace": "n"}}),
     "spec.parameters.name", "ConfigMap p", "n"),
    (thing("autoscaling/v2", "HorizontalPodAutoscaler", "h",
           spec={"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}),
     "spec.scaleTargetRef.name", "Deployment web", "shop"),
    (bound("RoleBinding", roleRef={"kind": "Role", "name": "x"}), "roleRef.name", "Role x", "shop"),
    (bound("RoleBinding", roleRef={"kind": "ClusterRole", "name": "x"}), "roleRef.name", "ClusterRole x", ""),
    (bound("RoleBinding", subjects=[{"kind": "ServiceAccount", "name": "a"}]), "subjects[0].name",
     "ServiceAccount a", "shop"),
    (bound("ClusterRoleBinding", subjects=[{"kind": "ServiceAccount", "name": "a", "namespace": "n"}]),
     "subjects[0].name", "ServiceAccount a", "n"),
    (bound("ClusterRoleBinding", subjects=[{"kind": "User", "name": "system:serviceaccount:n:a"}]),
     "subjects[0].name", "ServiceAccount a", "n"),
    (thing(HOOKS, "ValidatingWebhookConfiguration", "w", "", webhooks=[CALLED]),
     "webhooks[0].clientConfig.service.name", "Service hook", "n"),
    (thing(HOOKS, "MutatingWebhookConfiguration", "w", "", webhooks=[CALLED]),
     "webhooks[0].clientConfig.service.name", "Service hook", "n"),
    (thing(HOOKS, "ValidatingAdmissionPolicyBinding", "b", "", spec={"policyName": "p"}), "spec.policyName",
     "ValidatingAdmissionPolicy p", ""),
    (thing("apiregistration.k8s.io/v1", "APIService", "w", "", spec={"service": {"name": "a", "namespace": "n"}}),
     "spec.service.name", "Service a", "n"),
    (thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "w", "", spec={"conversion": {"webhook": CALLED}}),
     "spec.conversion.webhook.clientConfig.service.name", "Service hook", "n"),
    (thing("discovery.k8s.io/v1", "EndpointSlice", "e", meta={"labels": {"kubernetes.io/service-name": "web"}}),
     "metadata.labels[kubernetes.io/service-name]", "Service web", "shop"),
    (thing("v1", "ConfigMap", "c",
           meta={"ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs"}]}),
     "metadata.ownerReferences[0].name", "ReplicaSet rs", "shop"),
    (thing("v1", "ServiceAccount", "s", secrets=[{"name": "t"}]), "secrets[0].name", "Secret t", "shop"),
    (thing("batch/v1", "CronJob", "c",
           spec={"jobTemplate": {"spec": {"template": {"spec": {"serviceAccount": "a", "containers": []}}}}}),
     "spec.jobTemplate.spec.template.spec.serviceAccount", "ServiceAccount a", "shop"),
    (thing("example.com/v1", "Farm", "f", spec={"template": {"spec": {"containers": [CONTAINER]}}}),
     "spec.template.spec.containers[0].envFrom[1].secretRef.name", "Secret keys", "shop"),
    (thing("resource.k8s.io/v1", "ResourceClaim", "c",
           spec={"devices": {"requests": [{"exactly": {"deviceClassName": "gpu"}}]}}),
     "spec.devices.requests[0].exactly.deviceClassName", "DeviceClass gpu", ""),
    (gateway("HTTPRoute", parentRefs=[{"name": "gw", "namespace": "n"}]), "spec.parentRefs[0].name", "Gateway gw", "n"),
    (gateway("HTTPRoute", rules=[{"backendRefs": [{"name": "web", "port": 80}]}]), "spec.rules[0].backendRefs[0].name",
     "Service web", "shop"),
    (gateway("HTTPRoute", rules=[{"filters": [{"requestMirror": {"backendRef": {"name": "web"}}}]}]),
     "spec.rules[0].filters[0].requestMirror.backendRef.name", "Service web", "shop"),
    (gateway("Gateway", gatewayClassName="c"), "spec.gatewayClassName", "GatewayClass c", ""),
    (gateway("Gateway", listeners=[{"tls": {"certificateRefs": [{"name": "t"}]}}]),
     "spec.listeners[0].tls.certificateRefs[0].name", "Secret t", "shop"),
]
# fmt: on


@pytest.mark.parametrize(
    ("source", "place", "target", "namespace"), REFERENCES, ids=[f"{r[0].ref.kind}-{r[2]}" for r in REFERENCES]
)
def test_references(source: Object, place: str, target: str, namespace: str) -> None:
    found = [e for e in build([source]).edges if format_path(e.path) == place and isinstance(e.target, Key)]
    assert [(f"{e.target.kind} {e.target.name}", e.target.namespace) for e in found] == [(target, namespace)]


@pytest.mark.parametrize(
    "source",
    [
        pod(volumes=[{"name": "v", "configMap": {"name": "$(NAME)"}}], serviceAccountName="{{ .Values.sa }}"),
        thing(STORE, "StorageClass", "s", "", provisioner="kubernetes.io/aws-ebs"),
        thing(STORE, "StorageClass", "s", "", parameters={"csi.storage.k8s.io/node-stage-secret-name": "${pvc.name}"}),
        thing(RBAC, "ClusterRoleBinding", "r", "", subjects=[{"kind": "ServiceAccount", "name": "a"}]),
        thing(RBAC, "ClusterRoleBinding", "r", "", subjects=[{"kind": "Group", "name": "a"}]),
        thing("v1", "PersistentVolumeClaim", "c", spec={"storageClassName": ""}),
        thing("serving.example.com/v1", "Service", "s", "", spec={"selector": {"a": "b"}}),
    ],
)
def test_no_reference(source: Object) -> None:
    assert [e for e in build([source], closed=True).edges if e.kind not in ("namespace", "definition")] == []


@pytest.mark.parametrize(
    ("backend", "found"),
    [
        ({"service": {"name": "web", "port": {"number": 8080}}}, ("service.port.number", "8080", FOUND)),
        ({"service": {"name": "web", "port": {"name": "http"}}}, ("service.port.name", "http", FOUND)),
        ({"service": {"name": "web", "port": {"number": 80}}}, ("service.port.number", "80", MISSING)),
        ({"serviceName": "web", "servicePort": "https"}, ("servicePort", "https", MISSING)),
    ],
)
def test_ports_of_services(backend: Value, found: tuple[str, str, str]) -> None:
    graph = build([SERVICE, thing("networking.k8s.io/v1", "Ingress", "i", spec={"defaultBackend": backend})])
    (edge,) = edges(graph, "backend-key")
    assert (format_path(edge.path).removeprefix("spec.defaultBackend."), edge.key, edge.state) == found


def test_a_webhook_asks_for_port_443_where_it_says_nothing() -> None:
    hook = thing("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "w", "",
                 webhooks=[{"clientConfig": {"service": {"name": "web", "namespace": "shop"}}}])  # fmt: skip
    (edge,) = edges(build([SERVICE, hook]), "webhook-key")
    assert (edge.key, edge.state) == ("443", MISSING)


def test_an_external_name_has_no_ports_of_its_own() -> None:
    service = thing("v1", "Service", "web", spec={"type": "ExternalName", "externalName": "example.com"})
    ingress = thing("networking.k8s.io/v1", "Ingress", "i", spec={"defaultBackend": BACKEND})
    assert edges(build([service, ingress]), "backend-key") == []


def test_group_counts_and_version_does_not() -> None:
    def autoscaler(version: str) -> Object:
        target = {"apiVersion": version, "kind": "Deployment", "name": "web"}
        return thing("autoscaling/v2", "HorizontalPodAutoscaler", "h", spec={"scaleTargetRef": target})

    web = thing("apps/v1", "Deployment", "web", spec={})
    states = [
        edges(build([web, autoscaler(v)], closed=True), "scale-target")[0].state
        for v in ("apps/v1", "apps/v1beta1", "extensions/v1beta1", "example.com/v1", "v1")
    ]
    assert states == [FOUND, FOUND, FOUND, MISSING, MISSING]


def test_namespace_counts() -> None:
    other = configmap("app", namespace="other")
    assert edges(build([FULL, other], closed=True), "env-from")[0].state == MISSING


@pytest.mark.parametrize(("one", "two", "state"), [
    ("", "", FOUND), ("", "default", FOUND), ("default", "", FOUND), ("shop", "", UNKNOWN), ("", "shop", UNKNOWN),
])  # fmt: skip
def test_an_object_without_namespace_may_be_anywhere(one: str, two: str, state: str) -> None:
    user = pod(namespace=one, containers=[{"name": "c", "envFrom": [{"configMapRef": {"name": "app"}}]}])
    (edge,) = edges(build([user, configmap("app", namespace=two)], closed=True), "env-from")
    assert edge.state == state
    assert edge.target == Key("", "ConfigMap", two, "app")


EXISTING = [
    pod(serviceAccountName="default"),
    pod(priorityClassName="system-node-critical"),
    pod(volumes=[{"name": "v", "configMap": {"name": "kube-root-ca.crt"}}]),
    pod(volumes=[{"name": "v", "secret": {"secretName": "default-token-x7bqz"}}]),
    thing("v1", "ConfigMap", "c", "kube-system"),
    thing(RBAC, "ClusterRoleBinding", "r", "", roleRef={"kind": "ClusterRole", "name": "system:auth-delegator"}),
    thing(RBAC, "RoleBinding", "r", "default", roleRef={"kind": "ClusterRole", "name": "view"}),
    thing(RBAC, "RoleBinding", "r", "kube-system",
          roleRef={"kind": "Role", "name": "extension-apiserver-authentication-reader"}),
    thing("networking.k8s.io/v1", "Ingress", "i", "default",
          spec={"defaultBackend": {"service": {"name": "kubernetes", "port": {"number": 443}}}}),
]  # fmt: skip


@pytest.mark.parametrize("source", EXISTING, ids=lambda o: f"{o.ref.kind}-{o.ref.namespace}")
def test_objects_of_every_cluster(source: Object) -> None:
    graph = build([source, thing("v1", "Namespace", "shop", "")], closed=True)
    assert {e.state for e in graph.edges} == {FOUND}


@pytest.mark.parametrize(
    ("external", "state"),
    [
        ("Secret/shop/keys", FOUND),
        ("Secret/keys", FOUND),
        ("Secret/*/k*", FOUND),
        ("*/keys", FOUND),
        (Key("", "Secret", "shop", "keys"), FOUND),
        ("Secret/other/keys", MISSING),
        ("ConfigMap/keys", MISSING),
        ("Secret.example.com/keys", MISSING),
    ],
)
def test_externals(external: str | Key, state: str) -> None:
    graph = build([FULL], closed=True, externals=[external])
    assert {e.state for e in edges(graph, "env-from") if e.target[3] == "keys"} == {state}


@pytest.mark.parametrize("text", ["", "Secret", "Secret/", "/x", "Secret/a/b/c", "Secret//x"])
def test_wrong_externals(text: str) -> None:
    with pytest.raises(KplanError, match="names no object"):
        build([], externals=[text])


def test_custom_resources_need_their_definition() -> None:
    def crd(served: bool) -> Object:
        spec = {"group": "example.com", "names": {"kind": "Farm", "plural": "farms"}, "scope": "Cluster",
                "versions": [{"name": "v1", "served": served}, {"name": "v2"}]}  # fmt: skip
        return thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "farms.example.com", "", spec=spec)

    farm, door = thing("example.com/v1", "Farm", "f", ""), thing("example.com/v1", "Gateway", "f", "")
    assert told(build([farm]), "definition") == [("kind", "CustomResourceDefinition farms.example.com", UNKNOWN)]
    assert told(build([door], closed=True), "definition") == [
        ("kind", "CustomResourceDefinition gateways.example.com", MISSING)
    ]
    assert told(build([farm, crd(True)]), "definition") == [
        ("kind", "CustomResourceDefinition farms.example.com", FOUND)
    ]
    (edge,) = build([farm, crd(False)]).dangling()
    assert (edge.path, edge.key, edge.note) == (("apiVersion",), "v1", "it serves no version v1")
    assert edges(build([thing("kustomize.config.k8s.io/v1beta1", "Kustomization", "k", "")]), "definition") == []
    aggregated = thing("apiregistration.k8s.io/v1", "APIService", "v1.example.com", "", spec={"group": "example.com"})
    assert edges(build([farm, aggregated], closed=True), "definition") == []


def test_parameters_of_an_admission_policy() -> None:
    policy = thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", "p", "",
                   spec={"paramKind": {"apiVersion": "v1", "kind": "ConfigMap"}})  # fmt: skip
    binding = thing("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", "b", "",
                    spec={"policyName": "p", "paramRef": {"name": "app", "namespace": "shop"}})  # fmt: skip
    graph = build([policy, binding, configmap("app")], closed=True)
    assert told(graph, "policy", "parameters") == [
        ("spec.policyName", "ValidatingAdmissionPolicy p", FOUND),
        ("spec.paramRef.name", "ConfigMap app", FOUND),
    ]


def test_references_between_namespaces_need_a_grant() -> None:
    route = thing(GATEWAY, "HTTPRoute", "r",
                  spec={"rules": [{"backendRefs": [{"name": "web", "namespace": "back"}]}]})  # fmt: skip
    service = thing("v1", "Service", "web", "back")

    def permit(name: str) -> Object:
        return thing(GATEWAY, "ReferenceGrant", "g", "back", spec={
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "shop"}],
            "to": [{"group": "", "kind": "Service"} | ({"name": name} if name else {})]})  # fmt: skip

    def state(*more: Object, closed: bool = True) -> str:
        (edge,) = edges(build([route, service, *more], closed=closed), "reference-grant")
        assert edge.path[-1] == "namespace"
        return edge.state

    assert state(closed=False) == UNKNOWN
    assert state() == MISSING
    assert state(permit("")) == FOUND
    assert state(permit("web")) == FOUND
    assert state(permit("api")) == MISSING


def test_queries() -> None:
    app = configmap("app", a="1")
    graph = build([app, FULL])
    assert {e.kind for e in graph.references(FULL.ref.key)} > {"env", "volume", "claim"}
    first = graph.referrers(app.ref.key)[0]
    assert format_path(first.path) == "spec.containers[0].env[0].valueFrom.configMapKeyRef.name"
    assert graph.references(Key("", "Pod", "shop", "nobody")) == ()
    assert graph.source(graph.references(FULL.ref.key)[0]) is FULL
    assert graph.nodes[app.ref.key] is app


def test_duplicates() -> None:
    generated = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-"}}
    twice = [Object(ref_of(generated), generated), Object(ref_of(generated), dict(generated))]
    a, b = configmap("app", namespace=""), configmap("app", namespace="")
    old = thing("extensions/v1beta1", "Deployment", "web")
    graph = build([*twice, a, b, configmap("app"), old, thing("apps/v1", "Deployment", "web")])
    assert graph.duplicates == {
        Key("", "ConfigMap", "", "app"): (a, b),
        Key("apps", "Deployment", "shop", "web"): (graph.objects[5], graph.objects[6]),
    }


HOSTILE: list[Any] = [None, 1, "text", [], {}, [None, 1, "x"], {"name": 1, "items": 2}, [[{"name": []}]], {"name": {}}]


@pytest.mark.parametrize("junk", HOSTILE, ids=repr)
def test_hostile_objects_do_not_break_it(junk: Any) -> None:
    kinds = ["v1/Pod", "v1/Service", "apps/v1/StatefulSet", "networking.k8s.io/v1/NetworkPolicy", "v1/ServiceAccount",
             "networking.k8s.io/v1/Ingress", "rbac.authorization.k8s.io/v1/RoleBinding", "v1/PersistentVolume",
             "storage.k8s.io/v1/StorageClass", "apiextensions.k8s.io/v1/CustomResourceDefinition",
             "v1/Namespace",
             "gateway.networking.k8s.io/v1/HTTPRoute", "gateway.networking.k8s.io/v1/ReferenceGrant", "v1/ConfigMap",
             "monitoring.coreos.com/v1/ServiceMonitor", "batch/v1/CronJob", "example.com/v1/Farm",
             "v1/Secret"]  # fmt: skip
    fields = ["spec", "metadata", "data", "subjects", "roleRef", "rules", "parameters", "secrets", "template"]
    objects = []
    for kind in kinds:
        for field in fields:
            version, _, name = kind.rpartition("/")
            good = {"apiVersion": version, "kind": name, "metadata": {"name": "x"}}
            objects.append(Object(ref_of(good), good | {field: junk}))
            inner = {
                "selector": junk,
                "template": {"metadata": junk, "spec": junk},
                "from": junk,
                "volumes": junk,
                "podSelector": junk,
                "ingress": [{"from": [{"podSelector": junk}]}],
                "jobTemplate": junk,
                "tls": junk,
                "volumeClaimTemplates": junk,
                "replicas": junk,
                "names": junk,
                "group": junk,
            }
            objects.append(Object(ref_of(good), good | {"spec": inner}))
    for closed in (False, True):
        graph = build(objects, closed=closed)
        graph.order(), graph.cycles(), graph.duplicates
        for obj in objects[:20]:
            graph.referrers(obj.ref.key), graph.selected(obj.ref.key)
