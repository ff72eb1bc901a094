"""The cgroup v2 files of a pod and of its containers, as a kubelet sets them up.

Follows pkg/kubelet/cm (helpers_linux.go, ResourceConfigForPod), kuberuntime_container_linux.go and, for memory.min and
memory.high, KEP-2570. cpu.weight follows from cgroup v1 shares by the formula of KEP-2254; runc since 1.3.2 and crun
since 1.23 use another one, which gives larger weights to small requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kplan import resourcelist
from kplan.api.newpods import qos_class
from kplan.resourcelist import Amounts

Value = dict[str, Any]
Files = dict[str, str]

PERIOD = 100_000  # microseconds: cpuCFSQuotaPeriod
_MIN_SHARES, _MAX_SHARES, _MIN_QUOTA = 2, 262_144, 1000
_THROTTLING = 0.9  # memoryThrottlingFactor
_PAGE = 4096
_NANO, _MILLI = 10**9, 10**6
_UNLIMITED = "max"


class Groups(NamedTuple):
    """The cgroup of a pod: its path below the root, its files, and those of each container by name."""

    path: str
    pod: Files
    containers: Mapping[str, Files]


def of_pod(
    pod: Value, minor: int, *, memory_qos: bool = False, allocatable: int = 0, driver: str = "systemd"
) -> Groups:
    """What a pod and its containers get in a release 1.`minor`; values are as the files hold them, memory in bytes.

    `memory_qos` is the feature MemoryQoS, off by default; then `allocatable` is the memory of the node in bytes, for
    containers without a limit. `driver` is systemd or cgroupfs.
    """
    spec = pod["spec"]
    quality = qos_class(spec, minor)
    return Groups(
        _path(quality, (pod.get("metadata") or {}).get("uid") or "UID", driver),
        _of_whole(spec, quality, minor, memory_qos=memory_qos),
        {c["name"]: _of_container(c, allocatable, memory_qos=memory_qos) for c in _containers(spec)},
    )


def shares(milli: int) -> int:
    """The cgroup v1 cpu.shares of so many millicores."""
    return min(max(milli * 1024 // 1000, _MIN_SHARES), _MAX_SHARES)


def weight(of_shares: int) -> int:
    """The cpu.weight (1 to 10000) of cpu.shares (2 to 262144): KEP-2254."""
    return 1 + (of_shares - 2) * 9999 // 262142


def cpu_max(milli: int, period: int = PERIOD) -> str:
    """The cpu.max of a limit in millicores, 0 for none: microseconds in each period."""
    return f"{max(milli * period // 1000, _MIN_QUOTA)} {period}" if milli else f"{_UNLIMITED} {period}"


def _of_whole(spec: Value, quality: str, minor: int, *, memory_qos: bool) -> Files:
    """A limit holds for the pod only if each container has one, or the pod itself."""
    pod_level = minor >= 34
    requests = resourcelist.of_pod(spec, "requests", pod_level=pod_level)
    limits = resourcelist.of_pod(spec, "limits", pod_level=pod_level)
    whole = resourcelist.amounts((spec.get("resources") or {}).get("limits")) if pod_level else {}
    capped = {n for n in ("cpu", "memory") if whole.get(n) or all(_limits(c).get(n) for c in _containers(spec))}
    if quality == "BestEffort":
        return {"cpu.weight": str(weight(_MIN_SHARES)), "cpu.max": cpu_max(0), "memory.max": _UNLIMITED}
    files = {
        "cpu.weight": str(weight(shares(_millis(requests)))),
        "cpu.max": cpu_max(_millis(limits) if "cpu" in capped else 0),
        "memory.max": _bytes_or_max(limits if "memory" in capped else {}),
    }
    if memory_qos and _bytes(requests):
        files["memory.min"] = str(_bytes(requests))
    return files


def _of_container(container: Value, allocatable: int, *, memory_qos: bool) -> Files:
    """A request that is not there is the limit; without both the container gets the least share."""
    limits = _limits(container)
    requests = {**limits, **resourcelist.of_container(container, "requests")}
    files = {
        "cpu.weight": str(weight(shares(_millis(requests)))),
        "cpu.max": cpu_max(_millis(limits)),
        "memory.max": _bytes_or_max(limits),
    }
    if memory_qos:
        files |= _memory_qos(_bytes(requests), _bytes(limits), allocatable)
    return files


def _memory_qos(request: int, limit: int, allocatable: int) -> Files:
    """memory.min is what is requested; memory.high lies at nine tenths between that and the limit, in whole pages."""
    files = {"memory.min": str(request)} if request else {}
    top = limit or allocatable
    if request == limit and limit:  # nothing lies between
        return files
    high = int((request + (top - request) * _THROTTLING) // _PAGE) * _PAGE
    return {**files, "memory.high": str(high)} if high > request else files


def _path(quality: str, uid: str, driver: str) -> str:
    tier = "" if quality == "Guaranteed" else quality.lower()
    if driver == "cgroupfs":
        return "/".join(filter(None, ("/kubepods", tier, f"pod{uid}")))
    names = ["kubepods", *filter(None, (tier,)), f"pod{uid.replace('-', '_')}"]
    return "/" + "/".join(f"{'-'.join(names[: i + 1])}.slice" for i in range(len(names)))


def _containers(spec: Value) -> list[Value]:
    return [*(spec.get("initContainers") or ()), *spec["containers"]]


def _limits(container: Value) -> Amounts:
    return resourcelist.of_container(container, "limits")


def _millis(amounts: Mapping[str, int]) -> int:
    return -(-amounts.get("cpu", 0) // _MILLI)


def _bytes(amounts: Mapping[str, int]) -> int:
    return -(-amounts.get("memory", 0) // _NANO)


def _bytes_or_max(amounts: Mapping[str, int]) -> str:
    return str(_bytes(amounts)) if _bytes(amounts) else _UNLIMITED
