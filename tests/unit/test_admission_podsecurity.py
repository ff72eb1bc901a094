"""Pod Security: verdict and sentence for published fixtures, as a Kubernetes 1.36 API server gave them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

import kplan
from kplan.api.admission import podsecurity

FIXTURES = Path(__file__).parents[1] / "data" / "podsecurity" / "fixtures.jsonl"
ROWS = [json.loads(line) for line in FIXTURES.read_text(encoding="utf-8").splitlines()]
PREFIX = "pod-security.kubernetes.io/"


def namespace(**modes: str) -> dict:
    labels = {PREFIX + k.replace("_", "-"): v for k, v in modes.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "labels": labels}}


@pytest.mark.parametrize("row", ROWS, ids=lambda r: r["name"])
def test_enforce(row: dict) -> None:
    for answer in row["server"]:
        for version in answer["versions"]:
            pod = copy.deepcopy(row["pod"])
            pod["metadata"]["namespace"] = "x"
            cluster = kplan.Cluster([namespace(enforce=answer["level"], enforce_version=version)])
            got = kplan.admit(pod, cluster=cluster)
            assert got.status == answer["code"], (version, got.message)
            if answer["code"] != 201:
                assert got.message == answer["message"].replace("<version>", version)


@pytest.mark.parametrize(
    ("labels", "level"),
    [
        ({}, "privileged:latest"),
        ({"enforce": "baseline"}, "baseline:latest"),
        ({"enforce": "baseline", "enforce_version": "v1.20"}, "baseline:v1.20"),
        ({"enforce": "basline"}, "restricted:latest"),
        ({"enforce": "baseline", "enforce_version": "1.20"}, "baseline:latest"),
    ],
)
def test_level_of_labels(labels: dict, level: str) -> None:
    assert str(podsecurity.level_of(namespace(**labels), "enforce")) == level


@pytest.mark.parametrize(
    ("warn", "enforce", "said"),
    [
        ("baseline", "privileged", "baseline:latest"),
        ("privileged", "baseline", "baseline:latest"),
        ("privileged", "privileged", None),
    ],
)
def test_workloads_are_warned_of_the_stricter_level(warn: str, enforce: str, said: str | None) -> None:
    spec = {"hostNetwork": True, "containers": [{"name": "c", "image": "i"}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": spec}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "x"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
    }
    got = kplan.admit(deployment, cluster=kplan.Cluster([namespace(warn=warn, enforce=enforce)]))
    assert got.accepted
    expected = f'would violate PodSecurity "{said}": host namespaces (hostNetwork=true)'
    assert list(got.warnings) == ([expected] if said else [])


def bare_pod(name: str, owner: str = "", **spec: object) -> dict:
    meta: dict = {"name": name, "namespace": "x"}
    if owner:
        ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}
        meta["ownerReferences"] = [ref]
    containers = [{"name": "c", "image": "i"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": containers, **spec}}


PODS = [
    bare_pod("a-1", "a", hostNetwork=True),
    bare_pod("a-2", "a", hostNetwork=True),
    bare_pod("b", hostNetwork=True),
    bare_pod("good"),
    bare_pod("z", hostPID=True, volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
]
HEAD = 'existing pods in namespace "x" violate the new PodSecurity enforce level "{}"'
AGAINST = ["a-1 (and 2 other pods): host namespaces", "z: host namespaces, hostPath volumes"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({}, {"enforce": "baseline"}, [HEAD.format("baseline:latest"), *AGAINST]),
        (
            {"enforce": "baseline"},
            {"enforce": "baseline", "enforce_version": "v1.25"},
            [HEAD.format("baseline:v1.25"), *AGAINST],
        ),
        ({"enforce": "restricted"}, {"enforce": "baseline"}, []),
        ({"enforce": "baseline"}, {"enforce": "privileged"}, []),
        ({"enforce": "baseline"}, {"enforce": "baseline", "warn": "restricted"}, []),
        ({}, {"warn": "baseline"}, []),
    ],
)
def test_pods_that_are_there_when_a_level_is_raised(before: dict, after: dict, said: list[str]) -> None:
    cluster = kplan.Cluster([namespace(**before), *PODS])
    (got,) = cluster.apply([namespace(**after)], mode="replace")
    assert got.accepted
    assert list(got.warnings) == said


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"metadata": {"labels": {"a": "b"}}}, 200),
        ({"spec": {"activeDeadlineSeconds": 9}}, 200),
        ({"spec": {"containers": [{"name": "c", "image": "j"}]}}, 403),
    ],
)
def test_a_pod_is_judged_again_where_its_images_change(change: dict, status: int) -> None:
    cluster = kplan.Cluster([namespace(enforce="baseline"), PODS[2]])
    assert cluster.patch("Pod", "b", change, namespace="x", patch_type="strategic").status == status
