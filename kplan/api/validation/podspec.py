"""Pod specs and pod templates, wherever they stand.

Follows pkg/apis/core/validation/validation.go (ValidatePodSpec, ValidatePodTemplateSpec). The parts are in modules of
their own: volumes, containers, security, affinity, annotations.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.api.validation import metadata, names, podoptions
from kplan.api.validation.addresses import legacy_ip
from kplan.api.validation.containers import Surroundings, containers, ephemeral_containers, init_containers
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.api.validation.podannotations import MIRROR, annotations_and_fields, pod_annotations
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.podvolumes import volumes
from kplan.api.validation.requirements import NO_CLAIMS, claims_of, overhead, pod_requirements
from kplan.api.validation.security import pod_security_context
from kplan.api.validation.windows import host_processes, operating_system
from kplan.hints import Any

Value = dict[str, Any]

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")

_NAMESERVERS, _SEARCHES, _SEARCH_CHARACTERS = 3, 32, 2048
_HOSTNAME_LENGTH = 64
_NO_HOST_USERS = "when `hostUsers` is false"

# Names in a spec, and the rule of each, by where the server looks at them.
_EARLY_NAMES: Mapping[str, names.Check] = {
    "serviceAccountName": names.dns1123_subdomain,
    "nodeName": names.dns1123_subdomain,
}
_HOST_NAMES: Mapping[str, names.Check] = {"hostname": names.dns1123_label, "subdomain": names.dns1123_label}


def pod_template(errors: Errors, field: str, template: Value, options: PodOptions) -> None:
    """A pod template: the labels and annotations of its pods, and their spec."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    annotations = meta.get("annotations") or {}
    metadata.label_map(meta.get("labels"), errors, f"{field}.labels")
    metadata.annotation_map(annotations, errors, f"{field}.annotations")
    pod_annotations(errors, f"{field}.annotations", annotations, spec, options)
    pod_spec(errors, f"{field}.spec", spec, options)
    annotations_and_fields(errors, f"{field}.spec", annotations, spec)
    if spec.get("ephemeralContainers"):
        errors.forbidden(f"{field}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def pod_spec(errors: Errors, field: str, spec: Value, options: PodOptions, pod: Value | None = None) -> None:
    """ValidatePodSpec; `pod` is the metadata of a real pod, None for a template."""
    meta = pod or {}
    if spec.get("terminationGracePeriodSeconds") is None:
        errors.required(f"{field}.terminationGracePeriodSeconds")
    found = volumes(errors, f"{field}.volumes", spec.get("volumes") or [], meta.get("name") or "", options)
    claims = spec.get("resourceClaims") or []
    static = MIRROR in (meta.get("annotations") or {})
    _resource_claims(errors, f"{field}.resourceClaims", claims, static)
    around = Surroundings(spec, found, claims_of(claims) if claims else NO_CLAIMS, options)
    containers(errors, f"{field}.containers", spec.get("containers") or [], around)
    init_containers(errors, f"{field}.initContainers", spec.get("initContainers") or [], around)
    ephemeral_containers(errors, f"{field}.ephemeralContainers", spec.get("ephemeralContainers") or [], around)
    if options.has("PodLevelResources"):
        pod_requirements(errors, field, spec, around.claims, options)
    _host_network(errors, field, spec, options)
    _policy(errors, f"{field}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    _policy(errors, f"{field}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES)
    metadata.label_map(spec.get("nodeSelector"), errors, f"{field}.nodeSelector")
    pod_security_context(errors, f"{field}.securityContext", spec, options)
    _scheduling(errors, field, spec, options)
    host_processes(errors, field, spec)
    if spec.get("hostUsers") is False:
        _host_users(errors, field, spec, options)
    if spec.get("hostnameOverride") is not None:
        _hostname_override(errors, f"{field}.hostnameOverride", spec)
    _names_and_numbers(errors, field, spec, options)
    operating_system(errors, field, spec)
    if spec.get("schedulingGroup") is not None:
        _scheduling_group(errors, f"{field}.schedulingGroup.podGroupName", spec["schedulingGroup"])
    _file_key_volumes(errors, field, spec)


def _policy(errors: Errors, field: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if not value:
        errors.required(field)
    else:
        errors.one_of(field, value, allowed)


def _resource_claims(errors: Errors, field: str, claims: list[Value], static: bool) -> None:
    seen: set[str] = set()
    for i, claim in enumerate(claims):
        path, name = f"{field}[{i}]", claim.get("name") or ""
        if static:
            errors.forbidden("[]", "static pods do not support resource claims")
            continue
        if not name:
            errors.required(f"{path}.name")
        elif name in seen:
            errors.duplicate(f"{path}.name", name)
        else:
            names.invalid(errors, f"{path}.name", name, names.dns1123_label(name))
            seen.add(name)
        _claim_source(errors, path, claim)


def _claim_source(errors: Errors, path: str, claim: Value) -> None:
    kinds = ("resourceClaimName", "resourceClaimTemplateName")
    given = [kind for kind in kinds if claim.get(kind) is not None]
    if len(given) == 2:
        sentence = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
        errors.invalid(path, internal(claim, "PodResourceClaim"), sentence)
    elif not given:
        sentence = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        errors.invalid(path, internal(claim, "PodResourceClaim"), sentence)
    for kind in given:
        names.invalid(errors, f"{path}.{kind}", claim[kind], names.dns1123_subdomain(claim[kind]))


def _host_network(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    for i, container in enumerate(spec.get("containers") or () if spec.get("hostNetwork") else ()):
        for j, port in enumerate(container.get("ports") or ()):
            on_host = port.get("hostPort") or 0
            if on_host != (port.get("containerPort") or 0) and (on_host or options.is_pod):
                sentence = "must match `containerPort` when `hostNetwork` is true"
                errors.invalid(f"{field}.containers[{i}].ports[{j}].hostPort", on_host, sentence)


def _scheduling(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    if spec.get("affinity") is not None:
        from kplan.api.validation.affinity import affinity

        affinity(errors, f"{field}.affinity", spec["affinity"], options)
    _dns(errors, f"{field}.dnsConfig", spec, options)
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        names.label_name(errors, f"{field}.readinessGates[{i}].conditionType", gate.get("conditionType") or "")
    seen: set[str] = set()
    for i, gate in enumerate(spec.get("schedulingGates") or ()):
        name, path = gate.get("name") or "", f"{field}.schedulingGates[{i}]"
        names.label_name(errors, path, name)
        if name in seen:
            errors.duplicate(path, name)
        seen.add(name)
    if spec.get("topologySpreadConstraints"):
        from kplan.api.validation.affinity import topology_spread

        path = f"{field}.topologySpreadConstraints"
        topology_spread(errors, path, spec["topologySpreadConstraints"], options)


def _dns(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    config = spec.get("dnsConfig")
    if spec.get("dnsPolicy") == "None":
        if config is None:
            errors.required(field, "must provide `dnsConfig` when `dnsPolicy` is None")
            return
        if not config.get("nameservers"):
            sentence = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            errors.required(f"{field}.nameservers", sentence)
            return
    if config is None:
        return
    servers = config.get("nameservers") or []
    if len(servers) > _NAMESERVERS:
        errors.invalid(f"{field}.nameservers", servers, f"must not have more than {_NAMESERVERS} nameservers")
    for i, server in enumerate(servers):
        legacy_ip(errors, f"{field}.nameservers[{i}]", server, options.minor)
    _searches(errors, f"{field}.searches", config.get("searches") or [], options)
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            errors.required(f"{field}.options[{i}]", "must not be empty")


def _searches(errors: Errors, field: str, searches: list[str], options: PodOptions) -> None:
    if len(searches) > _SEARCHES:
        errors.invalid(field, searches, f"must not have more than {_SEARCHES} search paths")
    if names.size(" ".join(searches)) > _SEARCH_CHARACTERS:
        sentence = f"must not have more than {_SEARCH_CHARACTERS} characters (including spaces) in the search list"
        errors.invalid(field, searches, sentence)
    relaxed = options.has("RelaxedDNSSearchValidation", podoptions.uses_relaxed_search)
    check = names.dns1123_subdomain_with_underscore if relaxed else names.dns1123_subdomain
    for i, search in enumerate(searches):
        domain = search.removesuffix(".")
        if not (relaxed and search == "."):
            names.invalid(errors, f"{field}[{i}]", domain, check(domain))


def _host_users(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    """A pod with users of its own cannot share the node's namespaces."""
    shares_network = options.has("UserNamespacesHostNetworkSupport", podoptions.uses_host_network_in_user_namespace)
    if spec.get("hostNetwork") and not shares_network:
        errors.forbidden(f"{field}.hostNetwork", _NO_HOST_USERS)
    for name, shown in (("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(name):
            errors.forbidden(f"{field}.{shown}", _NO_HOST_USERS)
    if not options.kept(podoptions.uses_devices_in_user_namespace):
        for container, path in podoptions.all_containers(spec, field):
            if container.get("volumeDevices"):
                errors.forbidden(f"{path}.volumeDevices", _NO_HOST_USERS)


def _hostname_override(errors: Errors, field: str, spec: Value) -> None:
    name = spec["hostnameOverride"]
    if spec.get("setHostnameAsFQDN"):
        errors.forbidden(field, "may not be specified when setHostnameAsFQDN is true")
    if spec.get("hostNetwork"):
        errors.forbidden(field, "may not be specified when hostNetwork is true")
    if names.size(name) > _HOSTNAME_LENGTH:
        errors.too_long(field, _HOSTNAME_LENGTH)
    names.invalid(errors, field, name, names.dns1123_subdomain(name))


def _given_names(errors: Errors, field: str, spec: Value, rules: Mapping[str, names.Check]) -> None:
    for name, check in rules.items():
        value = spec.get(name)
        if value:
            names.invalid(errors, f"{field}.{name}", value, check(value))


def _names_and_numbers(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    _given_names(errors, field, spec, _EARLY_NAMES)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None:
        names.invalid(errors, f"{field}.activeDeadlineSeconds", deadline, names.in_range(deadline, 1, names.MAX_INT32))
    _given_names(errors, field, spec, _HOST_NAMES)
    if spec.get("tolerations"):
        from kplan.api.validation.affinity import tolerations

        tolerations(errors, f"{field}.tolerations", spec["tolerations"], options)
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        path = f"{field}.hostAliases[{i}]"
        legacy_ip(errors, f"{path}.ip", alias.get("ip") or "", options.minor)
        for j, host in enumerate(alias.get("hostnames") or ()):
            names.invalid(errors, f"{path}.hostnames[{j}]", host, names.dns1123_subdomain(host))
    _given_names(errors, field, spec, {"priorityClassName": names.dns1123_subdomain})
    runtime = spec.get("runtimeClassName")
    if runtime is not None:
        names.invalid(errors, f"{field}.runtimeClassName", runtime, names.dns1123_subdomain(runtime))
    if spec.get("preemptionPolicy") is not None:
        _policy(errors, f"{field}.preemptionPolicy", spec["preemptionPolicy"], PREEMPTION_POLICIES)
    if spec.get("overhead"):
        overhead(errors, f"{field}.overhead", spec["overhead"], options)


def _scheduling_group(errors: Errors, field: str, group: Value) -> None:
    name = group.get("podGroupName")
    if name is None:
        errors.invalid(field, None, "must specify one of: `podGroupName`")
    else:
        names.invalid(errors, field, name, names.dns1123_subdomain(name))


def _file_key_volumes(errors: Errors, field: str, spec: Value) -> None:
    """Variables from files: the file is in a volume of type emptyDir."""
    if not podoptions.uses_env_files(spec):
        return
    sources = {v.get("name") or "": v for v in spec.get("volumes") or ()}
    for container, path in podoptions.all_containers(spec, field):
        for i, variable in enumerate(container.get("env") or ()):
            reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if reference is None:
                continue
            name, where = reference.get("volumeName") or "", f"{path}.env[{i}].valueFrom.fileKeyRef.volumeName"
            if name not in sources:
                errors.not_found(where, name)
            elif sources[name].get("emptyDir") is None:
                errors.invalid(where, name, "referenced volume must be of type emptyDir")
