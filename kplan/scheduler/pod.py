"""A pod as the scheduler sees it. Pods of one shape are interchangeable for every plugin.

What pkg/scheduler/framework/types.go keeps in PodInfo, computed once a shape instead of once a pod.
"""

from __future__ import annotations

import marshal
from dataclasses import dataclass
from typing import Any, NamedTuple

from kplan.labels import Requirement
from kplan.scheduler import requests, terms
from kplan.scheduler.fields import items, mapping, number, string_map, text
from kplan.scheduler.requests import Requests
from kplan.scheduler.terms import NodeTerm, PodTerm, Toleration

Value = dict[str, Any]

DEFAULT_SCHEDULER = "default-scheduler"
# Inline volumes that VolumeRestrictions looks at.
DISKS = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")
_CLAIMS = ("persistentVolumeClaim", "ephemeral")


class HostPort(NamedTuple):
    """A port taken on the node itself."""

    ip: str
    protocol: str
    port: int

    def clashes(self, other: HostPort) -> bool:
        """Whether both cannot be open on one node."""
        same = self.port == other.port and self.protocol == other.protocol
        return same and (self.ip == other.ip or "0.0.0.0" in (self.ip, other.ip))  # noqa: S104 - compared, not bound


class Spread(NamedTuple):
    """One topology spread constraint; `selector` None selects nothing."""

    topology_key: str
    max_skew: int
    hard: bool
    selector: tuple[Requirement, ...] | None
    min_domains: int = 1
    honor_affinity: bool = True
    honor_taints: bool = False


class ClaimUse(NamedTuple):
    """A volume that is a PersistentVolumeClaim: the claim's name, or for a generic ephemeral one the volume's."""

    name: str
    template: Value | None = None

    def of(self, pod: str) -> str:
        """The name of the claim that a pod of this name uses."""
        return self.name if self.template is None else f"{pod}-{self.name}"


class Owner(NamedTuple):
    """The controller that a pod belongs to."""

    api_version: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Everything about a pod that can matter to where it goes, except its name."""

    namespace: str
    labels: dict[str, str]
    priority: int
    preempts: bool
    owner: Owner | None
    requests: Requests
    ports: tuple[HostPort, ...]
    tolerations: tuple[Toleration, ...]
    node_selector: dict[str, str]
    node_required: tuple[NodeTerm, ...] | None
    node_preferred: tuple[NodeTerm, ...]
    affinity: tuple[PodTerm, ...]
    anti_affinity: tuple[PodTerm, ...]
    preferred_affinity: tuple[PodTerm, ...]
    preferred_anti_affinity: tuple[PodTerm, ...]
    spread: tuple[Spread, ...]
    images: tuple[str, ...]
    containers: int
    claims: tuple[ClaimUse, ...]
    disks: tuple[Value, ...]
    gates: tuple[str, ...]
    scheduler: str
    unsupported: tuple[str, ...]

    @property
    def has_affinity(self) -> bool:
        """Whether any term about other pods is set."""
        return bool(self.affinity or self.anti_affinity or self.preferred_affinity or self.preferred_anti_affinity)


@dataclass(slots=True, eq=False)
class Pod:
    """One pod: its shape and what is its own. `start` is its startTime, empty when it has not started."""

    name: str
    shape: Shape
    value: Value
    start: str = ""
    deleting: bool = False
    nominated: str = ""
    node_name: str = ""

    @property
    def namespace(self) -> str:
        """The namespace, `default` where the object names none."""
        return self.shape.namespace

    @property
    def id(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.shape.namespace, self.name


def shape_key(pod: Value) -> bytes:
    """A text that is equal for pods of one shape (and, rarely, differs for two of them)."""
    meta, spec = mapping(pod, "metadata"), mapping(pod, "spec")
    parts = (
        meta.get("namespace"),
        meta.get("labels"),
        tuple(_owner(meta) or ()),
        [_container_key(c) for c in items(spec, "containers")],
        [_container_key(c) for c in items(spec, "initContainers")] if "initContainers" in spec else None,
        [v for v in items(spec, "volumes") if _volume_counts(v)] if "volumes" in spec else None,
        [spec.get(k) for k in _SPEC_KEYS],
        _held(pod) if "status" in pod else None,
    )
    return marshal.dumps(parts, 2)  # version 2 writes values only, so that equal values give equal bytes


_SPEC_KEYS = (
    "affinity hostNetwork nodeSelector overhead preemptionPolicy priority priorityClassName resourceClaims"
    " resources schedulerName schedulingGates schedulingGroup tolerations topologySpreadConstraints workloadRef"
).split()


def _container_key(container: Value) -> tuple[Any, ...]:
    return (
        container.get("image"),
        container.get("resources"),
        container.get("ports"),
        container.get("restartPolicy"),
    )


def _volume_counts(volume: Value) -> bool:
    return "image" in volume or any(k in volume for k in (*_CLAIMS, *DISKS))


def _held(pod: Value) -> Any:
    """What the status says of an in-place resize; None for nearly every pod."""
    statuses = [*items(pod, "status", "containerStatuses"), *items(pod, "status", "initContainerStatuses")]
    if not any(s.get("resources") for s in statuses):
        return None
    names = [c.get("name") for k in ("containers", "initContainers") for c in items(pod, "spec", k)]
    return names, [(s.get("name"), s.get("resources"), s.get("allocatedResources")) for s in statuses]


def namespace_of(pod: Value) -> str:
    """The namespace of a pod, `default` where the object names none."""
    return text(pod, "metadata", "namespace") or "default"


def shape_of(pod: Value, priority: int, preempts: bool, minor: int) -> Shape:
    """Compile the shape of a Pod whose priority is resolved; `minor` is the release's."""
    spec, namespace = mapping(pod, "spec"), namespace_of(pod)
    labels = string_map(pod, "metadata", "labels")
    affinity = mapping(spec, "affinity")
    node, together, apart = (mapping(affinity, k) for k in ("nodeAffinity", "podAffinity", "podAntiAffinity"))
    volumes = items(spec, "volumes")
    return Shape(
        namespace=namespace,
        labels=labels,
        priority=priority,
        preempts=preempts,
        owner=_owner(mapping(pod, "metadata")),
        requests=requests.of_pod(pod, pod_level=minor >= 34),
        ports=tuple(_host_ports(spec)),
        tolerations=terms.tolerations(spec),
        node_selector=string_map(spec, "nodeSelector"),
        node_required=terms.node_terms(node.get("requiredDuringSchedulingIgnoredDuringExecution")),
        node_preferred=terms.preferred_node_terms(node),
        affinity=terms.pod_terms(together, namespace, labels),
        anti_affinity=terms.pod_terms(apart, namespace, labels),
        preferred_affinity=terms.preferred_pod_terms(together, namespace, labels),
        preferred_anti_affinity=terms.preferred_pod_terms(apart, namespace, labels),
        spread=tuple(read_spread(c, labels) for c in items(spec, "topologySpreadConstraints")),
        images=_images(spec, volumes if minor >= 36 else []),
        containers=len(items(spec, "containers")) + len(items(spec, "initContainers")),
        claims=tuple(_claims(volumes)),
        disks=tuple(v for v in volumes if any(k in v for k in DISKS)),
        gates=tuple(text(g, "name") for g in items(spec, "schedulingGates")),
        scheduler=text(spec, "schedulerName") or DEFAULT_SCHEDULER,
        unsupported=_unsupported(spec),
    )


def _owner(meta: Value) -> Owner | None:
    for r in items(meta, "ownerReferences"):
        if r.get("controller") is True:
            return Owner(text(r, "apiVersion"), text(r, "kind"), text(r, "name"))
    return None


def _host_ports(spec: Value) -> list[HostPort]:
    own_network = spec.get("hostNetwork") is True
    sidecars = [c for c in items(spec, "initContainers") if requests.is_sidecar(c)]
    found = []
    for container in (*items(spec, "containers"), *sidecars):
        for p in items(container, "ports"):
            port = number(p, "hostPort") or (number(p, "containerPort") if own_network else 0)
            if port > 0:
                found.append(HostPort(text(p, "hostIP") or "0.0.0.0", text(p, "protocol") or "TCP", port))  # noqa: S104
    return found


def read_spread(c: Value, labels: dict[str, str]) -> Spread:
    """A topology spread constraint of a pod with these labels."""
    selector = terms.selector(c.get("labelSelector"))
    if selector is not None:
        selector += terms.label_keys(c, "matchLabelKeys", "In", labels)
    return Spread(
        topology_key=text(c, "topologyKey"),
        max_skew=number(c, "maxSkew", default=1),
        hard=text(c, "whenUnsatisfiable") != "ScheduleAnyway",
        selector=selector,
        min_domains=number(c, "minDomains", default=1),
        honor_affinity=text(c, "nodeAffinityPolicy") != "Ignore",
        honor_taints=text(c, "nodeTaintsPolicy") == "Honor",
    )


def _images(spec: Value, volumes: list[Value]) -> tuple[str, ...]:
    used = [text(c, "image") for k in ("initContainers", "containers") for c in items(spec, k)]
    used += [text(v, "image", "reference") for v in volumes if "image" in v]
    return tuple(image_name(i) for i in used if i)


def image_name(image: str) -> str:
    """The name with a tag: `:latest` where none is written."""
    return image if image.rfind(":") > image.rfind("/") else image + ":latest"


def _claims(volumes: list[Value]) -> list[ClaimUse]:
    found = []
    for v in volumes:
        if "persistentVolumeClaim" in v:
            found.append(ClaimUse(text(v, "persistentVolumeClaim", "claimName")))
        elif "ephemeral" in v:
            found.append(ClaimUse(text(v, "name"), mapping(v, "ephemeral", "volumeClaimTemplate")))
    return found


def _unsupported(spec: Value) -> tuple[str, ...]:
    """What the pod asks for that is not simulated."""
    found = []
    if items(spec, "resourceClaims"):
        found.append("resource claims (DynamicResources)")
    if mapping(spec, "workloadRef") or mapping(spec, "schedulingGroup"):
        found.append("gang scheduling")
    return tuple(found)
