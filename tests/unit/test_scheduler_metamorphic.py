"""What must not change a placement: unrelated labels, other names for keys, a larger world of the same shape."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import kplan
from kplan import quantity
from kplan.model import Decision

Value = dict[str, Any]
LINES = (Path(__file__).parents[1] / "data" / "scheduler" / "recorded.jsonl").read_text().splitlines()
SCENARIOS = [json.loads(line) for line in LINES[::4]]


def answers(objects: list[Value], scenario: Value, change: Any = lambda pod: pod) -> list[Decision]:
    """The decision for each pod of a scenario; the pods go where the recorded ones went."""
    cluster, found = kplan.Cluster(objects), []
    for pod, step in zip(scenario["pods"], scenario["steps"], strict=True):
        changed = change(copy.deepcopy(pod))
        found.append(kplan.schedule(changed, cluster))
        if "preempted" not in step and "node" in step:
            cluster.bind(changed, step["node"])
    return found


def labelled(value: Value) -> Value:
    value["metadata"].setdefault("labels", {})["unrelated.example/label"] = "x"
    return value


def scaled(resources: Value, factor: int) -> Value:
    return {
        name: amount if name == "pods" else quantity.canonical(quantity.Quantity(quantity.parse(amount).nanos * factor))
        for name, amount in resources.items()
    }


def bigger_node(value: Value, factor: int) -> Value:
    status = value["status"]
    return {**value, "status": {**status, **{k: scaled(status[k], factor) for k in ("capacity", "allocatable")}}}


def bigger_pod(value: Value, factor: int) -> Value:
    """The pod with every amount scaled; a container that names no cpu or memory keeps its fixed minimum in scores."""
    for kind in ("containers", "initContainers"):
        for container in value["spec"].get(kind, []):
            for side, resources in container.get("resources", {}).items():
                container["resources"][side] = scaled(resources, factor)
    return value


def names_all(scenario: Value) -> bool:
    """Whether every container names cpu and memory, so that scaling scales all that counts."""
    containers = [c for p in scenario["pods"] for k in ("containers", "initContainers") for c in p["spec"].get(k, [])]
    asked = [
        {**c.get("resources", {}).get("limits", {}), **c.get("resources", {}).get("requests", {})} for c in containers
    ]
    return all({"cpu", "memory"} <= a.keys() for a in asked)


def ids(scenario: Value) -> str:
    return str(scenario["seed"])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=ids)
def test_an_unrelated_label_changes_nothing(scenario: Value) -> None:
    before = answers(scenario["objects"], scenario)
    objects = [labelled(copy.deepcopy(o)) for o in scenario["objects"]]
    assert answers(objects, scenario, labelled) == before


@pytest.mark.parametrize("scenario", SCENARIOS, ids=ids)
def test_more_room_and_larger_pods_fit_alike(scenario: Value) -> None:
    """Filters see shares only; scores too, but for containers that name nothing."""
    objects = [bigger_node(o, 7) if o["kind"] == "Node" else o for o in scenario["objects"]]
    before = answers(scenario["objects"], scenario)
    after = answers(objects, scenario, lambda pod: bigger_pod(pod, 7))
    assert [(d.message, d.rejections, d.victims) for d in after] == [
        (d.message, d.rejections, d.victims) for d in before
    ]
    if names_all(scenario):
        assert [d.scores for d in after] == [d.scores for d in before]


def test_scaling_keeps_the_order_of_nodes() -> None:
    """Four nodes of different size and use, all amounts times 1 and times 9: the same scores."""
    found = []
    for factor in (1, 9):
        objects: list[Value] = []
        for i in range(1, 5):
            room = scaled({"cpu": str(2 * i), "memory": f"{9 - i}Gi", "pods": "20"}, factor)
            meta = {"name": f"n{i}"}
            objects.append({"apiVersion": "v1", "kind": "Node", "metadata": meta, "status": {"allocatable": room}})
            asked = scaled({"cpu": f"{150 * i}m", "memory": f"{70 * i}Mi"}, factor)
            objects.append(pod(f"p{i}", asked, nodeName=f"n{i}"))
        new = pod("new", scaled({"cpu": "500m", "memory": "1Gi"}, factor))
        found.append(kplan.schedule(new, kplan.Cluster(objects)).scores)
    assert found[0] == found[1]
    assert len(set(found[0].values())) > 1


def pod(name: str, requests: Value, **spec: Any) -> Value:
    container = {"name": "c", "image": "img", "resources": {"requests": requests}}
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container], **spec}}
