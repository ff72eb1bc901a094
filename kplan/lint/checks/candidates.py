"""Where checks that look at several objects may find something: asked once for all objects, and mostly of layouts.

Each function gives the ids of the objects that are worth a look. It may name too many: what a layout does not tell is
worth one. It never leaves out an object in which the check would find something.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from kplan.hints import Any, Final
from kplan.lint.world import World
from kplan.model import Object
from kplan.workloads import POD_PATHS, get
from kplan.yamlio.layout import Layout, Slot, getter

Get = Callable[[Sequence[Any]], tuple[Any, ...]]
# The slots that tell something of a layout and kind; None, or what is no slot of a scalar, where it does not tell.
Find = Callable[[Layout, str, str], list[Any] | None]
# The field of the ports of a container that a target port of this type means.
_BY_TYPE: Final[Mapping[type, str]] = {str: "name", int: "containerPort"}


def unprobed(world: World, probe: str) -> Collection[int]:
    """Those that a Service leads to, but for layouts with this probe in a container."""
    probed = (
        batch.objects
        for batch in world.batches
        if any(
            isinstance(c.get(probe), dict) and c[probe]
            for c in _containers(batch.layout, batch.kind, "containers") or ()
        )
    )
    return world.led_to("selector").difference(id(obj) for objects in probed for obj in objects)


def scaled(world: World) -> Collection[int]:
    """Those that an autoscaler leads to, but for layouts without a number of replicas."""
    without = (batch.objects for batch in world.batches if batch.layout.at(("spec", "replicas")) is None)
    return world.led_to("scale-target").difference(id(obj) for objects in without for obj in objects)


def headed(world: World) -> Collection[int]:
    """Those that name a Service which is not known to be headless."""
    return {
        id(obj)
        for obj, services in world.leading("service-name")
        if not services or any(s.part("spec", "clusterIP") != "None" for s in services)
    }


def undeclared(world: World) -> Collection[int]:
    """Services that may ask for a port that their pods do not declare."""
    return {id(service) for service, pods in world.leading("selector") if not _are_declared(service, pods)}


def _are_declared(service: Object, workloads: Sequence[Object]) -> bool:
    """Whether each port that a Service asks for is surely one of these workloads, if there are any."""
    asked = _read(service, _asked) if workloads else ()
    there = {field: {v for o in workloads for v in _read(o, _declared, field) or ()} for field in _BY_TYPE.values()}
    if asked is None:
        return False
    ports = (port or other for port, other in zip(asked[::2], asked[1::2], strict=True))
    return all(type(port) in _BY_TYPE and port in there[_BY_TYPE[type(port)]] for port in ports)


def unmeasured(world: World) -> Collection[int]:
    """Autoscalers that may measure a resource that a container of their target does not request."""
    return {id(scaler) for scaler, targets in world.leading("scale-target") if not _are_requested(scaler, targets)}


def _are_requested(scaler: Object, targets: Sequence[Object]) -> bool:
    resources = _read(scaler, _measured)
    if resources is None:
        return False
    amounts = [_read(target, _requested, str(resource)) for target in targets for resource in resources]
    return all(known is not None and all(known) for known in amounts)


def _read(obj: Object, find: Find, about: str = "") -> tuple[Any, ...] | None:
    """The values in the slots that a function finds in the layout of an object; None where that does not tell."""
    if obj.document is None or obj.document.layout is None:
        return None
    layout, row = obj.document.layout
    plan = (find, obj.ref.kind, about)
    if plan not in layout.plans:
        slots = find(layout, obj.ref.kind, about)
        sure = slots is not None and all(isinstance(slot, Slot) and slot.flow < 0 for slot in slots)
        layout.plans[plan] = getter([slot.at for slot in slots]) if slots is not None and sure else None
    values: Get | None = layout.plans[plan]
    return values(row) if values is not None else None


def _asked(layout: Layout, _kind: str, _about: str) -> list[Any] | None:
    """The target port of each port of a Service, and the port itself, which counts without one."""
    ports = _dicts(layout.at(("spec", "ports")))
    if ports is None or not all("port" in port for port in ports):
        return None
    return [port[field] for port in ports for field in ("targetPort" if "targetPort" in port else "port", "port")]


def _declared(layout: Layout, kind: str, field: str) -> list[Any] | None:
    """The names or numbers of the ports of the containers of a workload."""
    containers = _containers(layout, kind, "containers") or ()
    ports = [port for container in containers for port in _dicts(container.get("ports")) or ()]
    return [port[field] for port in ports if field in port]


def _measured(layout: Layout, _kind: str, _about: str) -> list[Any] | None:
    """The resources of the metrics of an autoscaler."""
    metrics = _dicts(layout.at(("spec", "metrics")))
    if metrics is None or layout.at(("spec", "targetCPUUtilizationPercentage")) is not None:
        return None
    return [get(metric, "resource", "name") for metric in metrics if "resource" in metric]


def _requested(layout: Layout, kind: str, resource: str) -> list[Any] | None:
    """What each container that runs in a workload requests of a resource, or is limited to."""
    main, first = (_containers(layout, kind, name) for name in ("containers", "initContainers"))
    if main is None or first is None:
        return None
    may_run_along = [*main, *(container for container in first if "restartPolicy" in container)]
    resources = [container.get("resources") for container in may_run_along]
    return [get(r, "requests", resource) or get(r, "limits", resource) for r in resources]


def _containers(layout: Layout, kind: str, name: str) -> list[dict[str, Any]] | None:
    """The containers of a list in the pods of a layout; None where it does not tell."""
    path = POD_PATHS.get(kind)
    spec = layout.at((*path, "spec")) if path is not None else None
    return _dicts(spec.get(name, [])) if isinstance(spec, dict) else None


def _dicts(tree: Any) -> list[dict[str, Any]] | None:
    """The maps in a list; None for what is no list of maps."""
    return tree if isinstance(tree, list) and all(isinstance(part, dict) for part in tree) else None
