"""Each scheduler plugin alone, on the cases of tests/data/scheduler/*.yaml, which hold short forms of objects."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kplan import release
from kplan.scheduler.args import Args
from kplan.scheduler.framework import Filtering, Marking, Rejection, Scaling
from kplan.scheduler.node import Node
from kplan.scheduler.plugins import FILTERS, SCORES
from kplan.scheduler.pod import Pod
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store
from kplan.yamlio import load_value

Value = dict[str, Any]
DATA = Path(__file__).parents[1] / "data" / "scheduler"
CASES = [
    case
    for file in ("plugins.yaml", "volumes.yaml")
    for case in load_value((DATA / file).read_text(encoding="utf-8"), file)
]
AFFINITY = {"near": "podAffinity", "apart": "podAntiAffinity"}
REQUIRED, PREFERRED = (f"{word}DuringSchedulingIgnoredDuringExecution" for word in ("required", "preferred"))


def node(name: str, short: Value) -> Value:
    room = short.get("room", {"cpu": "4", "memory": "8Gi", "pods": "110"})
    images = [{"names": [n], "sizeBytes": size} for n, size in short.get("images", {}).items()]
    spec = {k: short[k] for k in ("taints", "unschedulable") if k in short}
    status = {"capacity": room, "images": images, "conditions": short.get("conditions", [])}
    meta = {"name": name, "labels": short.get("labels", {})}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": status}


def pod(name: str, short: Value) -> Value:
    images = short.get("images", ["img:1"])
    containers: list[Value] = [{"name": f"c{i}", "image": image} for i, image in enumerate(images)]
    containers[0]["resources"] = {"requests": short.get("requests", {})}
    containers[0]["ports"] = short.get("ports", [])
    spec: Value = {k: short[k] for k in ("nodeSelector", "nodeName", "tolerations", "hostNetwork") if k in short}
    spec |= {"containers": containers, "volumes": short.get("volumes", [])}
    spec["volumes"] += [{"name": c, "persistentVolumeClaim": {"claimName": c}} for c in short.get("claims", [])]
    spec["affinity"] = {**short.get("affinity", {}), **{AFFINITY[k]: terms(short[k]) for k in AFFINITY if k in short}}
    spec["topologySpreadConstraints"] = [spread(c) for c in short.get("spread", [])]
    meta: Value = {"name": name, "namespace": short.get("namespace", "default"), "labels": short.get("labels", {})}
    if "owner" in short:
        meta["ownerReferences"] = [{**short["owner"], "controller": True}]
    if short.get("deleting"):
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if "at" in short:
        spec["nodeName"] = short["at"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def terms(shorts: list[Value]) -> Value:
    found: dict[str, list[Value]] = {}
    for s in shorts:
        term = {"topologyKey": s["key"], "labelSelector": {"matchLabels": {"app": s["app"]}}}
        term |= {k: s[k] for k in ("namespaces", "namespaceSelector") if k in s}
        if "weight" in s:
            found.setdefault(PREFERRED, []).append({"weight": s["weight"], "podAffinityTerm": term})
        else:
            found.setdefault(REQUIRED, []).append(term)
    return found


def spread(short: Value) -> Value:
    selector = {} if short.get("all") else {"matchLabels": {"app": short["app"]}}
    others = ("minDomains", "nodeAffinityPolicy", "nodeTaintsPolicy", "matchLabelKeys")
    return {
        "maxSkew": 1,
        "topologyKey": short["key"],
        "labelSelector": selector,
        "whenUnsatisfiable": "ScheduleAnyway" if short.get("soft") else "DoNotSchedule",
        **{k: short[k] for k in others if k in short},
    }


def storage(short: Value) -> list[Value]:
    out = [claim(name, c) for name, c in short.get("claims", {}).items()]
    out += [volume(name, v) for name, v in short.get("volumes", {}).items()]
    out += [storage_class(name, c) for name, c in short.get("classes", {}).items()]
    for n, limits in short.get("limits", {}).items():
        drivers = [{"name": d, "allocatable": {"count": most}} for d, most in limits.items()]
        out.append({"kind": "CSINode", "metadata": {"name": n}, "spec": {"drivers": drivers}})
    for n, names in short.get("attached", {}).items():
        spec = {"attacher": "d", "nodeName": n, "source": {"persistentVolumeName": names[0]}}
        out.append({"kind": "VolumeAttachment", "metadata": {"name": f"at-{n}"}, "spec": spec})
    for d in short.get("tracked", []):
        out.append({"kind": "CSIDriver", "metadata": {"name": d}, "spec": {"storageCapacity": True}})
    for i, c in enumerate(short.get("capacities", [])):
        topology = {"matchLabels": c["in"]}
        meta = {"name": f"cap-{i}", "namespace": "kube-system"}
        capacity = {"storageClassName": c["class"], "nodeTopology": topology, "capacity": c["size"]}
        out.append({"kind": "CSIStorageCapacity", "metadata": meta, **capacity})
    return out


def claim(name: str, c: Value) -> Value:
    spec: Value = {"accessModes": c.get("modes", ["ReadWriteOnce"]), "storageClassName": c["class"]}
    spec["resources"] = {"requests": {"storage": c.get("size", "1Gi")}}
    notes = {"volume.kubernetes.io/selected-node": c["selected"]} if "selected" in c else {}
    if "volume" in c:
        spec["volumeName"] = c["volume"]
        notes["pv.kubernetes.io/bind-completed"] = "yes"
    meta = {"name": name, "namespace": "default", "annotations": notes}
    status = {"phase": c["phase"]} if "phase" in c else {}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec, "status": status}


def volume(name: str, v: Value) -> Value:
    spec: Value = {"capacity": {"storage": v.get("size", "1Gi")}, "storageClassName": v["class"]}
    spec["accessModes"] = v.get("modes", ["ReadWriteOnce"])
    if "reach" in v:
        wanted = [{"key": k, "operator": "In", "values": [x]} for k, x in v["reach"].items()]
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": wanted}]}}
    if "csi" in v:
        spec["csi"] = {"driver": v["csi"], "volumeHandle": name}
    if "for" in v:
        spec["claimRef"] = {"namespace": "default", "name": v["for"]}
    meta = {"name": name, "labels": v.get("labels", {})}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}


def storage_class(name: str, c: Value) -> Value:
    mode = "WaitForFirstConsumer" if c.get("wait") else "Immediate"
    zones = [{"key": k, "values": v} for k, v in c.get("zones", {}).items()]
    out = {"kind": "StorageClass", "metadata": {"name": name}, "provisioner": c["provisioner"]}
    topologies = [{"matchLabelExpressions": zones}] if zones else []
    return {**out, "volumeBindingMode": mode, "allowedTopologies": topologies}


def ask(case: Value) -> tuple[Snapshot, Pod, Args]:
    version = case.get("version", "1.36")
    objects = [node(name, short) for name, short in case["nodes"].items()]
    objects += [pod(f"placed-{i}", short) for i, short in enumerate(case.get("placed", []))]
    objects += case.get("objects", []) + storage(case.get("storage", {}))
    cluster = Snapshot(Store(objects), version)
    return cluster, cluster.pod(pod("new", case["pod"])), Args(minor=release.minor(version))


def told(rejection: Rejection) -> str:
    return ("!" if rejection.final else "") + ", ".join(rejection.reasons)


def refusals(found: Filtering | None, nodes: list[Node]) -> dict[str, str]:
    if found is None or found.idle:
        return {}
    verdicts = {n.name: found.check(n) for n in nodes}
    return {name: told(r) for name, r in verdicts.items() if r is not None}


def named(case: Value) -> str:
    return f"{case['plugin']}: {case['name']}"


FILTERING = [c for c in CASES if "marks" not in c]
MARKING = [c for c in CASES if "marks" in c]


@pytest.mark.parametrize("case", FILTERING, ids=named)
def test_filter(case: Value) -> None:
    cluster, new, args = ask(case)
    found = {p.NAME: p for p in FILTERS}[case["plugin"]].filtering(new, cluster, args)
    if "reject" in case:
        assert isinstance(found, Rejection)
        assert told(found) == case["reject"]
        return
    assert not isinstance(found, Rejection)
    assert refusals(found, cluster.nodes) == case["refuse"]
    if "only" in case:
        assert found is not None
        assert found.nodes == frozenset(case["only"])


@pytest.mark.parametrize("case", MARKING, ids=named)
def test_score(case: Value) -> None:
    cluster, new, args = ask(case)
    found = {p.NAME: p for p, _ in SCORES}[case["plugin"]].scoring(new, cluster, args)
    if isinstance(found, Scaling) and found.idle is not None and found.idle():
        found = None
    if case["marks"] is None:
        assert found is None
        return
    assert found is not None
    if isinstance(found, Marking):
        marks = {n.name: found.mark(n) for n in cluster.nodes}
    else:
        scaled = found.scale(Counter(map(found.signature, cluster.nodes)))
        marks = {n.name: scaled[found.signature(n)] for n in cluster.nodes}
    assert marks == case["marks"]


def test_every_plugin_has_a_case() -> None:
    plugins = {p.NAME for p in FILTERS} | {p.NAME for p, _ in SCORES}
    assert plugins == {c["plugin"] for c in CASES}
