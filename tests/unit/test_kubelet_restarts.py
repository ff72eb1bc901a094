"""Which containers start again when they have ended, and what that means for their pod and its Job."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.kubelet.restarts import again

Value = dict[str, Any]

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"}, "status": {"allocatable": {"pods": "110"}}}


def rule(*codes: int, operator: str = "In", action: str = "Restart") -> Value:
    return {"action": action, "exitCodes": {"operator": operator, "values": list(codes)}}


def container(name: str = "c", tag: str = "exit3", **fields: Any) -> Value:
    return {"name": name, "image": f"registry.example/app:{tag}", **fields}


def pod(*containers: Value, **spec: Any) -> Value:
    meta = {"name": "p", "namespace": "default"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": list(containers), **spec}}


def ran(value: Value) -> kplan.Cluster:
    c = kplan.Cluster([NODE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}])
    (answer,) = c.apply([value], mode="replace")
    assert answer.accepted, answer.message
    c.settle()
    assert not c.unsettled
    return c


def shown(c: kplan.Cluster) -> tuple[str, list[str]]:
    """The phase of a pod, and the states of its containers, init containers first."""
    status = c.objects("Pod")[0]["status"]
    states = [*status.get("initContainerStatuses", ()), *status["containerStatuses"]]
    return status["phase"], [next(iter(s["state"])) for s in states]


@pytest.mark.parametrize(
    ("fields", "policy", "code", "starts"),
    [
        ({}, "Always", 0, True),
        ({}, "OnFailure", 0, False),
        ({}, "OnFailure", 1, True),
        ({}, "Never", 1, False),
        ({"restartPolicy": "Never"}, "Always", 1, False),
        ({"restartPolicy": "OnFailure"}, "Never", 1, True),
        ({"restartPolicy": "OnFailure"}, "Always", 0, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [rule(42)]}, "Never", 42, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [rule(42)]}, "Never", 1, False),
        ({"restartPolicy": "Never", "restartPolicyRules": [rule(0, 1, operator="NotIn")]}, "Never", 2, True),
        ({"restartPolicy": "Never", "restartPolicyRules": [rule(0, 1, operator="NotIn")]}, "Never", 1, False),
        ({"restartPolicy": "OnFailure", "restartPolicyRules": [rule(42)]}, "Never", 1, True),
    ],
)
def test_rules_go_before_the_container_and_that_before_the_pod(
    fields: Value, policy: str, code: int, starts: bool
) -> None:
    assert again(pod(container(**fields), restartPolicy=policy), code) == ({"c"} if starts else set())


def test_a_rule_may_restart_all() -> None:
    strict = container(restartPolicy="Never", restartPolicyRules=[rule(3, action="RestartAllContainers")])
    value = pod(strict, container("d", restartPolicy="Never"), restartPolicy="Never")
    assert (again(value, 3), again(value, 4)) == ({"c", "d"}, set())
    assert shown(ran(value)) == ("Running", ["waiting", "waiting"])


@pytest.mark.parametrize(
    ("value", "phase", "states"),
    [
        (pod(container(), container("d", restartPolicy="Never")), "Running", ["waiting", "terminated"]),
        (pod(container(restartPolicy="Never"), restartPolicy="Always"), "Failed", ["terminated"]),
        (pod(container(restartPolicy="Always"), restartPolicy="Never"), "Running", ["waiting"]),
        (pod(container(tag="exit0"), container("d", tag="exit0", restartPolicy="Never")), "Running", ["running"]),
        (pod(container(tag="crash"), restartPolicy="Never"), "Failed", ["terminated"]),
        (pod(container(tag="crash"), container("d", tag="crash", restartPolicy="Never")), "Running", ["waiting"]),
        (pod(container(tag="run"), initContainers=[container("i", restartPolicy="Never")]), "Failed", ["terminated"]),
        (
            pod(
                container(tag="run"),
                initContainers=[container("i", restartPolicy="Never", restartPolicyRules=[rule(3)])],
                restartPolicy="Never",
            ),
            "Pending",
            ["waiting", "waiting"],
        ),
    ],
)
def test_a_pod_ends_when_nothing_starts_again(value: Value, phase: str, states: list[str]) -> None:
    found = shown(ran(value))
    assert (found[0], found[1][: len(states)]) == (phase, states)


def test_a_job_sees_no_failure_where_a_container_restarts_in_place() -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [container(restartPolicyRules=[rule(3)])]}}
    template["spec"]["containers"][0]["restartPolicy"] = "Never"
    meta = {"name": "j", "namespace": "default"}
    c = ran({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template}})
    (made,) = c.objects("Pod")  # no second pod: the first one has not failed
    assert made["status"]["phase"] == "Running"
    assert c.objects("Job")[0]["status"].get("failed") is None
