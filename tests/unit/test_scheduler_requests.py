"""How much a pod counts for: containers, sidecars, init containers, overhead, pod-level and running amounts."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.scheduler import requests

Value = dict[str, Any]
MI = 2**20


def container(cpu: str = "", memory: str = "", **more: Any) -> Value:
    asked = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
    return {"name": more.pop("name", "c"), "resources": {"requests": asked}, **more}


def sidecar(cpu: str, memory: str = "") -> Value:
    return container(cpu, memory, restartPolicy="Always")


def asked(spec: Value, **pod: Any) -> requests.Requests:
    return requests.of_pod({"spec": spec, **pod})


@pytest.mark.parametrize(
    ("spec", "cpu", "memory"),
    [
        pytest.param({"containers": [container("1", "1Gi"), container("500m")]}, 1500, 1024 * MI, id="sum"),
        pytest.param(
            {
                "initContainers": [container("2", "1Gi"), container("2", "3Gi")],
                "containers": [container("2", "1Gi"), container("1", "1Gi")],
            },
            3000,
            3072 * MI,
            id="the larger of the sum and each init container",
        ),
        pytest.param(
            {"initContainers": [sidecar("1"), container("2")], "containers": [container("1")]},
            3000,
            0,
            id="an init container runs beside the sidecars before it",
        ),
        pytest.param(
            {"initContainers": [container("2"), sidecar("1")], "containers": [container("500m")]},
            2000,
            0,
            id="but not beside those after it",
        ),
        pytest.param(
            {"containers": [container("1", "1Gi")], "overhead": {"cpu": "250m", "memory": "1Mi"}},
            1250,
            1025 * MI,
            id="overhead comes on top",
        ),
        pytest.param(
            {"containers": [container("1")], "resources": {"requests": {"cpu": "300m"}}}, 300, 0, id="pod level"
        ),
        pytest.param({"containers": [container("0.5m"), container("0.5m")]}, 1, 0, id="rounded after adding"),
        pytest.param(
            {"containers": [{"resources": {"limits": {"cpu": "2"}}}]}, 2000, 0, id="a limit stands for the request"
        ),
        pytest.param({"containers": "broken"}, 0, 0, id="what is no list counts for nothing"),
    ],
)
def test_what_fills_a_node(spec: Value, cpu: int, memory: int) -> None:
    found = asked(spec).real
    assert (found.get("cpu", 0), found.get("memory", 0)) == (cpu, memory)


def test_scores_count_a_little_for_containers_that_name_nothing() -> None:
    found = asked({"containers": [container("1"), container("", "1Gi"), container("0", "0")]})
    assert (found.cpu, found.memory) == (1100, 1224 * MI)
    assert found.scored["cpu"] == 1100


def test_pod_level_amounts_count_on_nodes_but_not_in_the_fit_score() -> None:
    found = asked({"containers": [container("1", "1Gi")], "resources": {"requests": {"cpu": "4"}}})
    assert (found.real["cpu"], found.cpu, found.scored["cpu"]) == (4000, 4000, 1000)
    old = requests.of_pod({"spec": {"containers": [], "resources": {"requests": {"cpu": "4"}}}}, pod_level=False)
    assert not old.real


@pytest.mark.parametrize(("reason", "cpu"), [("Deferred", 3000), ("Infeasible", 2000)])
def test_a_pod_in_the_middle_of_a_resize_counts_the_most(reason: str, cpu: int) -> None:
    status = {
        "conditions": [{"type": "PodResizePending", "reason": reason}],
        "containerStatuses": [
            {"name": "c", "resources": {"requests": {"cpu": "1"}}, "allocatedResources": {"cpu": "2"}}
        ],
    }
    assert asked({"containers": [container("3")]}, status=status).real["cpu"] == cpu


@pytest.mark.parametrize(
    ("name", "scalar", "extended"),
    [
        ("nvidia.com/gpu", True, True),
        ("hugepages-2Mi", True, False),
        ("attachable-volumes-csi-x", True, False),
        ("kubernetes.io/batch", True, False),
        ("requests.example.com/gpu", False, False),
        ("apples", False, False),
    ],
)
def test_classes_of_resources(name: str, scalar: bool, extended: bool) -> None:
    assert (requests.is_scalar(name), requests.is_extended(name)) == (scalar, extended)


def test_a_node_without_allocatable_offers_its_capacity() -> None:
    node = {"status": {"capacity": {"cpu": "1500m", "memory": "1Gi", "pods": "10", "apples": "3"}}}
    assert requests.allocatable(node) == {"cpu": 1500, "memory": 1024 * MI, "pods": 10}
