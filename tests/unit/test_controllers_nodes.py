"""Taints that follow from the conditions of nodes, and rules of aggregated roles."""

from __future__ import annotations

from typing import Any

import pytest

from kplan import Cluster

Value = dict[str, Any]


def node(taints: list[Value] | None = None, cordoned: bool = False, **conditions: str) -> Value:
    spec: Value = {"taints": taints} if taints else {}
    if cordoned:
        spec["unschedulable"] = True
    listed = [{"type": k, "status": v} for k, v in conditions.items()]
    status: Value = {"allocatable": {"cpu": "1"}, **({"conditions": listed} if listed else {})}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": spec, "status": status}


def taint(key: str, effect: str = "NoSchedule") -> Value:
    return {"key": key if "/" in key else f"node.kubernetes.io/{key}", "effect": effect}


def taints(c: Cluster) -> list[str]:
    (found,) = c.objects("Node")
    listed = found["spec"].get("taints") or []
    return [f"{t['key'].removeprefix('node.kubernetes.io/')}:{t['effect']}" for t in listed]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (node(), []),
        (node([taint("not-ready")]), []),
        (node([taint("not-ready")], Ready="True"), []),
        (node(Ready="False"), ["not-ready:NoSchedule", "not-ready:NoExecute"]),
        (node(Ready="Unknown"), ["unreachable:NoSchedule", "unreachable:NoExecute"]),
        (
            node([taint("unreachable"), taint("unreachable", "NoExecute")], Ready="False"),
            ["not-ready:NoSchedule", "not-ready:NoExecute"],
        ),
        (node(Ready="True", MemoryPressure="True"), ["memory-pressure:NoSchedule"]),
        (
            node(Ready="True", DiskPressure="True", PIDPressure="True"),
            ["disk-pressure:NoSchedule", "pid-pressure:NoSchedule"],
        ),
        (node(Ready="True", NetworkUnavailable="True"), ["network-unavailable:NoSchedule"]),
        (node([taint("disk-pressure")], Ready="True", DiskPressure="False"), []),
        (node(cordoned=True), ["unschedulable:NoSchedule"]),
        (node([taint("unschedulable")]), []),
        (
            node([taint("example.org/mine"), taint("unschedulable", "NoExecute")]),
            ["example.org/mine:NoSchedule", "unschedulable:NoExecute"],
        ),
    ],
)
def test_taints_follow_from_conditions(given: Value, expected: list[str]) -> None:
    c = Cluster([given])
    c.settle()
    assert taints(c) == expected


def test_a_new_node_becomes_ready_and_a_taint_keeps_its_time() -> None:
    c = Cluster()
    c.apply([node(cordoned=True)])
    assert taints(c) == ["not-ready:NoSchedule"]
    c.settle()
    assert taints(c) == ["unschedulable:NoSchedule"]
    (before,) = c.objects("Node")
    assert before["spec"]["taints"][0]["timeAdded"]
    c.clock.advance(100)
    c.settle()
    (after,) = c.objects("Node")
    assert after == before


def role(name: str, *rules: Value, labels: Value | None = None, selects: list[Value] | None = None) -> Value:
    made: Value = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": list(rules)}
    made["metadata"] = {"name": name, **({"labels": labels} if labels else {})}
    if selects is not None:
        made["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": s} for s in selects]}
    return made


def rule(resource: str, *verbs: str) -> Value:
    return {"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}


def test_an_aggregated_role_has_the_rules_of_those_it_selects() -> None:
    pods, maps = rule("pods", "get"), rule("configmaps", "list")
    to_view = {"to-view": "yes"}
    c = Cluster(
        [
            role("view", rule("secrets", "get"), labels=to_view, selects=[to_view, {"more": "yes"}]),
            role("c", pods, labels={"more": "yes"}),
            role("b", maps, pods, labels=to_view),
            role("a", pods, labels=to_view),
            role("z", rule("nodes", "get")),
        ]
    )

    def rules() -> Any:
        view = c.store.find("ClusterRole", "view")
        return view["rules"] if view is not None else None

    c.settle()
    assert rules() == [pods, maps]
    c.delete("ClusterRole", "b")
    c.settle()
    assert rules() == [pods]
    c.apply([role("z", rule("nodes", "get"), labels=to_view)])
    c.settle()
    assert rules() == [pods, rule("nodes", "get")]
