"""The checks of the Baseline level, each with the release since which its form holds.

Follows k8s.io/pod-security-admission/policy/check_*.go; the texts are those of the API server.
"""

from __future__ import annotations

from kplan.api.admission.podsecurity.verdict import Pod, Violation, plural, quoted, setters, the_containers
from kplan.hints import Any

APP_ARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
DEFAULT_CAPABILITIES = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT".split()
)
SAFE_SYSCTLS = {
    0: "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
    "net.ipv4.ip_unprivileged_port_start",
    27: "net.ipv4.ip_local_reserved_ports",
    29: "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl "
    "net.ipv4.tcp_keepalive_probes",
    32: "net.ipv4.tcp_rmem net.ipv4.tcp_wmem",
    37: "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat",
}
SELINUX_TYPES = frozenset(("", "container_t", "container_init_t", "container_kvm_t"))
PROFILES = ("RuntimeDefault", "Localhost")


def app_armor(pod: Pod) -> Violation | None:
    """AppArmor profiles other than the runtime's default and local ones."""
    own = (pod.security.get("appArmorProfile") or {}).get("type")
    values = {own} if own and own not in PROFILES else set()
    by_pod, names = bool(values), []
    for name, _, security in pod.containers():
        profile = (security.get("appArmorProfile") or {}).get("type")
        if profile and profile not in PROFILES:
            names.append(name)
            values.add(profile)
    annotations = sorted(
        f'{k}="{v}"'
        for k, v in pod.annotations.items()
        if k.startswith(APP_ARMOR_PREFIX) and v not in ("", "runtime/default") and not str(v).startswith("localhost/")
    )
    bad = sorted(values) + annotations
    if not bad:
        return None
    who = [w for w in (setters(by_pod, names), plural("annotation", annotations) if annotations else "") if w]
    detail = f"{' and '.join(who)} must not set AppArmor profile type to {quoted(bad)}"
    return Violation(plural("forbidden AppArmor profile", bad), detail)


def capabilities(pod: Pod) -> Violation | None:
    """Capabilities beyond those that a container runtime gives by default."""
    names, bad = [], set()
    for name, _, security in pod.containers():
        added = (security.get("capabilities") or {}).get("add") or ()
        extra = [c for c in added if c not in DEFAULT_CAPABILITIES]
        if extra:
            names.append(name)
            bad.update(extra)
    if not names:
        return None
    detail = f"{the_containers(names)} must not include {quoted(sorted(bad))} in securityContext.capabilities.add"
    return Violation("non-default capabilities", detail)


def host_namespaces(pod: Pod) -> Violation | None:
    """Sharing the node's network, processes or IPC."""
    shared = [f"{f}=true" for f in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(f)]
    return Violation("host namespaces", ", ".join(shared)) if shared else None


def host_path_volumes(pod: Pod) -> Violation | None:
    """Volumes that are folders of the node."""
    names = [v.get("name", "") for v in pod.spec.get("volumes") or () if v.get("hostPath") is not None]
    return Violation("hostPath volumes", f"{plural('volume', names)} {quoted(names)}") if names else None


def host_ports(pod: Pod) -> Violation | None:
    """Ports of the node."""
    names, ports = [], set()
    for name, c, _ in pod.containers():
        own = {str(p["hostPort"]) for p in c.get("ports") or () if p.get("hostPort")}
        if own:
            names.append(name)
            ports |= own
    if not names:
        return None
    use, noun = plural("uses", names, "use"), plural("hostPort", ports)
    return Violation("hostPort", f"{the_containers(names)} {use} {noun} {', '.join(sorted(ports))}")


def probe_hosts(pod: Pod) -> Violation | None:
    """Probes and lifecycle hooks that call another host than the pod."""
    names, hosts = [], set()
    for name, c, _ in pod.containers():
        lifecycle = c.get("lifecycle") or {}
        handlers = [c.get(p) for p in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
        own = {h for handler in handlers if handler for h in _hosts(handler)}
        if own:
            names.append(name)
            hosts |= own
    if not names:
        return None
    use, noun = plural("uses", names, "use"), plural("host", hosts)
    detail = f"{the_containers(names)} {use} probe or lifecycle {noun} {quoted(sorted(hosts))}"
    return Violation("probe or lifecycle host", detail)


def _hosts(handler: dict[str, Any]) -> list[str]:
    return [h for part in ("httpGet", "tcpSocket") if (h := (handler.get(part) or {}).get("host"))]


def privileged(pod: Pod) -> Violation | None:
    """Privileged containers."""
    names = [name for name, _, security in pod.containers() if security.get("privileged")]
    if not names:
        return None
    return Violation("privileged", f"{the_containers(names)} must not set securityContext.privileged=true")


def proc_mount(pod: Pod) -> Violation | None:
    """A /proc without the usual masks."""
    names, bad = [], set()
    for name, _, security in pod.containers():
        mount = security.get("procMount")
        if mount is not None and mount != "Default":
            names.append(name)
            bad.add(mount)
    if not names:
        return None
    detail = f"{the_containers(names)} must not set securityContext.procMount to {quoted(sorted(bad))}"
    return Violation("procMount", detail)


def proc_mount_1_35(pod: Pod) -> Violation | None:
    """As before, but a pod with its own user namespace may."""
    return None if pod.has_user_namespace else proc_mount(pod)


def selinux(pod: Pod, allowed: frozenset[str] = SELINUX_TYPES) -> Violation | None:
    """SELinux options beyond the container types."""
    types: set[str] = set()
    flags: set[str] = set()

    def is_bad(security: dict[str, Any]) -> bool:
        options = security.get("seLinuxOptions")
        if not options:
            return False
        wrong = (options.get("type") or "") not in allowed
        if wrong:
            types.add(options["type"])
        own = {f for f in ("user", "role") if options.get(f)}
        flags.update(own)
        return wrong or bool(own)

    by_pod = is_bad(pod.security)
    names = [name for name, _, security in pod.containers() if is_bad(security)]
    if not by_pod and not names:
        return None
    data = [f"{plural('type', types)} {quoted(sorted(types))}"] if types else []
    data += [f"{flag} may not be set" for flag in ("user", "role") if flag in flags]
    who = setters(by_pod, names)
    return Violation("seLinuxOptions", f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(data)}")


def selinux_1_31(pod: Pod) -> Violation | None:
    """As before, with container_engine_t allowed."""
    return selinux(pod, SELINUX_TYPES | {"container_engine_t"})


def seccomp_annotations(pod: Pod) -> Violation | None:
    """Before 1.19: the alpha annotations."""
    keys = [SECCOMP_POD, *(SECCOMP_CONTAINER + name for name, _, _ in pod.containers())]
    bad = set()
    for key in keys:
        value = pod.annotations.get(key)
        if value is None or value in ("runtime/default", "docker/default") or value.startswith("localhost/"):
            continue
        bad.add(f'{key}="{value}"')
    if not bad:
        return None
    return Violation("seccompProfile", f"forbidden {plural('annotation', bad)} {', '.join(sorted(bad))}")


def seccomp(pod: Pod) -> Violation | None:
    """Seccomp profiles other than the runtime's default and local ones."""
    own = (pod.security.get("seccompProfile") or {}).get("type")
    bad = {own} if own is not None and own not in PROFILES else set()
    by_pod, names = bool(bad), []
    for name, _, security in pod.containers():
        profile = (security.get("seccompProfile") or {}).get("type")
        if profile is not None and profile not in PROFILES:
            names.append(name)
            bad.add(profile)
    if not bad:
        return None
    detail = f"{setters(by_pod, names)} must not set securityContext.seccompProfile.type to {quoted(sorted(bad))}"
    return Violation("seccompProfile", detail)


def sysctls(pod: Pod, minor: int) -> Violation | None:
    """Kernel parameters that are not known to be safe in the given release."""
    asked = [s.get("name", "") for s in pod.security.get("sysctls") or ()]
    if not asked:
        return None
    safe = {name for since, names in SAFE_SYSCTLS.items() if since <= minor for name in names.split()}
    bad = [name for name in asked if name not in safe]
    return Violation("forbidden sysctls", ", ".join(bad)) if bad else None


def host_process(pod: Pod) -> Violation | None:
    """Windows processes that run on the node itself."""

    def is_set(security: dict[str, Any]) -> bool:
        return bool((security.get("windowsOptions") or {}).get("hostProcess"))

    by_pod = is_set(pod.security)
    names = [name for name, _, security in pod.containers() if is_set(security)]
    if not by_pod and not names:
        return None
    detail = f"{setters(by_pod, names)} must not set securityContext.windowsOptions.hostProcess=true"
    return Violation("hostProcess", detail)
