"""The containers of a pod: normal, init and ephemeral.

Follows pkg/apis/core/validation/validation.go (validateContainers, validateInitContainers,
validateEphemeralContainers and validateContainerCommon). What is mounted into them is checked in mounts.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from kplan.api.validation import names, podoptions
from kplan.api.validation.env import env, env_from
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.api.validation.mounts import volume_devices, volume_mounts
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.podvolumes import pull_policy
from kplan.api.validation.probes import lifecycle, probes
from kplan.api.validation.requirements import Claims, container_requirements
from kplan.api.validation.security import security_context
from kplan.hints import Any
from kplan.record import record

Value = dict[str, Any]

PROTOCOLS = ("SCTP", "TCP", "UDP")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
RESTART_POLICIES = ("Always", "Never", "OnFailure")
RESIZE_POLICIES = ("NotRequired", "RestartContainer")
PROBED = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")
PADDED_IMAGE = "must not have leading or trailing whitespace"

_MAX_RULES, _MAX_CODES = 20, 255
_NOT_EPHEMERAL = (
    "ports resources resizePolicy restartPolicy restartPolicyRules livenessProbe readinessProbe startupProbe lifecycle"
).split()
_NEEDS_POLICY = "must specify restartPolicy when restart rules are used"


@record
class Surroundings:
    """What the check of a container needs to know of its pod: its valid volumes, its claims, the spec and options."""

    spec: Value
    volumes: Mapping[str, Value]
    claims: Claims
    options: PodOptions


def containers(errors: Errors, field: str, found: list[Value], pod: Surroundings) -> None:
    """The normal containers, of which there must be one."""
    if not found:
        errors.required(field)
        return
    seen: set[str] = set()
    rules = pod.options.has("ContainerRestartRules", podoptions.uses_restart_rules)
    for i, container in enumerate(found):
        path, name = f"{field}[{i}]", container.get("name") or ""
        _common(errors, path, container, pod)
        if name in seen:
            errors.duplicate(f"{path}.name", name)
        seen.add(name)
        if container.get("lifecycle") is not None:
            lifecycle(errors, f"{path}.lifecycle", container["lifecycle"], pod.spec, pod.options)
        probes(errors, path, container)
        if rules:
            _restart_policy(errors, path, container, pod.options)
        elif container.get("restartPolicy") is not None:
            errors.forbidden(f"{path}.restartPolicy", "may not be set for non-init containers")
    _host_ports(errors, field, found)


def init_containers(errors: Errors, field: str, found: list[Value], pod: Surroundings) -> None:
    """The init containers, among them sidecars, which may be probed."""
    seen = {c.get("name") or "" for c in pod.spec.get("containers") or ()}
    for i, container in enumerate(found):
        path, name = f"{field}[{i}]", container.get("name") or ""
        sidecar = container.get("restartPolicy") == "Always"
        _common(errors, path, container, pod)
        _init_restart_policy(errors, path, container, pod.options)
        if name in seen:
            errors.duplicate(f"{path}.name", name)
        elif name:
            seen.add(name)
        _host_ports(errors, field, [container])
        if sidecar:
            if container.get("lifecycle") is not None:
                lifecycle(errors, f"{path}.lifecycle", container["lifecycle"], pod.spec, pod.options)
            probes(errors, path, container)
        else:
            for part in PROBED:
                if container.get(part) is not None:
                    errors.forbidden(
                        f"{path}.{part}", "may not be set for init containers without restartPolicy=Always"
                    )
        if container.get("resizePolicy"):
            _init_resize_policy(errors, path, container["resizePolicy"], sidecar, pod.options)


def _init_resize_policy(errors: Errors, path: str, policies: list[Value], sidecar: bool, options: PodOptions) -> None:
    if not options.has("InPlacePodVerticalScaling", podoptions.uses_sidecar_resize):
        shown = [internal(p, "ContainerResizePolicy") for p in policies]
        errors.invalid(f"{path}.resizePolicy", shown, "must not be set for init containers")
    if sidecar or options.kept(podoptions.uses_restarting_resize):
        return
    for j, policy in enumerate(policies):
        if policy.get("restartPolicy") == "RestartContainer":
            errors.invalid(
                f"{path}.resizePolicy[{j}].restartPolicy",
                "RestartContainer",
                "must not be set to 'RestartContainer' for non-sidecar initContainers",
            )


def ephemeral_containers(errors: Errors, field: str, found: list[Value], pod: Surroundings) -> None:
    """Containers put into a running pod for debugging."""
    if not found:
        return
    others = {c.get("name") or "" for role in ("containers", "initContainers") for c in pod.spec.get(role) or ()}
    seen = set(others)
    for i, container in enumerate(found):
        path, name = f"{field}[{i}]", container.get("name") or ""
        _common(errors, path, container, pod)
        image_padding(errors, path, container)
        if name in seen:
            errors.duplicate(f"{path}.name", name)
        seen.add(name)
        target = container.get("targetContainerName")
        if target and target not in others:
            errors.not_found(f"{path}.targetContainerName", target)
        for part in _NOT_EPHEMERAL:
            if container.get(part) or (part in PROBED and part in container):
                errors.forbidden(f"{path}.{part}", "cannot be set for an Ephemeral Container")
        for j, mount in enumerate(container.get("volumeMounts") or ()):
            for part in ("subPath", "subPathExpr"):
                if mount.get(part):
                    where = f"{path}.volumeMounts[{j}].{part}"
                    errors.forbidden(where, "cannot be set for an Ephemeral Container")


def image_padding(errors: Errors, path: str, container: Value) -> None:
    """The image of a pod's container (a template may still be filled in) has no space around it."""
    image = container.get("image") or ""
    if image != image.strip():
        errors.invalid(f"{path}.image", image, PADDED_IMAGE)


def _common(errors: Errors, path: str, container: Value, pod: Surroundings) -> None:
    name = container.get("name")
    if not name:
        errors.required(f"{path}.name")
    else:
        names.invalid(errors, f"{path}.name", name, names.dns1123_label(name))
    if not container.get("image"):
        errors.required(f"{path}.image")
    policy = container.get("terminationMessagePolicy")
    if not policy:
        errors.required(f"{path}.terminationMessagePolicy")
    else:
        errors.one_of(f"{path}.terminationMessagePolicy", policy, MESSAGE_POLICIES)
    _ports(errors, f"{path}.ports", container.get("ports") or [])
    env(errors, f"{path}.env", container.get("env") or [], pod.options)
    env_from(errors, f"{path}.envFrom", container.get("envFrom") or [], pod.options)
    volume_mounts(errors, f"{path}.volumeMounts", container, pod.volumes)
    volume_devices(errors, f"{path}.volumeDevices", container, pod.volumes)
    pull_policy(errors, f"{path}.imagePullPolicy", container.get("imagePullPolicy") or "")
    container_requirements(errors, f"{path}.resources", container.get("resources") or {}, pod.claims, pod.options)
    restart = pod.spec.get("restartPolicy") or ""
    _resize_policy(errors, f"{path}.resizePolicy", container.get("resizePolicy") or [], restart)
    context = container.get("securityContext")
    if context is not None:
        security_context(errors, f"{path}.securityContext", context, pod.spec.get("hostUsers") is not False)


def _ports(errors: Errors, field: str, ports: list[Value]) -> None:
    seen: set[str] = set()
    for i, port in enumerate(ports):
        path, name = f"{field}[{i}]", port.get("name")
        if name:
            wrong = names.port_name(name)
            names.invalid(errors, f"{path}.name", name, wrong)
            if not wrong and name in seen:
                errors.duplicate(f"{path}.name", name)
            seen.add(name)
        number = port.get("containerPort") or 0
        if not number:
            errors.required(f"{path}.containerPort")
        else:
            names.invalid(errors, f"{path}.containerPort", number, names.port_number(number))
        if port.get("hostPort"):
            names.invalid(errors, f"{path}.hostPort", port["hostPort"], names.port_number(port["hostPort"]))
        if not port.get("protocol"):
            errors.required(f"{path}.protocol")
        else:
            errors.one_of(f"{path}.protocol", port["protocol"], PROTOCOLS)


def _host_ports(errors: Errors, field: str, found: list[Value]) -> None:
    """AccumulateUniqueHostPorts: no two containers take the same port of the node."""
    seen: set[str] = set()
    for i, container in enumerate(found):
        for j, port in enumerate(container.get("ports") or ()):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol') or ''}/{port.get('hostIP') or ''}/{port['hostPort']}"
            if key in seen:
                errors.duplicate(f"{field}[{i}].ports[{j}].hostPort", key)
            seen.add(key)


def _resize_policy(errors: Errors, field: str, policies: list[Value], restart: str) -> None:
    seen: set[str] = set()
    for i, policy in enumerate(policies):
        name, action = policy.get("resourceName") or "", policy.get("restartPolicy") or ""
        if name in seen:
            errors.duplicate(f"{field}[{i}]", name)
        seen.add(name)
        for value, allowed in ((name, ("cpu", "memory")), (action, RESIZE_POLICIES)):
            if not value:
                errors.required(field)
            else:
                errors.one_of(field, value, allowed)
        if restart == "Never" and action != "NotRequired":
            errors.invalid(field, action, "must be 'NotRequired' when pod `restartPolicy` is 'Never'")


def _init_restart_policy(errors: Errors, path: str, container: Value, options: PodOptions) -> None:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is None:
        if rules:
            errors.required(f"{path}.restartPolicy", _NEEDS_POLICY)
    elif not options.has("ContainerRestartRules", podoptions.uses_restart_rules):
        errors.one_of(f"{path}.restartPolicy", policy, ("Always",))
    elif policy != "Always" or _may_restart_all(options):
        _restart_policy(errors, path, container, options)
    elif rules:
        sentence = "restartPolicyRules are not allowed for init containers with restart policy Always"
        errors.forbidden(f"{path}.restartPolicyRules", sentence)


def _may_restart_all(options: PodOptions) -> bool:
    return options.has("RestartAllContainersOnContainerExits", podoptions.uses_restart_all)


def _restart_policy(errors: Errors, path: str, container: Value, options: PodOptions) -> None:
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is not None:
        errors.one_of(f"{path}.restartPolicy", policy, RESTART_POLICIES)
    elif rules:
        errors.required(f"{path}.restartPolicy", _NEEDS_POLICY)
    if len(rules) > _MAX_RULES:
        errors.too_many(f"{path}.restartPolicyRules", len(rules), _MAX_RULES)
    actions = ("Restart", "RestartAllContainers") if _may_restart_all(options) else ("Restart",)
    for i, rule in enumerate(rules):
        where, codes = f"{path}.restartPolicyRules[{i}]", rule.get("exitCodes")
        errors.one_of(f"{where}.action", rule.get("action") or "", actions)
        if codes is None:
            errors.required(f"{where}.exitCodes", "must be specified")
            continue
        errors.one_of(f"{where}.exitCodes.operator", codes.get("operator") or "", ("In", "NotIn"))
        count = len(codes.get("values") or ())
        if count > _MAX_CODES:
            errors.too_many(f"{where}.exitCodes.values", count, _MAX_CODES)
