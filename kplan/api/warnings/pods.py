"""Warnings about pods and pod templates. Follows pkg/api/pod/warnings.go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kplan import quantity
from kplan.api.validation import names
from kplan.api.validation.addresses import ip_warnings
from kplan.hints import Any
from kplan.workloads import CONTAINER_LISTS, get

Value = dict[str, Any]

RULES = "requiredDuringSchedulingIgnoredDuringExecution"
WISHES = "preferredDuringSchedulingIgnoredDuringExecution"
NULL_SELECTOR = "a null labelSelector results in matching no pod"

ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "seccomp.security.alpha.kubernetes.io/pod": 'non-functional in v1.27+; use the "seccompProfile" field instead',
}
SECCOMP_PREFIX = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/"
# volume source -> (the name that the warning prints, its text)
VOLUMES = {
    "photonPersistentDisk": ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    "gitRepo": ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    "scaleIO": ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    "flocker": ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    "storageos": ("storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    "quobyte": ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    "glusterfs": ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    "cephfs": ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    "rbd": ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
}
OLD_TEXTS = {"gitRepo": "deprecated in v1.11"}


def pod(obj: Value, minor: int) -> Iterator[str]:
    """Warnings of a Pod."""
    yield from name_warnings(obj, "the Pod's hostname")
    yield from _pod(obj, "", minor)


def workload(obj: Value, minor: int) -> Iterator[str]:
    """Warnings of a workload whose name becomes part of its pods' names."""
    yield from name_warnings(obj, "Pod names and hostnames")
    yield from _pod(get(obj, "spec", "template") or {}, "spec.template", minor)


def template_at(where: str) -> Callable[[Value, int], Iterable[str]]:
    """Warnings of the pod template at a dotted path."""

    def warn(obj: Value, minor: int) -> Iterator[str]:
        yield from _pod(get(obj, *where.split(".")) or {}, where, minor)

    return warn


def name_warnings(obj: Value, used_in: str) -> Iterator[str]:
    """A name that is no DNS label although it ends up as one."""
    name = (obj.get("metadata") or {}).get("name") or ""
    problems = names.dns1123_label(name) if name else []
    if problems:
        yield (
            f"metadata.name: this is used in {used_in}, which can result in surprising behavior; "
            f"a DNS label is recommended: [{' '.join(problems)}]"
        )


def _pod(template: Value, at: str, minor: int) -> Iterator[str]:
    spec, meta = template.get("spec") or {}, template.get("metadata") or {}
    root = f"{at}." if at else ""
    if not _PLACING.isdisjoint(spec):
        yield from _placement(spec, f"{root}spec")
    yield from _annotations(spec, meta.get("annotations") or {}, f"{root}metadata.annotations")
    yield from _volumes(spec.get("volumes") or [], f"{root}spec.volumes", minor)
    yield from _duplicates(spec, f"{root}spec")
    yield from fractional_bytes(spec.get("overhead"), f"{root}spec.overhead")
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        at_grace = f"{root}spec.terminationGracePeriodSeconds"
        yield f"{at_grace}: must be >= 0; negative values are invalid and will be treated as 1"
    ports: dict[tuple[int, str], list[tuple[str, Value]]] = {}
    for role in CONTAINER_LISTS:
        for i, c in enumerate(spec.get(role) or ()):
            where = f"{root}spec.{role}[{i}]"
            resources = c.get("resources") or {}
            for side in ("limits", "requests"):
                if side in resources:
                    yield from fractional_bytes(resources[side], f"{where}.resources.{side}")
            yield from _env(c, where)
            yield from _ports(c, where, ports)
    if minor >= 33:
        yield from _addresses(spec, f"{root}spec")


_PLACING = frozenset(("nodeSelector", "affinity", "topologySpreadConstraints"))


def _placement(spec: Value, at: str) -> Iterator[str]:
    from kplan.api.warnings import nodelabels  # few pods say where to go

    yield from nodelabels.in_map(spec.get("nodeSelector") or {}, f"{at}.nodeSelector")
    node = get(spec, "affinity", "nodeAffinity") or {}
    yield from nodelabels.in_selector(node.get(RULES), f"{at}.affinity.nodeAffinity.{RULES}")
    for i, wish in enumerate(node.get(WISHES) or ()):
        where = f"{at}.affinity.nodeAffinity.{WISHES}[{i}].preference"
        yield from nodelabels.in_term(wish.get("preference") or {}, where, check_values=True)
    for i, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        where = f"{at}.topologySpreadConstraints[{i}]"
        key = constraint.get("topologyKey") or ""
        if key in nodelabels.MESSAGES:
            yield f"{where}.topologyKey: {key} is {nodelabels.MESSAGES[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{where}.labelSelector: {NULL_SELECTOR}"
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = get(spec, "affinity", kind) or {}
        for i, term in enumerate(affinity.get(RULES) or ()):
            if term.get("labelSelector") is None:
                yield f"{at}.affinity.{kind}.{RULES}[{i}].labelSelector: {NULL_SELECTOR}"
        for i, weighted in enumerate(affinity.get(WISHES) or ()):
            if get(weighted, "podAffinityTerm", "labelSelector") is None:
                yield f"{at}.affinity.{kind}.{WISHES}[{i}].podAffinityTerm.labelSelector: {NULL_SELECTOR}"


def _annotations(spec: Value, annotations: Value, at: str) -> Iterator[str]:
    if not annotations:
        return
    for key, text in ANNOTATIONS.items():
        if key in annotations:
            yield f"{at}[{key}]: {text}"
    seccomp = [k for k in annotations if k.startswith(SECCOMP_PREFIX)]
    if seccomp:
        yield f'{at}[{SECCOMP_PREFIX}]: non-functional in v1.27+; use the "seccompProfile" field instead'
    if get(spec, "securityContext", "appArmorProfile"):
        return
    for role in CONTAINER_LISTS:
        for c in spec.get(role) or ():
            key = APP_ARMOR_PREFIX + (c.get("name") or "")
            if key in annotations and not get(c, "securityContext", "appArmorProfile"):
                yield f'{at}[{key}]: deprecated since v1.30; use the "appArmorProfile" field instead'


def _volumes(volumes: list[Value], at: str, minor: int) -> Iterator[str]:
    for i, volume in enumerate(volumes):
        for source, (printed, text) in VOLUMES.items() if not VOLUMES.keys().isdisjoint(volume) else ():
            if volume.get(source) is not None:
                yield f"{at}[{i}].{printed}: {text if minor >= 33 else OLD_TEXTS.get(source, text)}"
        claim = get(volume, "ephemeral", "volumeClaimTemplate", "spec")
        if claim:
            yield from claim_size(claim, f"{at}[{i}].ephemeral.volumeClaimTemplate.spec")
        listed = any((volume.get(s) or {}).get("items") for s in ("configMap", "secret", "downwardAPI"))
        if listed or volume.get("projected") is not None:
            from kplan.api.warnings import paths

            yield from paths.overlaps(volume)


def _duplicates(spec: Value, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        ip = alias.get("ip") or ""
        if ip in seen:
            yield f'{at}.hostAliases[{i}].ip: duplicate ip "{ip}"'
        seen.add(ip)
    seen = set()
    for i, secret in enumerate(spec.get("imagePullSecrets") or ()):
        name = secret.get("name") or ""
        if not name:
            yield f'{at}.imagePullSecrets[{i}].name: invalid empty name ""'
        elif name in seen:
            yield f'{at}.imagePullSecrets[{i}].name: duplicate name "{name}"'
        seen.add(name)


def fractional_bytes(
    resources: Value | None, at: str, which: tuple[str, ...] = ("memory", "ephemeral-storage")
) -> Iterator[str]:
    """Bytes do not come in parts."""
    for name in which:
        value = (resources or {}).get(name)
        text = quantity.normalise(value) if value is not None else None
        if text is not None and quantity.parse(text).milli % 1000:
            yield f'{at}[{name}]: fractional byte value "{text}" is invalid, must be an integer'


def claim_size(spec: Value, at: str) -> Iterator[str]:
    """The spec of a claim that asks for parts of a byte."""
    yield from fractional_bytes(get(spec, "resources", "requests"), f"{at}.resources.requests", ("storage",))


def _env(container: Value, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for i, item in enumerate(container.get("env") or ()):
        name = item.get("name") or ""
        own, reference = item.get("value") or "", f"$({name})"
        hides = item.get("valueFrom") is not None or own == reference or reference not in own
        if name in seen and hides:
            yield f'{at}.env[{i}]: hides previous definition of "{name}", which may be dropped when using apply'
        seen.add(name)


def _ports(container: Value, at: str, seen: dict[tuple[int, str], list[tuple[str, Value]]]) -> Iterator[str]:
    for i, port in enumerate(container.get("ports") or ()):
        where = f"{at}.ports[{i}]"
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{where}: hostIP set without hostPort: {_go_port(port)}"
        others = seen.setdefault((port.get("containerPort") or 0, port.get("protocol") or ""), [])
        for place, other in others:
            kind = _clash(port, other)
            if kind:
                yield f"{where}: {kind} port definition with {place}"
        others.append((where, port))


def _clash(port: Value, other: Value) -> str:
    number, second = port.get("hostPort") or 0, other.get("hostPort") or 0
    ip, other_ip = port.get("hostIP") or "", other.get("hostIP") or ""
    if (ip, number) == (other_ip, second):
        return "duplicate"
    if not number or not second:
        return "overlapping"
    return "dangerously ambiguous" if number == second and bool(ip) != bool(other_ip) else ""


def _go_port(port: Value) -> str:
    fields = ("name", ""), ("hostPort", 0), ("containerPort", 0), ("protocol", ""), ("hostIP", "")
    return "{" + " ".join(f"{f[0].upper()}{f[1:]}:{port.get(f) or empty}" for f, empty in fields) + "}"


def _addresses(spec: Value, at: str) -> Iterator[str]:
    for i, address in enumerate(get(spec, "dnsConfig", "nameservers") or ()):
        yield from ip_warnings(f"{at}.dnsConfig.nameservers[{i}]", address)
    for i, alias in enumerate(spec.get("hostAliases") or ()):
        yield from ip_warnings(f"{at}.hostAliases[{i}].ip", alias.get("ip") or "")
