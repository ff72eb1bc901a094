"""How many pods the scheduler places in a second, and that both of its paths place them alike.

    python bench/scheduler.py [--nodes 1000] [--pods 10000] [--plain]

CPU seconds of one process, reading the objects included. `--plain` checks the placements of the first 300 pods of
every case against the plain path, which takes a while.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

from kplan.scheduler import profile
from kplan.scheduler.run import Scheduler
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store

Value = dict[str, Any]
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
CHECKED = 300


def node(i: int) -> Value:
    name = f"node-{i:05d}"
    room = {"cpu": "32", "memory": "128Gi", "pods": "110"}
    meta = {"name": name, "labels": {HOST: name, ZONE: f"zone-{i % 3}"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "status": {"capacity": room, "allocatable": room}}


def pod(i: int, app: str, cpu: str = "100m", memory: str = "128Mi", **spec: Any) -> Value:
    container = {"name": "c", "image": "web:1", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    meta = {"name": f"pod-{i:06d}", "namespace": "default", "labels": {"app": app}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}


def selected(app: str, **more: Any) -> Value:
    return {"labelSelector": {"matchLabels": {"app": app}}, **more}


def plain(count: int) -> list[Value]:
    """Pods of one shape."""
    return [pod(i, "web") for i in range(count)]


def mixed(count: int) -> list[Value]:
    """Pods of 50 shapes in random order."""
    r = random.Random(1)
    shapes = [(f"app-{j}", f"{50 + 10 * j}m", f"{64 + 8 * j}Mi") for j in range(50)]
    return [pod(i, *r.choice(shapes)) for i in range(count)]


def hard_spread(count: int) -> list[Value]:
    """Pods that must be spread over zones."""
    rule = selected("web", maxSkew=1, topologyKey=ZONE, whenUnsatisfiable="DoNotSchedule")
    return [pod(i, "web", topologySpreadConstraints=[rule]) for i in range(count)]


def anti_affinity(count: int) -> list[Value]:
    """Groups of 500 pods, each of which wants a host without another of its group."""
    found = []
    for i in range(count):
        app = f"app-{i // 500}"
        rule = {"requiredDuringSchedulingIgnoredDuringExecution": [selected(app, topologyKey=HOST)]}
        found.append(pod(i, app, affinity={"podAntiAffinity": rule}))
    return found


def service(count: int) -> list[Value]:
    """Pods of a Service, which the default constraints spread over hosts and zones."""
    meta = {"name": "web", "namespace": "default"}
    found = {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": "web"}}}
    return [found, *plain(count)]


CASES: dict[str, Callable[[int], list[Value]]] = {
    "one shape": plain,
    "50 shapes mixed": mixed,
    "hard zone spread": hard_spread,
    "hostname anti-affinity": anti_affinity,
    "default spreading": service,
}


def place(nodes: int, objects: list[Value], *, plain: bool = False) -> list[tuple[str, str | None, int]]:
    cluster = Snapshot(Store([*map(node, range(nodes)), *objects]))
    scheduler = Scheduler(cluster, {"default-scheduler": profile.default()}, plain=plain)
    return [(p.name, p.node, p.ties) for p in scheduler.run(cluster.pending.values())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    for name, make in CASES.items():
        objects = make(given.pods)
        started = time.process_time()
        found = place(given.nodes, objects)
        seconds = time.process_time() - started
        placed = sum(at is not None for _, at, _ in found)
        print(f"{name:24s}{given.pods / seconds:10,.0f} pods/s  {placed} placed on {given.nodes} nodes")
        if given.plain:
            part = make(CHECKED)
            same = place(given.nodes, part) == place(given.nodes, part, plain=True)
            print(f"{'':24s}the plain path places the first {CHECKED} {'alike' if same else 'OTHERWISE'}")


if __name__ == "__main__":
    main()
