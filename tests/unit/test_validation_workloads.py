"""Workloads, autoscalers and disruption budgets by release, and what a stored one may keep."""

from __future__ import annotations

import copy
from typing import Any

import pytest

import kplan
from kplan.api.validation import Context, validate
from kplan.api.validation.internal import internal
from kplan.api.validation.rollouts import is_zero
from kplan.model import split_api_version

TEMPLATE = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "b"}]}}
SET = {
    "apiVersion": "apps/v1",
    "kind": "StatefulSet",
    "metadata": {"name": "a"},
    "spec": {"serviceName": "a", "selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE},
}
SCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "a"},
    "spec": {"maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}},
}
BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "a"},
    "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}},
}


def stored(obj: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The object as it is stored, then changed as if an older release had taken it."""
    answer = kplan.admit(obj)
    assert answer.object is not None, answer.message
    found = copy.deepcopy(answer.object)
    found["metadata"]["resourceVersion"] = "1"
    found["spec"] |= spec
    return found


def refused(new: dict[str, Any], old: dict[str, Any] | None, minor: int = 36) -> list[str]:
    group = split_api_version(new["apiVersion"])[0]
    return [f"{c.field}: {c.message}" for c in validate(new, group=group, context=Context(minor), old=old)]


def fields(messages: list[str]) -> list[str]:
    return [m.partition(":")[0] for m in messages]


@pytest.mark.parametrize(("minor", "found"), [(32, []), (33, ["spec.serviceName"])])
def test_service_name(minor: int, found: list[str]) -> None:
    assert fields(refused(stored(SET, serviceName="a.b"), None, minor)) == found


ONLY = (
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
    "'updateStrategy', {}'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def test_history_of_a_stateful_set() -> None:
    old = stored(SET)
    new = stored(SET, revisionHistoryLimit=3)
    assert refused(new, old, 33) == []
    assert refused(new, old, 32) == [ONLY.format("")]
    assert refused(stored(SET, podManagementPolicy="Parallel"), old, 36) == [ONLY.format("'revisionHistoryLimit', ")]


def test_a_stored_template_with_a_fault_may_stay() -> None:
    bad = copy.deepcopy(stored(SET)["spec"]["template"])
    bad["spec"]["containers"][0]["image"] = ""
    assert refused(stored(SET, template=bad, replicas=2), stored(SET, template=bad)) == []
    assert fields(refused(stored(SET, template=bad), stored(SET))) == ["spec.template.spec.containers[0].image"]


def test_a_claim_makes_a_volume() -> None:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}
    template = copy.deepcopy(TEMPLATE)
    template["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    assert stored(SET | {"spec": SET["spec"] | {"template": template, "volumeClaimTemplates": [claim]}})
    answer = kplan.admit(SET | {"spec": SET["spec"] | {"template": template}})
    assert [c.message for c in answer.causes] == ['Not found: "data"']


NO_GROUP = {"apiVersion": "v1", "kind": "Deployment", "name": "a"}


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"minReplicas": 0}, ["spec.minReplicas", "spec.metrics"]),
        ({"scaleTargetRef": NO_GROUP}, ["spec.scaleTargetRef.apiVersion"]),
    ],
)
def test_an_autoscaler_may_keep(spec: dict[str, Any], found: list[str]) -> None:
    old = stored(SCALER, **spec)
    assert fields(refused(old, None)) == found
    assert fields(refused(old, stored(SCALER))) == found
    assert fields(refused(old, old)) == [f for f in found if f == "spec.metrics"]


def test_a_budget_may_keep_its_selector() -> None:
    selector = {"matchExpressions": [{"key": "a", "operator": "In", "values": ["-"]}]}
    old = stored(BUDGET, selector=selector)
    assert fields(refused(old, None)) == ["spec.selector.matchExpressions[0].values[0]"]
    assert refused(old, old) == []


ZERO = [(0, True), (1, False), (-1, False), ("0%", True), ("00%", True), ("1%", False), ("9" * 30 + "%", False)]


@pytest.mark.parametrize(("value", "zero"), [*ZERO, ("x", True), ("0", True), ("5", False)])
def test_is_zero(value: int | str, zero: bool) -> None:
    assert is_zero(value) is zero


def test_a_struct_in_a_message() -> None:
    strategy = {"type": "Other", "rollingUpdate": {"maxSurge": "25%"}}
    assert internal(strategy, "DeploymentStrategy") == {
        "Type": "Other",
        "RollingUpdate": {"MaxUnavailable": 0, "MaxSurge": "25%"},
    }
    assert internal({}, "SecurityContext")["Capabilities"] is None
    assert list(internal({}, "PodDisruptionBudgetSpec")) == [
        "MinAvailable",
        "Selector",
        "MaxUnavailable",
        "UnhealthyPodEvictionPolicy",
    ]
