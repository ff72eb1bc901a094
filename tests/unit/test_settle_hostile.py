"""What no server could have stored, and numbers that nobody could run: one clear word, and the rest goes on."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan.settle import MOST_MADE

Value = dict[str, Any]

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1"},
    "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"}},
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
ACCOUNT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}}
SPEC = {"containers": [{"name": "c", "image": "registry.example/app:1"}]}
CANARY = "canary-of-a-secret"


def template(app: str) -> Value:
    return {"metadata": {"labels": {"app": app}}, "spec": copy.deepcopy(SPEC)}


def workload(kind: str, name: str, **spec: Any) -> Value:
    api = {"Job": "batch/v1", "ReplicationController": "v1"}.get(kind, "apps/v1")
    selector: Value = {} if kind == "Job" else {"selector": {"matchLabels": {"app": name}}}
    body = template(name)
    if kind == "Job":
        body["spec"]["restartPolicy"] = "Never"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": {**selector, "template": body, **spec}}


def pod(name: str, **changed: Any) -> Value:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": copy.deepcopy(SPEC), **changed}


def meta(name: str, **more: Any) -> Value:
    return {"name": name, **more}


def owner(**fields: Any) -> Value:
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "gone", "controller": True, **fields}


ODD: list[tuple[Any, str]] = [
    (None, "it is no object"),
    ("text", "it is no object"),
    ({"kind": "Pod", "metadata": {"name": "x"}}, "apiVersion: it must be a text"),
    ({"apiVersion": "v1", "kind": 5, "metadata": {"name": "x"}}, "kind: it must be a text"),
    (
        {"apiVersion": "v9", "kind": "Service", "metadata": {"name": "x"}},
        'no matches for kind "Service" in version "v9"',
    ),
    (pod("x", metadata=5), "cannot unmarshal number"),
    (pod("x", metadata={}), "metadata.name: it has no name"),
    (pod("x", metadata=meta("x", ownerReferences=["a"])), "ownerReferences"),
    (pod("x", metadata=meta("x", creationTimestamp="2026-13-45T99:99:99Z")), "month out of range"),
    (pod("x", metadata=meta("x", labels={"a": 5})), "labels"),
    (pod("x", spec={}), "spec.containers: it has none"),
    (pod("x", spec={"containers": [{"name": "c", "resources": {"requests": {"cpu": "x"}}}]}), "quantities must match"),
    (pod("x", status={"phase": "Running", "conditions": ["x"]}), "conditions"),
    (pod("x", status={"startTime": "x"}), "parsing time"),
    (workload("Deployment", "x", replicas="3"), "replicas"),
    (workload("Deployment", "x", replicas=10**10), "replicas"),
    (workload("ReplicationController", "x", selector={}, template=None), "spec.template: it has none"),
    ({"apiVersion": "example.org/v1", "kind": "Odd", "metadata": {"name": "x", "finalizers": "y"}}, "finalizers"),
    ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"k": CANARY}}, "illegal base64"),
    ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "immutable": CANARY}, "immutable"),
]


@pytest.mark.parametrize(("value", "why"), ODD)
def test_odd_objects_are_named_and_stay_apart(value: Any, why: str) -> None:
    given = copy.deepcopy(value)
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT, value, workload("Deployment", "web", replicas=2)])
    assert [why in o.why for o in cluster.odd] == [True]
    assert CANARY not in str(cluster.odd[0])
    rests = cluster.settle()
    assert rests[-1].sets["deployment/web"] == [2, 2, 2, 2, 0]
    assert cluster.unsettled == ""
    assert value == given
    assert cluster.odd[0].value is None or cluster.odd[0].value in cluster.objects()


def test_deep_nesting_is_odd() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    cluster = kplan.Cluster(
        [NODE, {"apiVersion": "example.org/v1", "kind": "A", "metadata": {"name": "a"}, "spec": deep}]
    )
    assert [o.why for o in cluster.odd] == ["it is nested too deeply"]
    assert cluster.settle()


def test_of_two_objects_of_one_name_the_first_is_named() -> None:
    cluster = kplan.Cluster([pod("a"), pod("a", metadata=meta("a", labels={"second": "yes"}))])
    assert [str(o) for o in cluster.odd] == ["v1 Pod a: another object of this name comes later, and counts"]
    assert [o["metadata"]["labels"] for o in cluster.objects("Pod")] == [{"second": "yes"}]


def test_an_owner_that_cannot_be_read_still_owns() -> None:
    broken = workload("ReplicaSet", "web", replicas="x")
    kept = pod("web-1", metadata=meta("web-1", ownerReferences=[owner(name="web", uid="u1")]))
    lost = pod("gone-1", metadata=meta("gone-1", ownerReferences=[owner(uid="u2")]))
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT, broken, kept, lost])
    cluster.settle()
    assert [o["metadata"]["name"] for o in cluster.objects("Pod")] == ["web-1"]
    assert cluster.get(broken) == broken


def test_what_servers_set_is_filled_in() -> None:
    """A dump without uids: the owner has the uid that its dependents name, and a reference without one gets it."""
    replica_set = workload("ReplicaSet", "web", replicas=2)
    by_uid = pod("web-1", metadata=meta("web-1", labels={"app": "web"}, ownerReferences=[owner(name="web", uid="u1")]))
    by_name = pod("web-2", metadata=meta("web-2", labels={"app": "web"}, ownerReferences=[owner(name="web", uid="")]))
    drawn = pod("", metadata={"generateName": "loose-"})
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT, replica_set, by_uid, by_name, drawn])
    cluster.settle()
    found = {o["metadata"]["name"]: o["metadata"] for o in cluster.objects("Pod")}
    assert list(found) == ["web-1", "web-2", "loose-<1>"]
    assert {o["metadata"]["uid"] for o in cluster.objects("ReplicaSet")} == {"u1"}
    assert [m["ownerReferences"][0]["uid"] for m in list(found.values())[:2]] == ["u1", "u1"]
    for o in cluster.objects():
        assert all(o["metadata"].get(f) for f in ("uid", "creationTimestamp", "resourceVersion"))


def test_owners_in_a_circle() -> None:
    def held(name: str, by: str) -> Value:
        ref = {"apiVersion": "v1", "kind": "ConfigMap", "name": by, "uid": f"uid-{by}", "blockOwnerDeletion": True}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta(name, namespace="default", uid=f"uid-{name}", ownerReferences=[ref]),
        }

    cluster = kplan.Cluster([NAMESPACE, held("a", "b"), held("b", "a")])
    cluster.settle()
    assert cluster.delete("configmap", "a", propagation="Foreground").accepted
    cluster.settle()
    assert cluster.unsettled == ""
    assert not [o for o in cluster.objects("ConfigMap") if o["metadata"]["name"] in "ab"]


TOO_MANY = [
    (workload("ReplicaSet", "big", replicas=2**31 - 1), 2**31 - 1),
    (workload("StatefulSet", "big", replicas=10**9, podManagementPolicy="Parallel"), 10**9),
    (workload("Job", "big", parallelism=10**9, completions=10**9), 10**9),
    (workload("Job", "big", completions=2**31 - 1), 2**31 - 1),
    (workload("ReplicationController", "big", replicas=10**9, selector={"app": "big"}), 10**9),
]


@pytest.mark.parametrize(("value", "count"), TOO_MANY)
def test_huge_numbers_are_left_and_said(value: Value, count: int) -> None:
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT, value, workload("Deployment", "web", replicas=1)])
    rests = cluster.settle()
    kind = value["kind"].lower()
    assert cluster.unsettled.startswith(f"{kind} big: it wants {count} pods, and 5000 are the most")
    assert rests[-1].sets["deployment/web"] == [1, 1, 1, 1, 0]
    assert len(cluster.objects("Pod")) == 1
    assert cluster.delete(kind, "big").accepted
    cluster.settle()
    assert cluster.unsettled == ""


def test_a_deployment_of_a_billion_can_be_made_smaller() -> None:
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT])
    assert cluster.apply(workload("Deployment", "web", replicas=10**9))[0].accepted
    cluster.settle()
    assert "it wants 1000000000 pods" in cluster.unsettled
    assert cluster.patch("deployment", "web", {"spec": {"replicas": 3}}).accepted
    assert cluster.settle()[-1].sets["deployment/web"] == [3, 3, 3, 3, 0]
    assert cluster.unsettled == ""


def test_a_set_that_never_gets_its_pods_ends_soon() -> None:
    """Its pods do not match its selector: a real controller makes them for ever."""
    endless = workload("ReplicaSet", "web", replicas=1, template=template("other"))
    cluster = kplan.Cluster([NAMESPACE, ACCOUNT, endless])
    cluster.settle()
    assert cluster.unsettled == "replicaset web"
    assert len(cluster.objects("Pod")) < MOST_MADE


STRANGE = [
    [pod("p", spec={**SPEC, "nodeName": "n1", "terminationGracePeriodSeconds": 10**12})],
    [pod("p", spec={**SPEC, "nodeName": "n1", "terminationGracePeriodSeconds": -(2**63)})],
    [pod("p", metadata=meta("p", deletionTimestamp="9999-12-31T23:59:59Z", finalizers=["example.org/stranger"]))],
    [pod("p", metadata=meta("p", creationTimestamp="0001-01-01T00:00:00Z"), status=None)],
    [pod("p", metadata=meta("p", creationTimestamp="0000-01-01T00:00:00Z"))],
    [pod("p", metadata=meta("p", creationTimestamp="9999-12-31T23:59:59-23:00"))],
    [workload("StatefulSet", "s", replicas=2, ordinals={"start": 2**31 - 1})],
    [workload("StatefulSet", "s", replicas=-4), pod(f"s-{'9' * 200}")],
    [workload("Deployment", "d", replicas=-4, minReadySeconds=2**31 - 1)],
    [workload("Deployment", "d", strategy={"rollingUpdate": {"maxSurge": "1000000%", "maxUnavailable": "1000000%"}})],
    [workload("Deployment", "d", strategy={"type": "Nope"}, progressDeadlineSeconds=-3)],
    [workload("Deployment", "d") | {"status": {"conditions": [{"type": "Progressing", "status": "True"}]}}],
    [workload("DaemonSet", "d", updateStrategy={"rollingUpdate": {"maxUnavailable": "1000000%"}})],
    [workload("Job", "j", completionMode="Indexed", backoffLimit=-1, activeDeadlineSeconds=2**62)],
    [
        workload("Job", "j", ttlSecondsAfterFinished=5)
        | {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    ],
    [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n2"}, "status": {"allocatable": {"cpu": "-5"}}}],
    [{"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": "r"}, "data": [1], "revision": -1}],
    [
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "b"},
            "spec": {"minAvailable": "1000000%", "selector": {"matchExpressions": [{"key": "a", "operator": "Nope"}]}},
        }
    ],
    *(
        [
            {
                "apiVersion": "batch/v1",
                "kind": "CronJob",
                "metadata": {"name": "c", "creationTimestamp": came},
                "spec": {"schedule": schedule, "timeZone": zone, "jobTemplate": {"spec": {"template": template("c")}}},
            }
        ]
        for schedule, zone, came in (
            ("@every 1ns", None, None),
            ("0 0 31 2 *", "America/Los_Angeles", "0000-01-01T00:00:00Z"),
            ("* * * * *", "Asia/Tokyo", "9999-12-31T23:59:59-23:00"),
            ("", "../../etc/passwd", None),
        )
    ),
    [
        {
            "apiVersion": "serving.example.org/v1",
            "kind": "Service",
            "metadata": {"name": "foreign"},
            "spec": [1, {"selector": 5}],
            "status": "fine",
        }
    ],
    [
        {
            "apiVersion": "batch.example.org/v1",
            "kind": "Job",
            "metadata": {"name": "foreign"},
            "status": {"conditions": 5},
        }
    ],
]


@pytest.mark.parametrize("objects", STRANGE)
def test_strange_values_do_no_harm(objects: list[Value]) -> None:
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT, *objects, workload("Deployment", "web", replicas=1)])
    assert cluster.odd == []
    assert cluster.settle()[-1].sets["deployment/web"] == [1, 1, 1, 1, 0]
    for o in objects:
        cluster.delete(o["kind"], o["metadata"]["name"], propagation="Foreground")
        cluster.patch(o["kind"], o["metadata"]["name"], {"metadata": {"labels": {"a": "b"}}})
    cluster.settle()
    assert cluster.objects("Deployment")[-1]["status"]["availableReplicas"] == 1


def test_custom_kinds_are_not_taken_for_built_in_ones() -> None:
    foreign = {
        "apiVersion": "serving.example.org/v1",
        "kind": "Service",
        "metadata": meta("web", namespace="default"),
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }
    cluster = kplan.Cluster([NODE, NAMESPACE, ACCOUNT, foreign, workload("Deployment", "web", replicas=1)])
    cluster.settle()
    assert cluster.objects("EndpointSlice") == []
    assert cluster.store.find("Service", "web", "default") is None
    assert [o["apiVersion"] for o in cluster.objects("Service")] == ["serving.example.org/v1"]


@pytest.mark.parametrize("mode", ["csa", "replace", "ssa"])
def test_metadata_of_unknown_kinds_is_read(mode: str) -> None:
    cluster = kplan.Cluster([NAMESPACE])
    value = {"apiVersion": "example.org/v1", "kind": "Odd", "metadata": meta("x", ownerReferences=["a"])}
    answer = cluster.apply(value, mode=mode)[0]
    assert answer.status in (400, 500)
    assert "ownerReferences" in answer.message
    assert cluster.apply({**value, "metadata": {"name": "y\ud800"}}, mode=mode)[0].status in (201, 422)


PROGRAM = """
import kplan, sys
sys.path.insert(0, {folder!r})
import test_settle_hostile as t
extra = [o for objects in t.STRANGE for o in objects] + [v for v, _ in t.ODD]
c = kplan.Cluster([t.NODE, t.NAMESPACE, t.ACCOUNT, *extra, t.workload("Deployment", "web", replicas=3)])
rests = c.settle()
c.delete("deployment", "web", propagation="Foreground")
rests += c.settle()
print([(r, r.sets) for r in rests], c.objects(), c.events_since_last_settle(), c.odd, c.unsettled)
"""


def test_the_result_does_not_depend_on_hashes() -> None:
    folder = str(Path(__file__).parent)
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM.format(folder=folder)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert "web" in outputs.pop()
