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


def rich_template(r: random.Random) -> Value:
    """A pod without a name, with several of the rarer things that a pod can ask for."""
    pod = template(r, priorities=True)
    meta, spec = pod["metadata"], pod["spec"]
    container = spec["containers"][0]
    meta["namespace"] = r.choice(["default", "team"])
    meta["labels"]["version"] = r.choice("ab")
    if r.random() < 0.5:
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": meta["labels"]["app"], "controller": True}
        meta["ownerReferences"] = [{**owner, "uid": "u"}]
    if r.random() < 0.3:
        port = {"hostIP": r.choice(["127.0.0.1", "10.0.0.1", ""]), "protocol": r.choice(["TCP", "UDP"])}
        container["ports"] = [{"containerPort": 80, "hostPort": 80, **port}]
    if r.random() < 0.3:
        init = {"name": "i", "image": "img:2", "resources": {"requests": {"cpu": "700m"}}}
        spec["initContainers"] = [{**init, **r.choice([{}, {"restartPolicy": "Always"}])}]
    spec |= r.choice([{}, {"overhead": {"cpu": "120m"}}, {"resources": {"requests": {"cpu": "1500m"}}}])
    spec |= r.choice([{}, {}, {}, {"preemptionPolicy": "Never"}])
    spec |= r.choice([{}, {}, {}, {}, {"schedulingGates": [{"name": "example.com/hold"}]}])
    if r.random() < 0.4:
        volume = r.choice([{"gcePersistentDisk": {"pdName": r.choice("ab")}}, {"persistentVolumeClaim": claim_of(r)}])
        spec["volumes"] = [{"name": "v", **volume}]
    for constraint in spec.get("topologySpreadConstraints", ()):
        enrich_constraint(r, constraint)
    for kind in ("podAffinity", "podAntiAffinity"):
        for terms in spec["affinity"].get(kind, {}).values():
            for term in terms:
                enrich_term(r, term.get("podAffinityTerm", term))
    return pod


def claim_of(r: random.Random) -> Value:
    return {"claimName": r.choice(["c0", "c1", "c2", "alone", "missing"])}


def enrich_constraint(r: random.Random, constraint: Value) -> None:
    if r.random() < 0.3:
        constraint["matchLabelKeys"] = ["version"]
    if r.random() < 0.3 and constraint["whenUnsatisfiable"] == "DoNotSchedule":
        constraint["minDomains"] = r.choice([2, 3, 4])
    if r.random() < 0.3:
        constraint["nodeAffinityPolicy"] = "Ignore"
    if r.random() < 0.1:
        constraint["labelSelector"] = r.choice([{}, None])


def enrich_term(r: random.Random, term: Value) -> None:
    term |= r.choice([{}, {}, {"namespaceSelector": {}}, {"namespaceSelector": {"matchLabels": {"team": "x"}}}])
    term |= r.choice([{}, {}, {}, {"namespaces": ["team"]}])
    term |= r.choice([{}, {}, {"matchLabelKeys": ["version"]}, {"mismatchLabelKeys": ["version"]}])
    if r.random() < 0.1:
        term["labelSelector"] = r.choice([{}, None])


def rich_cluster(seed: int) -> list[Value]:
    """Pods of two namespaces with budgets, owners, Services and claims; in some clusters nearly all room is taken."""
    r = random.Random(seed)
    crowded = seed % 3 == 0
    objects = [node(r, i) for i in range(r.choice([3, 5]) if crowded else r.choice([8, 30, 110]))]
    objects += [made("v1", "Namespace", "default"), made("v1", "Namespace", "team")]
    objects[-1]["metadata"]["labels"] = {"team": "x"}
    late = {"provisioner": "csi.example", "volumeBindingMode": "WaitForFirstConsumer"}
    zones = [{"matchLabelExpressions": [{"key": ZONE, "values": ["z0", "z1"]}]}]
    objects.append({**made("storage.k8s.io/v1", "StorageClass", "late"), **late, "allowedTopologies": zones})
    drivers = {"drivers": [{"name": "csi.example", "nodeID": "n", "allocatable": {"count": r.choice([0, 1])}}]}
    objects += [made("storage.k8s.io/v1", "CSINode", f"n{i:03d}", drivers) for i in range(5)]
    for namespace in ("default", "team"):
        objects += surroundings(r, namespace)
    templates = [rich_template(r) for _ in range(r.choice([1, 2, 4, 7]))]
    for i in range(60):
        t = r.choice(templates)
        spec, status = t["spec"], {}
        if crowded and i < 20:
            spec = {k: v for k, v in spec.items() if k != "schedulingGates"}
            spec |= {"nodeName": f"n{r.randrange(3):03d}", "priority": 0}
            status = {"phase": "Running", "startTime": f"2026-01-01T00:00:{i:02d}Z"}
        objects.append({**t, "metadata": {**t["metadata"], "name": f"p{i:03d}"}, "spec": spec, "status": status})
    return objects


def surroundings(r: random.Random, namespace: str) -> list[Value]:
    """What the pods of a namespace belong to and use."""
    found = []
    for app in APPS:
        selector = {"matchLabels": {"app": app}}
        template = {"metadata": {"labels": {"app": app}}}
        found.append(made("apps/v1", "ReplicaSet", app, {"replicas": 5, "selector": selector, "template": template}))
        if r.random() < 0.4:
            found.append(made("v1", "Service", app, {"selector": {"app": app}}))
        if r.random() < 0.4:
            limit = r.choice([{"minAvailable": 2}, {"maxUnavailable": 1}, {"minAvailable": "50%"}])
            found.append(made("policy/v1", "PodDisruptionBudget", app, {"selector": selector, **limit}))
    for name, mode in (*((f"c{i}", "ReadWriteOnce") for i in range(3)), ("alone", "ReadWriteOncePod")):
        wanted = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "late"}
        found.append(made("v1", "PersistentVolumeClaim", name, wanted))
    return [{**o, "metadata": {**o["metadata"], "namespace": namespace}} for o in found]


def made(version: str, kind: str, name: str, spec: Value | None = None) -> Value:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}, **({"spec": spec} if spec else {})}


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


@pytest.mark.parametrize("seed", range(36))
def test_both_paths_place_alike_what_asks_for_much(seed: int) -> None:
    objects = rich_cluster(seed)
    assert placements(objects, plain=False) == placements(objects, plain=True)


def test_the_random_clusters_hold_what_they_should() -> None:
    found = [p for seed in range(0, 12, 3) for p in placements(cluster(seed), plain=False)]
    assert any(p[6] for p in found), "an eviction"
    assert any(p[1] is None for p in found), "a pod that does not fit"
    assert any(p[2] > 1 for p in found), "a tie"


def test_the_rich_clusters_hold_what_they_should() -> None:
    told = "\n".join(p[5] for seed in range(36) for p in placements(rich_cluster(seed), plain=False))
    reasons = (
        "Scheduling is blocked",
        "free ports",
        "pod affinity rules",
        "pod anti-affinity rules",
        "existing pods anti-affinity",
        "topology spread constraints",
        "no available disk",
        '"missing" not found',
        "ReadWriteOncePod",
        "exceed max volume count",
        "available persistent volumes to bind",
        "preemptionPolicy=Never",
    )
    assert [reason for reason in reasons if reason not in told] == []
