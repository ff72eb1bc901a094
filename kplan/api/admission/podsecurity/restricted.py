"""The checks that the Restricted level adds, or puts in the place of a Baseline check.

Follows k8s.io/pod-security-admission/policy/check_*.go; the texts are those of the API server.
"""

from __future__ import annotations

from kplan.api.admission.podsecurity.baseline import PROFILES
from kplan.api.admission.podsecurity.verdict import Pod, Violation, plural, quoted, setters, the_containers

VOLUME_TYPES = frozenset(
    "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split()
)


def allow_privilege_escalation(pod: Pod) -> Violation | None:
    """Containers that may gain privileges; unset counts."""
    names = [n for n, _, security in pod.containers() if security.get("allowPrivilegeEscalation") is not False]
    if not names:
        return None
    detail = f"{the_containers(names)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", detail)


def allow_privilege_escalation_1_25(pod: Pod) -> Violation | None:
    """As before; Windows has no such thing."""
    return None if pod.is_windows else allow_privilege_escalation(pod)


def capabilities(pod: Pod) -> Violation | None:
    """All capabilities must be dropped, and only NET_BIND_SERVICE may come back."""
    keeping, adding, added = [], [], set()
    for name, _, security in pod.containers():
        own = security.get("capabilities") or {}
        if "ALL" not in (own.get("drop") or ()):
            keeping.append(name)
        extra = [c for c in own.get("add") or () if c != "NET_BIND_SERVICE"]
        if extra:
            adding.append(name)
            added.update(extra)
    details = []
    if keeping:
        details.append(f'{the_containers(keeping)} must set securityContext.capabilities.drop=["ALL"]')
    if adding:
        bad = quoted(sorted(added))
        details.append(f"{the_containers(adding)} must not include {bad} in securityContext.capabilities.add")
    return Violation("unrestricted capabilities", "; ".join(details)) if details else None


def capabilities_1_25(pod: Pod) -> Violation | None:
    """As before; Windows has no capabilities."""
    return None if pod.is_windows else capabilities(pod)


def volume_types(pod: Pod) -> Violation | None:
    """Volumes that reach outside of what the cluster manages."""
    names, types = [], set()
    for volume in pod.spec.get("volumes") or ():
        source = next((k for k, v in volume.items() if k != "name" and v is not None), "unknown")
        if source not in VOLUME_TYPES:
            names.append(volume.get("name", ""))
            types.add(source)
    if not names:
        return None
    detail = (
        f"{plural('volume', names)} {quoted(names)} {plural('uses', names, 'use')} restricted volume "
        f"{plural('type', types)} {quoted(sorted(types))}"
    )
    return Violation("restricted volume types", detail)


def run_as_non_root(pod: Pod) -> Violation | None:
    """Nobody may be root, and somebody must say so."""
    own = pod.security.get("runAsNonRoot")
    refusing, silent = [], []
    for name, _, security in pod.containers():
        value = security.get("runAsNonRoot")
        if value is False:
            refusing.append(name)
        elif value is None and not own:
            silent.append(name)
    if own is False or refusing:
        detail = f"{setters(own is False, refusing)} must not set securityContext.runAsNonRoot=false"
    elif silent:
        detail = f"pod or {the_containers(silent)} must set securityContext.runAsNonRoot=true"
    else:
        return None
    return Violation("runAsNonRoot != true", detail)


def run_as_user(pod: Pod) -> Violation | None:
    """The number of root."""
    by_pod = pod.security.get("runAsUser") == 0
    names = [name for name, _, security in pod.containers() if security.get("runAsUser") == 0]
    if not by_pod and not names:
        return None
    return Violation("runAsUser=0", f"{setters(by_pod, names)} must not set runAsUser=0")


def run_as_non_root_1_35(pod: Pod) -> Violation | None:
    """As before, but root inside an own user namespace is nobody outside."""
    return None if pod.has_user_namespace else run_as_non_root(pod)


def run_as_user_1_35(pod: Pod) -> Violation | None:
    """As before, but root inside an own user namespace is nobody outside."""
    return None if pod.has_user_namespace else run_as_user(pod)


def seccomp(pod: Pod) -> Violation | None:
    """A seccomp profile must be set, for the pod or for each container."""
    own = (pod.security.get("seccompProfile") or {}).get("type")
    bad = {own} if own is not None and own not in PROFILES else set()
    by_pod, wrong, silent = bool(bad), [], []
    for name, _, security in pod.containers():
        profile = security.get("seccompProfile")
        if profile is None:
            if own is None or by_pod:
                silent.append(name)
        elif profile.get("type") not in PROFILES:
            wrong.append(name)
            bad.add(profile.get("type") or "")
    if bad:
        who = setters(by_pod, wrong)
        detail = f"{who} must not set securityContext.seccompProfile.type to {quoted(sorted(bad))}"
    elif silent:
        must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
        detail = f"pod or {the_containers(silent)} {must}"
    else:
        return None
    return Violation("seccompProfile", detail)


def seccomp_1_25(pod: Pod) -> Violation | None:
    """As before; Windows has no seccomp."""
    return None if pod.is_windows else seccomp(pod)
