"""Why a pod is not ready, how far a workload is, and what a script may call a pod."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.events import Event
from kplan.kubelet.outcomes import Outcome
from kplan.kubelet.scripted import scripted
from kplan.store import Store
from kplan.survey.notsimulated import notes
from kplan.survey.owners import KINDS, Owners
from kplan.survey.podreasons import reasons
from kplan.survey.progress import progress
from kplan.survey.unready import unready

Value = dict[str, Any]


def pod(status: Value, node: str = "a", **meta: Any) -> Value:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", **meta},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i"}]},
        "status": status,
    }


def waiting(reason: str, message: str = "", **more: Any) -> Value:
    return {"name": "c", "ready": False, "state": {"waiting": {"reason": reason, "message": message}}, **more}


def ended(code: int, name: str = "c") -> Value:
    return {"name": name, "ready": False, "state": {"terminated": {"exitCode": code, "reason": "Error"}}}


MISSING = 'configmap "x" not found'


@pytest.mark.parametrize(
    ("given", "warnings", "said"),
    [
        (
            pod({"containerStatuses": [waiting("CreateContainerConfigError", MISSING)]}),
            [],
            [("CreateContainerConfigError", f"container c: {MISSING}")],
        ),
        (
            pod({"containerStatuses": [waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 2}})]}),
            [],
            [("CrashLoopBackOff", "container c: it waits, it ended with 2")],
        ),
        (
            pod({"phase": "Pending", "containerStatuses": [waiting("ContainerCreating")]}),
            [("FailedMount", f'MountVolume.SetUp failed for volume "v" : {MISSING}')],
            [("FailedMount", f'MountVolume.SetUp failed for volume "v" : {MISSING}')],
        ),
        (
            pod(
                {"phase": "Pending", "initContainerStatuses": [ended(0, "a"), {"name": "b", "state": {"running": {}}}]}
            ),
            [],
            [("Init", "init container b has not finished")],
        ),
        (
            pod({"initContainerStatuses": [ended(1, "a")]}),
            [],
            [("Error", "container a ended with 1")],
        ),
        (
            pod({"phase": "Running", "containerStatuses": [{"name": "c", "ready": False, "state": {"running": {}}}]}),
            [],
            [("Unready", "container c runs and does not become ready")],
        ),
        (
            pod({"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."}),
            [],
            [("Evicted", "The node was low on memory.")],
        ),
        (
            pod({"phase": "Failed", "containerStatuses": [ended(0, "a"), ended(7, "b")]}),
            [],
            [("Error", "container b ended with 7")],
        ),
        (pod({"phase": "Succeeded"}), [], []),
        (pod({}, node="gone"), [], [("NodeNotFound", "node gone is not there")]),
        (pod({}), [], [("Pending", "its containers were not started")]),
        (pod({}, node=""), [("FailedScheduling", "old")], [("Unscheduled", "it has no node")]),
        (
            pod(
                {
                    "conditions": [
                        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}
                    ]
                },
                "",
            ),
            [("FailedScheduling", "old")],
            [("Unschedulable", "m")],
        ),
        (
            pod(
                {
                    "conditions": [
                        {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "g"}
                    ]
                }
            ),
            [],
            [("ReadinessGatesNotReady", "g")],
        ),
        (
            pod({"containerStatuses": [{"name": "c", "ready": True}]}, deletionTimestamp="t", finalizers=["x/y"]),
            [],
            [("Terminating", "it is being deleted and held by x/y")],
        ),
    ],
)
def test_why_a_pod_is_not_ready(given: Value, warnings: list[tuple[str, str]], said: list[tuple[str, str]]) -> None:
    assert reasons(given, warnings, lambda name: name == "a") == said


def workload(kind: str, spec: Value, status: Value) -> Value:
    version = "batch/v1" if kind in ("Job", "CronJob") else "v1" if kind == "Pod" else "apps/v1"
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "w", "namespace": "n"},
        "spec": spec,
        "status": status,
    }


UP = {"readyReplicas": 2, "updatedReplicas": 2, "replicas": 2}


@pytest.mark.parametrize(
    ("given", "ready", "wanted", "is_ready", "state"),
    [
        (workload("Deployment", {"replicas": 2}, UP), 2, 2, True, ""),
        (workload("Deployment", {"replicas": 2}, {**UP, "replicas": 3}), 2, 2, False, ""),  # an old pod is left
        (workload("Deployment", {"replicas": 2}, {**UP, "updatedReplicas": 1}), 2, 2, False, ""),
        (
            workload("Deployment", {"replicas": 2, "paused": True}, {"readyReplicas": 2, "replicas": 2}),
            2,
            2,
            True,
            "paused",
        ),
        (workload("Deployment", {"replicas": 0}, {}), 0, 0, True, ""),
        (workload("StatefulSet", {}, {}), 0, 1, False, ""),
        (workload("DaemonSet", {}, {"observedGeneration": 1}), 0, 0, True, ""),
        (workload("DaemonSet", {}, {}), 0, 0, False, ""),
        (
            workload("DaemonSet", {}, {"observedGeneration": 1, "desiredNumberScheduled": 2, "numberReady": 1}),
            1,
            2,
            False,
            "",
        ),
        (workload("Job", {"completions": 3}, {"succeeded": 1}), 1, 3, False, ""),
        (
            workload("Job", {}, {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}),
            1,
            1,
            True,
            "complete",
        ),
        (
            workload("Job", {}, {"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]}),
            0,
            1,
            False,
            "failed",
        ),
        (workload("Job", {"suspend": True}, {}), 0, 1, True, "suspended"),
        (workload("Pod", {}, {"phase": "Succeeded"}), 1, 1, True, "complete"),
        (workload("Pod", {}, {"phase": "Running"}), 0, 1, False, ""),
    ],
)
def test_how_far_a_workload_is(given: Value, ready: int, wanted: int, is_ready: bool, state: str) -> None:
    found = progress(given)
    assert found is not None
    assert (found.ready, found.wanted, found.is_ready, found.state) == (ready, wanted, is_ready, state)


def test_a_cron_job_has_no_pods_of_its_own() -> None:
    assert progress(workload("CronJob", {}, {})) is None


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (["web-1a-<1>"], "web-1a-<1>"),
        (["n/web-1a-<1>"], "n/web-1a-<1>"),
        (["web-1a"], "web-1a"),
        (["web"], "web"),
        (["n/web"], "n/web"),
        (["other/web"], None),
        (["nginx:1.27"], "nginx:1.27"),
        (["nginx"], None),
        (["nginx:*"], "nginx:*"),
        (["w?b"], "w?b"),
        (["web*", "web"], "web"),  # what is exact goes first
        (["nginx:1.27", "web"], "web"),  # the workload before its image
        (["*b", "w*"], "*b"),  # of patterns the first
    ],
)
def test_what_a_script_may_call_a_pod(script: list[str], found: str | None) -> None:
    def owned(kind: str, name: str, owner: str = "", above: str = "") -> Value:
        reference = {"kind": owner, "name": above, "uid": above, "controller": True}
        meta: Value = {"name": name, "namespace": "n", "uid": name, "ownerReferences": [reference] if owner else []}
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": {}}

    store = Store([owned("Deployment", "web"), owned("ReplicaSet", "web-1a", "Deployment", "web")])
    made = owned("Pod", "web-1a-<1>", "ReplicaSet", "web-1a")
    made["spec"] = {"containers": [{"name": "c", "image": "nginx:1.27"}]}
    outcomes = {name: Outcome(exit_code=i) for i, name in enumerate(script)}
    chosen = scripted(made, outcomes, store)
    assert chosen == (outcomes[found] if found is not None else None)


def test_what_an_event_repeats_is_told_once() -> None:
    """The reason of a waiting container, the event about it, and a condition that quotes another event."""
    ready = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}]
    owner = workload("ReplicaSet", {"replicas": 2}, {"replicas": 1, "conditions": ready})
    owner["metadata"]["uid"] = "u"
    reference = {"kind": "ReplicaSet", "name": "w", "uid": "u", "controller": True}
    made = pod({"containerStatuses": [waiting("CreateContainerConfigError", MISSING)]}, ownerReferences=[reference])
    store = Store([{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}}, owner, made])
    events = [
        Event("Normal", "Pulled", "an image", "Pod/p", "n"),
        Event("Warning", "Failed", f"Error: {MISSING}", "Pod/p", "n"),
        Event("Warning", "FailedCreate", "Error creating: quota", "ReplicaSet/w", "n"),
    ]
    row = progress(owner)
    assert row is not None
    (found,) = unready([(owner, row)], Owners(store), store, events, {"ReplicaSet"})
    assert [(r.reason, r.message, r.objects) for r in found.reasons] == [
        ("CreateContainerConfigError", f"container c: {MISSING}", ("Pod/p",)),
        ("FailedCreate", "Error creating: quota", ("ReplicaSet/w",)),
    ]


def stored(kind: str, name: str, version: str = "v1", namespace: str = "", **parts: Any) -> Value:
    meta = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": meta, **parts}


def on_nodes(mode: str, attach: bool = True, driver: str = "csi") -> list[Value]:
    """Two pods on two nodes that use one claim."""
    spec = {"accessModes": [mode], driver: {"driver": "d", "volumeHandle": "h"}}
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    users = [pod({"phase": "Running"}, node, name=f"p-{node}") for node in "ab"]
    return [
        *({**u, "spec": {**u["spec"], "volumes": volumes}} for u in users),
        stored("PersistentVolumeClaim", "c", namespace="n", spec={"volumeName": "v"}),
        stored("PersistentVolume", "v", spec=spec),
        stored("CSIDriver", "d", "storage.k8s.io/v1", spec={"attachRequired": attach}),
    ]


GROWING = {"spec": {"resources": {"requests": {"storage": "2Gi"}}}, "status": {"capacity": {"storage": "1Gi"}}}
GROWN = {**GROWING, "status": {"capacity": {"storage": "2048Mi"}}}
HOOKS = ("admissionregistration.k8s.io/v1", [{"name": "h.example.com"}])


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        (on_nodes("ReadWriteOnce"), "the attaching of volumes; n/c (ReadWriteOnce) has pods on 2 nodes, and most "),
        (on_nodes("ReadWriteMany"), ""),
        (on_nodes("ReadWriteOnce", attach=False), ""),
        (on_nodes("ReadWriteOnce", driver="nfs"), ""),
        (on_nodes("ReadWriteOnce")[1:], ""),
        ([stored("PersistentVolumeClaim", "c", namespace="n", **GROWING)], "the resizing of volumes; n/c asks for 2Gi"),
        ([stored("PersistentVolumeClaim", "c", namespace="n", **GROWN)], ""),
        ([stored("PersistentVolumeClaim", "c", namespace="n", spec=GROWING["spec"])], ""),
        (
            [stored("Node", "a", status={"conditions": [{"type": "Ready", "status": "False"}]})],
            "the heartbeats of nodes; a",
        ),
        ([stored("Node", "a", status={"conditions": [{"type": "Ready", "status": "True"}]})], ""),
        ([stored("Node", "a")], ""),
        ([stored("VolumeAttachment", "v", "storage.k8s.io/v1")], "the controller of VolumeAttachments"),
        (
            [stored("ValidatingWebhookConfiguration", "w", HOOKS[0], webhooks=HOOKS[1])],
            "the calls of admission webhooks (w)",
        ),
        ([stored("ValidatingWebhookConfiguration", "w", HOOKS[0])], ""),
        ([stored("CertificateSigningRequest", "r", "certificates.k8s.io/v1")], "the approval of CertificateSigningReq"),
    ],
)
def test_what_is_not_simulated_is_named_where_it_matters(objects: list[Value], said: str) -> None:
    found = list(notes(kplan.Cluster(objects), frozenset(KINDS)))
    assert [n[: len("not simulated: ") + len(said)] for n in found] == ([f"not simulated: {said}"] if said else [])
