"""What a rule looks at: a part of an object in its world. Rules see paths, never lines, files or colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from kplan.hints import Any
from kplan.lint.world import World
from kplan.model import Object, Path
from kplan.tuples import NamedTuple
from kplan.workloads import Container, PodTemplate, containers

Value = dict[str, Any]

# The pod's settings that count for a container that has none of its own (k8s.io/kubernetes/pkg/securitycontext).
_INHERITED = (
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "seccompProfile",
    "appArmorProfile",
    "seLinuxOptions",
    "windowsOptions",
)


class Site(NamedTuple):
    """A part of an object: its path and value, the pod that the object is or makes, and all other objects.

    `role` is container, sidecar, init or ephemeral for a container, else "".
    """

    object: Object
    path: Path
    value: Any
    world: World
    pod: PodTemplate | None = None
    role: str = ""


class Place(NamedTuple):
    """A second place of a problem: what is there, in which object and where in it."""

    message: str
    object: Object
    path: Path


class Problem(NamedTuple):
    """All that a check may yield: a place in the site's object, and what the message wants to name."""

    path: Path
    data: Mapping[str, object] = MappingProxyType({})
    related: tuple[Place, ...] = ()


Check = Callable[[Site], Iterable[Problem]]


def sites(obj: Object, target: str, world: World, pod: PodTemplate | None) -> Iterator[Site]:
    """The parts of an object that a target names; `pod` is the pod that it is or makes. Rules that look at the graph
    take of the object what they need themselves."""
    if target == "graph":
        yield Site(obj, (), None, world)
    elif target == "object":
        yield Site(obj, (), obj.value, world, pod)
    elif pod is None:
        return
    elif target == "pod-spec":
        yield Site(obj, (*pod.path, "spec"), pod.spec, world, pod)
    else:
        for c in containers(pod):
            value = c.value if target == "container" else effective(c.value, pod.spec)
            yield Site(obj, c.path, value, world, pod, role_of(c))


def role_of(container: Container) -> str:
    """container, sidecar, init or ephemeral."""
    if container.role == "initContainers":
        return "sidecar" if container.runs_along else "init"
    return "container" if container.role == "containers" else "ephemeral"


def effective(container: Value, spec: Value) -> Value:
    """A container with what its pod sets for it: security settings and, since 1.34, pod-level resources."""
    pod_security = _mapping(spec.get("securityContext"))
    inherited = {k: pod_security[k] for k in _INHERITED if pod_security.get(k) is not None}
    out = dict(container)
    out["securityContext"] = inherited | _mapping(container.get("securityContext"))
    if _mapping(spec.get("resources")):
        out["resources"] = resources_of(container, spec)
    return out


def resources_of(container: Value, spec: Value) -> Value:
    """The resources of a container, with what its pod sets for it."""
    own, pod = _mapping(container.get("resources")), _mapping(spec.get("resources"))
    if not pod:
        return own
    return own | {k: _mapping(pod.get(k)) | _mapping(own.get(k)) for k in ("requests", "limits")}


def _mapping(value: object) -> Value:
    return value if isinstance(value, dict) else {}
