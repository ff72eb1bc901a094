"""The columns of `kplan get`, kind by kind: what the API server's tables say of small objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kplan.render import get
from kplan.render.columns import BY_KIND, of_custom
from kplan.render.columns.jsonpath import find, parse
from kplan.render.columns.pods import summary
from kplan.render.get import Listed, Look, names, tables

Value = dict[str, Any]

NOW = "2026-01-01T12:00:00Z"
BORN = "2026-01-01T11:54:30Z"
RECORDED = json.loads((Path(__file__).parents[1] / "data" / "views" / "recorded.json").read_text(encoding="utf-8"))


def row(api_version: str, kind: str, body: Value, *, wide: bool = False) -> list[str]:
    """The cells of an object named `x`, which is 5m30s old."""
    group = api_version.rpartition("/")[0]
    meta = {"name": "x", "namespace": "shop", "creationTimestamp": BORN, **body.get("metadata", {})}
    obj = {"apiVersion": api_version, "kind": kind, **body, "metadata": meta}
    shown = tables([Listed(group, kind, True, [obj])], Look(now=NOW, wide=wide))
    header, line = shown.splitlines()
    starts = [i for i, c in enumerate(header) if c != " " and header[max(0, i - 2) : i].strip() == ""]
    ends = [*starts[1:], len(line) + 1]
    return [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]


def waiting(reason: str) -> Value:
    return {"state": {"waiting": {"reason": reason}}}


def ended(code: int, reason: str = "", **more: Any) -> Value:
    return {"state": {"terminated": {"exitCode": code, "reason": reason, **more}}}


RUNNING: Value = {"state": {"running": {}}, "ready": True}
READY = [{"type": "Ready", "status": "True"}]


def pod(phase: str, *statuses: Value, inits: tuple[Value, ...] = (), total: int = 0, **status: Any) -> Value:
    spec = {
        "containers": [{"name": f"c{i}"} for i in range(max(1, len(statuses)))],
        "initContainers": [
            {"name": f"i{i}", **({"restartPolicy": "Always"} if "started" in s else {})} for i, s in enumerate(inits)
        ]
        + [{"name": f"later{i}"} for i in range(total)],
    }
    return {
        "spec": spec,
        "status": {
            "phase": phase,
            "containerStatuses": [{"name": f"c{i}", **s} for i, s in enumerate(statuses)],
            "initContainerStatuses": [{"name": f"i{i}", **s} for i, s in enumerate(inits)],
            **status,
        },
    }


@pytest.mark.parametrize(
    ("given", "ready", "status", "restarts"),
    [
        (pod("Pending"), "0/1", "Pending", 0),
        (pod("Running", RUNNING, RUNNING), "2/2", "Running", 0),
        (pod("Running", RUNNING, waiting("CrashLoopBackOff") | {"restartCount": 3}), "1/2", "CrashLoopBackOff", 3),
        (pod("Pending", waiting("ContainerCreating")), "0/1", "ContainerCreating", 0),
        (pod("Pending", waiting("ImagePullBackOff"), waiting("ErrImagePull")), "0/2", "ImagePullBackOff", 0),
        (pod("Succeeded", ended(0, "Completed")), "0/1", "Completed", 0),
        (pod("Failed", ended(1, "Error")), "0/1", "Error", 0),
        (pod("Running", ended(137, "OOMKilled")), "0/1", "OOMKilled", 0),
        (pod("Failed", ended(3)), "0/1", "ExitCode:3", 0),
        (pod("Failed", ended(143, signal=15)), "0/1", "Signal:15", 0),
        (pod("Failed", reason="Evicted"), "0/1", "Evicted", 0),
        (pod("Running", ended(0, "Completed"), RUNNING), "1/2", "NotReady", 0),
        (pod("Running", ended(0, "Completed"), RUNNING, conditions=READY), "1/2", "Running", 0),
        (
            pod("Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
            "0/1",
            "SchedulingGated",
            0,
        ),
        (
            pod("Pending", waiting("PodInitializing"), inits=(ended(0), {"state": {"running": {}}})),
            "0/1",
            "Init:1/2",
            0,
        ),
        (pod("Pending", inits=(waiting("PodInitializing"),), total=1), "0/1", "Init:0/2", 0),
        (pod("Pending", inits=(ended(1, "Error") | {"restartCount": 2},)), "0/1", "Init:Error", 2),
        (pod("Pending", inits=(waiting("CrashLoopBackOff"),)), "0/1", "Init:CrashLoopBackOff", 0),
        (pod("Pending", inits=(ended(5),)), "0/1", "Init:ExitCode:5", 0),
        (pod("Pending", inits=(ended(5, signal=9),)), "0/1", "Init:Signal:9", 0),
        (pod("Pending", waiting("PodInitializing"), inits=(ended(0, "Completed"),)), "0/1", "PodInitializing", 0),
        (
            pod("Running", RUNNING, inits=({"started": True, "ready": True, "restartCount": 4, **RUNNING},)),
            "2/2",
            "Running",
            4,
        ),
        (pod("Running", RUNNING, inits=(ended(0) | {"restartCount": 6},)), "1/1", "Running", 0),
    ],
)
def test_pod_status(given: Value, ready: str, status: str, restarts: int) -> None:
    found = summary(given)
    assert (f"{found.ready}/{found.containers}", found.status, found.restarts) == (ready, status, restarts)


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Running"}, "Terminating"),
        ({"phase": "Succeeded"}, "Succeeded"),
        ({"phase": "Failed", "reason": "NodeLost"}, "Unknown"),
    ],
)
def test_pod_that_is_being_deleted(status: Value, shown: str) -> None:
    assert summary({"metadata": {"deletionTimestamp": BORN}, "status": status}).status == shown


def test_restarts_say_when_the_last_one_was() -> None:
    last = {"restartCount": 3, "lastState": {"terminated": {"finishedAt": "2026-01-01T11:58:00Z"}}}
    assert row("v1", "Pod", pod("Running", RUNNING | last))[3:5] == ["3 (2m ago)", "5m30s"]


def test_wide_pod() -> None:
    spec = {"nodeName": "n1", "readinessGates": [{"conditionType": "a"}, {"conditionType": "b"}]}
    status = {"phase": "Running", "podIPs": [{"ip": "10.0.0.1"}], "conditions": [{"type": "a", "status": "True"}]}
    assert row("v1", "Pod", {"spec": spec, "status": status}, wide=True)[5:] == ["10.0.0.1", "n1", "<none>", "1/2"]


TEMPLATE = {"spec": {"containers": [{"name": "a", "image": "i:1"}, {"name": "b", "image": "j:2"}]}}
SELECTOR = {
    "matchLabels": {"b": "2", "a": "1"},
    "matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}],
}


@pytest.mark.parametrize(
    ("api_version", "kind", "body", "cells"),
    [
        (
            "apps/v1",
            "Deployment",
            {
                "spec": {"replicas": 3, "selector": SELECTOR, "template": TEMPLATE},
                "status": {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2},
            },
            ["x", "2/3", "1", "2", "5m30s", "a,b", "i:1,j:2", "a=1,a in (x,y),b=2"],
        ),
        (
            "apps/v1",
            "StatefulSet",
            {"spec": {"replicas": 1, "template": TEMPLATE}},
            ["x", "0/1", "5m30s", "a,b", "i:1,j:2"],
        ),
        (
            "batch/v1",
            "Job",
            {"spec": {"parallelism": 3, "template": TEMPLATE}, "status": {"startTime": BORN, "succeeded": 1}},
            ["x", "Running", "1/1 of 3", "5m30s", "5m30s", "a,b", "i:1,j:2", "<none>"],
        ),
        (
            "batch/v1",
            "CronJob",
            {"spec": {"schedule": "@daily", "suspend": False}, "status": {"active": [{}], "lastScheduleTime": BORN}},
            ["x", "@daily", "<none>", "False", "1", "5m30s", "5m30s", "", "", "<none>"],
        ),
        (
            "v1",
            "Service",
            {"spec": {"type": "LoadBalancer", "clusterIPs": ["10.96.0.1"], "ports": [{"port": 80, "nodePort": 30080}]}},
            ["x", "LoadBalancer", "10.96.0.1", "<pending>", "80:30080/TCP", "5m30s", "<none>"],
        ),
        (
            "v1",
            "Service",
            {"spec": {"type": "ExternalName", "externalName": "db.example"}},
            ["x", "ExternalName", "<none>", "db.example", "<none>", "5m30s", "<none>"],
        ),
        (
            "networking.k8s.io/v1",
            "Ingress",
            {
                "spec": {"rules": [{"host": h} for h in "abcde"], "tls": [{}], "ingressClassName": "nginx"},
                "status": {"loadBalancer": {"ingress": [{"ip": "2.0.0.1"}, {"ip": "1.0.0.1"}]}},
            },
            ["x", "nginx", "a,b,c + 2 more...", "1.0.0.1,2.0.0.1", "80, 443", "5m30s"],
        ),
        (
            "v1",
            "Endpoints",
            {"subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "fd::1"}], "ports": [{"port": 1}, {"port": 2}]}]},
            ["x", "10.0.0.1:1,[fd::1]:1,10.0.0.1:2 + 1 more...", "5m30s"],
        ),
        (
            "discovery.k8s.io/v1",
            "EndpointSlice",
            {"addressType": "IPv4", "ports": [{"port": 80}], "endpoints": []},
            ["x", "IPv4", "80", "<unset>", "5m30s"],
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            {
                "spec": {"volumeName": "v", "storageClassName": "fast", "volumeMode": "Filesystem"},
                "status": {
                    "phase": "Bound",
                    "capacity": {"storage": "1Gi"},
                    "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
                },
            },
            ["x", "Bound", "v", "1Gi", "RWO,RWX", "fast", "<unset>", "5m30s", "Filesystem"],
        ),
        (
            "storage.k8s.io/v1",
            "StorageClass",
            {"metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}, "provisioner": "p"},
            ["x (default)", "p", "Delete", "Immediate", "false", "5m30s"],
        ),
        (
            "v1",
            "Node",
            {
                "metadata": {"labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "edge"}},
                "spec": {"unschedulable": True},
                "status": {"conditions": READY, "addresses": [{"type": "InternalIP", "address": "10.1.0.1"}]},
            },
            ["x", "Ready,SchedulingDisabled", "edge,worker", "5m30s", "", "10.1.0.1", "<none>"] + ["<unknown>"] * 3,
        ),
        ("v1", "Node", {}, ["x", "Unknown", "<none>", "5m30s", "", "<none>", "<none>"] + ["<unknown>"] * 3),
        (
            "policy/v1",
            "PodDisruptionBudget",
            {"spec": {"maxUnavailable": "30%"}, "status": {"disruptionsAllowed": 1}},
            ["x", "N/A", "30%", "1", "5m30s"],
        ),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            {
                "spec": {
                    "scaleTargetRef": {"kind": "Deployment", "name": "web"},
                    "maxReplicas": 5,
                    "metrics": [
                        {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 80}}},
                        {"type": "Pods", "pods": {"target": {"averageValue": "10"}}},
                        {"type": "External", "external": {"target": {"value": "3"}}},
                    ],
                },
                "status": {"currentMetrics": [{"resource": {"current": {"averageUtilization": 12}}}]},
            },
            ["x", "Deployment/web", "cpu: 12%/80%, <unknown>/10 + 1 more...", "<unset>", "5", "0", "5m30s"],
        ),
        (
            "v1",
            "ResourceQuota",
            {"status": {"hard": {"pods": "4", "limits.cpu": "2", "requests.cpu": "1"}, "used": {"pods": "1"}}},
            ["x", "pods: 1/4, requests.cpu: 0/1", "limits.cpu: 0/2", "5m30s"],
        ),
        ("v1", "LimitRange", {}, ["x", "2026-01-01T11:54:30Z"]),
        ("rbac.authorization.k8s.io/v1", "Role", {}, ["x", "2026-01-01T11:54:30Z"]),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            {
                "roleRef": {"kind": "Role", "name": "r"},
                "subjects": [
                    {"kind": "User", "name": "u"},
                    {"kind": "User", "name": "v"},
                    {"kind": "ServiceAccount", "namespace": "n", "name": "s"},
                ],
            },
            ["x", "Role/r", "5m30s", "u, v", "", "n/s"],
        ),
        (
            "scheduling.k8s.io/v1",
            "PriorityClass",
            {"value": 7, "preemptionPolicy": "Never"},
            ["x", "7", "false", "5m30s", "Never"],
        ),
        ("v1", "Secret", {"type": "Opaque", "data": {"a": "", "b": ""}}, ["x", "Opaque", "2", "5m30s"]),
        ("v1", "ConfigMap", {"data": {"a": ""}, "binaryData": {"b": ""}}, ["x", "2", "5m30s"]),
        ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {}}}, ["x", "<none>", "5m30s"]),
        (
            "apiregistration.k8s.io/v1",
            "APIService",
            {"status": {"conditions": [{"type": "Available", "status": "False", "reason": "Missing"}]}},
            ["x", "Local", "False (Missing)", "5m30s"],
        ),
        (
            "apps/v1",
            "ControllerRevision",
            {
                "metadata": {
                    "ownerReferences": [
                        {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}
                    ]
                },
                "revision": 2,
            },
            ["x", "statefulset.apps/db", "2", "5m30s"],
        ),
        (
            "v1",
            "Event",
            {
                "type": "Warning",
                "reason": "Failed",
                "message": " one\ntwo",
                "involvedObject": {"kind": "Pod", "name": "p"},
                "firstTimestamp": BORN,
                "count": 4,
                "source": {"component": "kubelet", "host": "n1"},
            },
            ["5m30s", "Warning", "Failed", "pod/p", "", "kubelet, n1", "one...", "5m30s", "4", "x"],
        ),
    ],
)
def test_row(api_version: str, kind: str, body: Value, cells: list[str]) -> None:
    assert row(api_version, kind, body, wide=True) == cells


@pytest.mark.parametrize(
    ("conditions", "status"), [(["Complete"], "Complete"), (["Failed"], "Failed"), (["Suspended"], "Suspended")]
)
def test_job_status(conditions: list[str], status: str) -> None:
    listed = [{"type": c, "status": "True"} for c in conditions]
    assert row("batch/v1", "Job", {"status": {"conditions": listed}})[1] == status


def objects(part: str, kind: str) -> list[Value]:
    return [o for o in RECORDED[part]["objects"] if o["kind"] == kind]


def test_recorded_objects() -> None:
    listed = [
        Listed("apps", "Deployment", True, objects("rollout", "Deployment")),
        Listed("", "Pod", True, objects("rollout", "Pod")),
        Listed("", "Service", True, []),
        Listed("autoscaling", "HorizontalPodAutoscaler", True, objects("autoscaler", "HorizontalPodAutoscaler")[:1]),
    ]
    assert tables(listed, Look(now=NOW, kinds=True)) == (
        "NAME                   READY   UP-TO-DATE   AVAILABLE   AGE\n"
        "deployment.apps/back   2/2     2            2           <unknown>\n"
        "\n"
        "NAME                      READY   STATUS    RESTARTS   AGE\n"
        "pod/back-867d5bb88d-<1>   1/1     Running   0          <unknown>\n"
        "pod/back-867d5bb88d-<2>   1/1     Running   0          <unknown>\n"
        "\n"
        "NAME                                       REFERENCE         TARGETS              "
        "MINPODS   MAXPODS   REPLICAS   AGE\n"
        "horizontalpodautoscaler.autoscaling/high   Deployment/high   cpu: <unknown>/80%   "
        "1         4         4          <unknown>\n"
    )
    assert names(listed).splitlines()[:2] == ["deployment.apps/back", "pod/back-867d5bb88d-<1>"]


@pytest.mark.parametrize(
    ("part", "statuses"), [("crash", ["CrashLoopBackOff"] * 2), ("jobs", ["Error"] * 2), ("cronjob", ["Completed"])]
)
def test_status_of_recorded_pods(part: str, statuses: list[str]) -> None:
    assert [summary(p).status for p in objects(part, "Pod")] == statuses


def test_namespaces_and_labels() -> None:
    pods = [{"metadata": {"name": n, "namespace": "shop", "labels": {"b": "2", "x/a": n}}} for n in "pq"]
    look = Look(namespaces=True, all_labels=True, labels=("x/a", "no"))
    assert tables([Listed("", "ServiceAccount", True, pods)], look) == (
        "NAMESPACE   NAME   SECRETS   AGE         A     NO       LABELS\n"
        "shop        p      0         <unknown>   p     <none>   b=2,x/a=p\n"
        "shop        q      0         <unknown>   q     <none>   b=2,x/a=q\n"
    )
    cluster_wide = tables([Listed("", "Namespace", False, [{"metadata": {"name": "n"}}])], look)
    assert cluster_wide.startswith("NAME ")


CUSTOM = [
    {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
    {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
    {"name": "On", "type": "boolean", "jsonPath": ".spec.on"},
    {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    {"name": "Ports", "type": "string", "jsonPath": ".spec.ports", "priority": 1},
]


def test_custom_resource_columns() -> None:
    obj = {
        "metadata": {"name": "x", "creationTimestamp": BORN},
        "spec": {"size": 3, "on": True, "ports": [{"a": 1}]},
        "status": {"conditions": [{"type": "Old", "status": "False"}, {"type": "Ready", "status": "True"}]},
    }
    bare = {"metadata": {"name": "y"}, "spec": {"size": "no", "on": 1}}
    listed = Listed("example.com", "Widget", True, [obj, bare], CUSTOM)
    assert tables([listed], Look(now=NOW, wide=True)) == (
        'NAME   READY   SIZE   ON     SINCE   PORTS\nx      True    3      true   5m30s   [{"a":1}]\ny\n'
    )
    assert [c.name for c in of_custom([])] == ["Name", "Age"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".a.b", [1]),
        ("{.a.b}", [1]),
        (".list[0].n", [1]),
        (".list[-1].n", [2]),
        (".list[*].n", [1, 2]),
        (".list[?(@.n==2)].s", ["two"]),
        (".list[?(@.s!='one')].n", [2]),
        (".list[?(@.s)].n", [1, 2]),
        (r".labels.app\.io/name", ["web"]),
        (".labels['app.io/name']", ["web"]),
        (".none", []),
        (".list[9]", []),
        (".a.b.c", []),
    ],
)
def test_json_path(path: str, found: list[Any]) -> None:
    value = {"a": {"b": 1}, "list": [{"n": 1, "s": "one"}, {"n": 2, "s": "two"}], "labels": {"app.io/name": "web"}}
    assert find(path, value) == found


def test_path_that_is_not_understood_finds_nothing() -> None:
    assert parse(".a[?(@.b > 1 && @.c)]") is None
    assert find(".a[?(@.b > 1 && @.c)]", {"a": [{"b": 2}]}) == []
    assert parse("[?(@." * 5000 + "x" + ")]" * 5000) is None


@pytest.mark.parametrize("key", sorted(BY_KIND), ids=lambda k: k[1])
def test_no_column_breaks_on_parts_of_a_wrong_type(key: tuple[str, str]) -> None:
    parts = "metadata spec status data subsets webhooks subjects roleRef ports endpoints involvedObject".split()
    wrong: tuple[Any, ...] = (None, [], {}, "x", 1, [None], [{"a": None}])
    objects = [{"metadata": {"name": "x"}, part: value} for part in parts for value in wrong]
    assert tables([Listed(*key, True, objects)], Look(now=NOW, wide=True)).count("\n") == len(objects) + 1


def test_json_keeps_to_ascii() -> None:
    shown = get.json({"b": "##[x]\x7f\u202e", "a": [1]})
    assert shown.isascii()
    assert "##" not in shown
    assert json.loads(shown) == {"a": [1], "b": "##[x]\x7f\u202e"}
