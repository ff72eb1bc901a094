"""What the validation of a pod spec depends on besides the spec: the release, and what a stored pod may keep.

Follows pkg/api/pod/util.go (GetValidationOptionsFromPodSpecAndMeta) and pkg/features/kube_features.go. A rule that
became stricter does not refuse an update of an object that was stored before: such a rule asks `PodOptions.kept`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kplan.api.validation import metadata, names
from kplan.api.validation.field import Errors
from kplan.hints import Any
from kplan.record import field, record
from kplan.workloads import CONTAINER_LISTS

Value = dict[str, Any]

NEVER = 1000

# The first minor that has a feature gate on by default.
SINCE: Mapping[str, int] = {
    "ContainerRestartRules": 35,
    "EnvFiles": 35,
    "InPlacePodVerticalScaling": 33,
    "MatchLabelKeysInPodTopologySpreadSelectorMerge": 34,
    "PodLevelResources": 34,
    "PodLifecycleSleepActionAllowZero": 33,
    "RelaxedDNSSearchValidation": 33,
    "RestartAllContainersOnContainerExits": 36,
    "SELinuxMount": NEVER,
    "TaintTolerationComparisonOperators": NEVER,
    "UserNamespacesHostNetworkSupport": NEVER,
}


@record
class PodOptions:
    """How strictly to look at a pod spec.

    `is_pod` tells a pod from a template. `old` is the pod spec that is stored, None for a new object.
    """

    minor: int
    is_pod: bool = False
    old: Value | None = None
    old_annotations: Mapping[str, str] = field(default_factory=dict)
    _kept: dict[Callable[[Value], bool], bool] = field(default_factory=dict, compare=False, repr=False)

    def has(self, gate: str, used: Callable[[Value], bool] | None = None) -> bool:
        """Whether the release has a feature on by default, or the stored spec uses it already."""
        return self.minor >= SINCE[gate] or (used is not None and self.kept(used))

    def kept(self, broken: Callable[[Value], bool]) -> bool:
        """Whether the stored spec breaks a rule already, so that it may go on doing so."""
        if self.old is None:
            return False
        if broken not in self._kept:
            self._kept[broken] = broken(self.old)
        return self._kept[broken]


def all_containers(spec: Value, path: str = "") -> Iterator[tuple[Value, str]]:
    """Every container with its path, in the order of VisitContainersWithPath: init, normal, ephemeral."""
    for role in CONTAINER_LISTS:
        for i, container in enumerate(spec.get(role) or ()):
            yield container, f"{path}.{role}[{i}]"


def has_invalid_affinity_selector(spec: Value) -> bool:
    """Whether a selector of a pod (anti-)affinity term has a value that is no label value."""
    affinity = spec.get("affinity") or {}
    return any(
        has_invalid_value(term.get(name))
        for side in ("podAffinity", "podAntiAffinity")
        for term in _terms(affinity.get(side) or {})
        for name in ("labelSelector", "namespaceSelector")
    )


def _terms(affinity: Value) -> Iterator[Value]:
    yield from affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()
    for weighted in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
        yield weighted.get("podAffinityTerm") or {}


def has_invalid_value(selector: Value | None) -> bool:
    """Whether an expression of a selector has a value that is no label value."""
    return any(
        names.label_value(value)
        for expression in (selector or {}).get("matchExpressions") or ()
        for value in expression.get("values") or ()
    )


def has_invalid_node_affinity(spec: Value) -> bool:
    """Whether a required node affinity term has a value that is no label value."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    selector = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    return any(has_invalid_value(term) for term in selector.get("nodeSelectorTerms") or ())


def has_invalid_spread_selector(spec: Value) -> bool:
    """Whether the label selector of a topology spread constraint breaks a rule."""
    errors = Errors()
    for constraint in spec.get("topologySpreadConstraints") or ():
        metadata.label_selector(constraint.get("labelSelector"), errors, "")
    return bool(errors)


def uses_env_files(spec: Value) -> bool:
    """Whether an environment variable of any container comes from a file."""
    return any(
        (variable.get("valueFrom") or {}).get("fileKeyRef") is not None
        for container, _ in all_containers(spec)
        for variable in container.get("env") or ()
    )


def uses_restart_rules(spec: Value) -> bool:
    """Whether a container has restart rules, or one that is no init container its own restart policy."""
    return any(c.get("restartPolicyRules") for c, _ in all_containers(spec)) or any(
        c.get("restartPolicy") is not None for c in spec.get("containers") or ()
    )


def uses_restart_all(spec: Value) -> bool:
    """Whether a restart rule restarts all containers."""
    return any(
        rule.get("action") == "RestartAllContainers"
        for c, _ in all_containers(spec)
        for rule in c.get("restartPolicyRules") or ()
    )


def uses_relaxed_search(spec: Value) -> bool:
    """Whether a DNS search domain is a dot or has an underscore."""
    searches = (spec.get("dnsConfig") or {}).get("searches") or ()
    return any(s == "." or "_" in s for s in searches)


def uses_change_policy(spec: Value) -> bool:
    """Whether the SELinux change policy is set."""
    return (spec.get("securityContext") or {}).get("seLinuxChangePolicy") is not None


def uses_comparison_tolerations(spec: Value) -> bool:
    """Whether a toleration compares numbers."""
    return any(t.get("operator") in {"Lt", "Gt"} for t in spec.get("tolerations") or ())


def uses_host_network_in_user_namespace(spec: Value) -> bool:
    """Whether the pod is in the host network without being in the host's user namespace."""
    return spec.get("hostUsers") is False and bool(spec.get("hostNetwork"))


def uses_devices_in_user_namespace(spec: Value) -> bool:
    """Whether a container has block devices without being in the host's user namespace."""
    return spec.get("hostUsers") is False and any(c.get("volumeDevices") for c, _ in all_containers(spec))


def uses_zero_sleep(spec: Value) -> bool:
    """Whether a lifecycle hook sleeps for no time."""
    return any(
        (hook.get("sleep") or {}).get("seconds", 1) == 0
        for c, _ in all_containers(spec)
        for hook in (c.get("lifecycle") or {}).values()
        if isinstance(hook, dict)
    )


def uses_restarting_resize(spec: Value) -> bool:
    """Whether an init container that is no sidecar has a resize policy that restarts it."""
    return any(
        policy.get("restartPolicy") == "RestartContainer"
        for c in spec.get("initContainers") or ()
        if c.get("restartPolicy") != "Always"
        for policy in c.get("resizePolicy") or ()
    )


def uses_sidecar_resize(spec: Value) -> bool:
    """Whether a sidecar has a resize policy."""
    return any(c.get("resizePolicy") for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
