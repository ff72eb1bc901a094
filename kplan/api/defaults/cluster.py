"""Defaults of everything else: namespaces, nodes, limits, roles, custom resource definitions and devices.

Follows pkg/apis/core/v1, rbac/v1, resource/v1 and apiextensions-apiserver: defaults.go; Secret: core/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.hints import Any

Value = dict[str, Any]

RBAC_GROUP = "rbac.authorization.k8s.io"
NAME_LABEL = "kubernetes.io/metadata.name"


def _namespace(namespace: Value, minor: int) -> None:  # noqa: ARG001
    meta = namespace["metadata"]
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}


def _secret(secret: Value, minor: int) -> None:  # noqa: ARG001
    """`stringData` is for writing only: it goes into `data` and wins there."""
    texts = secret.pop("stringData", None)
    if texts:
        from base64 import b64encode

        encoded = {k: b64encode(v.encode("utf-8", "surrogatepass")).decode() for k, v in texts.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}


def _node_status(status: Value, minor: int) -> None:  # noqa: ARG001
    if "capacity" in status:
        status.setdefault("allocatable", dict(status["capacity"]))


def _node_spec(spec: Value, minor: int) -> None:  # noqa: ARG001
    """`podCIDR` is the old form of the first of `podCIDRs`, and wins."""
    first, both = spec.get("podCIDR"), spec.get("podCIDRs") or []
    if first and (not both or both[0] != first):
        spec["podCIDRs"] = [first]
    elif both and both[0]:
        spec["podCIDR"] = both[0]


def _limit_range_item(item: Value, minor: int) -> None:  # noqa: ARG001
    if item.get("type") != "Container":
        return
    limits = {**item.get("max", {}), **item.get("default", {})}
    requests = {**item.get("min", {}), **limits, **item.get("defaultRequest", {})}
    if limits:
        item["default"] = limits
    if requests:
        item["defaultRequest"] = requests


def _subject(subject: Value, minor: int) -> None:  # noqa: ARG001
    if not subject.get("apiGroup") and subject.get("kind") in ("User", "Group"):
        subject["apiGroup"] = RBAC_GROUP


def _crd(crd: Value, minor: int) -> None:  # noqa: ARG001
    spec, status = crd["spec"], crd["status"]
    kind = spec["names"].get("kind") or ""
    spec["names"]["singular"] = spec["names"].get("singular") or kind.lower()
    if kind and not spec["names"].get("listKind"):
        spec["names"]["listKind"] = f"{kind}List"
    if not status.get("storedVersions"):
        stored = next((v["name"] for v in spec.get("versions") or () if v.get("storage")), None)
        if stored is not None:
            status["storedVersions"] = [stored]


def _device_request(request: Value, minor: int) -> None:  # noqa: ARG001
    if not request.get("allocationMode"):
        request["allocationMode"] = "ExactCount"
    if request["allocationMode"] == "ExactCount" and not request.get("count"):
        request["count"] = 1


def _device_request_union(request: Value, minor: int) -> None:
    """v1beta1: a request without a class has sub-requests, which carry these fields."""
    if request.get("deviceClassName"):
        _device_request(request, minor)


RULES: Mapping[str, Callable[[Value, int], None]] = {
    "core.v1.Namespace": _namespace,
    "core.v1.Secret": _secret,
    "core.v1.NodeSpec": _node_spec,
    "core.v1.NodeStatus": _node_status,
    "core.v1.LimitRangeItem": _limit_range_item,
    "rbac.v1.Subject": _subject,
    "apiextensions.v1.CustomResourceDefinition": _crd,
    "resource.v1.ExactDeviceRequest": _device_request,
    "resource.v1.DeviceSubRequest": _device_request,
    "resource.v1beta2.ExactDeviceRequest": _device_request,
    "resource.v1beta2.DeviceSubRequest": _device_request,
    "resource.v1beta1.DeviceRequest": _device_request_union,
    "resource.v1beta1.DeviceSubRequest": _device_request,
}
