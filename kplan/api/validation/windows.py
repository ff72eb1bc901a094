"""What depends on the operating system of a pod: Windows options, host processes, and fields of the other system.

Follows pkg/apis/core/validation/validation.go (validateWindowsSecurityContextOptions, validateWindowsHostProcessPod,
validateOS, validateLinux, validateWindows).
"""

from __future__ import annotations

from kplan.api.validation import names
from kplan.api.validation.field import Errors
from kplan.api.validation.podoptions import all_containers
from kplan.hints import Any
from kplan.patterns import lazy

Value = dict[str, Any]

SYSTEMS = ("linux", "windows")
_CREDENTIAL_KIB = 64
_DOMAIN_LENGTH, _USER_LENGTH = 256, 104
_CONTROL = lazy(r"[\x00-\x1f\x7f]")
_NET_BIOS = lazy(r'[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}')
_DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_DNS = lazy(rf"{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_BAD_USER = lazy(r'["/\\:;|=,+*?<>@\[\]]')
_DOTS = lazy(r"[. ]+")

_NO_WINDOWS = "cannot be set for a windows pod"
_WINDOWS_OPTIONS = "windows options cannot be set for a linux pod"
# Fields of Linux, in the order in which the server looks; those of the pod are under its security context or not.
_LINUX_POD = (
    "securityContext.appArmorProfile securityContext.seLinuxOptions hostUsers hostPID hostIPC "
    "securityContext.seccompProfile securityContext.fsGroup securityContext.fsGroupChangePolicy "
    "securityContext.sysctls shareProcessNamespace securityContext.runAsUser securityContext.runAsGroup "
    "securityContext.supplementalGroups securityContext.supplementalGroupsPolicy securityContext.seLinuxChangePolicy"
).split()
_LINUX_CONTAINER = (
    "appArmorProfile seLinuxOptions seccompProfile capabilities readOnlyRootFilesystem privileged "
    "allowPrivilegeEscalation procMount runAsUser runAsGroup"
).split()
_PLAIN = frozenset({"hostPID", "hostIPC", "securityContext.sysctls", "securityContext.supplementalGroups"})


def windows_options(errors: Errors, field: str, options: Value | None) -> None:
    """The Windows part of a security context."""
    if options is None:
        return
    name, spec = options.get("gmsaCredentialSpecName"), options.get("gmsaCredentialSpec")
    if name is not None:
        names.invalid(errors, f"{field}.gmsaCredentialSpecName", name, names.dns1123_subdomain(name))
    if spec == "":
        errors.invalid(f"{field}.gmsaCredentialSpec", spec, "gmsaCredentialSpec cannot be an empty string")
    elif spec is not None and names.size(spec) > _CREDENTIAL_KIB * 1024:
        sentence = f"gmsaCredentialSpec size must be under {_CREDENTIAL_KIB} KiB"
        errors.invalid(f"{field}.gmsaCredentialSpec", spec, sentence)
    user = options.get("runAsUserName")
    if user is not None:
        names.invalid(errors, f"{field}.runAsUserName", user, tuple(f"runAsUserName{f}" for f in _user_faults(user)))


def _user_faults(name: str) -> list[str]:
    """What is wrong with DOMAIN\\user, as the rest of a sentence about runAsUserName."""
    if not name:
        return [" cannot be an empty string"]
    if _CONTROL.search(name):
        return [" cannot contain control characters"]
    if name.count("\\") > 1:
        return [" cannot contain more than one backslash"]
    domain, backslash, user = name.rpartition("\\")
    checks = (
        (names.size(domain) >= _DOMAIN_LENGTH, f"'s Domain length must be under {_DOMAIN_LENGTH} characters"),
        (
            backslash and not (_NET_BIOS.fullmatch(domain) or _DNS.fullmatch(domain)),
            "'s Domain doesn't match the NetBios nor the DNS format",
        ),
        (not user, "'s User cannot be empty"),
        (names.size(user) > _USER_LENGTH, f"'s User length must not be longer than {_USER_LENGTH} characters"),
        (_DOTS.fullmatch(user), "'s User cannot contain only periods or spaces"),
        (_BAD_USER.search(user), "'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]"),
    )
    return [sentence for wrong, sentence in checks if wrong]


def host_processes(errors: Errors, path: str, spec: Value) -> None:
    """Either all containers of a pod are processes of the node, or none; and then the node's network is theirs."""
    of_pod = _host_process(spec)
    count = found = 0
    for container, where in all_containers(spec, path):
        count += 1
        own = _host_process(container)
        if own is not None and of_pod is not None and own != of_pod:
            was = "true" if of_pod else "false"
            errors.invalid(
                f"{where}.securityContext.windowsOptions.hostProcess",
                own,
                f"pod hostProcess value must be identical if both are specified, was {was}",
            )
        found += bool(own if own is not None else of_pod)
    if not found:
        return
    if found != count:
        sentence = "If pod contains any hostProcess containers then all containers must be HostProcess containers"
        errors.invalid(path, "", sentence)
    if not spec.get("hostNetwork"):
        sentence = "hostNetwork must be true if pod contains any hostProcess containers"
        errors.invalid(f"{path}.hostNetwork", False, sentence)


def _host_process(of: Value) -> bool | None:
    options = (of.get("securityContext") or {}).get("windowsOptions") or {}
    process: bool | None = options.get("hostProcess")
    return process


def operating_system(errors: Errors, path: str, spec: Value) -> None:
    """The operating system that a pod names, and what it then must not have."""
    system = (spec.get("os") or {}).get("name") or ""
    if spec.get("os") is None:
        return
    if not system:
        errors.required(f"{path}.os.name")
    elif system == "linux":
        _linux(errors, path, spec)
    elif system == "windows":
        _windows(errors, path, spec)
    else:
        errors.one_of(f"{path}.os", system, SYSTEMS)


def _linux(errors: Errors, path: str, spec: Value) -> None:
    for part, where in ((spec, path), *all_containers(spec, path)):
        if (part.get("securityContext") or {}).get("windowsOptions") is not None:
            errors.forbidden(f"{where}.securityContext.windowsOptions", _WINDOWS_OPTIONS)


def _windows(errors: Errors, path: str, spec: Value) -> None:
    context = spec.get("securityContext") or {}
    for field in _LINUX_POD:
        inner = field.removeprefix("securityContext.")
        value = (spec if inner == field else context).get(inner)
        if value if field in _PLAIN else value is not None:
            errors.forbidden(f"{path}.{field}", _NO_WINDOWS)
    for container, where in all_containers(spec, path):
        own = container.get("securityContext") or {}
        for field in _LINUX_CONTAINER:
            if own.get(field) is not None:
                errors.forbidden(f"{where}.securityContext.{field}", _NO_WINDOWS)
