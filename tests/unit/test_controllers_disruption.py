"""PodDisruptionBudgets: what the disruption controller counts, and which evictions the API server refuses."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.model import Cause

Value = dict[str, Any]

NODES = [
    {"metadata": {"name": n, "uid": f"uid-{n}"}, "status": {"allocatable": {"cpu": "8", "pods": "110"}}}
    for n in ("n1", "n2")
]
STORE = "registry.example/store"
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."


def meta(name: str, **more: Any) -> Value:
    return {"name": name, "namespace": "default", **more}


def workload(kind: str = "Deployment", name: str = "web", replicas: int = 3, tag: str = "1", **more: Any) -> Value:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": f"{STORE}:{tag}"}]}}
    plain = kind == "ReplicationController"
    spec = {
        "replicas": replicas,
        "selector": labels if plain else {"matchLabels": labels},
        "template": template,
        **more,
    }
    return {"apiVersion": "v1" if plain else "apps/v1", "kind": kind, "metadata": meta(name), "spec": spec}


def budget(name: str = "b", selector: Value | None = None, **spec: Any) -> Value:
    chosen = {"matchLabels": {"app": "web"}} if selector is None else selector
    body = {"selector": chosen, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": meta(name), "spec": body}


def pod(name: str, labels: Value | None = None, ready: bool = True, **more: Any) -> Value:
    """A pod that runs since before the controllers look at it."""
    spec = {"nodeName": "n1", "containers": [{"name": "c", "image": "i:1"}]}
    conditions = [{"type": "Ready", "status": str(ready)}]
    status = {"phase": "Running", "podIP": "10.0.0.1", "conditions": conditions}
    own = meta(name, labels={"app": "web"} if labels is None else labels, uid=f"uid-{name}", **more)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": own, "spec": spec, "status": status}


def owned(kind: str, name: str, api_version: str = "apps/v1") -> list[Value]:
    return [{"apiVersion": api_version, "kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}]


def cluster(*objects: Value, stored: tuple[Value, ...] = ()) -> kplan.Cluster:
    made = kplan.Cluster([*NODES, *stored])
    answers = made.apply(objects)
    assert all(a.accepted for a in answers), [a.message for a in answers]
    made.settle()
    return made


def status(c: kplan.Cluster, name: str = "b") -> Value:
    found = c.get(budget(name))
    assert found is not None
    return dict(found["status"])


def counts(c: kplan.Cluster, name: str = "b") -> tuple[int, ...]:
    said = status(c, name)
    return tuple(said[k] for k in ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"))


def condition(c: kplan.Cluster) -> tuple[str, str, str]:
    (said,) = status(c)["conditions"]
    return said["status"], said["reason"], said["message"]


def events(c: kplan.Cluster, reason: str) -> list[str]:
    return [e.message for e in c.events_since_last_settle() if e.reason == reason]


def pods(c: kplan.Cluster) -> list[str]:
    return [p["metadata"]["name"] for p in c.objects("Pod")]


# ---------------------------------------------------------------- what is counted


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 2}, (5, 2, 3, 5)),
        ({"minAvailable": 7}, (5, 7, 0, 5)),
        ({"minAvailable": "50%"}, (5, 3, 2, 5)),  # rounded up
        ({"maxUnavailable": 1}, (5, 4, 1, 5)),
        ({"maxUnavailable": 9}, (5, 0, 5, 5)),
        ({"maxUnavailable": "30%"}, (5, 3, 2, 5)),
        ({}, (5, 0, 0, 0)),
    ],
)
def test_forms(spec: Value, expected: tuple[int, ...]) -> None:
    c = cluster(workload(replicas=5), budget(**spec))
    assert counts(c) == expected
    allowed = ("True", "SufficientPods", "") if expected[2] else ("False", "InsufficientPods", "")
    assert condition(c) == allowed
    assert status(c)["observedGeneration"] == 1


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet", "ReplicationController"])
def test_the_scale_is_that_of_the_controller(kind: str) -> None:
    assert counts(cluster(workload(kind, tag="never-ready"), budget(maxUnavailable=1))) == (0, 2, 0, 3)


def test_several_controllers_add_up() -> None:
    c = cluster(workload(name="a", replicas=2), workload(name="b", replicas=3), budget(maxUnavailable="50%"))
    assert counts(c) == (5, 2, 3, 5)


def crd(scale: Value | None) -> Value:
    subresources = {"scale": scale} if scale is not None else {}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": subresources}
    names = {"kind": "Pack", "plural": "packs", "singular": "pack", "listKind": "PackList"}
    spec = {"group": "x.io", "names": names, "scope": "Namespaced", "versions": [version]}
    own = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**own, "metadata": {"name": "packs.x.io"}, "spec": spec}


PACK = {"apiVersion": "x.io/v1", "kind": "Pack", "metadata": meta("k", uid="uid-k"), "spec": {"size": 4}}
SCALE = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}


def test_the_scale_of_custom_resources() -> None:
    members = tuple(pod(f"p{i}", ownerReferences=owned("Pack", "k", "x.io/v1")) for i in range(2))
    c = cluster(budget(maxUnavailable=1), stored=(crd(SCALE), PACK, *members))
    assert counts(c) == (2, 3, 0, 4)


@pytest.mark.parametrize(
    ("stored", "why"),
    [
        (
            (pod("p", ownerReferences=owned("Node", "n1", "v1")),),
            "nodes does not implement the scale subresource",
        ),
        (
            (PACK, pod("p", ownerReferences=owned("Pack", "k", "x.io/v1"))),
            'no matches for kind "Pack" in version "x.io/v1"',
        ),
        (
            (crd(None), PACK, pod("p", ownerReferences=owned("Pack", "k", "x.io/v1"))),
            "packs.x.io does not implement the scale subresource",
        ),
    ],
)
def test_what_has_no_scale_fails_safe(stored: tuple[Value, ...], why: str) -> None:
    made = kplan.Cluster([*NODES, *stored])
    made.apply(budget(maxUnavailable=1))
    made.settle()
    assert condition(made) == ("False", "SyncFailed", why)
    assert events(made, "CalculateExpectedPodCountFailed") == [
        f"Failed to calculate the number of expected pods: {why}"
    ]
    made.apply(budget(minAvailable=0, maxUnavailable=None))
    made.settle()
    assert counts(made) == (1, 0, 1, 1)


def test_a_percentage_over_pods_without_controller() -> None:
    c = cluster(budget(minAvailable="50%", selector={"matchExpressions": [EXPRESSION]}), stored=(pod("p"),))
    assert counts(c) == (1, 0, 0, 0)
    (told,) = events(c, "UnmanagedPods")
    assert "MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:app,Operator:In," in told


EXPRESSION = {"key": "app", "operator": "In", "values": ["web", "api"]}


def test_terminating_and_unready_pods_are_not_healthy() -> None:
    c = cluster(budget(minAvailable=1), stored=(pod("p"), pod("q"), pod("r", ready=False)))
    assert counts(c) == (2, 1, 1, 3)
    c.delete("Pod", "p")
    c.settle(kubelet=False)
    assert counts(c) == (1, 1, 0, 3)
    c.settle()
    assert counts(c) == (1, 1, 0, 2)


@pytest.mark.parametrize(("selector", "selected"), [({}, 2), ({"matchLabels": {"app": "none"}}, 0)])
def test_selectors(selector: Value, selected: int) -> None:
    c = cluster(budget(minAvailable=0, selector=selector), stored=(pod("p"), pod("q", labels={})))
    assert counts(c)[3] == selected
    assert events(c, "NoPods") == ([] if selected else ["No matching pods found"])


def test_pods_that_are_about_to_be_made_are_not_missed() -> None:
    assert events(cluster(workload(), budget(minAvailable=1)), "NoPods") == []
    missed = ["No matching pods found"]
    assert events(cluster(workload(paused=True), budget(minAvailable=1)), "NoPods") == missed
    assert events(cluster(budget(minAvailable=1), workload()), "NoPods") == missed
    other = budget(minAvailable=1, selector={"matchLabels": {"app": "other"}})
    assert events(cluster(workload(), other), "NoPods") == missed


def test_scaling_shows_with_the_next_change_of_a_pod() -> None:
    c = cluster(workload(replicas=2), budget(maxUnavailable=1))
    c.apply(workload(replicas=4))
    c.settle()
    assert counts(c) == (4, 3, 1, 4)


def test_a_changed_budget_is_observed() -> None:
    c = cluster(workload(), budget(minAvailable=1))
    c.apply(budget(minAvailable=2))
    c.settle()
    assert (counts(c), status(c)["observedGeneration"]) == ((3, 2, 1, 3), 2)


def test_of_two_budgets_one_learns_of_a_pod() -> None:
    c = cluster(budget("x", minAvailable=1), budget("y", minAvailable=1), stored=(pod("p"), pod("q")))
    c.delete("Pod", "p")
    c.settle()
    assert (counts(c, "x"), counts(c, "y")) == ((1, 1, 0, 1), (2, 1, 1, 2))
    assert 'Pod "default"/"p" matches multiple PodDisruptionBudgets.  Chose "x" arbitrarily.' in events(
        c, "MultiplePodDisruptionBudgets"
    )


def test_an_eviction_counts_until_it_is_too_old() -> None:
    made = {**budget(minAvailable=1), "metadata": meta("b", generation=1)}
    going = {"p": "2026-01-01T00:00:00Z", "gone": "2026-01-01T00:00:00Z"}
    old = {"observedGeneration": 1, "disruptionsAllowed": 0, "disruptedPods": going}
    c = cluster(stored=({**made, "status": old}, pod("p"), pod("q")))
    assert counts(c) == (1, 1, 0, 2)
    assert status(c)["disruptedPods"] == {"p": "2026-01-01T00:00:00Z"}
    c.clock.advance(121)
    c.settle()
    assert counts(c) == (2, 1, 1, 2)
    assert "disruptedPods" not in status(c)
    assert len(events(c, "NotDeleted")) == 1


# ---------------------------------------------------------------- evictions


def test_an_eviction_is_charged_at_once() -> None:
    c = cluster(workload(), budget(maxUnavailable=1))
    first, second = pods(c)[:2]
    answer = c.evict(first)
    assert (answer.accepted, answer.status) == (True, 201)
    assert status(c)["disruptionsAllowed"] == 0
    assert list(status(c)["disruptedPods"]) == [first]
    assert condition(c) == ("False", "InsufficientPods", "")
    (evicted,) = [p for p in c.objects("Pod") if p["metadata"].get("deletionTimestamp")]
    told = evicted["status"]["conditions"][-1]
    assert (told["type"], told["reason"], told["message"]) == (
        "DisruptionTarget",
        "EvictionByEvictionAPI",
        "Eviction API: evicting",
    )
    refused = c.evict(second)
    assert (refused.accepted, refused.status, refused.message) == (False, 429, VIOLATES)
    c.settle()
    assert first not in pods(c)
    assert counts(c) == (3, 2, 1, 3)
    assert c.evict(second).status == 201


def test_a_refusal_names_the_budget() -> None:
    c = cluster(workload(), budget(minAvailable=3))
    needs = "The disruption budget b needs 3 healthy pods and has 3 currently"
    assert c.evict(pods(c)[0]).causes == (Cause("", "DisruptionBudget", needs),)


def test_a_budget_that_was_not_looked_at_refuses() -> None:
    c = cluster(workload())
    c.apply(budget(maxUnavailable=1))
    answer = c.evict(pods(c)[0])
    assert (answer.status, answer.message) == (429, VIOLATES)
    assert answer.causes[0].message == "The disruption budget b is still being processed by the server."


def test_several_budgets_refuse() -> None:
    c = cluster(workload(), budget("x", maxUnavailable=1), budget("y", maxUnavailable=1))
    answer = c.evict(pods(c)[0])
    assert answer.status == 500
    assert answer.message.startswith("This pod has more than one PodDisruptionBudget")


def test_without_such_a_pod_or_budget() -> None:
    c = cluster(workload(), budget(minAvailable=9, selector={"matchLabels": {"app": "else"}}))
    assert (c.evict("none").status, c.evict("none").message) == (404, 'pods "none" not found')
    assert c.evict(pods(c)[0], namespace="other").status == 404
    assert c.evict(pods(c)[0]).accepted


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
def test_what_does_not_run_may_always_go(phase: str) -> None:
    idle = {**pod("p"), "status": {"phase": phase}}
    c = kplan.Cluster([*NODES, idle, pod("q"), budget(minAvailable=9)])
    assert c.evict("p").status == 201
    assert c.evict("q").status == 429


def test_a_pod_that_is_leaving_may_be_evicted_again() -> None:
    c = cluster(budget(minAvailable=0), stored=(pod("p"), pod("q")))
    assert c.evict("p").status == c.evict("p").status == 201
    assert status(c)["disruptionsAllowed"] == 1


@pytest.mark.parametrize(
    ("policy", "desired", "healthy", "code"),
    [
        ("IfHealthyBudget", 2, 2, 201),
        ("IfHealthyBudget", 2, 1, 429),
        ("IfHealthyBudget", 0, 0, 429),
        ("AlwaysAllow", 2, 1, 201),
    ],
)
def test_unready_pods(policy: str, desired: int, healthy: int, code: int) -> None:
    made = budget(minAvailable=desired, unhealthyPodEvictionPolicy=policy)
    said = {"observedGeneration": 1, "disruptionsAllowed": 0, "desiredHealthy": desired, "currentHealthy": healthy}
    c = kplan.Cluster([*NODES, {**made, "status": said}, pod("p", ready=False), pod("q")])
    assert c.evict("p").status == code
    assert c.evict("q").status == 429
    assert "disruptedPods" not in status(c)


def test_a_failed_sync_is_the_reason() -> None:
    stray = pod("p", ownerReferences=owned("Node", "n1", "v1"))
    c = cluster(budget(maxUnavailable=1), stored=(stray,))
    why = "nodes does not implement the scale subresource"
    # the condition says so, but the controller never got as far as to observe the budget
    assert c.evict("p").causes[0].message.endswith("is still being processed by the server.")
    seen = {**status(c), "observedGeneration": 1}
    known = kplan.Cluster([*NODES, {**budget(maxUnavailable=1), "status": seen}, stray])
    assert known.evict("p").causes[0].message.endswith(f"because it failed sync: {why}")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"disruptionsAllowed": -1}, "pdb disruptions allowed is negative"),
        (
            {"disruptionsAllowed": 1, "disruptedPods": {f"p{i}": "2026-01-01T00:00:00Z" for i in range(2001)}},
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        ),
    ],
)
def test_a_status_that_cannot_be(said: Value, why: str) -> None:
    c = kplan.Cluster([*NODES, {**budget(minAvailable=0), "status": {"observedGeneration": 1, **said}}, pod("p")])
    answer = c.evict("p")
    assert (answer.status, answer.message) == (403, f'poddisruptionbudget.policy "b" is forbidden: {why}')
