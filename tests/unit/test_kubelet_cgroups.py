"""cgroup v2 values of a pod."""

from __future__ import annotations

from typing import Any

import pytest

from kplan.kubelet import cgroups

Value = dict[str, Any]

MI = 2**20


def container(name: str = "c", requests: Value | None = None, limits: Value | None = None, **more: Any) -> Value:
    return {"name": name, "resources": {"requests": requests or {}, "limits": limits or {}}, **more}


def pod(*containers: Value, **spec: Any) -> Value:
    return {"metadata": {"uid": "12-34"}, "spec": {"containers": list(containers), **spec}}


@pytest.mark.parametrize(
    ("milli", "shares", "weight"),
    [
        (0, 2, 1),
        (1, 2, 1),
        (100, 102, 4),
        (500, 512, 20),
        (1000, 1024, 39),
        (4000, 4096, 157),
        (512_000, 262_144, 10_000),
    ],
)
def test_weight_of_a_request(milli: int, shares: int, weight: int) -> None:
    assert cgroups.shares(milli) == shares
    assert cgroups.weight(shares) == weight


@pytest.mark.parametrize(
    ("milli", "expected"), [(0, "max 100000"), (1, "1000 100000"), (250, "25000 100000"), (2000, "200000 100000")]
)
def test_quota_of_a_limit(milli: int, expected: str) -> None:
    assert cgroups.cpu_max(milli) == expected


SMALL = {"cpu": "250m", "memory": "64Mi"}
LARGE = {"cpu": "1", "memory": "128Mi"}


@pytest.mark.parametrize(
    ("value", "path", "expected"),
    [
        (
            pod(container()),
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod12_34.slice",
            {"cpu.weight": "1", "cpu.max": "max 100000", "memory.max": "max"},
        ),
        (
            pod(container(requests=SMALL, limits=LARGE)),
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice",
            {"cpu.weight": "10", "cpu.max": "100000 100000", "memory.max": str(128 * MI)},
        ),
        (
            pod(container(requests=LARGE, limits=LARGE), container("d", LARGE, LARGE)),
            "/kubepods.slice/kubepods-pod12_34.slice",
            {"cpu.weight": "79", "cpu.max": "200000 100000", "memory.max": str(256 * MI)},
        ),
        (  # one container without a limit: none for the pod
            pod(container(requests=SMALL, limits=LARGE), container("d", SMALL)),
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_34.slice",
            {"cpu.weight": "20", "cpu.max": "max 100000", "memory.max": "max"},
        ),
        (  # the pod has one of its own
            pod(container(requests=SMALL), resources={"limits": LARGE, "requests": LARGE}),
            "/kubepods.slice/kubepods-pod12_34.slice",
            {"cpu.weight": "39", "cpu.max": "100000 100000", "memory.max": str(128 * MI)},
        ),
    ],
)
def test_files_of_a_pod(value: Value, path: str, expected: Value) -> None:
    found = cgroups.of_pod(value, 36)
    assert (found.path, found.pod) == (path, expected)


def test_files_of_containers() -> None:
    sidecar = container("s", limits={"cpu": "100m"}, restartPolicy="Always")
    found = cgroups.of_pod(pod(container(requests=SMALL), initContainers=[sidecar]), 36)
    assert found.containers == {
        "s": {"cpu.weight": "4", "cpu.max": "10000 100000", "memory.max": "max"},
        "c": {"cpu.weight": "10", "cpu.max": "max 100000", "memory.max": "max"},
    }


@pytest.mark.parametrize(
    ("requests", "limits", "allocatable", "low", "high"),
    [
        ({"memory": "100Mi"}, {"memory": "200Mi"}, 0, 100 * MI, 190 * MI),
        ({"memory": "100Mi"}, {"memory": "100Mi"}, 0, 100 * MI, None),
        ({"memory": "100Mi"}, {}, 1100 * MI, 100 * MI, 1000 * MI),
        ({}, {"memory": "1Mi"}, 0, 1 * MI, None),
        ({}, {}, 0, None, None),
    ],
)
def test_memory_quality(requests: Value, limits: Value, allocatable: int, low: int | None, high: int | None) -> None:
    value = pod(container(requests=requests, limits=limits))
    assert not {"memory.min", "memory.high"} & set(cgroups.of_pod(value, 36).containers["c"])
    files = cgroups.of_pod(value, 36, memory_qos=True, allocatable=allocatable).containers["c"]
    assert files.get("memory.min") == (str(low) if low else None)
    assert files.get("memory.high") == (str(high) if high else None)


def test_paths_of_the_other_driver() -> None:
    assert cgroups.of_pod(pod(container(requests=SMALL)), 36, driver="cgroupfs").path == "/kubepods/burstable/pod12-34"
    both = pod(container(requests=LARGE, limits=LARGE))
    assert cgroups.of_pod(both, 36, driver="cgroupfs").path == "/kubepods/pod12-34"
