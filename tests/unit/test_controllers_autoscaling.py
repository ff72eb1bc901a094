"""HorizontalPodAutoscalers in a simulated cluster: with and without metrics."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from kplan import Cluster
from kplan.errors import KplanError
from kplan.model import Key

Value = dict[str, Any]

NODE: Value = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": "110"}}}
NO_METRICS = (
    "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource "
    "metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
)


def workload(replicas: int, kind: str = "Deployment", name: str = "web") -> Value:
    labels = {"app": name}
    container = {"name": "c", "image": "i:1", "resources": {"requests": {"cpu": "100m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def hpa(least: int = 1, most: int = 10, name: str = "web", target: Value | None = None, **spec: Any) -> Value:
    ref = target or {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"scaleTargetRef": ref, "minReplicas": least, "maxReplicas": most, **spec},
    }


def cluster(*objects: Value, metrics: Value | None = None) -> Cluster:
    c = Cluster([NODE], metrics=metrics)
    assert [a.message for a in c.apply(objects) if not a.accepted] == []
    c.settle()
    assert c.unsettled == ""
    return c


def size(c: Cluster, kind: str = "Deployment") -> int:
    found = c.store.find(kind, "web", "default")
    assert found is not None
    return int(found["spec"]["replicas"])


def status(c: Cluster, name: str = "web") -> Value:
    found = c.store.find("HorizontalPodAutoscaler", name, "default")
    assert found is not None
    return dict(found["status"])


def conditions(c: Cluster, name: str = "web") -> dict[str, tuple[str, str]]:
    return {x["type"]: (x["status"], x["reason"]) for x in status(c, name)["conditions"]}


def message(c: Cluster, kind: str, name: str = "web") -> str:
    return next(str(x["message"]) for x in status(c, name)["conditions"] if x["type"] == kind)


def said(c: Cluster) -> list[tuple[str, str]]:
    events = c.events_since_last_settle()
    return [(e.reason, e.message) for e in events if e.object.startswith("HorizontalPodAutoscaler/")]


@pytest.mark.parametrize(
    ("replicas", "least", "most", "expected", "reason"),
    [
        (3, 2, 5, 3, ""),
        (1, 3, 5, 3, "Current number of replicas below Spec.MinReplicas"),
        (6, 1, 4, 4, "Current number of replicas above Spec.MaxReplicas"),
    ],
)
def test_without_metrics_only_the_bounds_count(
    replicas: int, least: int, most: int, expected: int, reason: str
) -> None:
    c = cluster(workload(replicas), hpa(least, most))
    assert size(c) == expected
    found = status(c)
    assert (found["currentReplicas"], found["desiredReplicas"]) == (expected, expected if reason else 0)
    assert found["currentMetrics"] == [{"type": ""}]
    assert ("lastScaleTime" in found) is bool(reason)
    assert conditions(c) == {
        "AbleToScale": ("True", "SucceededGetScale"),
        "ScalingActive": ("False", "FailedGetResourceMetric"),
    }
    assert message(c, "ScalingActive") == f"the HPA was unable to compute the replica count: {NO_METRICS}"
    total = "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value"
    rescaled = [("SuccessfulRescale", f"New size: {expected}; reason: {reason}")] if reason else []
    assert said(c) == [
        *rescaled,
        ("FailedGetResourceMetric", NO_METRICS),
        ("FailedComputeMetricsReplicas", f"{total}: {NO_METRICS}"),
    ]


def test_warnings_come_again_in_every_call_and_change_nothing() -> None:
    c = cluster(workload(2), hpa())
    before, first = status(c), said(c)
    assert [r.changes for r in c.settle()] == [()]
    assert (status(c), said(c)) == (before, first)


def test_a_manifest_that_is_applied_again_is_scaled_again() -> None:
    c = cluster(workload(1), hpa(3))
    assert size(c) == 3
    c.apply([workload(1)])
    rests = c.settle()
    assert [line for r in rests for line in r.changes if "scale deployment" in line] == [
        "scale deployment web 3->1",
        "scale deployment web 1->3",
    ]
    deployed = c.store.find("Deployment", "web", "default")
    assert deployed is not None
    assert deployed["metadata"]["generation"] == 4


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}, 'deployments.apps "nobody" not found'),
        ({"apiVersion": "v1", "kind": "ReplicationController", "name": "x"}, 'replicationcontrollers "x" not found'),
        ({"apiVersion": "apps/v1", "kind": "Wonder", "name": "x"}, 'no matches for kind "Wonder" in group "apps"'),
        (
            {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "x"},
            "the server could not find the requested resource",
        ),
    ],
)
def test_a_target_without_a_scale(target: Value, text: str) -> None:
    c = cluster(hpa(target=target))
    assert conditions(c) == {"AbleToScale": ("False", "FailedGetScale")}
    assert message(c, "AbleToScale") == f"the HPA controller was unable to get the target's current scale: {text}"
    assert said(c) == [("FailedGetScale", text)]
    assert status(c)["currentMetrics"] is None


def test_a_target_that_comes_later_is_found() -> None:
    c = cluster(hpa(2))
    c.apply([workload(1)])
    c.settle()
    assert size(c) == 2


def test_a_target_at_zero_is_left_alone() -> None:
    c = cluster(workload(0), hpa(2))
    assert size(c) == 0
    assert conditions(c)["ScalingActive"] == ("False", "ScalingDisabled")
    assert said(c) == []


def test_bounds_that_change() -> None:
    c = cluster(workload(2), hpa())
    c.apply([hpa(4)])
    c.settle()
    assert size(c) == 4


def test_a_replica_set_and_a_custom_resource_are_scaled_too() -> None:
    ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web"}
    assert size(cluster(workload(1, "ReplicaSet"), hpa(3, target=ref)), "ReplicaSet") == 3
    scale = {
        "specReplicasPath": ".spec.size",
        "statusReplicasPath": ".status.size",
        "labelSelectorPath": ".status.pods",
    }
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
        "subresources": {"status": {}, "scale": scale},
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "farms.example.org"},
        "spec": {
            "group": "example.org",
            "scope": "Namespaced",
            "names": {"plural": "farms", "singular": "farm", "kind": "Farm", "listKind": "FarmList"},
            "versions": [version],
        },
    }
    farm = {"apiVersion": "example.org/v1", "kind": "Farm", "metadata": {"name": "f", "namespace": "default"}}
    target = {"apiVersion": "example.org/v1", "kind": "Farm", "name": "f"}
    c = cluster(crd, {**farm, "spec": {"size": 1}}, hpa(3, target=target))
    found = c.store.get(Key("example.org", "Farm", "default", "f"))
    assert found is not None
    assert found["spec"]["size"] == 3
    assert conditions(c)["ScalingActive"] == ("False", "InvalidSelector")


def test_two_autoscalers_of_the_same_pods_stop_each_other() -> None:
    c = cluster(workload(2), hpa(), hpa(name="also"))
    for name in ("web", "also"):
        assert conditions(c, name)["ScalingActive"] == ("False", "AmbiguousSelector")
        text = "pods by selector app=web are controlled by multiple HPAs: [default/also default/web]"
        assert message(c, "ScalingActive", name) == text
    c.delete("HorizontalPodAutoscaler", "also")
    c.settle()
    assert conditions(c)["ScalingActive"] == ("False", "FailedGetResourceMetric")


def metric(kind: str, **own: Any) -> Value:
    field = kind[0].lower() + kind[1:]
    return {"metrics": [{"type": kind, field: own}]}


CPU_50 = metric("Resource", name="cpu", target={"type": "Utilization", "averageUtilization": 50})
FAST_DOWN: Value = {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}
PER_POD = metric("Pods", metric={"name": "requests"}, target={"type": "AverageValue", "averageValue": "10"})
CONTAINER = metric(
    "ContainerResource", name="cpu", container="c", target={"type": "Utilization", "averageUtilization": 50}
)
MEMORY = metric("Resource", name="memory", target={"type": "AverageValue", "averageValue": "100Mi"})
OBJECT = metric(
    "Object",
    metric={"name": "hits"},
    describedObject={"apiVersion": "v1", "kind": "Service", "name": "front"},
    target={"type": "Value", "value": "100"},
)
CONTAINERS = {"containers": {"c": {"cpu": "52m"}}}
QUEUE = metric(
    "External",
    metric={"name": "queue", "selector": {"matchLabels": {"of": "web"}}},
    target={"type": "AverageValue", "averageValue": "30"},
)


@pytest.mark.parametrize(
    ("spec", "metrics", "expected", "current"),
    [
        (CPU_50, {"pods": {"default/web-*": {"cpu": "75m"}}}, 10, {"averageUtilization": 75, "averageValue": "75m"}),
        (CPU_50, {"load": {"default/web-*": {"cpu": "300m"}}}, 6, {"averageUtilization": 50, "averageValue": "50m"}),
        (CONTAINER, {"pods": {"*": CONTAINERS}}, 2, {"averageUtilization": 52, "averageValue": "52m"}),
        (MEMORY, {"load": {"*": {"memory": "400Mi"}}}, 4, {"averageValue": "104857600"}),
        (PER_POD, {"load": {"*": {"requests": 45}}}, 5, {"averageValue": "9"}),
        (OBJECT, {"objects": {"default/Service/front": {"hits": "150"}}}, 10, {"value": "150"}),
        (QUEUE, {"external": {"queue": "140"}}, 5, {"averageValue": "28"}),
        (QUEUE, {"external": {"queue": "140", "default/queue": "61"}}, 2, {"averageValue": "30500m"}),
    ],
)
def test_metrics_decide_within_the_bounds(spec: Value, metrics: Value, expected: int, current: Value) -> None:
    c = cluster(workload(2), hpa(**spec), metrics=metrics)
    (shown,) = status(c)["currentMetrics"]
    (own,) = (v for v in shown.values() if isinstance(v, dict))
    assert own["current"] == current
    assert size(c) == expected
    assert conditions(c)["ScalingActive"] == ("True", "ValidMetricFound")
    assert conditions(c)["AbleToScale"] == ("True", "ReadyForNewScale")


def test_growth_is_twice_the_count_at_a_time() -> None:
    c = cluster(workload(3), hpa(1, 20, **CPU_50), metrics={"pods": {"*": {"cpu": "200m"}}})
    sizes = [m for r, m in said(c) if r == "SuccessfulRescale"]
    why = "reason: cpu resource utilization (percentage of request) above target"
    assert sizes == [f"New size: {n}; {why}" for n in (6, 12, 20)]
    assert conditions(c)["ScalingLimited"] == ("True", "TooManyReplicas")


def test_down_only_after_five_minutes_unless_told_otherwise() -> None:
    idle = {"load": {"*": {"cpu": "100m"}}}
    c = cluster(workload(8), hpa(**CPU_50), metrics=idle)
    assert size(c) == 2
    (down,) = (e for e in c.events_since_last_settle() if e.reason == "SuccessfulRescale")
    assert down.message == "New size: 2; reason: All metrics below target"
    slow = down.at
    c = cluster(workload(8), hpa(**CPU_50, **FAST_DOWN), metrics=idle)
    (down,) = (e for e in c.events_since_last_settle() if e.reason == "SuccessfulRescale")
    assert 285 <= slow - down.at <= 315


def test_rates_of_a_behavior() -> None:
    policy = {"type": "Pods", "value": 1, "periodSeconds": 60}
    spec = {**CPU_50, "behavior": {"scaleUp": {"policies": [policy]}}}
    c = cluster(workload(2), hpa(1, 5, **spec), metrics={"pods": {"*": {"cpu": "100m"}}})
    times = [e.at for e in c.events_since_last_settle() if e.reason == "SuccessfulRescale"]
    assert len(times) == 3
    assert all(b - a >= 60 for a, b in pairwise(times))


def test_new_metrics_count_from_the_next_call() -> None:
    c = cluster(workload(2), hpa(**CPU_50), metrics={"pods": {"*": {"cpu": "50m"}}})
    assert size(c) == 2
    c.metrics = {"pods": {"*": {"cpu": "100m"}}}
    c.settle()
    assert size(c) == 10


def test_one_metric_that_fails_prevents_going_down_but_not_up() -> None:
    both = {"metrics": [*CPU_50["metrics"], *QUEUE["metrics"]]}
    c = cluster(workload(4), hpa(**both, **FAST_DOWN), metrics={"pods": {"*": {"cpu": "10m"}}})
    assert size(c) == 4
    assert conditions(c)["ScalingActive"] == ("False", "FailedGetExternalMetric")
    c = cluster(workload(4), hpa(**both, **FAST_DOWN), metrics={"load": {"*": {"cpu": "250m"}}})
    assert size(c) == 5
    assert status(c)["currentMetrics"][1] == {"type": ""}
    assert "FailedComputeMetricsReplicas" not in [reason for reason, _ in said(c)]


SELECTOR = "&LabelSelector{MatchLabels:map[string]string{of: web,},MatchExpressions:[]LabelSelectorRequirement{},}"
CUSTOM, EXTERNAL = (f"unable to fetch metrics from {kind} metrics API: " for kind in ("custom", "external"))
NO_CUSTOM_API = "no custom metrics API (custom.metrics.k8s.io) registered"
NO_EXTERNAL_API = "the server could not find the requested resource (get queue.external.metrics.k8s.io)"
NO_HITS = f"{CUSTOM}the server could not find the metric hits for services front"
NOTHING = "no metrics returned from"
NO_CPU = "failed to get cpu utilization: unable to get metrics for resource cpu"


@pytest.mark.parametrize(
    ("spec", "metrics", "reason", "text"),
    [
        (PER_POD, None, "FailedGetPodsMetric", f"unable to get metric requests: {CUSTOM}{NO_CUSTOM_API}"),
        (PER_POD, {}, "FailedGetPodsMetric", f"unable to get metric requests: {NOTHING} custom metrics API"),
        (OBJECT, {}, "FailedGetObjectMetric", f"unable to get metric hits: Service on default front/{NO_HITS}"),
        (
            QUEUE,
            None,
            "FailedGetExternalMetric",
            f"unable to get external metric default/queue/{SELECTOR}: {EXTERNAL}{NO_EXTERNAL_API}",
        ),
        (
            QUEUE,
            {},
            "FailedGetExternalMetric",
            f"unable to get external metric default/queue/{SELECTOR}: no metrics returned from external metrics API",
        ),
        (CONTAINER, None, "FailedGetContainerResourceMetric", NO_METRICS),
        (CPU_50, {}, "FailedGetResourceMetric", f"{NO_CPU}: no metrics returned from resource metrics API"),
    ],
)
def test_metrics_that_are_not_there(spec: Value, metrics: Value | None, reason: str, text: str) -> None:
    c = cluster(workload(2), hpa(**spec), metrics=metrics)
    assert said(c)[0] == (reason, text)
    assert conditions(c)["ScalingActive"] == ("False", reason)


def test_version_1_keeps_its_own_form() -> None:
    v1 = {**hpa(3), "apiVersion": "autoscaling/v1"}
    v1["spec"] = {**v1["spec"], "targetCPUUtilizationPercentage": 50}
    c = cluster(workload(1), v1, metrics={"load": {"*": {"cpu": "200m"}}})
    found = status(c)
    assert found.pop("lastScaleTime")
    assert found == {"currentReplicas": 4, "desiredReplicas": 4, "currentCPUUtilizationPercentage": 50}


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        ([], "metrics: must be a mapping"),
        ({"pod": {}}, "metrics: unknown part 'pod'"),
        ({"pods": []}, "metrics.pods: must be a mapping"),
        ({"pods": {"a": "1"}}, "metrics.pods[a]: must be a mapping"),
        ({"pods": {"a": {"cpu": "much"}}}, "metrics.pods[a].cpu: 'much' is not a quantity"),
        (
            {"pods": {"a": {"containers": {"c": {"cpu": []}}}}},
            "metrics.pods[a].containers[c].cpu: [] is not a quantity",
        ),
        ({"external": {"queue": {"x": 1}}}, "metrics.external[queue]: {'x': 1} is not a quantity"),
    ],
)
def test_metrics_in_another_form_are_refused(metrics: Any, text: str) -> None:
    with pytest.raises(KplanError) as e:
        Cluster([], metrics=metrics)
    assert e.value.message == text


def test_an_exact_name_counts_before_a_pattern() -> None:
    c = cluster(workload(2), hpa(**CPU_50, **FAST_DOWN), metrics={"pods": {"*": {"cpu": "50m"}}})
    first, second = (p["metadata"]["name"] for p in c.objects("Pod"))
    c.metrics = {"pods": {"*": {"cpu": "90m"}, "default/*": {"cpu": "1"}, f"default/{second}": {"cpu": "10m"}}}
    c.settle()
    assert status(c)["currentMetrics"][0]["resource"]["current"]["averageUtilization"] == 50
    assert first != second
