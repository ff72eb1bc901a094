"""DaemonSets in a simulated cluster: which nodes, updates with and without surge, revisions, failures."""

from __future__ import annotations

from typing import Any

import pytest

import kplan

Value = dict[str, Any]

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}


def node(name: str, labels: dict[str, str] | None = None, **spec: Any) -> Value:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": spec,
        "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}},
    }


def taint(key: str, effect: str) -> Value:
    return {"taints": [{"key": key, "effect": effect}]}


def troubled(taint_key: str, condition: str, status: str) -> Value:
    """A node with a condition, and the taint that the node lifecycle controller keeps there because of it."""
    machine = node("n", **taint(taint_key, "NoSchedule"))
    machine["status"]["conditions"] = [{"type": condition, "status": status}]
    return machine


def daemon_set(image: str = "registry.example/log:1", pod: Value | None = None, **spec: Any) -> Value:
    template_spec = {"containers": [{"name": "c", "image": image}], **(pod or {})}
    template = {"metadata": {"labels": {"app": "log"}}, "spec": template_spec}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "log", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "log"}}, "template": template, **spec},
    }


def rolling(**counts: Any) -> Value:
    return {"type": "RollingUpdate", "rollingUpdate": counts}


def cluster(*objects: Value, nodes: int = 0) -> kplan.Cluster:
    c = kplan.Cluster([NAMESPACE, *(node(f"n{i}") for i in range(1, nodes + 1))])
    apply(c, *objects)
    return c


def apply(c: kplan.Cluster, *objects: Value) -> list[str | None]:
    """Apply and let it come to rest; what the kubelets did."""
    answers = c.apply(list(objects))
    assert [a.message for a in answers if not a.accepted] == []
    return actions(c)


def actions(c: kplan.Cluster) -> list[str | None]:
    return [r.kubelet for r in c.settle()][1:]


def replace_node(c: kplan.Cluster, new: Value) -> list[str | None]:
    c.store.put(new)
    return actions(c)


def pods(c: kplan.Cluster) -> dict[str, str]:
    """The images by node."""
    return {p["spec"]["nodeName"]: p["spec"]["containers"][0]["image"].rpartition(":")[2] for p in c.objects("Pod")}


def status(c: kplan.Cluster) -> Value:
    found: Value = c.objects("DaemonSet")[0]["status"]
    return found


def counts(c: kplan.Cluster) -> tuple[int, ...]:
    s = status(c)
    fields = ("desiredNumberScheduled", "currentNumberScheduled", "numberMisscheduled", "numberReady")
    return tuple(s[f] for f in fields)


def revisions(c: kplan.Cluster) -> dict[int, str]:
    """The images by number of revision."""
    return {
        r["revision"]: r["data"]["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        for r in c.objects("ControllerRevision")
    }


def events(c: kplan.Cluster) -> list[tuple[str, str]]:
    return [(e.reason, e.message) for e in c.events_since_last_settle() if e.object == "DaemonSet/log"]


def fail(c: kplan.Cluster, name: str, phase: str = "Failed") -> None:
    pod = c.store.find("Pod", name, "default")
    assert pod is not None
    c.store.put({**pod, "status": {**pod["status"], "phase": phase}})


POOL = {"key": "pool", "operator": "In", "values": ["web"]}
AFFINITY = {
    "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [POOL]}]},
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "preference": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}}
        ],
    },
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "other"}}}
        ]
    },
}


@pytest.mark.parametrize(
    ("machine", "pod", "runs"),
    [
        (node("n"), {}, True),
        (node("n"), {"nodeSelector": {"pool": "web"}}, False),
        (node("n", {"pool": "web"}), {"nodeSelector": {"pool": "web"}}, True),
        (node("n", {"pool": "web"}), {"affinity": AFFINITY}, True),
        (node("n", {"pool": "db"}), {"affinity": AFFINITY}, False),
        (node("n"), {"nodeName": "n"}, True),
        (node("n"), {"nodeName": "m"}, False),
        (node("n", unschedulable=True), {}, True),
        (node("n", **taint("dedicated", "NoSchedule")), {}, False),
        (node("n", **taint("dedicated", "PreferNoSchedule")), {}, True),
        (node("n", **taint("dedicated", "NoSchedule")), {"tolerations": [{"operator": "Exists"}]}, True),
        (node("n", **taint("node.kubernetes.io/not-ready", "NoExecute")), {}, True),
        (troubled("node.kubernetes.io/not-ready", "Ready", "False"), {}, False),
        (node("n", **taint("node.kubernetes.io/memory-pressure", "NoSchedule")), {}, True),
        (troubled("node.kubernetes.io/network-unavailable", "NetworkUnavailable", "True"), {}, False),
        (node("n", **taint("node.kubernetes.io/network-unavailable", "NoSchedule")), {"hostNetwork": True}, True),
    ],
)
def test_which_nodes_get_a_pod(machine: Value, pod: Value, runs: bool) -> None:
    c = kplan.Cluster([NAMESPACE, machine])
    apply(c, daemon_set(pod=pod))
    assert counts(c) == ((1, 1, 0, 1) if runs else (0, 0, 0, 0))
    assert len(c.objects("Pod")) == runs


def test_pod_is_meant_for_one_node() -> None:
    given = [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}]
    c = kplan.Cluster([NAMESPACE, node("n", {"pool": "web"})])
    apply(c, daemon_set(pod={"affinity": AFFINITY, "tolerations": given}))
    [pod], [revision] = c.objects("Pod"), c.objects("ControllerRevision")
    affinity = pod["spec"]["affinity"]
    terms = [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}]
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    assert affinity["nodeAffinity"].pop(required) == {"nodeSelectorTerms": terms}
    assert list(affinity) == ["nodeAffinity", "podAntiAffinity"]
    assert list(affinity["nodeAffinity"]) == ["preferredDuringSchedulingIgnoredDuringExecution"]
    keys = [t["key"].rpartition("/")[2] for t in pod["spec"]["tolerations"]]
    pressures = ["disk-pressure", "memory-pressure", "pid-pressure"]
    assert keys == ["not-ready", "unreachable", *pressures, "unschedulable"]
    code = revision["metadata"]["labels"]["controller-revision-hash"]
    own = {"app": "log", "controller-revision-hash": code, "pod-template-generation": "1"}
    assert pod["metadata"]["labels"] == own
    assert (pod["metadata"]["name"], revision["metadata"]["name"]) == ("log-<1>", f"log-{code}")


def test_status_in_full() -> None:
    c = cluster(daemon_set("registry.example/log:never-ready"), nodes=2)
    assert status(c) == {
        "currentNumberScheduled": 2,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 2,
        "numberReady": 0,
        "observedGeneration": 1,
        "updatedNumberScheduled": 2,
        "numberUnavailable": 2,
    }


def test_nodes_come_and_change() -> None:
    c = kplan.Cluster([NAMESPACE, node("n1", {"pool": "web"})])
    apply(c, daemon_set(pod={"nodeSelector": {"pool": "web"}}))
    assert replace_node(c, node("n2", {"pool": "web"})) == ["start log-<2>"]
    assert replace_node(c, node("n1", {"pool": "db"})) == ["gone log-<1>"]
    assert events(c) == [("SuccessfulDelete", "Deleted pod: log-<1>")]
    assert counts(c) == (1, 1, 0, 1)


def test_pod_may_stay_where_none_would_be_put() -> None:
    c = cluster(daemon_set(), nodes=1)
    assert replace_node(c, node("n1", **taint("dedicated", "NoSchedule"))) == []
    assert counts(c) == (0, 0, 1, 0)
    c.delete("Pod", "log-<1>")
    actions(c)
    assert (counts(c), c.objects("Pod")) == ((0, 0, 0, 0), [])


def test_node_that_is_gone_is_noticed_with_the_next_sync() -> None:
    c = cluster(daemon_set(), nodes=2)
    c.delete("Node", "n2")
    assert c.settle(kubelet=False)[0].sets["daemonset/log"][0] == 2
    c.delete("Pod", "log-<1>")
    c.settle(kubelet=False)
    assert counts(c)[0] == 1


def test_pod_that_never_got_to_its_node_goes_with_it() -> None:
    big = {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "99"}}}]}
    c = cluster(daemon_set(pod=big), nodes=2)
    c.delete("Node", "n2")
    apply(c, daemon_set(pod=big, minReadySeconds=1))
    assert len(c.objects("Pod")) == 1


# ---------------------------------------------------------------- updates


@pytest.mark.parametrize(
    ("strategy", "at_once", "steps"),
    [
        (rolling(maxUnavailable=1), 1, 8),
        (rolling(maxUnavailable=2), 2, 8),
        (rolling(maxUnavailable="30%"), 2, 8),
        (rolling(maxUnavailable="100%"), 4, 8),
        ({"type": "OnDelete"}, 0, 0),
    ],
)
def test_update_within_max_unavailable(strategy: Value, at_once: int, steps: int) -> None:
    c = cluster(daemon_set(updateStrategy=strategy), nodes=4)
    c.apply([daemon_set("registry.example/log:2", updateStrategy=strategy)])
    rests = c.settle()
    assert sum("terminating" in line for line in rests[0].changes) == at_once
    assert max(r.sets["daemonset/log"][5] for r in rests) == at_once
    assert len(rests) == steps + 1
    assert set(pods(c).values()) == {"2" if steps else "1"}


def test_pod_deleted_by_hand_comes_back_updated() -> None:
    strategy = {"type": "OnDelete"}
    c = cluster(daemon_set(updateStrategy=strategy), nodes=2)
    apply(c, daemon_set("registry.example/log:2", updateStrategy=strategy))
    c.delete("Pod", "log-<1>")
    assert actions(c) == ["gone log-<1>", "start log-<3>"]
    assert pods(c) == {"n1": "2", "n2": "1"}
    assert status(c)["updatedNumberScheduled"] == 1


@pytest.mark.parametrize(("surge", "at_once"), [(1, 1), ("50%", 2), ("100%", 3)])
def test_update_with_surge_leaves_no_node_without(surge: int | str, at_once: int) -> None:
    strategy = rolling(maxSurge=surge, maxUnavailable=0)
    c = cluster(daemon_set(updateStrategy=strategy), nodes=3)
    c.apply([daemon_set("registry.example/log:2", updateStrategy=strategy)])
    rests = c.settle()
    assert sum("create pod" in line for line in rests[0].changes) == at_once
    assert {r.sets["daemonset/log"][4] for r in rests} == {3}
    assert set(pods(c).values()) == {"2"}
    assert len(c.objects("Pod")) == 3


def test_surge_stops_at_a_pod_that_does_not_get_ready() -> None:
    strategy = rolling(maxSurge=1, maxUnavailable=0)
    c = cluster(daemon_set(updateStrategy=strategy), nodes=3)
    apply(c, daemon_set("registry.example/log:never-ready", updateStrategy=strategy))
    assert len(c.objects("Pod")) == 4
    # the newer template takes the place of the broken one
    apply(c, daemon_set("registry.example/log:3", updateStrategy=strategy))
    assert set(pods(c).values()) == {"3"}


def test_broken_pods_are_replaced_first_and_count() -> None:
    c = cluster(daemon_set(), nodes=3)
    apply(c, daemon_set("registry.example/log:never-ready"))
    assert sorted(pods(c).values()) == ["1", "1", "never-ready"]
    apply(c, daemon_set("registry.example/log:never-ready-2"))
    assert sorted(pods(c).values()) == ["1", "1", "never-ready-2"]
    apply(c, daemon_set("registry.example/log:4"))
    assert set(pods(c).values()) == {"4"}


def test_rollback_takes_up_the_earlier_revision() -> None:
    c = cluster(daemon_set(), nodes=1)
    [first] = c.objects("ControllerRevision")
    apply(c, daemon_set("registry.example/log:2"))
    apply(c, daemon_set())
    assert revisions(c) == {3: "1", 2: "2"}
    [pod] = c.objects("Pod")
    assert pod["metadata"]["labels"]["controller-revision-hash"] == first["metadata"]["name"].rpartition("-")[2]
    assert pod["metadata"]["labels"]["pod-template-generation"] == "3"


def test_next_pod_waits_until_the_last_is_available() -> None:
    c = cluster(daemon_set(minReadySeconds=20), nodes=2)
    c.apply([daemon_set("registry.example/log:2", minReadySeconds=20)])
    rests = c.settle()
    assert [(r.kubelet or "").split(" ")[0] for r in rests] == ["", "gone", "start", "", "gone", "start", ""]
    assert rests[3].at - rests[2].at >= 19


def test_history_limit() -> None:
    c = cluster(daemon_set(revisionHistoryLimit=1), nodes=1)
    for i in (2, 3, 4):
        apply(c, daemon_set(f"registry.example/log:{i}", revisionHistoryLimit=1))
    assert revisions(c) == {3: "3", 4: "4"}


def test_name_of_a_revision_that_is_taken() -> None:
    first = cluster(daemon_set(), nodes=1).objects("ControllerRevision")[0]["metadata"]["name"]
    taken = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": {"name": first}, "revision": 1}
    c = cluster({**taken, "data": {"other": True}}, daemon_set(), nodes=1)
    names = [r["metadata"]["name"] for r in c.objects("ControllerRevision")]
    assert names[0] == first != names[1]
    assert (status(c)["collisionCount"], counts(c)) == (1, (1, 1, 0, 1))


def test_several_revisions_of_one_template_become_one() -> None:
    c = cluster(daemon_set(), nodes=1)
    [one] = c.objects("ControllerRevision")
    meta = {**one["metadata"], "name": "log-twin", "uid": "twin"}
    meta["labels"] = {**meta["labels"], "controller-revision-hash": "twin"}
    c.store.put({**one, "metadata": meta, "revision": 2})
    assert actions(c) == []
    assert [r["metadata"]["name"] for r in c.objects("ControllerRevision")] == ["log-twin"]
    assert [p["metadata"]["labels"]["controller-revision-hash"] for p in c.objects("Pod")] == ["twin"]


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("phase", "reason", "message"),
    [
        ("Failed", "FailedDaemonPod", "Found failed daemon pod default/log-<1> on node n1, will try to kill it"),
        (
            "Succeeded",
            "SucceededDaemonPod",
            "Found succeeded daemon pod default/log-<1> on node n1, will try to delete it",
        ),
    ],
)
def test_pod_that_has_ended_is_replaced(phase: str, reason: str, message: str) -> None:
    c = cluster(daemon_set(), nodes=1)
    fail(c, "log-<1>", phase)
    assert actions(c) == ["start log-<2>"]
    deleted, created = ("SuccessfulDelete", "Deleted pod: log-<1>"), ("SuccessfulCreate", "Created pod: log-<2>")
    assert events(c) == [(reason, message), deleted, created]


def test_pods_that_keep_failing_are_deleted_more_and_more_slowly() -> None:
    c = cluster(daemon_set(), nodes=1)
    waited = []
    for i in range(1, 6):
        fail(c, f"log-<{i}>")
        began = c.clock.now
        rests = c.settle()
        waited.append(next(r.at for r in rests if any("create pod" in line for line in r.changes)) - began)
    assert waited[0] == 0
    assert waited[2:] == sorted(waited[2:])
    assert waited[4] > 5


def test_second_pod_on_a_node_goes() -> None:
    c = cluster(daemon_set(), nodes=1)
    [pod] = c.objects("Pod")
    c.store.put({**pod, "metadata": {**pod["metadata"], "name": "log-twin", "uid": "twin"}})
    assert actions(c) == ["gone log-twin"]
    assert events(c) == [("SuccessfulDelete", "Deleted pod: log-twin")]


def test_refused_pods_are_tried_again() -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    c = cluster(quota, daemon_set(), nodes=3)
    refusal = 'pods "log-<?>" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    assert ("FailedCreate", f"Error creating: {refusal}") in events(c)
    assert counts(c) == (3, 1, 0, 1)
    assert apply(c, {**quota, "spec": {"hard": {"pods": "3"}}}) == [None, "start log-<2>", "start log-<3>"]


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_deletion_ends(propagation: str) -> None:
    c = cluster(daemon_set(), nodes=2)
    c.delete("DaemonSet", "log", propagation=propagation)
    actions(c)
    assert [o["kind"] for o in c.objects() if o["kind"] in ("DaemonSet", "Pod", "ControllerRevision")] == []
    assert c.unsettled == ""


def test_another_set_adopts_what_was_left_behind() -> None:
    c = cluster(daemon_set(), nodes=2)
    c.delete("DaemonSet", "log", propagation="Orphan")
    assert actions(c) == []
    assert apply(c, daemon_set()) == []
    owner = c.objects("DaemonSet")[0]["metadata"]["uid"]
    owned = [*c.objects("Pod"), *c.objects("ControllerRevision")]
    assert [r["uid"] for o in owned for r in o["metadata"]["ownerReferences"]] == [owner] * 3


def test_a_pod_of_somebody_else_that_has_no_node_is_left_alone() -> None:
    labels = {"name": "other", "namespace": "default", "labels": {"app": "log"}}
    spec = {"containers": [{"name": "c", "image": "registry.example/log:1"}], "nodeSelector": {"pool": "none"}}
    c = cluster({"apiVersion": "v1", "kind": "Pod", "metadata": labels, "spec": spec}, daemon_set(), nodes=1)
    assert [p["metadata"]["name"] for p in c.objects("Pod")] == ["other", "log-<1>"]
    assert [reason for reason, _ in events(c)] == ["SuccessfulCreate"]
    assert counts(c) == (1, 1, 0, 1)
