"""Services. Follows ValidateService in pkg/apis/core/validation/validation.go.

Whether an address or node port is free is asked after validation, by the registry: kplan/api/strategy.
"""

from __future__ import annotations

from kplan.api.validation import Context, addresses, metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any

Value = dict[str, Any]

NONE = "None"
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
PROTOCOLS = ("SCTP", "TCP", "UDP")
FAMILIES = ("IPv4", "IPv6")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
TRAFFIC = ("Cluster", "Local")
DISTRIBUTIONS = {0: ("PreferClose",), 34: ("PreferClose", "PreferSameZone", "PreferSameNode")}
KUBELET_PORT = 10250
MAX_TIMEOUT = 86400
HINTS, MODE = "service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
NOT_EXTERNAL_NAME = "may not be set for ExternalName services"
ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def _create(obj: Value, errors: Errors, context: Context) -> None:
    metadata.create(obj, errors, context)
    _service(obj, {}, errors, context)


def _service(obj: Value, old: Value, errors: Errors, context: Context) -> None:
    spec: Value = obj.get("spec") or {}
    before: Value = old.get("spec") or {}
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    _topology_annotations(annotations, errors)
    ports = spec.get("ports") or []
    if not ports and not is_headless(spec) and spec.get("type") != "ExternalName":
        errors.required("spec.ports")
    _by_type(spec, errors)
    _ports(ports, errors)
    if spec.get("selector") is not None:
        metadata.label_map(spec["selector"], errors, "spec.selector")
    _affinity(spec, errors)
    cluster_ips(spec, before, errors, context.minor)
    for i, ip in enumerate(spec.get("externalIPs") or ()):
        found = len(errors.causes)
        addresses.legacy_ip(errors, f"spec.externalIPs[{i}]", ip, context.minor, tuple(before.get("externalIPs") or ()))
        if len(errors.causes) == found:
            endpoint_ip(errors, f"spec.externalIPs[{i}]", ip)
    _one_of(errors, "spec.type", spec.get("type") or "", TYPES)
    _unique_ports(spec, ports, errors)
    _source_ranges(spec, before, annotations, errors, context)
    _load_balancer(spec, errors)
    _traffic(spec, errors, context)


def is_headless(spec: Value) -> bool:
    """Whether a Service has no address on purpose."""
    return spec.get("clusterIPs") == [NONE]


def _one_of(errors: Errors, field: str, value: str, values: tuple[str, ...]) -> None:
    if not value:
        errors.required(field)
    elif value not in values:
        errors.not_supported(field, value, values)


def _topology_annotations(annotations: Value, errors: Errors) -> None:
    if MODE in annotations and HINTS in annotations and annotations[MODE] != annotations[HINTS]:
        detail = f"must match annotations[{HINTS}] when both are specified"
        errors.invalid(f"metadata.annotations[{MODE}]", annotations[MODE], detail)


def _by_type(spec: Value, errors: Errors) -> None:
    type_ = spec.get("type")
    if type_ == "LoadBalancer":
        for i, port in enumerate(spec.get("ports") or ()):
            if port.get("port") == KUBELET_PORT:
                detail = f"may not expose port {KUBELET_PORT} externally since it is used by kubelet"
                errors.invalid(f"spec.ports[{i}]", KUBELET_PORT, detail)
    if type_ in ("LoadBalancer", "NodePort") and is_headless(spec):
        errors.invalid("spec.clusterIPs[0]", NONE, f"may not be set to 'None' for {type_} services")
    if type_ == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(field):
                errors.forbidden(f"spec.{field}", NOT_EXTERNAL_NAME)
        name = (spec.get("externalName") or "").removesuffix(".")
        if name:
            names.invalid(errors, "spec.externalName", name, names.dns1123_subdomain(name))
        else:
            errors.required("spec.externalName")


def _ports(ports: list[Value], errors: Errors) -> None:
    seen: set[str] = set()
    for i, port in enumerate(ports):
        at, name = f"spec.ports[{i}]", port.get("name") or ""
        if name:
            names.invalid(errors, f"{at}.name", name, names.dns1123_label(name))
            if name in seen:
                errors.duplicate(f"{at}.name", name)
            seen.add(name)
        elif len(ports) > 1:
            errors.required(f"{at}.name")
        number = port.get("port") or 0
        names.invalid(errors, f"{at}.port", number, names.port_number(number))
        _one_of(errors, f"{at}.protocol", port.get("protocol") or "", PROTOCOLS)
        target = port.get("targetPort") or 0
        checked = names.port_name(target) if isinstance(target, str) else names.port_number(target)
        names.invalid(errors, f"{at}.targetPort", target, checked)
        if port.get("appProtocol") is not None:
            names.label_name(errors, f"{at}.appProtocol", port["appProtocol"])


def _unique_ports(spec: Value, ports: list[Value], errors: Errors) -> None:
    if spec.get("type") == "ClusterIP":
        for i, port in enumerate(ports):
            if port.get("nodePort"):
                errors.forbidden(f"spec.ports[{i}].nodePort", "may not be used when `type` is 'ClusterIP'")
    seen: set[tuple[str, int]] = set()
    for i, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("nodePort") or 0)
        if key[1] and key in seen:
            errors.duplicate(f"spec.ports[{i}].nodePort", key[1])
        seen.add(key)
    seen = set()
    for i, port in enumerate(ports):
        key = (port.get("protocol") or "", port.get("port") or 0)
        if key in seen:
            shown = {
                "Name": "",
                "Protocol": key[0],
                "AppProtocol": None,
                "Port": key[1],
                "TargetPort": 0,
                "NodePort": 0,
            }
            errors.duplicate(f"spec.ports[{i}]", shown)
        seen.add(key)


def _affinity(spec: Value, errors: Errors) -> None:
    kind, config, at = (
        spec.get("sessionAffinity") or "",
        spec.get("sessionAffinityConfig"),
        "spec.sessionAffinityConfig",
    )
    _one_of(errors, "spec.sessionAffinity", kind, AFFINITIES)
    if kind == NONE and config is not None:
        errors.forbidden(at, f"must not be set when session affinity is {NONE}")
    if kind != "ClientIP":
        return
    when = "when session affinity type is ClientIP"
    client = (config or {}).get("clientIP")
    seconds = (client or {}).get("timeoutSeconds")
    if config is None:
        errors.required(at, when)
    elif client is None:
        errors.required(f"{at}.clientIP", when)
    elif seconds is None:
        errors.required(f"{at}.clientIP.timeoutSeconds", when)
    elif not 0 < seconds <= MAX_TIMEOUT:
        detail = f"must be greater than 0 and less than {MAX_TIMEOUT}"
        errors.invalid(f"{at}.clientIP.timeoutSeconds", seconds, detail)


def cluster_ips(spec: Value, old: Value, errors: Errors, minor: int) -> None:
    """The fields that choose cluster IPs, of a spec and of the one before it ({} if there is none)."""
    if spec.get("type") == "ExternalName":
        return
    first, ips, at = spec.get("clusterIP") or "", spec.get("clusterIPs") or [], "spec.clusterIPs"
    if first and not ips:
        errors.required(at)
    elif first and ips[0] != first:
        errors.invalid(at, ips, "first value must match `clusterIP`")
    elif ips and not first:
        errors.invalid(at, ips, "must be empty when `clusterIP` is not specified")
    _families(spec, errors)
    found = len(errors.causes)
    for i, ip in enumerate(ips):
        if i == 0 and ip == NONE:
            if len(ips) > 1:
                errors.invalid(at, ips, "'None' must be the first and only value")
            continue
        addresses.legacy_ip(errors, f"{at}[{i}]", ip, minor, tuple(old.get("clusterIPs") or ()))
    bad = len(errors.causes) > found
    if len(ips) > 2:
        errors.invalid(at, ips, "may only hold up to 2 values")
    if not bad:
        _families_of(ips, spec, errors)


def _families(spec: Value, errors: Errors) -> None:
    seen: set[str] = set()
    for i, family in enumerate(spec.get("ipFamilies") or ()):
        if family not in FAMILIES:
            errors.not_supported(f"spec.ipFamilies[{i}]", family, FAMILIES)
        if family in seen:
            errors.duplicate(f"spec.ipFamilies[{i}]", family)
        seen.add(family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in POLICIES:
        errors.not_supported("spec.ipFamilyPolicy", policy, POLICIES)


def _is_ipv6(text: str) -> bool:
    ip = None if addresses.is_plain_ipv4(text) else addresses.parse_ip(text)
    return ip is not None and addresses.is_ipv6(ip)


def _families_of(ips: list[str], spec: Value, errors: Errors) -> None:
    sixes = [_is_ipv6(ip) for ip in ips]
    if len(ips) > 1 and len(set(sixes)) < 2:
        errors.invalid("spec.clusterIPs", ips, "may specify no more than one IP for each IP family")
    if is_headless(spec):
        return
    for i, (ip, six, family) in enumerate(zip(ips, sixes, spec.get("ipFamilies") or (), strict=False)):
        if (family == "IPv4" and six) or (family == "IPv6" and not six):
            detail = f"expected an {family} value as indicated by `ipFamilies[{i}]`"
            errors.invalid(f"spec.clusterIPs[{i}]", ip, detail)


def endpoint_ip(errors: Errors, field: str, text: str) -> None:
    """An address that can be an endpoint: not unspecified, loopback or link-local (ValidateEndpointIP)."""
    ip = addresses.parse_ip(text)
    if ip is None:
        return
    if ip.is_unspecified:
        errors.invalid(field, text, f"may not be unspecified ({text})")
    if ip.is_loopback:
        errors.invalid(field, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if ip.is_link_local:
        errors.invalid(field, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if ip.is_multicast and (ip.packed[:3] == b"\xe0\x00\x00" if ip.version == 4 else ip.packed[1] & 0x0F == 2):
        errors.invalid(field, text, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")


def _source_ranges(spec: Value, old: Value, annotations: Value, errors: Errors, context: Context) -> None:
    ranges, before = spec.get("loadBalancerSourceRanges") or [], tuple(old.get("loadBalancerSourceRanges") or ())
    if ranges:
        fields = [(f"spec.LoadBalancerSourceRanges[{i}]", text) for i, text in enumerate(ranges)]
        at = "spec.LoadBalancerSourceRanges"
    elif SOURCE_RANGES in annotations:
        at = f"metadata.annotations[{SOURCE_RANGES}]"
        listed = annotations[SOURCE_RANGES].strip()
        fields = [(at, text) for text in listed.split(",")] if listed else []
    else:
        return
    if spec.get("type") != "LoadBalancer":
        errors.forbidden(at, ONLY_BALANCER)
    for field, text in fields:
        addresses.legacy_cidr(errors, field, text.strip(), context.minor, before)


def _load_balancer(spec: Value, errors: Errors) -> None:
    is_balancer = spec.get("type") == "LoadBalancer"
    allocate = spec.get("allocateLoadBalancerNodePorts")
    if allocate is not None and not is_balancer:
        errors.forbidden("spec.allocateLoadBalancerNodePorts", ONLY_BALANCER)
    if allocate is None and is_balancer:
        errors.required("spec.allocateLoadBalancerNodePorts")
    class_ = spec.get("loadBalancerClass")
    if class_ is not None:
        if is_balancer:
            names.label_name(errors, "spec.loadBalancerClass", class_)
        else:
            errors.forbidden("spec.loadBalancerClass", ONLY_BALANCER)


def _traffic(spec: Value, errors: Errors, context: Context) -> None:
    type_, policy = spec.get("type"), spec.get("externalTrafficPolicy") or ""
    accessible = type_ in ("LoadBalancer", "NodePort") or (type_ == "ClusterIP" and bool(spec.get("externalIPs")))
    if accessible:
        _one_of(errors, "spec.externalTrafficPolicy", policy, TRAFFIC)
    elif policy:
        detail = "may only be set for externally-accessible services"
        errors.invalid("spec.externalTrafficPolicy", policy, detail)
    port = spec.get("healthCheckNodePort") or 0
    if type_ == "LoadBalancer" and policy == "Local":
        if not port:
            errors.required("spec.healthCheckNodePort")
        else:
            names.invalid(errors, "spec.healthCheckNodePort", port, names.port_number(port))
    elif port:
        detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.invalid("spec.healthCheckNodePort", port, detail)
    internal = spec.get("internalTrafficPolicy")
    if internal is None:
        if type_ in ("ClusterIP", "NodePort", "LoadBalancer"):
            errors.required("spec.internalTrafficPolicy")
    elif internal not in TRAFFIC:
        errors.not_supported("spec.internalTrafficPolicy", internal, TRAFFIC)
    distribution = spec.get("trafficDistribution")
    known = DISTRIBUTIONS[max(n for n in DISTRIBUTIONS if n <= context.minor)]
    if distribution is not None and distribution not in known:
        errors.not_supported("spec.trafficDistribution", distribution, known, keep_order=True)


def _update(new: Value, old: Value, errors: Errors, context: Context) -> None:
    metadata.update(new, old, errors)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        _kept_addresses(spec, before, errors)
        _kept_families(spec, before, errors)
    class_ = spec.get("loadBalancerClass")
    if spec.get("type") == before.get("type") == "LoadBalancer" and class_ != before.get("loadBalancerClass"):
        errors.invalid("spec.loadBalancerClass", class_, "may not change once set")
    _service(new, old, errors, context)


def _kept_addresses(spec: Value, old: Value, errors: Errors) -> None:
    ips, before, at = spec.get("clusterIPs") or [], old.get("clusterIPs") or [], "spec.clusterIPs"
    if not before or before == [""] or (ips == [NONE] and before == [NONE]):
        return
    if not ips:
        errors.invalid(f"{at}[0]", ips, "primary clusterIP can not be unset")
        return
    if ips[0] != before[0]:
        errors.invalid(f"{at}[0]", ips, "may not change once set")
    if len(before) > 1:
        if len(ips) == 1:
            policy = spec.get("ipFamilyPolicy")
            if policy != "SingleStack":
                detail = "must be set to 'SingleStack' when releasing the secondary clusterIP"
                errors.invalid("spec.ipFamilyPolicy", policy, detail)
        elif ips[1] != before[1]:
            errors.invalid(f"{at}[1]", ips, "may not change once set")


def _kept_families(spec: Value, old: Value, errors: Errors) -> None:
    families, before, at = spec.get("ipFamilies") or [], old.get("ipFamilies") or [], "spec.ipFamilies"
    if not before:
        return
    if not families:
        errors.invalid(f"{at}[0]", families, "primary ipFamily can not be unset")
        return
    if families[0] != before[0]:
        errors.invalid(f"{at}[0]", families, "may not change once set")
    if len(before) > 1:
        if len(families) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
            detail = "must be set to 'SingleStack' when releasing the secondary ipFamily"
            errors.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail)
        elif len(families) > 1 and families[1] != before[1]:
            errors.invalid(f"{at}[1]", families, "may not change once set")


CREATE = {("", "Service"): _create}
UPDATE = {("", "Service"): _update}
