"""Defaults of services and network policies (pkg/apis/core/v1, networking/v1: defaults.go)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan.hints import Any

Value = dict[str, Any]

_CLIENT_IP_SECONDS = 10800


def _service_port(port: Value, minor: int) -> None:  # noqa: ARG001
    if not port.get("targetPort"):
        port["targetPort"] = port["port"]


def _service(service: Value, minor: int) -> None:  # noqa: ARG001
    spec = service["spec"]
    kind = spec["type"]
    _session_affinity(spec)
    is_external = kind in ("LoadBalancer", "NodePort") or (kind == "ClusterIP" and bool(spec.get("externalIPs")))
    if is_external and not spec.get("externalTrafficPolicy"):
        spec["externalTrafficPolicy"] = "Cluster"
    if kind in ("NodePort", "LoadBalancer", "ClusterIP"):
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in service["status"]["loadBalancer"].get("ingress") or ():
            if ingress.get("ip"):
                ingress.setdefault("ipMode", "VIP")


def _session_affinity(spec: Value) -> None:
    if spec["sessionAffinity"] == "None":
        spec.pop("sessionAffinityConfig", None)
    elif spec["sessionAffinity"] == "ClientIP":
        client = spec.get("sessionAffinityConfig", {}).get("clientIP", {})
        if "timeoutSeconds" not in client:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _CLIENT_IP_SECONDS}}


def _network_policy_spec(spec: Value, minor: int) -> None:  # noqa: ARG001
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


RULES: Mapping[str, Callable[[Value, int], None]] = {
    "core.v1.ServicePort": _service_port,
    "core.v1.Service": _service,
    "networking.v1.NetworkPolicySpec": _network_policy_spec,
}
