"""Defaults of workloads, jobs and autoscalers (pkg/apis/apps, batch, autoscaling: v*/defaults.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.hints import Any

Value = dict[str, Any]

_MAX_INT32 = 2**31 - 1
_MAX_UNAVAILABLE_OFF = 36  # MaxUnavailableStatefulSet came on in 1.35, and was off once more in 1.36
_DEFAULT_UTILIZATION = 80
_METRICS = "autoscaling.alpha.kubernetes.io/metrics"  # how version 1 carries the metrics of version 2


def _deployment_strategy(strategy: Value, minor: int) -> None:  # noqa: ARG001
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")


def _daemon_set_strategy(strategy: Value, minor: int) -> None:  # noqa: ARG001
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)


def _stateful_set_strategy(strategy: Value, minor: int) -> None:
    """`type: RollingUpdate` alone makes no rollingUpdate; no type at all makes one."""
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy.setdefault("rollingUpdate", {})
    if strategy["type"] == "RollingUpdate" and "rollingUpdate" in strategy:
        strategy["rollingUpdate"].setdefault("partition", 0)
        if minor >= 35 and minor != _MAX_UNAVAILABLE_OFF:
            strategy["rollingUpdate"].setdefault("maxUnavailable", 1)


def _stateful_set_spec(spec: Value, minor: int) -> None:  # noqa: ARG001
    retention = spec["persistentVolumeClaimRetentionPolicy"]
    for when in ("whenDeleted", "whenScaled"):
        retention[when] = retention.get(when) or "Retain"
    for claim in spec.get("volumeClaimTemplates") or ():
        claim |= {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}


def _replication_controller(rc: Value, minor: int) -> None:  # noqa: ARG001
    spec = rc["spec"]
    labels = (spec.get("template") or {}).get("metadata", {}).get("labels")
    if labels:
        if not spec.get("selector"):
            spec["selector"] = dict(labels)
        if not rc["metadata"].get("labels"):
            rc["metadata"]["labels"] = dict(labels)


def _job(job: Value, minor: int) -> None:  # noqa: ARG001
    spec = job["spec"]
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", _MAX_INT32 if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    labels = spec["template"]["metadata"].get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = labels  # the same map on purpose: see the strategy of jobs


def _horizontal_pod_autoscaler_spec(spec: Value, minor: int) -> None:  # noqa: ARG001
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": _DEFAULT_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        by_percent = {"type": "Percent", "value": 100, "periodSeconds": 15}
        by_pods = {"type": "Pods", "value": 4, "periodSeconds": 15}
        up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [by_pods, by_percent]}
        down = {"selectPolicy": "Max", "policies": [dict(by_percent)]}
        behavior["scaleUp"] = up | behavior.get("scaleUp", {})
        behavior["scaleDown"] = down | behavior.get("scaleDown", {})


def _horizontal_pod_autoscaler_v1(hpa: Value, minor: int) -> None:  # noqa: ARG001
    """The conversion to the stored version adds the metric that an autoscaler without others cannot leave out."""
    if _METRICS not in (hpa["metadata"].get("annotations") or {}):
        hpa["spec"].setdefault("targetCPUUtilizationPercentage", _DEFAULT_UTILIZATION)


RULES: Mapping[str, Callable[[Value, int], None]] = {
    "apps.v1.DeploymentStrategy": _deployment_strategy,
    "apps.v1.DaemonSetUpdateStrategy": _daemon_set_strategy,
    "apps.v1.StatefulSetUpdateStrategy": _stateful_set_strategy,
    "apps.v1.StatefulSetSpec": _stateful_set_spec,
    "core.v1.ReplicationController": _replication_controller,
    "batch.v1.Job": _job,
    "autoscaling.v2.HorizontalPodAutoscalerSpec": _horizontal_pod_autoscaler_spec,
    "autoscaling.v1.HorizontalPodAutoscaler": _horizontal_pod_autoscaler_v1,
}
