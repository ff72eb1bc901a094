"""The fast path of the scheduler against the plain one, on random clusters from fixed seeds."""

from __future__ import annotations

import random
from typing import Any

import pytest

from kplan.scheduler import profile
from kplan.scheduler.run import Scheduler
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store

Value = dict[str, Any]
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
APPS = ("web", "api", "db")


def node(r: random.Random, i: int) -> Value:
    labels = {HOST: f"n{i:03d}"}
    if r.random() < 0.9:
        labels[ZONE] = f"z{r.randrange(3)}"
    if r.random() < 0.5:
        labels["disk"] = r.choice(["ssd", "hdd"])
    room = {
        "cpu": str(r.choice([2, 4, 8])),
        "memory": f"{r.choice([4, 8, 16])}Gi",
        "pods": str(r.choice([5, 20, 110])),
    }
    if r.random() < 0.2:
        room["example.com/gpu"] = "2"
    spec: Value = {}
    if r.random() < 0.2:
        effect = r.choice(["NoSchedule", "PreferNoSchedule", "PreferNoSchedule"])
        spec["taints"] = [{"key": "k", "value": "v", "effect": effect}]
    if r.random() < 0.05:
        spec["unschedulable"] = True
    images = [{"names": ["img:1"], "sizeBytes": 500 * 2**20}] if r.random() < 0.3 else []
    status = {"capacity": room, "allocatable": room, "images": images}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"n{i:03d}", "labels": labels}, "spec": spec,
            "status": status}  # fmt: skip


def affinity_term(r: random.Random) -> Value:
    return {"topologyKey": r.choice([ZONE, HOST]), "labelSelector": {"matchLabels": {"app": r.choice(APPS)}}}


def template(r: random.Random, priorities: bool) -> Value:
    """A pod without a name, with a few of the things that a pod can ask for."""
    app = r.choice(APPS)
    requests = {"cpu": f"{r.choice([0, 50, 100, 500, 1000])}m", "memory": f"{r.choice([0, 64, 256, 1024])}Mi"}
    if r.random() < 0.1:
        requests["example.com/gpu"] = "1"
    container: Value = {"name": "c", "image": "img:1", "resources": {"requests": requests}}
    if r.random() < 0.1:
        container["ports"] = [{"containerPort": 80, "hostPort": r.choice([80, 81])}]
    spec: Value = {"containers": [container]}
    if r.random() < 0.3:
        spec["tolerations"] = [{"key": "k", "operator": "Exists"}]
    if r.random() < 0.1:
        spec["nodeSelector"] = {"disk": "ssd"}
    if priorities and r.random() < 0.4:
        spec["priority"] = r.choice([10, 100])
    spec["affinity"] = affinity(r)
    if r.random() < 0.3:
        spec["topologySpreadConstraints"] = [
            {
                "maxSkew": r.choice([1, 2]),
                "topologyKey": r.choice([ZONE, HOST]),
                "whenUnsatisfiable": r.choice(["DoNotSchedule", "ScheduleAnyway"]),
                "labelSelector": {"matchLabels": {"app": app}},
                "nodeTaintsPolicy": r.choice(["Honor", "Ignore"]),
            }
            for _ in range(r.choice([1, 2]))
        ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"app": app}}, "spec": spec}


def affinity(r: random.Random) -> Value:
    found: Value = {}
    for kind in ("podAffinity", "podAntiAffinity"):
        if r.random() < 0.15:
            found.setdefault(kind, {})["requiredDuringSchedulingIgnoredDuringExecution"] = [affinity_term(r)]
        if r.random() < 0.15:
            wish = {"weight": r.choice([1, 50, 100]), "podAffinityTerm": affinity_term(r)}
            found.setdefault(kind, {})["preferredDuringSchedulingIgnoredDuringExecution"] = [wish]
    if r.random() < 0.2:
        wanted = {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}
        found["nodeAffinity"] = {
            "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 7, "preference": wanted}]
        }
    return found


def cluster(seed: int) -> list[Value]:
    r = random.Random(seed)
    crowded = seed % 3 == 0
    objects = [node(r, i) for i in range(3 if crowded else r.choice([12, 40, 110]))]
    if r.random() < 0.5:
        meta = {"name": "web", "namespace": "default"}
        objects.append({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": {"app": "web"}}})
    templates = [template(r, priorities=crowded) for _ in range(r.choice([1, 3, 6]))]
    for i in range(60):
        t = r.choice(templates)
        standing = {"nodeName": f"n{r.randrange(3):03d}", "priority": 0} if crowded and i < 20 else {}
        meta = {**t["metadata"], "name": f"p{i:03d}", "namespace": "default"}
        objects.append({**t, "metadata": meta, "spec": {**t["spec"], **standing}})
    return objects


def placements(objects: list[Value], *, plain: bool) -> list[tuple[Any, ...]]:
    snapshot = Snapshot(Store(objects))
    found = Scheduler(snapshot, {"default-scheduler": profile.default()}, plain=plain).run(snapshot.pending.values())
    return [(p.name, p.node, p.ties, p.certainty, p.reason, p.message, p.evicted) for p in found]


@pytest.mark.parametrize("seed", range(36))
def test_both_paths_place_alike(seed: int) -> None:
    objects = cluster(seed)
    assert placements(objects, plain=False) == placements(objects, plain=True)


def test_the_random_clusters_hold_what_they_should() -> None:
    found = [p for seed in range(0, 12, 3) for p in placements(cluster(seed), plain=False)]
    assert any(p[6] for p in found), "an eviction"
    assert any(p[1] is None for p in found), "a pod that does not fit"
    assert any(p[2] > 1 for p in found), "a tie"
