"""StatefulSets in a simulated cluster: order, updates, revisions, claims, refusals."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import kplan

Value = dict[str, Any]

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "a"},
    "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}},
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
DATA = {
    "metadata": {"name": "data", "labels": {"tier": "disk"}},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def stateful_set(replicas: int = 3, image: str = "registry.example/db:1", name: str = "db", **spec: Any) -> Value:
    container = {"name": "c", "image": image}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    given = {"replicas": replicas, "serviceName": name, "selector": {"matchLabels": {"app": name}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {**given, "template": template, **spec},
    }


def rolling(partition: int = 0) -> Value:
    return {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}


def cluster(*objects: Value) -> kplan.Cluster:
    c = kplan.Cluster([NODE, NAMESPACE])
    apply(c, *objects)
    return c


def apply(c: kplan.Cluster, *objects: Value) -> list[str | None]:
    """Apply and let it come to rest; what the kubelets did."""
    answers = c.apply(list(objects))
    assert [a.message for a in answers if not a.accepted] == []
    return actions(c)


def actions(c: kplan.Cluster) -> list[str | None]:
    return [r.kubelet for r in c.settle()][1:]


def pods(c: kplan.Cluster) -> dict[str, str]:
    """The images by pod."""
    return {p["metadata"]["name"]: p["spec"]["containers"][0]["image"].rpartition(":")[2] for p in c.objects("Pod")}


def status(c: kplan.Cluster) -> Value:
    found: Value = c.objects("StatefulSet")[0]["status"]
    return found


def revisions(c: kplan.Cluster) -> dict[int, str]:
    """The images by number of revision."""
    return {
        r["revision"]: r["data"]["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        for r in c.objects("ControllerRevision")
    }


def events(c: kplan.Cluster, kind: str = "StatefulSet") -> list[tuple[str, str]]:
    return [(e.reason, e.message) for e in c.events_since_last_settle() if e.object.startswith(f"{kind}/")]


def fail(c: kplan.Cluster, name: str, phase: str = "Failed") -> None:
    pod = c.store.find("Pod", name, "default")
    assert pod is not None
    c.store.put({**pod, "status": {**pod["status"], "phase": phase}})


def test_pods_come_one_by_one() -> None:
    c = cluster()
    c.apply([stateful_set(2)])
    rests = c.settle()
    assert [(r.kubelet, r.sets["statefulset/db"]) for r in rests] == [
        (None, [2, 1, 0, 0, 1, 1]),
        ("start db-0", [2, 2, 1, 1, 2, 2]),
        ("start db-1", [2, 2, 2, 2, 2, 2]),
    ]
    assert events(c) == [
        ("SuccessfulCreate", "Create Pod db-0 in StatefulSet db successful"),
        ("SuccessfulCreate", "Create Pod db-1 in StatefulSet db successful"),
    ]


def test_pod_carries_its_identity() -> None:
    c = cluster(stateful_set(1, ordinals={"start": 7}))
    [pod] = c.objects("Pod")
    [revision] = c.objects("ControllerRevision")
    assert pod["metadata"]["name"] == "db-7"
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "apps.kubernetes.io/pod-index": "7",
        "controller-revision-hash": revision["metadata"]["name"],
        "statefulset.kubernetes.io/pod-name": "db-7",
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-7", "db")
    assert [r["name"] for r in pod["metadata"]["ownerReferences"]] == ["db"]


def test_status_in_full() -> None:
    c = cluster(stateful_set(1, image="registry.example/db:never-ready"))
    [revision] = c.objects("ControllerRevision")
    assert status(c) == {
        "observedGeneration": 1,
        "replicas": 1,
        "currentReplicas": 1,
        "updatedReplicas": 1,
        "currentRevision": revision["metadata"]["name"],
        "updateRevision": revision["metadata"]["name"],
        "collisionCount": 0,
        "availableReplicas": 0,
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, ["gone db-2", "start db-2", "gone db-1", "start db-1", "gone db-0", "start db-0"]),
        ({}, {"updateStrategy": rolling(2)}, ["gone db-2", "start db-2"]),
        ({}, {"updateStrategy": rolling(9)}, []),
        ({"updateStrategy": {"type": "OnDelete"}}, {"updateStrategy": {"type": "OnDelete"}}, []),
        (
            {"podManagementPolicy": "Parallel"},
            {"podManagementPolicy": "Parallel"},
            ["gone db-2", "start db-2", "gone db-1", "start db-1", "gone db-0", "start db-0"],
        ),
    ],
)
def test_update_from_the_top(before: Value, after: Value, expected: list[str]) -> None:
    c = cluster(stateful_set(**before))
    assert apply(c, stateful_set(image="registry.example/db:2", **after)) == expected
    done = len(expected) == 6
    assert (status(c)["currentRevision"] == status(c)["updateRevision"]) is done
    assert status(c).get("updatedReplicas", 0) == len(expected) / 2


def test_rollback_takes_up_the_earlier_revision() -> None:
    c = cluster(stateful_set(1))
    [first] = c.objects("ControllerRevision")
    apply(c, stateful_set(1, image="registry.example/db:2"))
    assert revisions(c) == {1: "1", 2: "2"}
    apply(c, stateful_set(1))
    assert revisions(c) == {3: "1", 2: "2"}
    assert status(c)["updateRevision"] == first["metadata"]["name"]
    assert pods(c) == {"db-0": "1"}


def test_update_during_an_update() -> None:
    c = cluster(stateful_set())
    c.apply([stateful_set(image="registry.example/db:2")])
    c.settle(kubelet=False)  # db-2 is on its way out
    assert apply(c, stateful_set(image="registry.example/db:3")) == [
        "gone db-2",
        "start db-2",
        "gone db-1",
        "start db-1",
        "gone db-0",
        "start db-0",
    ]
    assert set(pods(c).values()) == {"3"}
    assert revisions(c) == {1: "1", 2: "2", 3: "3"}


def test_broken_pod_blocks_in_order_only() -> None:
    for policy, expected in (
        ("OrderedReady", []),
        ("Parallel", ["gone db-1", "start db-1", "gone db-0", "start db-0"]),
    ):
        c = cluster(stateful_set(2, podManagementPolicy=policy))
        apply(c, stateful_set(2, "registry.example/db:never-ready", podManagementPolicy=policy))
        assert pods(c) == {"db-0": "1", "db-1": "never-ready"}
        assert apply(c, stateful_set(2, "registry.example/db:3", podManagementPolicy=policy)) == expected


def test_scaling_during_an_update() -> None:
    broken = "registry.example/db:never-ready"
    c = cluster(stateful_set())
    apply(c, stateful_set(image=broken))
    assert apply(c, stateful_set(5, broken)) == []  # nothing new while db-2 is not ready
    assert apply(c, stateful_set(2, broken)) == ["gone db-2", "gone db-1", "start db-1"]
    assert pods(c) == {"db-0": "1", "db-1": "never-ready"}
    assert apply(c, stateful_set(1, "registry.example/db:1")) == ["gone db-1"]
    assert status(c)["currentRevision"] == status(c)["updateRevision"]


def test_pod_below_the_partition_comes_back_as_it_was() -> None:
    c = cluster(stateful_set())
    apply(c, stateful_set(image="registry.example/db:2", updateStrategy=rolling(2)))
    for name in ("db-0", "db-2"):
        c.delete("Pod", name)
    actions(c)
    assert pods(c) == {"db-0": "1", "db-1": "1", "db-2": "2"}


def test_scaling_down_goes_from_the_top() -> None:
    c = cluster(stateful_set())
    assert apply(c, stateful_set(1)) == ["gone db-2", "gone db-1"]
    c = cluster(stateful_set(podManagementPolicy="Parallel"))
    c.apply([stateful_set(1, podManagementPolicy="Parallel")])
    [rest, *_] = c.settle()
    assert [line for line in rest.changes if line.startswith("terminating")] == [
        "terminating pod db-2",
        "terminating pod db-1",
    ]


def test_other_first_number_moves_the_window() -> None:
    c = cluster(stateful_set(2))
    assert apply(c, stateful_set(2, ordinals={"start": 1})) == ["start db-2", "gone db-0"]


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_pod_that_has_ended_is_replaced(phase: str) -> None:
    c = cluster(stateful_set())
    fail(c, "db-1", phase)
    assert actions(c) == ["start db-1"]
    assert events(c) == [
        ("SuccessfulDelete", "Delete Pod db-1 in StatefulSet db successful"),
        ("SuccessfulCreate", "Create Pod db-1 in StatefulSet db successful"),
    ]


def test_next_pod_waits_until_the_last_is_available() -> None:
    c = cluster()
    c.apply([stateful_set(2, minReadySeconds=20)])
    rests = c.settle()
    seen = [(r.kubelet, r.sets["statefulset/db"][:4]) for r in rests]
    assert seen == [
        (None, [2, 1, 0, 0]),
        ("start db-0", [2, 1, 1, 0]),
        (None, [2, 2, 1, 1]),
        ("start db-1", [2, 2, 2, 1]),
        (None, [2, 2, 2, 2]),
    ]
    assert rests[2].at - rests[1].at >= 19


def test_history_limit() -> None:
    c = cluster(stateful_set(1, revisionHistoryLimit=1))
    for i in (2, 3, 4):
        apply(c, stateful_set(1, f"registry.example/db:{i}", revisionHistoryLimit=1))
    assert revisions(c) == {3: "3", 4: "4"}


def test_revision_that_a_pod_is_of_is_kept() -> None:
    c = cluster(stateful_set(2, revisionHistoryLimit=0))
    for i in (2, 3):
        apply(c, stateful_set(2, f"registry.example/db:{i}", revisionHistoryLimit=0, updateStrategy=rolling(1)))
    assert revisions(c) == {1: "1", 3: "3"}


def test_name_of_a_revision_that_is_taken() -> None:
    first = cluster(stateful_set(1)).objects("ControllerRevision")[0]["metadata"]["name"]
    taken = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": first}, "revision": 1}
    c = cluster({**taken, "data": {"other": True}}, stateful_set(1))
    names = [r["metadata"]["name"] for r in c.objects("ControllerRevision")]
    assert names[0] == first != names[1]
    assert (status(c)["collisionCount"], status(c)["updateRevision"]) == (1, names[1])


def test_set_without_its_revisions_is_up_to_date() -> None:
    before = cluster(stateful_set(2))
    exported = []
    for o in copy.deepcopy([o for o in before.objects() if o["kind"] != "ControllerRevision"]):
        if o["kind"] == "StatefulSet":
            o["status"]["currentRevision"] = o["status"]["updateRevision"] = "db-older"
        if o["kind"] == "Pod":
            o["metadata"]["labels"]["controller-revision-hash"] = "db-older"
        exported.append(o)
    c = kplan.Cluster(exported)
    assert actions(c) == []
    assert [r["metadata"]["name"] for r in c.objects("ControllerRevision")] == ["db-older"]
    assert apply(c, stateful_set(2, "registry.example/db:2"))[:2] == ["gone db-1", "start db-1"]


def test_another_set_adopts_what_was_left_behind() -> None:
    c = cluster(stateful_set(2))
    c.delete("StatefulSet", "db", propagation="Orphan")
    assert actions(c) == []
    assert apply(c, stateful_set(2)) == []
    owner = c.objects("StatefulSet")[0]["metadata"]["uid"]
    owned = [*c.objects("Pod"), *c.objects("ControllerRevision")]
    assert [r["uid"] for o in owned for r in o["metadata"]["ownerReferences"]] == [owner] * 3


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_deletion_ends(propagation: str) -> None:
    c = cluster(stateful_set(2))
    c.delete("StatefulSet", "db", propagation=propagation)
    actions(c)
    assert [o["kind"] for o in c.objects() if o["kind"] in ("StatefulSet", "Pod", "ControllerRevision")] == []
    assert c.unsettled == ""


def test_pod_of_that_name_stands_in_the_way() -> None:
    container = {"name": "c", "image": "registry.example/other:1"}
    alien = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db-0"}, "spec": {"containers": [container]}}
    c = cluster(alien, stateful_set(1))
    assert pods(c) == {"db-0": "1"}
    assert (status(c)["replicas"], events(c)) == (0, [])
    c.delete("Pod", "db-0")
    assert actions(c) == ["gone db-0", None, "start db-0"]
    assert status(c)["replicas"] == 1


def test_quota_refuses_and_is_tried_again() -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    c = cluster(quota, stateful_set(2))
    refusal = 'pods "db-1" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    assert ("FailedCreate", f"Create Pod db-1 in StatefulSet db failed error: {refusal}") in events(c)
    assert apply(c, {**quota, "spec": {"hard": {"pods": "2"}}}) == [None, "start db-1"]


@pytest.mark.parametrize(
    ("allowed", "refused"),
    [(2, 1), (4, 3), (6, 1), (8, 7)],  # pods come in batches of 1, 2, 4 and 8
)
def test_refusals_in_parallel_end_a_batch(allowed: int, refused: int) -> None:
    hard = {"pods": str(allowed)}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}}
    c = cluster(quota, stateful_set(20, podManagementPolicy="Parallel"))
    assert len(c.objects("Pod")) == allowed
    names = {m.split()[2] for reason, m in events(c) if reason == "FailedCreate"}
    assert len(names) == refused  # which of a batch come first is chance


# ---------------------------------------------------------------- claims


def claims(c: kplan.Cluster) -> dict[str, list[str]]:
    """The owners by claim."""
    return {
        o["metadata"]["name"]: [f"{r['kind']}/{r['name']}" for r in o["metadata"].get("ownerReferences") or ()]
        for o in c.objects("PersistentVolumeClaim")
    }


def with_claims(replicas: int, deleted: str = "Retain", scaled: str = "Retain") -> Value:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    return stateful_set(
        replicas,
        volumeClaimTemplates=[DATA],
        persistentVolumeClaimRetentionPolicy=policy,
        podManagementPolicy="Parallel",
    )


def disk(name: str) -> Value:
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": f"/srv/{name}"}}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def test_claims_come_before_their_pods() -> None:
    made = with_claims(1)
    extra = [{"name": "data", "emptyDir": {}}, {"name": "tmp", "emptyDir": {}}]
    made["spec"]["template"]["spec"]["volumes"] = extra
    c = cluster(made)
    [claim], [pod] = c.objects("PersistentVolumeClaim"), c.objects("Pod")
    assert claim["metadata"]["name"] == "data-db-0"
    assert claim["metadata"]["labels"] == {"app": "db", "tier": "disk"}
    volumes = {v["name"]: next(k for k in v if k != "name") for v in pod["spec"]["volumes"]}
    assert list(volumes.items())[:2] == [("data", "persistentVolumeClaim"), ("tmp", "emptyDir")]
    assert [m for _, m in events(c)] == [
        "Create Claim data-db-0 Pod db-0 in StatefulSet db success",
        "Create Pod db-0 in StatefulSet db successful",
    ]


@pytest.mark.parametrize(
    ("deleted", "scaled", "full", "condemned"),
    [
        ("Retain", "Retain", [], []),
        ("Delete", "Retain", ["StatefulSet/db"], ["StatefulSet/db"]),
        ("Retain", "Delete", [], ["Pod/db-1"]),
        ("Delete", "Delete", ["StatefulSet/db"], ["Pod/db-1"]),
    ],
)
def test_who_owns_the_claims(deleted: str, scaled: str, full: list[str], condemned: list[str]) -> None:
    c = cluster(disk("v0"), disk("v1"), with_claims(2, deleted, scaled))
    assert claims(c) == {"data-db-0": full, "data-db-1": full}
    c.apply([with_claims(1, deleted, scaled)])
    c.settle(kubelet=False)
    assert claims(c) == {"data-db-0": full, "data-db-1": condemned}


def test_other_policy_changes_the_owners() -> None:
    c = cluster(with_claims(2))
    bind(c)
    actions(c)
    apply(c, with_claims(2, deleted="Delete"))
    assert claims(c) == {"data-db-0": ["StatefulSet/db"], "data-db-1": ["StatefulSet/db"]}
    assert events(c) == [
        ("SuccessfulUpdate", "Update Pod db-0 in StatefulSet db successful"),
        ("SuccessfulUpdate", "Update Pod db-1 in StatefulSet db successful"),
    ]
    apply(c, with_claims(2))
    assert claims(c) == {"data-db-0": [], "data-db-1": []}


def bind(c: kplan.Cluster) -> None:
    """Place the pods: no volume controller is asked."""
    for pod in c.objects("Pod"):
        c.store.put({**pod, "spec": {**pod["spec"], "nodeName": "a"}})


def test_claim_with_another_controller_is_left_alone() -> None:
    boss = {"apiVersion": "v1", "kind": "ConfigMap", "name": "boss", "uid": "1", "controller": True}
    meta = {"name": "boss", "namespace": "default", "uid": "1"}
    boss_itself = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-db-0", "ownerReferences": [boss], "uid": "2", "namespace": "default"},
        "spec": DATA["spec"],
    }
    c = kplan.Cluster([NODE, NAMESPACE, boss_itself, claim])
    apply(c, with_claims(2, deleted="Delete", scaled="Delete"))
    assert claims(c) == {"data-db-0": ["ConfigMap/boss"], "data-db-1": ["StatefulSet/db"]}


def test_claim_on_its_way_out_stops_its_pod() -> None:
    c = cluster(with_claims(1))
    c.delete("Pod", "db-0")
    claim = c.objects("PersistentVolumeClaim")[0]
    c.store.put({**claim, "metadata": {**claim["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}})
    c.settle()
    failure = "Create Pod db-0 in StatefulSet db failed error: pvc data-db-0 is being deleted"
    assert ("FailedCreate", failure) in events(c)


def test_refused_claim_is_told_twice() -> None:
    hard = {"persistentvolumeclaims": "0"}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": hard}}
    c = cluster(quota, with_claims(1))
    amounts = "requested: persistentvolumeclaims=1, used: persistentvolumeclaims=0, limited: persistentvolumeclaims=0"
    refusal = f'persistentvolumeclaims "data-db-0" is forbidden: exceeded quota: q, {amounts}'
    assert events(c) == [
        ("FailedCreate", f"Create Claim data-db-0 for Pod db-0 in StatefulSet db failed error: {refusal}"),
        ("FailedCreate", f"Create Pod db-0 in StatefulSet db failed error: failed to create PVC data-db-0: {refusal}"),
    ]
