"""Deployments in a simulated cluster: rollouts, scaling, pauses, deadlines, revisions, what goes wrong."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

import kplan
from tests.scenes import (
    cluster,
    conditions,
    deployment,
    do,
    made,
    names,
    notes,
    one,
    pod,
    replica_set,
    rest,
    rolling,
    sizes,
    status,
    template,
    told,
)

Value = dict[str, Any]

AVAILABLE = "Available True MinimumReplicasAvailable"
UNAVAILABLE = "Available False MinimumReplicasUnavailable"
DONE = "Progressing True NewReplicaSetAvailable"
OURS = "deployment.kubernetes.io/"


def quota(**hard: str) -> Value:
    limits = {k.replace("_", "/", 1).replace("_", "."): v for k, v in hard.items()}
    return made("v1", "ResourceQuota", "q", {"hard": limits})


def scaled(c: kplan.Cluster) -> list[str]:
    """What was scaled: `old 2->1`; a set is named by its age, counted from 0."""
    sets = names(c, "ReplicaSet")
    words = [m.split() for m in told(c, "ScalingReplicaSet")]
    return [f"{sets.index(w[4])} {w[6]}->{w[8]}" for w in words]


def test_rollout_done() -> None:
    c = cluster(deployment())
    assert status(c, "Deployment", "web") == {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
        "terminatingReplicas": 0,
    }
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]
    name = names(c, "ReplicaSet")[0]
    assert one(c, "Deployment", "web")["status"]["conditions"][1]["message"] == (
        f'ReplicaSet "{name}" has successfully progressed.'
    )
    assert notes(c, "ReplicaSet", name, OURS) == {"revision": "1", "desired-replicas": "2", "max-replicas": "3"}
    assert notes(c, "Deployment", "web", OURS) == {"revision": "1"}


def test_deployment_without_replicas_is_complete_at_once() -> None:
    c = cluster(deployment(replicas=0))
    assert status(c, "Deployment", "web") == {"observedGeneration": 1, "terminatingReplicas": 0}
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]
    assert told(c, "ScalingReplicaSet") == []


@pytest.mark.parametrize(
    ("version", "field"), [("1.34", False), ("1.35", True), ("1.36", True)]
)  # KEP-3973: on by default since 1.35
def test_terminating_replicas_by_version(version: str, field: bool) -> None:
    c = kplan.Cluster(version=version)
    do(c, deployment(replicas=0))
    assert ("terminatingReplicas" in status(c, "Deployment", "web")) is field


@pytest.mark.parametrize(
    ("replicas", "strategy", "steps"),
    [
        (4, rolling(1, 0), ["1 0->1", "0 4->3", "1 1->2", "0 3->2", "1 2->3", "0 2->1", "1 3->4", "0 1->0"]),
        (2, rolling("100%", 0), ["1 0->2", "0 2->1", "0 1->0"]),
        (2, rolling(0, "100%"), ["0 2->0", "1 0->2"]),
        (3, rolling(0, "1%"), ["0 3->2", "1 0->1", "0 2->1", "1 1->2", "0 1->0", "1 2->3"]),
        (2, {"type": "Recreate"}, ["0 2->0", "1 0->2"]),
    ],
)
def test_steps_of_a_rollout(replicas: int, strategy: Value, steps: list[str]) -> None:
    c = cluster(deployment(replicas=replicas, strategy=strategy))
    do(c, deployment(replicas=replicas, strategy=strategy, tag="2"))
    assert scaled(c) == steps
    assert sizes(c) == [0, replicas]
    assert conditions(c, "Deployment", "web")[-1] == DONE


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # three sets: 10 replicas, surge 3, unavailable 2 -> sizes 8 and 5 of images 1 and never-ready
        (10, 10, [8, 5]),
        (10, 20, [15, 10]),  # 25 allowed: 8*25/13 = 15.38, 5*25/13 = 9.6
        (10, 5, [4, 3]),  # 7 allowed: 8*7/13 = 4.3, 5*7/13 = 2.7
        (10, 1, [1, 1]),
        (10, 0, [0, 0]),
    ],
)
def test_scaling_in_the_middle_of_a_rollout(before: int, after: int, expected: list[int]) -> None:
    c = cluster(deployment(replicas=before))
    do(c, deployment(replicas=before, tag="never-ready"))
    do(c, deployment(replicas=after, tag="never-ready", paused=True))
    assert sizes(c) == expected


def test_nothing_is_shared_out_where_the_whole_stays_as_it_is() -> None:
    c = cluster(deployment(replicas=4, strategy=rolling(1, 0)))
    do(c, deployment(replicas=4, strategy=rolling(1, 0), tag="never-ready"))
    assert sizes(c) == [4, 1]
    # one replica more and one of surge less: as many pods as before
    do(c, deployment(replicas=5, strategy=rolling(0, 1), tag="never-ready", paused=True))
    assert sizes(c) == [4, 1]
    assert [notes(c, "ReplicaSet", n, OURS)["max-replicas"] for n in names(c, "ReplicaSet")] == ["5", "5"]


def test_scaling_between_two_broken_rollouts_goes_by_size_and_age() -> None:
    c = cluster(deployment(replicas=4, strategy=rolling(2, 0)))
    do(c, deployment(replicas=4, strategy=rolling(2, 0), tag="never-ready1"))
    do(c, deployment(replicas=4, strategy=rolling(2, 0), tag="never-ready2"))
    assert sizes(c) == [4, 0, 2]
    do(c, deployment(replicas=7, strategy=rolling(2, 0), tag="never-ready2", paused=True))
    assert sizes(c) == [6, 0, 3]


def test_scale_and_template_in_one_apply() -> None:
    c = cluster(deployment(replicas=4))
    do(c, deployment(replicas=2, tag="2"))
    assert scaled(c)[0] == "0 4->2"
    assert sizes(c) == [0, 2]


def test_pause_and_resume() -> None:
    c = cluster(deployment())
    do(c, deployment(paused=True, tag="2"))
    assert conditions(c, "Deployment", "web") == [AVAILABLE, "Progressing Unknown DeploymentPaused"]
    assert sizes(c) == [2]
    do(c, deployment(paused=True, tag="2", replicas=3))
    assert sizes(c) == [3]
    c.apply(deployment(tag="2", replicas=3))
    rest(c, kubelet=False)
    assert conditions(c, "Deployment", "web") == [AVAILABLE, "Progressing True ReplicaSetUpdated"]
    rest(c)
    assert sizes(c) == [0, 3]
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]


def test_created_paused() -> None:
    c = cluster(deployment(paused=True))
    assert names(c, "ReplicaSet") == []
    assert status(c, "Deployment", "web") == {"observedGeneration": 1, "terminatingReplicas": 0}
    assert conditions(c, "Deployment", "web") == ["Progressing Unknown DeploymentPaused", UNAVAILABLE]


def test_template_put_back_while_paused_starts_no_rollout() -> None:
    c = cluster(deployment())
    do(c, deployment(paused=True, tag="2"))
    do(c, deployment(paused=True))
    do(c, deployment())
    assert sizes(c) == [2]
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]


def test_deadline_passes_and_progress_comes_back() -> None:
    slow: Value = {"progressDeadlineSeconds": 20}
    c = cluster(deployment(**slow))
    do(c, deployment(tag="never-ready", **slow))
    assert conditions(c, "Deployment", "web") == [AVAILABLE, "Progressing False ProgressDeadlineExceeded"]
    late = one(c, "Deployment", "web")["status"]["conditions"][1]["message"]
    assert late.endswith("has timed out progressing.")
    do(c, deployment(tag="never-ready", paused=True, **slow))  # does not hide it
    assert conditions(c, "Deployment", "web")[1] == "Progressing False ProgressDeadlineExceeded"
    do(c, deployment(tag="3", **slow))
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]


def test_without_a_deadline_nothing_is_said_of_progress() -> None:
    c = cluster(deployment(progressDeadlineSeconds=2**31 - 1))
    assert conditions(c, "Deployment", "web") == [AVAILABLE]


def test_rollout_that_is_done_does_not_time_out() -> None:
    c = cluster(deployment(progressDeadlineSeconds=5))
    c.delete("Pod", names(c, "Pod")[0])
    rest(c, kubelet=False)
    assert conditions(c, "Deployment", "web") == [DONE, UNAVAILABLE]
    rest(c)
    assert conditions(c, "Deployment", "web") == [DONE, AVAILABLE]


def test_min_ready_seconds_holds_the_rollout_back() -> None:
    c = cluster(deployment(minReadySeconds=10))
    rests = do(c, deployment(minReadySeconds=10, tag="2"))
    waits = [b.at - a.at for a, b in pairwise(rests) if b.kubelet is None]
    assert len(waits) == 2
    assert all(9 <= w <= 12 for w in waits)
    assert sizes(c) == [0, 2]


def test_min_ready_seconds_alone_is_no_rollout() -> None:
    c = cluster(deployment())
    do(c, deployment(minReadySeconds=3))
    assert [s["spec"].get("minReadySeconds") for s in c.objects("ReplicaSet")] == [3]
    do(c, deployment())
    assert [s["spec"].get("minReadySeconds") for s in c.objects("ReplicaSet")] == [None]


def test_going_back_reuses_a_set_and_keeps_its_revisions() -> None:
    c = cluster(deployment())
    for tag in ("2", "1", "2", "1"):
        do(c, deployment(tag=tag))
    first, second = names(c, "ReplicaSet")
    assert notes(c, "ReplicaSet", first, OURS)["revision"] == "5"
    assert notes(c, "ReplicaSet", first, OURS)["revision-history"] == "1,3"
    assert notes(c, "ReplicaSet", second, OURS)["revision-history"] == "2"
    assert notes(c, "Deployment", "web", OURS)["revision"] == "5"


def test_annotations_reach_the_new_set_but_not_what_kubectl_wrote() -> None:
    c = cluster(deployment())
    c.patch("Deployment", "web", {"metadata": {"annotations": {"team": "a", "kubernetes.io/change-cause": "x"}}})
    rest(c)
    name = names(c, "ReplicaSet")[0]
    found = one(c, "ReplicaSet", name)["metadata"]["annotations"]
    assert (found["team"], found["kubernetes.io/change-cause"]) == ("a", "x")
    assert "kubectl.kubernetes.io/last-applied-configuration" not in found
    assert one(c, "Deployment", "web")["metadata"]["generation"] == 2
    assert status(c, "Deployment", "web")["observedGeneration"] == 2


@pytest.mark.parametrize(("limit", "kept"), [(0, 1), (1, 2), (10, 4)])
def test_history_is_cut(limit: int, kept: int) -> None:
    c = cluster(deployment(revisionHistoryLimit=limit))
    for tag in "234":
        do(c, deployment(revisionHistoryLimit=limit, tag=tag))
    revisions = [notes(c, "ReplicaSet", n, OURS)["revision"] for n in names(c, "ReplicaSet")]
    assert revisions == ["1", "2", "3", "4"][-kept:]


@pytest.mark.parametrize(
    ("to", "tag", "said"),
    [
        ("0", "2", ('Rolled back deployment "web" to revision 2', "DeploymentRollback")),
        ("1", "1", ('Rolled back deployment "web" to revision 1', "DeploymentRollback")),
        ("7", "3", ("Unable to find the revision to rollback to.", "DeploymentRollbackRevisionNotFound")),
        (
            "3",
            "3",
            (
                'The rollback revision contains the same template as current deployment "web"',
                "DeploymentRollbackTemplateUnchanged",
            ),
        ),
    ],
)
def test_rollback_by_annotation(to: str, tag: str, said: tuple[str, str]) -> None:
    c = cluster(deployment())
    do(c, deployment(tag="2"))
    do(c, deployment(tag="3"))
    c.patch("Deployment", "web", {"metadata": {"annotations": {"deprecated.deployment.rollback.to": to}}})
    rest(c)
    web = one(c, "Deployment", "web")
    assert "deprecated.deployment.rollback.to" not in web["metadata"]["annotations"]
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == f"registry.example/web:{tag}"
    assert told(c, said[1]) == [said[0]]
    assert web["status"]["observedGeneration"] == web["metadata"]["generation"] == 5
    assert notes(c, "Deployment", "web", OURS)["revision"] == ("3" if tag == "3" else "4")


def test_rollback_of_a_first_revision_finds_no_last_one() -> None:
    c = cluster(deployment())
    c.patch("Deployment", "web", {"metadata": {"annotations": {"deprecated.deployment.rollback.to": "0"}}})
    rest(c)
    assert told(c, "DeploymentRollbackRevisionNotFound") == ["Unable to find last revision."]


def test_paused_deployment_does_not_roll_back() -> None:
    c = cluster(deployment())
    do(c, deployment(tag="2", paused=True))
    c.patch("Deployment", "web", {"metadata": {"annotations": {"deprecated.deployment.rollback.to": "1"}}})
    rest(c)
    assert "deprecated.deployment.rollback.to" in one(c, "Deployment", "web")["metadata"]["annotations"]


def test_name_that_is_taken_gives_another_hash() -> None:
    first = names(cluster(deployment()), "ReplicaSet")[0]
    c = cluster(replica_set(first, 0, app="other"), deployment())
    assert status(c, "Deployment", "web")["collisionCount"] == 1
    assert names(c, "ReplicaSet")[0] == first
    assert names(c, "ReplicaSet")[1].startswith("web-")
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]


def test_set_that_is_refused() -> None:
    c = cluster(quota(count_replicasets_apps="0"), deployment())
    message = told(c, "ReplicaSetCreateError")
    assert len(message) == 1
    assert message[0].startswith('Failed to create new replica set "web-')
    assert "exceeded quota: q, requested: count/replicasets.apps=1" in message[0]
    # the sync ends there: nothing is counted, and the generation counts as not seen
    assert status(c, "Deployment", "web") == {}
    assert conditions(c, "Deployment", "web") == ["Progressing False ReplicaSetCreateError"]
    do(c, quota(count_replicasets_apps="1"))
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]


def test_pods_that_are_refused_show_up_at_the_top() -> None:
    c = cluster(quota(pods="1"), deployment(replicas=3))
    assert "ReplicaFailure True FailedCreate" in conditions(c, "Deployment", "web")
    assert status(c, "Deployment", "web") == {
        "observedGeneration": 1,
        "replicas": 1,
        "updatedReplicas": 1,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "unavailableReplicas": 2,
        "terminatingReplicas": 0,
    }
    do(c, quota(pods="3"))
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]


def test_recreate_waits_for_the_last_pod() -> None:
    c = cluster(deployment(strategy={"type": "Recreate"}))
    c.apply(deployment(strategy={"type": "Recreate"}, tag="2"))
    rest(c, kubelet=False)
    assert sizes(c) == [0]
    assert status(c, "Deployment", "web")["terminatingReplicas"] == 2
    rests = rest(c)
    assert [str(r.kubelet).split()[0] for r in rests[1:]] == ["gone", "gone", "start", "start"]
    assert sizes(c) == [0, 2]


def test_recreate_does_not_wait_for_pods_that_have_failed() -> None:
    c = cluster(deployment(strategy={"type": "Recreate"}))
    failed = names(c, "Pod")[0]
    c.patch("Pod", failed, {"status": {"phase": "Failed"}}, subresource="status")
    rest(c)
    do(c, deployment(strategy={"type": "Recreate"}, tag="2"))
    assert sizes(c) == [0, 2]
    assert failed in names(c, "Pod")  # its ReplicaSet does not clean it up


def test_sets_without_an_owner_are_adopted_when_they_are_labelled() -> None:
    c = cluster(deployment())
    stray = replica_set("stray", 3, app="web", selector={"matchLabels": {"app": "web", "own": "1"}})
    stray["spec"]["template"]["metadata"]["labels"]["own"] = "1"
    do(c, stray)
    assert sizes(c) == [2, 3]
    c.patch("ReplicaSet", "stray", {"metadata": {"labels": {"app": "web"}}})
    rest(c)
    assert one(c, "ReplicaSet", "stray")["metadata"]["ownerReferences"][0]["name"] == "web"
    assert sizes(c) == [2, 0]
    c.patch("ReplicaSet", "stray", {"metadata": {"labels": {"app": "else"}}})
    rest(c)
    assert "ownerReferences" not in one(c, "ReplicaSet", "stray")["metadata"]


def test_older_set_with_the_same_template_becomes_the_new_one() -> None:
    early = replica_set("early", 1, app="web")
    early["metadata"]["labels"] = {"app": "web"}
    c = cluster(early)
    do(c, deployment())
    assert names(c, "ReplicaSet") == ["early"]
    assert conditions(c, "Deployment", "web") == [AVAILABLE, DONE]
    assert sizes(c) == [2]


def test_set_scaled_by_hand_is_scaled_back() -> None:
    c = cluster(deployment())
    name = names(c, "ReplicaSet")[0]
    c.patch("ReplicaSet", name, {"spec": {"replicas": 5}})
    rest(c)
    assert sizes(c) == [2]
    assert told(c, "ScalingReplicaSet") == [f"Scaled down replica set {name} from 5 to 2"]


def test_set_and_deployment_scaled_at_once() -> None:
    c = cluster(deployment())
    c.patch("ReplicaSet", names(c, "ReplicaSet")[0], {"spec": {"replicas": 4}})
    do(c, deployment(replicas=4))
    do(c, deployment(replicas=4, tag="2"))
    assert sizes(c) == [0, 4]


@pytest.mark.parametrize(("propagation", "kept"), [("Background", False), ("Foreground", False), ("Orphan", True)])
def test_set_deleted_by_hand_comes_back_under_its_name(propagation: str, kept: bool) -> None:
    c = cluster(deployment())
    before, name = names(c, "Pod"), names(c, "ReplicaSet")
    c.delete("ReplicaSet", name[0], propagation=propagation)
    rest(c)
    assert names(c, "ReplicaSet") == name
    assert (names(c, "Pod") == before) is kept
    assert len(names(c, "Pod")) == 2
    assert sorted(conditions(c, "Deployment", "web")) == [AVAILABLE, DONE]


def test_two_deployments_with_the_same_selector_and_template_leave_each_other_alone() -> None:
    other = made("apps/v1", "Deployment", "api", deployment()["spec"])
    c = cluster(deployment(), other)
    assert sizes(c) == [2, 2]
    assert len({s["metadata"]["labels"]["pod-template-hash"] for s in c.objects("ReplicaSet")}) == 1
    owners = {s["metadata"]["name"]: s["metadata"]["ownerReferences"][0]["name"] for s in c.objects("ReplicaSet")}
    assert all(name.startswith(owner) for name, owner in owners.items())
    assert {d: status(c, "Deployment", d)["replicas"] for d in ("web", "api")} == {"web": 2, "api": 2}


def test_empty_selector_in_stored_state_is_told() -> None:
    bad = made("apps/v1", "Deployment", "all", {"replicas": 1, "selector": {}, "template": template("all")})
    bad["metadata"]["generation"] = 1
    c = kplan.Cluster([bad])
    rest(c)
    assert names(c, "ReplicaSet") == []
    assert told(c, "SelectingAll") == ["This deployment is selecting all pods. A non-empty selector is required."]
    assert status(c, "Deployment", "all") == {"observedGeneration": 1}


def test_deployment_in_foreground_deletion_counts_on() -> None:
    c = cluster(deployment())
    c.delete("Deployment", "web", propagation="Foreground")
    rest(c, kubelet=False)
    web = one(c, "Deployment", "web")
    assert web["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert status(c, "Deployment", "web") == {
        "observedGeneration": 2,
        "terminatingReplicas": 2,
        "unavailableReplicas": 2,
    }
    rest(c)
    assert names(c, "Deployment") == names(c, "ReplicaSet") == names(c, "Pod") == []


def test_pods_of_others_do_not_count() -> None:
    c = cluster(pod("stray", {"app": "web"}), deployment())
    assert "ownerReferences" not in one(c, "Pod", "stray")["metadata"]  # it lacks the hash
    assert status(c, "Deployment", "web")["replicas"] == 2
