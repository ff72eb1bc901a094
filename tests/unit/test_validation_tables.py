"""Small tables for the rules of kinds that make no pods: what a changed example is refused for."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

import kplan
from kplan.api.validation import gojson

Value = dict[str, Any]
Found = list[tuple[str, str]]


def obj(api_version: str, kind: str, /, **rest: Any) -> Value:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, **rest}


def found(sent: Value) -> Found:
    return [(c.field, c.reason.removeprefix("FieldValue")) for c in kplan.admit(sent).causes]


RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
SERVICES: list[tuple[Value, Found]] = [
    ({}, []),
    ({"ports": []}, [("spec.ports", "Required")]),
    ({"ports": [], "clusterIP": "None"}, []),
    ({"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8", " 192.0.2.0/24 "]}, []),
    (
        {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8", "10.0.0.0"]},
        [("spec.LoadBalancerSourceRanges[1]", "Invalid")],
    ),
    ({"loadBalancerSourceRanges": ["10.0.0.0/8"]}, [("spec.LoadBalancerSourceRanges", "Forbidden")]),
    ({"loadBalancerClass": "a.b/c"}, [("spec.loadBalancerClass", "Forbidden")]),
    ({"ipFamilyPolicy": "PreferDualStack"}, []),
    ({"ipFamilyPolicy": "RequireDualStack"}, [("spec.ipFamilyPolicy", "Invalid")]),
    ({"ipFamilies": ["IPv6"]}, [("spec.ipFamilies[0]", "Invalid")]),
    ({"ipFamilies": ["IPv4", "IPv6"]}, [("spec.ipFamilyPolicy", "Invalid")]),
    ({"ipFamilies": ["IPv4", "IPv4"]}, [("spec.ipFamilies[1]", "Duplicate")]),
    ({"ipFamilies": ["IPv6"], "clusterIP": "10.96.0.20"}, [("spec.clusterIPs[0]", "Invalid")]),
    ({"ipFamilies": ["IPv5"], "externalIPs": ["127.0.0.1"]}, [("spec.ipFamilies[0]", "NotSupported")]),
    ({"ipFamilies": ["IPv5"]}, [("spec.ipFamilies[0]", "NotSupported")]),
    ({"clusterIP": "10.96.0.20", "clusterIPs": ["10.96.0.21"]}, [("spec.clusterIPs", "Invalid")]),
    ({"clusterIP": "10.96.0.20", "clusterIPs": ["10.96.0.20", "10.96.0.21"]}, [("spec.clusterIPs", "Invalid")]),
    ({"clusterIP": "None", "type": "NodePort"}, [("spec.clusterIPs[0]", "Invalid")]),
    ({"type": "ExternalName"}, [("spec.externalName", "Required")]),
    ({"type": "ExternalName", "externalName": "a.b"}, []),
    ({"type": "ExternalName", "externalName": "a.b", "clusterIP": "None"}, [("spec.clusterIPs", "Forbidden")]),
    ({"externalTrafficPolicy": "Local"}, [("spec.externalTrafficPolicy", "Invalid")]),
    ({"externalIPs": ["127.0.0.1"]}, [("spec.externalIPs[0]", "Invalid")]),
    ({"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 0}}}, []),
    (
        {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}},
        [("spec.sessionAffinityConfig.clientIP.timeoutSeconds", "Invalid")],
    ),
]


@pytest.mark.parametrize(("spec", "causes"), SERVICES)
def test_services(spec: Value, causes: Found) -> None:
    assert found(obj("v1", "Service", spec={"ports": [{"port": 80}], **spec})) == causes


def test_source_ranges_of_the_annotation() -> None:
    sent = obj("v1", "Service", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
    sent["metadata"]["annotations"] = {RANGES: "10.0.0.0/8, x"}
    assert found(sent) == [(f"metadata.annotations[{RANGES}]", "Invalid")]


NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
HEADLESS = {"clusterIP": "None", "selector": {"a": "b"}}


@pytest.mark.parametrize(
    ("before", "change", "causes"),
    [
        (HEADLESS, {"selector": {"a": "c"}}, []),
        (HEADLESS, {"clusterIP": "10.96.0.20", "clusterIPs": ["10.96.0.20"]}, ["spec.clusterIPs[0]"]),
        ({}, {"clusterIP": "10.96.255.20", "clusterIPs": ["10.96.255.20"]}, ["spec.clusterIPs[0]"]),
        ({}, {"clusterIP": "", "clusterIPs": []}, []),
        ({}, {"ipFamilies": ["IPv6"]}, ["spec.clusterIPs[0]"]),
        (
            {"type": "LoadBalancer", "loadBalancerClass": "a.b/c"},
            {"loadBalancerClass": "a.b/d"},
            ["spec.loadBalancerClass"],
        ),
    ],
)
def test_changed_services(before: Value, change: Value, causes: list[str]) -> None:
    cluster = kplan.Cluster([NAMESPACE])
    old = obj("v1", "Service", spec={"ports": [{"port": 80}], **before})
    assert cluster.apply([old], mode="replace")[0].accepted
    new = copy.deepcopy(cluster.get(old))
    assert new is not None
    new["spec"] |= change
    answer = cluster.apply([new], mode="replace", dry_run=True)[0]
    assert sorted({c.field for c in answer.causes}) == causes


def secret(type_: str, **data: str) -> Value:
    encoded = {k.replace("_", "."): base64.b64encode(v.encode()).decode() for k, v in data.items()}
    return obj("v1", "Secret", type=f"kubernetes.io/{type_}", data=encoded)


MEGABYTE = 1 << 20
DATA: list[tuple[Value, Found]] = [
    (obj("v1", "ConfigMap", data={"a": "x" * MEGABYTE}), []),
    (obj("v1", "ConfigMap", data={"a": "x" * MEGABYTE}, binaryData={"b": "eA=="}), [("[]", "TooLong")]),
    (obj("v1", "ConfigMap", data={"a": "x"}, binaryData={"a": "eA=="}), [("data[a]", "Invalid")]),
    (obj("v1", "ConfigMap", data={"a/b": "x"}), [("data[a/b]", "Invalid")]),
    (obj("v1", "Secret", stringData={"a": "x" * MEGABYTE}), []),
    (obj("v1", "Secret", stringData={"a": "x" * MEGABYTE, "b": "x"}), [("data", "TooLong")]),
    (secret("tls", tls_crt=""), [("data[tls.key]", "Required")]),
    (secret("ssh-auth"), [("data[ssh-privatekey]", "Required")]),
    (
        obj("v1", "Secret", type="kubernetes.io/ssh-auth", data={"ssh-privatekey": ""}),
        [("data[ssh-privatekey]", "Required")],
    ),
    (secret("basic-auth"), [("data[username]", "Required"), ("data[password]", "Required")]),
    (secret("basic-auth", username=""), []),
    (secret("dockercfg", _dockercfg="{}"), []),
    (secret("dockercfg", _dockercfg="{"), [("data[.dockercfg]", "Invalid")]),
    (secret("dockerconfigjson"), [("data[.dockerconfigjson]", "Required")]),
    (
        secret("service-account-token"),
        [("metadata.annotations[kubernetes.io/service-account.name]", "Required")],
    ),
]


@pytest.mark.parametrize(("sent", "causes"), DATA)
def test_data(sent: Value, causes: Found) -> None:
    assert found(sent) == causes


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", ""),
        (" null ", ""),
        ('{"a": [1, -2.5e+3, "\\u00e9\\n", true, false, null, {"b": {}}]}', ""),
        ("", "unexpected end of JSON input"),
        ('{"a"', "unexpected end of JSON input"),
        ("1.", "unexpected end of JSON input"),
        ("-a", "invalid character 'a' in numeric literal"),
        ("foo", "invalid character 'o' in literal false (expecting 'a')"),
        ("x", "invalid character 'x' looking for beginning of value"),
        ("'", r"invalid character '\'' looking for beginning of value"),
        ("{} x", "invalid character 'x' after top-level value"),
        ("[1 2]", "invalid character '2' after array element"),
        ('{"a":1,}', "invalid character '}' looking for beginning of object key string"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1"', "invalid character '\"' after object key:value pair"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        ('"\\q"', "invalid character 'q' in string escape code"),
        ('"\\u12g4"', r"invalid character 'g' in \u hexadecimal character escape"),
        ('"a\n"', r"invalid character '\n' in string literal"),
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("1", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ("[" * 20000, "exceeded max depth"),
    ],
)
def test_go_json(text: str, problem: str) -> None:
    assert gojson.object_problem(text.encode()) == problem


BACKEND = {"service": {"name": "s", "port": {"number": 80}}}
AT = "spec.rules[0].http.paths[0]"
PATHS: list[tuple[Value, Found]] = [
    ({"path": "/a", "pathType": "Prefix"}, []),
    ({"pathType": "ImplementationSpecific"}, []),
    ({"path": "a", "pathType": "Exact"}, [(f"{AT}.path", "Invalid")]),
    ({"path": "/a//b", "pathType": "Prefix"}, [(f"{AT}.path", "Invalid")]),
    ({"path": "/a/../b", "pathType": "Prefix"}, [(f"{AT}.path", "Invalid")]),
    ({"path": "/a//b", "pathType": "ImplementationSpecific"}, []),
    ({"path": "/a", "pathType": "exact"}, [(f"{AT}.pathType", "NotSupported")]),
    ({"path": "/a"}, [(f"{AT}.pathType", "Required")]),
    ({"path": "/a", "pathType": "Exact", "backend": {}}, [(f"{AT}.backend", "Invalid")]),
    (
        {"path": "/a", "pathType": "Exact", "backend": {"service": {"name": "s"}}},
        [(f"{AT}.backend", "Required")],
    ),
]


@pytest.mark.parametrize(("path", "causes"), PATHS)
def test_ingress_paths(path: Value, causes: Found) -> None:
    rule = {"http": {"paths": [{"backend": BACKEND, **path}]}}
    assert found(obj("networking.k8s.io/v1", "Ingress", spec={"rules": [rule]})) == causes


QUOTAS: list[tuple[Value, Found]] = [
    ({"hard": {"pods": "4"}, "scopes": ["BestEffort"]}, []),
    ({"hard": {"requests.cpu": "4"}, "scopes": ["NotBestEffort"]}, []),
    ({"hard": {"requests.cpu": "4"}, "scopes": ["BestEffort"]}, [("spec.scopes", "Invalid")]),
    ({"hard": {"pods": "4"}, "scopes": ["BestEffort", "NotBestEffort"]}, [("spec.scopes", "Invalid")]),
    ({"hard": {"pods": "4"}, "scopes": ["Wrong"]}, [("spec.scopes", "Invalid")]),
    ({"hard": {"pods": "1.5"}}, [("spec.hard[pods]", "Invalid")]),
    ({"hard": {"pods": "-1"}}, [("spec.hard[pods]", "Invalid")]),
]


@pytest.mark.parametrize(("spec", "causes"), QUOTAS)
def test_quota_scopes(spec: Value, causes: Found) -> None:
    assert found(obj("v1", "ResourceQuota", spec=spec)) == causes


LIMITS: list[tuple[Value, Found]] = [
    ({"min": "1", "defaultRequest": "2", "default": "3", "max": "4"}, []),
    ({"type": "Pod", "min": "4", "max": "1"}, [("spec.limits[0].min[cpu]", "Invalid")]),
    ({"type": "Pod", "default": "1"}, [("spec.limits[0].default", "Forbidden")]),
    ({"min": "2", "defaultRequest": "1"}, [("spec.limits[0].defaultRequest[cpu]", "Invalid")]),
    ({"defaultRequest": "3", "default": "2"}, [("spec.limits[0].defaultRequest[cpu]", "Invalid")]),
    (
        {"default": "3", "max": "2"},
        [("spec.limits[0].default[cpu]", "Invalid"), ("spec.limits[0].defaultRequest[cpu]", "Invalid")],
    ),
    ({"maxLimitRequestRatio": "0.5"}, [("spec.limits[0].maxLimitRequestRatio[cpu]", "Invalid")]),
]


@pytest.mark.parametrize(("limits", "causes"), LIMITS)
def test_limit_ranges(limits: Value, causes: Found) -> None:
    item = {"type": "Container"} | {k: v if k == "type" else {"cpu": v} for k, v in limits.items()}
    assert set(found(obj("v1", "LimitRange", spec={"limits": [item]}))) == set(causes)


LEVEL = "pod-security.kubernetes.io/enforce"


@pytest.mark.parametrize(
    ("labels", "causes"),
    [
        ({LEVEL: "baseline", f"{LEVEL}-version": "v1.30"}, []),
        ({LEVEL: "Baseline"}, [(f"metadata.labels[{LEVEL}]", "Invalid")]),
        ({LEVEL: ""}, [(f"metadata.labels[{LEVEL}]", "Invalid")]),
        ({f"{LEVEL}-version": "v1.030"}, [(f"metadata.labels[{LEVEL}-version]", "Invalid")]),
    ],
)
def test_namespace_levels(labels: dict[str, str], causes: Found) -> None:
    sent = obj("v1", "Namespace")
    sent["metadata"]["labels"] = labels
    assert found(sent) == causes


def test_wrong_level_may_stay() -> None:
    stored = {**NAMESPACE, "metadata": {"name": "default", "labels": {LEVEL: "wrong"}}}
    cluster = kplan.Cluster([stored])
    new = {**NAMESPACE, "metadata": {"name": "default", "labels": {LEVEL: "wrong", "a": "b"}}}
    assert cluster.apply([new], mode="replace", dry_run=True)[0].accepted
    new["metadata"]["labels"][LEVEL] = "other"
    assert cluster.apply([new], mode="replace", dry_run=True)[0].status == 422


@pytest.mark.parametrize(("parameter", "accepted"), [(1, True), (True, False), (2, False)])
def test_parameters_of_a_driver_tell_one_from_true(parameter: Any, accepted: bool) -> None:
    def template(n: Any) -> Value:
        config = {"opaque": {"driver": "d.example", "parameters": {"n": n}}}
        request = {"name": "r", "exactly": {"deviceClassName": "c"}}
        spec = {"devices": {"requests": [request], "config": [config]}}
        return obj("resource.k8s.io/v1", "ResourceClaimTemplate", spec={"spec": spec})

    cluster = kplan.Cluster([NAMESPACE])
    assert cluster.apply([template(1)], mode="replace")[0].accepted
    assert cluster.apply([template(parameter)], mode="replace", dry_run=True)[0].accepted is accepted
