"""The whole way of a new object through the API server, and what the registry makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import kplan
from kplan.api.decode_errors import Verdict
from kplan.api.defaults import decoded
from kplan.api.encode import fill_nulls
from kplan.api.newpods import qos_class
from kplan.api.request import Request, Server
from kplan.api.strategy import generated_name, prepare_for_create
from kplan.schema import catalog
from kplan.store import Store

DATA = Path(__file__).parents[1] / "data" / "api"
STORED = [json.loads(line) for line in (DATA / "stored.jsonl").read_text().splitlines()]
ALLOCATED = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")


def prepared(value: dict[str, Any], version: str = "1.36", store: Store | None = None) -> Any:
    """The stored form without admission and validation."""
    info = catalog(version).kind(value["apiVersion"], value["kind"])
    assert info is not None
    minor = int(version.split(".")[1])
    new = decoded(value, info, minor)
    namespace = "default" if info.namespaced else ""
    if namespace:
        new["metadata"].setdefault("namespace", namespace)
    name = new["metadata"].get("name", "")
    request = Request(info.group, info.version, info.kind, info.plural, namespace, name, version, minor, store)
    prepare_for_create(new, info, request)
    fill_nulls(info.node, new)
    return new


def flat(value: Any, path: str = "") -> dict[str, Any]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = {k: v for key, item in items for k, v in flat(item, f"{path}/{str(key).replace('/', '~1')}").items()}
    return inner if isinstance(value, (dict, list)) and value else {path: value}


def obj(api_version: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields}


def service(name: str = "x", **spec: Any) -> dict[str, Any]:
    return obj("v1", "Service", spec={"ports": [{"port": 80}], **spec}) | {"metadata": {"name": name}}


def cluster(*objects: dict[str, Any]) -> Any:
    store = Store(objects)
    return SimpleNamespace(store=store, version="1.36", server=lambda: Server("1.36", store))


@pytest.mark.parametrize("case", STORED, ids=lambda c: f"{c['object']['apiVersion']} {c['object']['kind']}")
def test_stored_form_as_the_code_of_the_api_server_1_36_gives_it(case: dict[str, Any]) -> None:
    given, stored = case["object"], prepared(case["object"])
    uid = stored["metadata"].pop("uid")
    stored["metadata"].pop("generation", None)
    if given["kind"] == "Service":
        for name in ALLOCATED:
            stored["spec"].pop(name)
    if given["kind"] == "CertificateSigningRequest":  # the code was run for nobody
        assert stored["spec"].pop("groups") == ["system:authenticated"]
    before, after = flat(given), flat(json.loads(json.dumps(stored).replace(uid, "<uid>")))
    added = {k: v for k, v in after.items() if k not in before and not k.endswith("lastTransitionTime")}
    assert added == case["added"]
    assert {k: v for k, v in after.items() if k in before and before[k] != v} == case["changed"]
    gone = {k for k in before if k not in after and not any(a.startswith(f"{k}/") for a in after)}
    assert sorted(gone) == case["removed"]


@pytest.mark.parametrize(
    ("doc", "status", "message"),
    [
        ({"apiVersion": "v1"}, 400, """Object 'Kind' is missing in '{"apiVersion":"v1"}'"""),
        ({"kind": "Pod", "data": {"a": "b"}}, 400, """Object 'apiVersion' is missing in '{"kind":"Pod"}'"""),
        (
            {"apiVersion": "v1", "kind": 7},
            400,
            (
                "couldn't get version/kind; json parse error: "
                "json: cannot unmarshal number into Go struct field .kind of type string"
            ),
        ),
        (obj("v1", "Foo"), 404, 'no matches for kind "Foo" in version "v1"'),
        (
            obj("extensions/v1beta1", "Deployment"),
            404,
            'no matches for kind "Deployment" in version "extensions/v1beta1"',
        ),
        ("a: b: c", 400, "error converting YAML to JSON: yaml: mapping values are not allowed in this context"),
        ("- 1", 400, "a manifest is a mapping with apiVersion and kind, not a list"),
    ],
)
def test_what_is_no_object_of_the_server(doc: Any, status: int, message: str) -> None:
    answer = kplan.admit(doc)
    assert (answer.accepted, answer.status, answer.message, answer.object) == (False, status, message, None)


def test_an_invalid_object_is_told_with_its_causes() -> None:
    answer = kplan.admit(service("Bad", ports=[{"port": 0}, {"port": 0}]))
    assert answer.status == 422
    assert answer.message.startswith('Service "Bad" is invalid: [metadata.name: Invalid value: "Bad": ')
    errors = [f"{c.field}: {c.message}" for c in answer.causes]
    assert answer.message.endswith(f"[{', '.join(dict.fromkeys(errors))}]")


def test_namespaces() -> None:
    assert kplan.admit(obj("v1", "ConfigMap")).object["metadata"]["namespace"] == "default"
    class_ = obj("scheduling.k8s.io/v1", "PriorityClass", value=1)
    class_["metadata"]["namespace"] = "shop"
    assert "namespace" not in kplan.admit(class_).object["metadata"]


def test_repeated_keys_and_the_last_line_of_a_text() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  a: b\ndata:\n  # again\n  c: |\n    d"
    answer = kplan.admit(text)
    assert answer.message == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: '
        'yaml: unmarshal errors:\n  line 8: key "data" already set in map'
    )
    answer = kplan.admit(text.replace("data:\n  a: b\n", "", 1))
    assert answer.input["data"] == {"c": "d\n"}
    assert answer.object["data"] == {"c": "d"}
    answer = kplan.admit('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":"b","a":"c"}}')
    assert answer.message.endswith('strict decoding error: duplicate field "data.a"')


def test_an_older_release_drops_what_it_does_not_know_yet_and_says_so() -> None:
    pod = obj("v1", "Pod", spec={"hostnameOverride": "h", "containers": [{"name": "c", "image": "a"}]})
    answer = kplan.admit(pod, version="1.33")
    assert answer.accepted
    assert 'unknown field "spec.hostnameOverride"' in answer.warnings
    assert "hostnameOverride" not in answer.object["spec"]
    assert "hostnameOverride" not in kplan.admit(pod, version="1.34").object["spec"]
    assert kplan.admit(pod).object["spec"]["hostnameOverride"] == "h"
    pod["spec"]["bogus"] = 1
    assert kplan.admit(pod, version="1.33").message.endswith('strict decoding error: unknown field "spec.bogus"')


def test_fields_of_disabled_features_are_dropped() -> None:
    spec = {
        "containers": [
            {"name": "c", "lifecycle": {"stopSignal": "SIGTERM"}, "volumeMounts": [{"name": "i", "mountPath": "/i"}]},
            {"name": "d", "lifecycle": {"stopSignal": "SIGTERM", "preStop": {"sleep": {"seconds": 1}}}},
        ],
        "volumes": [{"name": "i", "image": {"reference": "a"}}],
    }
    new = prepared(obj("v1", "Pod", spec=spec))["spec"]
    assert "lifecycle" not in new["containers"][0]
    assert new["containers"][1]["lifecycle"] == {"preStop": {"sleep": {"seconds": 1}}}
    assert "image" in new["volumes"][0]
    old = prepared(obj("v1", "Pod", spec=spec), "1.34")["spec"]
    assert ("volumes" in old, "volumeMounts" in old["containers"][0]) == (False, False)


def test_names_and_uids_follow_from_the_object() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "a-"}}
    first, again = kplan.admit(config).object["metadata"], kplan.admit(config).object["metadata"]
    assert first == again
    assert first["name"].startswith("a-")
    assert len(first["name"]) == 7
    store = Store([obj("v1", "ConfigMap")])
    assert prepared(config, store=store)["metadata"]["name"] != first["name"]
    assert len(generated_name("n" * 70, "")) == 63


def test_system_metadata_is_not_taken_from_users() -> None:
    given = obj("v1", "ConfigMap")
    given["metadata"] |= {"uid": "u", "resourceVersion": "7", "creationTimestamp": "2024-01-01T00:00:00Z"}
    meta = prepared(given)["metadata"]
    assert meta.keys() == {"name", "namespace", "uid"}
    assert meta["uid"] != "u"


def test_a_job_selects_its_pods_by_uid() -> None:
    template = {"metadata": {"labels": {"a": "b"}}}
    job = prepared(obj("batch/v1", "Job", spec={"template": template}))
    uid = job["metadata"]["uid"]
    labels = {"a": "b", "batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": "x"}
    labels |= {"controller-uid": uid, "job-name": "x"}
    assert job["spec"]["template"]["metadata"]["labels"] == job["metadata"]["labels"] == labels
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    own = obj("batch/v1", "Job", spec={"template": template})
    own["metadata"]["labels"] = {"a": "b"}
    assert prepared(own)["metadata"]["labels"] == {"a": "b"}


def test_services_get_addresses_that_are_free() -> None:
    first = prepared(service(type="NodePort"))
    again = prepared(service(type="NodePort"))
    assert first == again
    taken = {**first, "metadata": {"name": "other", "namespace": "default"}}
    second = prepared(service(type="NodePort"), store=Store([taken]))
    assert first["spec"]["clusterIP"] != second["spec"]["clusterIP"]
    assert first["spec"]["ports"][0]["nodePort"] != second["spec"]["ports"][0]["nodePort"]
    ports = [{"name": "t", "port": 53}, {"name": "u", "port": 53, "protocol": "UDP"}]
    both = prepared(service(type="LoadBalancer", ports=ports))["spec"]["ports"]
    assert both[0]["nodePort"] == both[1]["nodePort"]
    none = prepared(service(type="LoadBalancer", allocateLoadBalancerNodePorts=False))["spec"]["ports"]
    assert "nodePort" not in none[0]


def test_headless_services_without_selector_are_for_all_families() -> None:
    spec = prepared(service(clusterIP="None"))["spec"]
    assert (spec["ipFamilyPolicy"], spec["ipFamilies"]) == ("RequireDualStack", ["IPv4", "IPv6"])
    spec = prepared(service(clusterIP="None", selector={"a": "b"}))["spec"]
    assert (spec["ipFamilyPolicy"], spec["ipFamilies"], spec["clusterIPs"]) == ("SingleStack", ["IPv4"], ["None"])


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            (
                'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
                "this cluster is not configured for dual-stack services"
            ),
        ),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
        (
            {"clusterIP": "100.69.46.185"},
            (
                'spec.clusterIPs: Invalid value: ["100.69.46.185"]: failed to allocate IP 100.69.46.185: '
                "the provided IP (100.69.46.185) is not in the valid range. The range of valid IPs is 10.96.0.0/16"
            ),
        ),
    ],
)
def test_addresses_that_the_cluster_does_not_have(spec: dict[str, Any], cause: str) -> None:
    answer = kplan.admit(service(**spec))
    assert answer.message == f'Service "x" is invalid: {cause}'


def test_addresses_of_a_store() -> None:
    near = service("near", clusterIP="100.64.0.1")
    world = cluster(near | {"metadata": {"name": "near", "namespace": "default"}})
    assert kplan.admit(service(clusterIP="100.64.0.2"), cluster=world).accepted
    answer = kplan.admit(service(clusterIP="100.64.0.1"), cluster=world)
    assert answer.message.endswith("failed to allocate IP 100.64.0.1: provided IP is already allocated")


def test_a_node_port_that_another_service_has() -> None:
    def asking(name: str, number: int, **spec: Any) -> dict[str, Any]:
        return service(name, type="NodePort", **{"ports": [{"port": 80, "nodePort": number}], **spec})

    world = kplan.Cluster()
    assert world.apply([asking("near", 31080)])[0].accepted
    answer = kplan.admit(asking("x", 31080), cluster=world)
    problem = "spec.ports[0].nodePort: Invalid value: 31080: provided port is already allocated"
    assert answer.message == f'Service "x" is invalid: {problem}'
    (drawn,) = [p["nodePort"] for p in world.apply([service("drawn", type="NodePort")])[0].object["spec"]["ports"]]
    assert kplan.admit(asking("x", drawn), cluster=world).accepted  # a real server would have drawn another one
    ports = [{"name": "a", "port": 80, "nodePort": 31080}, {"name": "b", "port": 81}]
    assert world.apply([asking("near", 31080, ports=ports)])[0].accepted  # it has that one already


@pytest.mark.parametrize(
    ("containers", "qos"),
    [
        ([{}], "BestEffort"),
        ([{"limits": {"cpu": "0"}}], "BestEffort"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"requests": {"cpu": "1", "memory": "1"}, "limits": {"cpu": "1000m", "memory": "1"}}], "Guaranteed"),
        ([{"requests": {"cpu": "1", "memory": "1"}, "limits": {"cpu": "1", "memory": "1"}}, {}], "Burstable"),
        ([{"requests": {"example.org/x": "1"}}], "BestEffort"),
    ],
)
def test_quality_of_service(containers: list[dict[str, Any]], qos: str) -> None:
    assert qos_class({"containers": [{"resources": r} for r in containers]}, 36) == qos


def test_pod_level_resources_decide_the_quality_of_service() -> None:
    own = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
    spec = {"containers": [{"resources": {}}], "resources": own}
    assert (qos_class(spec, 36), qos_class(spec, 33)) == ("Guaranteed", "BestEffort")


def test_label_keys_become_expressions() -> None:
    constraint = {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}
    constraint |= {"labelSelector": {}, "matchLabelKeys": ["a", "missing"]}
    pod = obj("v1", "Pod", spec={"topologySpreadConstraints": [constraint]})
    pod["metadata"]["labels"] = {"a": "b"}
    expressions = [{"key": "a", "operator": "In", "values": ["b"]}]
    stored = prepared(pod)["spec"]["topologySpreadConstraints"][0]
    assert stored["labelSelector"] == {"matchExpressions": expressions}
    assert prepared(pod, "1.33")["spec"]["topologySpreadConstraints"][0]["labelSelector"] == {}


def test_apparmor_annotations_become_fields() -> None:
    pod = obj("v1", "Pod", spec={"containers": [{"name": "a"}, {"name": "b"}, {"name": "c"}]})
    prefix = "container.apparmor.security.beta.kubernetes.io"
    pod["metadata"]["annotations"] = {f"{prefix}/a": "unconfined", f"{prefix}/b": "localhost/p", f"{prefix}/c": "?"}
    profiles = [c.get("securityContext") for c in prepared(pod)["spec"]["containers"]]
    assert profiles == [
        {"appArmorProfile": {"type": "Unconfined"}},
        {"appArmorProfile": {"type": "Localhost", "localhostProfile": "p"}},
        None,
    ]


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ({"dataSource": {"kind": "PersistentVolumeClaim", "name": "a"}}, ("dataSource", "dataSourceRef")),
        ({"dataSource": {"kind": "Odd", "name": "a"}}, ()),
        ({"dataSourceRef": {"kind": "Odd", "apiGroup": "x.y", "name": "a"}}, ("dataSource", "dataSourceRef")),
        ({"dataSourceRef": {"kind": "Odd", "name": "a", "namespace": "b"}}, ()),
    ],
)
def test_data_sources_of_claims(given: dict[str, Any], stored: tuple[str, ...]) -> None:
    spec = prepared(obj("v1", "PersistentVolumeClaim", spec=given))["spec"]
    assert tuple(k for k in ("dataSource", "dataSourceRef") if k in spec) == stored
    assert len({json.dumps(spec[k], sort_keys=True) for k in stored}) <= 1


def test_odd_ones() -> None:
    nameless = prepared({"apiVersion": "v1", "kind": "LimitRange"})["metadata"]
    assert nameless["name"] == nameless["uid"]
    hpa = obj("autoscaling/v1", "HorizontalPodAutoscaler", spec={}, status={"currentReplicas": 3})
    hpa["metadata"]["annotations"] = {"autoscaling.alpha.kubernetes.io/conditions": "[]"}
    stored = prepared(hpa)
    assert "annotations" not in stored["metadata"]
    assert (stored["spec"]["targetCPUUtilizationPercentage"], stored["status"]["currentReplicas"]) == (80, 0)
    local = prepared(obj("apiregistration.k8s.io/v1", "APIService", spec={"group": "a"}))
    assert [c["reason"] for c in local["status"]["conditions"]] == ["Local"]
    daemon_set = prepared(obj("apps/v1", "DaemonSet"))
    assert daemon_set["metadata"]["annotations"] == {"deprecated.daemonset.template.generation": "1"}


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {
        "group": "example.org",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer", "default": 3},
                                    "parts": {"type": "array", "items": {"type": "object", "properties": {}}},
                                },
                            },
                            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                        },
                    }
                },
            }
        ],
    },
}


def test_custom_resources_follow_their_definition() -> None:
    world = cluster(CRD)
    widget = obj("example.org/v1", "Widget", spec={"parts": [{}]}, status={"a": 1})
    stored = kplan.admit(widget, cluster=world).object
    assert (stored["spec"], "status" in stored) == ({"parts": [{}], "size": 3}, False)
    assert stored["metadata"]["namespace"] == "default"
    widget["spec"] |= {"parts": [{"x": 1}], "a": 1}
    answer = kplan.admit(widget, cluster=world)
    assert answer.message == (
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: '
        'unknown field "spec.a", unknown field "spec.parts[0].x"'
    )


def test_custom_resources_without_definition_are_taken_as_they_are() -> None:
    widget = obj("example.org/v1", "Widget", spec={"a": None})
    answer = kplan.admit(widget)
    assert (answer.accepted, answer.object) == (True, widget)
    assert answer.object is not widget


def test_verdicts_are_empty_for_good_objects() -> None:
    info = catalog().kind("v1", "ConfigMap")
    from kplan.api.decode_errors import explain

    assert info is not None
    assert explain(info.node, obj("v1", "ConfigMap")) == Verdict("", ())
