"""Versioned defaults: the tables fit the schemas, and types are filled in as the server does."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.api.defaults import default
from kplan.api.defaults.images import pull_policy
from kplan.api.defaults.rules import RULES
from kplan.schema import catalog
from kplan.schema.definitions import read

META = {"name": "x"}


def defaulted(api_version: str, kind: str, version: str = "1.36", **fields: Any) -> Any:
    return default({"apiVersion": api_version, "kind": kind, "metadata": dict(META), **fields}, version)


def pod_spec(version: str = "1.36", **spec: Any) -> Any:
    return defaulted("v1", "Pod", version, spec=spec)["spec"]


def known(definition: str, path: str) -> bool:
    """Whether some release has this field."""
    for minor in range(29, 38):
        try:
            node = catalog(f"1.{minor}").definition(definition)
        except KeyError:
            continue
        found: Any = node
        for step in path.split("."):
            found = (found.fields or {}).get(step) if found is not None else None
        if found is not None:
            return True
    return False


@pytest.mark.parametrize("table", ["facts/defaults", "facts/gated"])
def test_every_row_of_the_tables_names_a_field(table: str) -> None:
    rows = [(d.rstrip("!"), key.rpartition(" ")[2].rstrip("?")) for d, fields in read(table).items() for key in fields]
    assert [row for row in rows if not known(*row)] == []
    assert [
        name for name in RULES if not name.startswith("v1.") and not known(name, "kind") and not known_type(name)
    ] == []


def known_type(name: str) -> bool:
    shard, _, short = name.rpartition(".")
    return short in read(f"kubernetes/{shard}")


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("registry.example.org:5000/team/app", "Always"),
        ("registry.example.org:5000/team/app:v1", "IfNotPresent"),
        ("localhost/app", "Always"),
        (f"app@sha256:{'a' * 64}", "IfNotPresent"),
        (f"app:latest@sha256:{'a' * 64}", "Always"),
        ("app:latest@sha256:short", "IfNotPresent"),
        ("", "IfNotPresent"),
        ("UPPER", "IfNotPresent"),
        ("Upper/app", "Always"),
        ("a" * 64, "IfNotPresent"),
        ("f" * 300, "IfNotPresent"),
    ],
)
def test_pull_policy(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


def test_a_deployment_of_one_container() -> None:
    template = {"spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}]}]}}
    assert defaulted("apps/v1", "Deployment", spec={"template": template})["spec"] == {
        "progressDeadlineSeconds": 600,
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {
            "metadata": {},
            "spec": {
                "containers": [
                    {
                        "name": "c",
                        "image": "nginx",
                        "imagePullPolicy": "Always",
                        "ports": [{"containerPort": 80, "protocol": "TCP"}],
                        "resources": {},
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File",
                    }
                ],
                "dnsPolicy": "ClusterFirst",
                "restartPolicy": "Always",
                "schedulerName": "default-scheduler",
                "securityContext": {},
                "terminationGracePeriodSeconds": 30,
            },
        },
    }


def test_explicit_zeroes_behind_pointers_stay() -> None:
    spec = defaulted("apps/v1", "Deployment", spec={"replicas": 0, "progressDeadlineSeconds": 0})["spec"]
    assert (spec["replicas"], spec["progressDeadlineSeconds"]) == (0, 0)
    probe = {"tcpSocket": {"port": 1}, "periodSeconds": 0}
    container = pod_spec(containers=[{"name": "c", "livenessProbe": probe}])["containers"][0]
    assert container["livenessProbe"]["periodSeconds"] == 10


def test_only_pods_get_requests_host_ports_and_service_links() -> None:
    container = {"resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}}
    container |= {"name": "c", "ports": [{"containerPort": 80}]}
    spec = {"hostNetwork": True, "containers": [container]}
    pod = pod_spec(**spec)
    assert pod["enableServiceLinks"] is True
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert pod["containers"][0]["ports"] == [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]
    template = defaulted("v1", "PodTemplate", template={"spec": spec})["template"]["spec"]
    assert "enableServiceLinks" not in template
    assert template["containers"][0]["resources"]["requests"] == {"cpu": "500m"}
    assert template["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]


@pytest.mark.parametrize(("version", "filled"), [("1.33", False), ("1.36", True)])
def test_pod_level_resources(version: str, filled: bool) -> None:
    containers = [
        {"name": "a", "resources": {"requests": {"cpu": "250m", "example.org/x": "1"}}},
        {"name": "b", "resources": {"limits": {"hugepages-2Mi": "4Mi"}, "requests": {"cpu": "250m"}}},
    ]
    given = {"limits": {"cpu": "2", "memory": "1Gi"}}
    resources = pod_spec(version, containers=containers, resources=given)["resources"]
    if filled:
        assert resources["requests"] == {"cpu": "500m", "memory": "1Gi", "hugepages-2Mi": "4Mi"}
        assert resources["limits"] == {"cpu": "2", "memory": "1Gi", "hugepages-2Mi": "4Mi"}
    else:
        assert resources == given


def test_volumes() -> None:
    volumes = [
        {"name": "none"},
        {"name": "secret", "secret": {"secretName": "s"}},
        {"name": "host", "hostPath": {"path": "/x"}},
        {"name": "image", "image": {"reference": "a:latest"}},
        {"name": "claim", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}},
    ]
    claim = {"metadata": {}, "spec": {"resources": {}, "volumeMode": "Filesystem"}}
    assert pod_spec(volumes=volumes)["volumes"] == [
        {"name": "none", "emptyDir": {}},
        {"name": "secret", "secret": {"secretName": "s", "defaultMode": 420}},
        {"name": "host", "hostPath": {"path": "/x", "type": ""}},
        {"name": "image", "image": {"reference": "a:latest", "pullPolicy": "Always"}},
        {"name": "claim", "ephemeral": {"volumeClaimTemplate": claim}},
    ]
    old = pod_spec("1.34", volumes=[volumes[3]])["volumes"]
    assert old == [{"name": "image", "image": {"reference": "a:latest"}}]


@pytest.mark.parametrize(
    ("given", "strategy"),
    [
        ({}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
        ({"type": "RollingUpdate"}, {"type": "RollingUpdate"}),
        ({"rollingUpdate": {"partition": 2}}, {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}),
        ({"type": "OnDelete"}, {"type": "OnDelete"}),
    ],
)
def test_stateful_set_strategy(given: dict[str, Any], strategy: dict[str, Any]) -> None:
    spec = {"updateStrategy": given}
    assert defaulted("apps/v1", "StatefulSet", spec=spec)["spec"]["updateStrategy"] == strategy
    newer = defaulted("apps/v1", "StatefulSet", "1.35", spec=spec)["spec"]["updateStrategy"]
    assert newer.get("rollingUpdate", {}).get("maxUnavailable") == (1 if "rollingUpdate" in strategy else None)


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ({}, {"completions": 1, "parallelism": 1, "backoffLimit": 6, "podReplacementPolicy": "TerminatingOrFailed"}),
        ({"completions": 3}, {"completions": 3, "parallelism": 1}),
        ({"parallelism": 0}, {"parallelism": 0, "completions": None}),
        ({"backoffLimitPerIndex": 1}, {"backoffLimit": 2147483647}),
        ({"podFailurePolicy": {"rules": []}}, {"podReplacementPolicy": "Failed"}),
    ],
)
def test_jobs(given: dict[str, Any], filled: dict[str, Any]) -> None:
    template = {"metadata": {"labels": {"a": "b"}}}
    job = defaulted("batch/v1", "Job", spec={"template": template, **given})
    assert {k: job["spec"].get(k) for k in filled} == filled
    assert job["metadata"]["labels"] == {"a": "b"}
    cron = defaulted("batch/v1", "CronJob", spec={"jobTemplate": {"spec": {"template": template}}})["spec"]
    assert cron["jobTemplate"]["spec"].keys() == {"template"}


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        ({}, {"type": "ClusterIP", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster"}),
        ({"type": "ExternalName"}, {"internalTrafficPolicy": None, "externalTrafficPolicy": None}),
        ({"type": "LoadBalancer"}, {"allocateLoadBalancerNodePorts": True, "externalTrafficPolicy": "Cluster"}),
        ({"externalIPs": ["192.0.2.1"]}, {"externalTrafficPolicy": "Cluster"}),
        ({"sessionAffinity": "ClientIP"}, {"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10800}}}),
        ({"sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 1}}}, {"sessionAffinityConfig": None}),
        ({"ports": [{"port": 80}]}, {"ports": [{"port": 80, "targetPort": 80, "protocol": "TCP"}]}),
    ],
)
def test_services(given: dict[str, Any], filled: dict[str, Any]) -> None:
    spec = defaulted("v1", "Service", spec=given)["spec"]
    assert {k: spec.get(k) for k in filled} == filled


def test_other_kinds() -> None:
    secret = defaulted("v1", "Secret", data={"a": "YQ=="}, stringData={"a": "b", "c": ""})
    assert (secret["type"], secret["data"], "stringData" in secret) == ("Opaque", {"a": "Yg==", "c": ""}, False)
    item = {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Gi"}}
    limits = defaulted("v1", "LimitRange", spec={"limits": [item]})["spec"]["limits"][0]
    assert (limits["default"], limits["defaultRequest"]) == ({"cpu": "2"}, {"cpu": "2", "memory": "1Gi"})
    policy = defaulted("networking.k8s.io/v1", "NetworkPolicy", spec={"egress": [{"ports": [{"port": 1}]}]})["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"][0]["ports"] == [{"port": 1, "protocol": "TCP"}]
    group = "rbac.authorization.k8s.io"
    subjects = [{"kind": "User", "name": "a"}, {"kind": "ServiceAccount", "name": "b"}]
    binding = defaulted(f"{group}/v1", "RoleBinding", subjects=subjects)
    assert binding["roleRef"]["apiGroup"] == group
    assert [s.get("apiGroup") for s in binding["subjects"]] == [group, None]
    behavior = {"scaleUp": {"policies": [], "stabilizationWindowSeconds": 5}}
    hpa = defaulted("autoscaling/v2", "HorizontalPodAutoscaler", spec={"behavior": behavior})["spec"]
    assert hpa["behavior"] == {
        "scaleUp": {"policies": [], "selectPolicy": "Max", "stabilizationWindowSeconds": 5},
        "scaleDown": {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}], "selectPolicy": "Max"},
    }
    assert defaulted("v1", "Namespace")["metadata"]["labels"] == {"kubernetes.io/metadata.name": "x"}
    quota = defaulted("v1", "ResourceQuota", spec={"hard": {"a": "0.0001", "b": "1500u", "c": "1.5"}})["spec"]
    assert quota["hard"] == {"a": "1m", "b": "2m", "c": "1500m"}


@pytest.mark.parametrize(
    "value",
    [
        {"apiVersion": "example.org/v1", "kind": "Thing", "spec": {"replicas": None}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": "x", "spec": {"containers": [1]}},
        {"kind": ["Pod"]},
    ],
)
def test_what_cannot_be_defaulted_is_copied(value: dict[str, Any]) -> None:
    out = default(value, "1.36")
    assert out == value
    assert out is not value
    assert all(out[k] is not v for k, v in value.items() if isinstance(v, (dict, list)))


def test_unknown_fields_stay() -> None:
    assert defaulted("v1", "ConfigMap", newer={"a": None})["newer"] == {"a": None}


@pytest.mark.parametrize(
    ("api_version", "kind", "path"),
    [
        ("extensions/v1beta1", "Deployment", ("spec", "progressDeadlineSeconds")),
        ("batch/v1beta1", "CronJob", ("spec", "concurrencyPolicy")),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", ("spec", "metrics")),
    ],
)
def test_removed_versions_are_defaulted_like_their_replacement(
    api_version: str, kind: str, path: tuple[str, str]
) -> None:
    out = defaulted(api_version, kind, spec={})
    assert path[1] in out[path[0]]
    assert (out["apiVersion"], out["kind"]) == (api_version, kind)


def test_webhooks_of_old_versions_had_other_defaults() -> None:
    webhooks = [{"name": "x"}]
    old = defaulted("admissionregistration.k8s.io/v1beta1", "ValidatingWebhookConfiguration", webhooks=webhooks)
    assert old["webhooks"] == webhooks
