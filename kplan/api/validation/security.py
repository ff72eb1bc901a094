"""Security contexts of pods and containers.

Follows pkg/apis/core/validation/validation.go (ValidateSecurityContext, validatePodSpecSecurityContext,
ValidateAppArmorProfileField, validateSeccompProfileField). A cluster is taken to allow privileged containers.
"""

from __future__ import annotations

from kplan.api.validation import names, podoptions
from kplan.api.validation.field import Errors
from kplan.api.validation.internal import internal
from kplan.api.validation.paths import local_descending
from kplan.api.validation.podoptions import PodOptions
from kplan.api.validation.windows import windows_options
from kplan.hints import Any
from kplan.patterns import lazy

Value = dict[str, Any]

PROC_MOUNTS = ("Default", "Unmasked")
PROFILE_TYPES = ("Localhost", "RuntimeDefault", "Unconfined")
GROUP_CHANGE_POLICIES = ("Always", "OnRootMismatch")
GROUPS_POLICIES = ("Merge", "Strict")
SELINUX_POLICIES = ("MountOption", "Recursive")

_SYSCTL_LENGTH = 253
_SYSCTL = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$"
_SYSCTL_TEXT = lazy(r"[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:[./][a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*")
# Sysctls of the IPC namespace, which a pod may share with its node; besides them all of fs.mqueue.
_IPC_SYSCTLS = frozenset(
    "kernel.sem kernel.shm kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced kernel.msg kernel.msgmax "
    "kernel.msgmnb kernel.msgmni".split()
)
_NO_ESCALATION = "cannot set `allowPrivilegeEscalation` to false and "
_MAX_PROFILE = 4095


def _user_and_group(errors: Errors, field: str, context: Value, *wanted: str) -> None:
    for name in wanted:
        number = context.get(name)
        if number is not None:
            names.invalid(errors, f"{field}.{name}", number, names.user_or_group_id(number))


def security_context(errors: Errors, field: str, context: Value, host_users: bool) -> None:
    """The security context of a container; `host_users` says whether the pod uses the node's users."""
    _user_and_group(errors, field, context, "runAsUser", "runAsGroup")
    mount = context.get("procMount")
    if mount is not None:
        errors.one_of(f"{field}.procMount", mount, PROC_MOUNTS)
        if host_users and mount == "Unmasked":
            errors.invalid(f"{field}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
    seccomp_profile(errors, f"{field}.seccompProfile", context.get("seccompProfile"))
    if context.get("allowPrivilegeEscalation") is False:
        _no_escalation(errors, field, context)
    windows_options(errors, f"{field}.windowsOptions", context.get("windowsOptions"))
    app_armor_profile(errors, f"{field}.appArmorProfile", context.get("appArmorProfile"))


def _no_escalation(errors: Errors, field: str, context: Value) -> None:
    if context.get("privileged"):
        errors.invalid(field, internal(context, "SecurityContext"), _NO_ESCALATION + "`privileged` to true")
    for capability in (context.get("capabilities") or {}).get("add") or ():
        if capability == "CAP_SYS_ADMIN":
            shown = internal(context, "SecurityContext")
            errors.invalid(field, shown, _NO_ESCALATION + "`capabilities.Add` CAP_SYS_ADMIN")


def seccomp_profile(errors: Errors, field: str, profile: Value | None) -> None:
    """A seccomp profile: the runtime's, none, or a file of the node."""
    if profile is None:
        return
    kind, path = profile.get("type") or "", profile.get("localhostProfile")
    if not kind:
        errors.required(f"{field}.type", "type is required when seccompProfile is set")
    else:
        errors.one_of(f"{field}.type", kind, PROFILE_TYPES)
    if kind != "Localhost":
        if path is not None:
            shown = internal(profile, "SeccompProfile")
            errors.invalid(f"{field}.localhostProfile", shown, "can only be set when seccomp type is Localhost")
    elif path is None:
        errors.required(f"{field}.localhostProfile", "must be set when seccomp type is Localhost")
    else:
        local_descending(errors, f"{field}.localhostProfile", path)


def app_armor_profile(errors: Errors, field: str, profile: Value | None) -> None:
    """An AppArmor profile: the runtime's, none, or one loaded on the node."""
    if profile is None:
        return
    kind, name, where = profile.get("type") or "", profile.get("localhostProfile"), f"{field}.localhostProfile"
    if not kind:
        errors.required(f"{field}.type", "type is required when appArmorProfile is set")
    elif kind == "Localhost":
        if name is None:
            errors.required(where, "must be set when AppArmor type is Localhost")
        elif name != name.strip():
            errors.invalid(where, name, "must not be padded with whitespace")
        elif not name:
            errors.required(where, "must be set when AppArmor type is Localhost")
        if name is not None and names.size(name) > _MAX_PROFILE:
            errors.too_long(where, _MAX_PROFILE)
    elif kind not in PROFILE_TYPES:
        errors.one_of(f"{field}.type", kind, PROFILE_TYPES)
    elif name is not None:
        errors.invalid(where, name, "can only be set when AppArmor type is Localhost")


def pod_security_context(errors: Errors, field: str, spec: Value, options: PodOptions) -> None:
    """The security context of a pod."""
    context = spec.get("securityContext") or {}
    _user_and_group(errors, field, context, "fsGroup", "runAsUser", "runAsGroup")
    for i, group in enumerate(context.get("supplementalGroups") or ()):
        names.invalid(errors, f"{field}.supplementalGroups[{i}]", group, names.user_or_group_id(group))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        sentence = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.invalid(f"{field}.shareProcessNamespace", True, sentence)
    _sysctls(errors, f"{field}.sysctls", context.get("sysctls") or [], spec, options)
    if context.get("fsGroupChangePolicy") is not None:
        errors.one_of(f"{field}.fsGroupChangePolicy", context["fsGroupChangePolicy"], GROUP_CHANGE_POLICIES)
    seccomp_profile(errors, f"{field}.seccompProfile", context.get("seccompProfile"))
    windows_options(errors, f"{field}.windowsOptions", context.get("windowsOptions"))
    app_armor_profile(errors, f"{field}.appArmorProfile", context.get("appArmorProfile"))
    if context.get("supplementalGroupsPolicy") is not None:
        errors.one_of(f"{field}.supplementalGroupsPolicy", context["supplementalGroupsPolicy"], GROUPS_POLICIES)
    if context.get("seLinuxChangePolicy") is not None:
        free = options.has("SELinuxMount", podoptions.uses_change_policy)
        allowed = SELINUX_POLICIES if free else ("Recursive",)
        errors.one_of(f"{field}.seLinuxChangePolicy", context["seLinuxChangePolicy"], allowed)


def _sysctls(errors: Errors, field: str, sysctls: list[Value], spec: Value, options: PodOptions) -> None:
    seen: set[str] = set()
    for i, sysctl in enumerate(sysctls):
        name, path = sysctl.get("name") or "", f"{field}[{i}].name"
        if not name:
            errors.required(path)
        elif len(name) > _SYSCTL_LENGTH or not _SYSCTL_TEXT.fullmatch(name):
            sentence = f"must have at most {_SYSCTL_LENGTH} characters and match regex {_SYSCTL}"
            errors.invalid(path, name, sentence)
        elif name in seen:
            errors.duplicate(path, name)
        shared = _shared_namespace(name, spec)
        if shared and not options.kept(_has_shared_sysctl):
            errors.invalid(path, name, f"may not be specified when '{shared}' is true")
        seen.add(name)


def _shared_namespace(name: str, spec: Value) -> str:
    """The field of the spec by which the node's namespace of a sysctl is shared; "" for none."""
    name = name.replace("/", ".")
    if name.startswith("net."):
        return "hostNetwork" if spec.get("hostNetwork") else ""
    is_ipc = name in _IPC_SYSCTLS or name.startswith("fs.mqueue.")
    return "hostIPC" if is_ipc and spec.get("hostIPC") else ""


def _has_shared_sysctl(spec: Value) -> bool:
    sysctls = (spec.get("securityContext") or {}).get("sysctls") or ()
    return any(_shared_namespace(s.get("name") or "", spec) for s in sysctls)
