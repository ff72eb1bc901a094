"""Who takes part in the rehearsal of a plan: what it touches, what that refers to, and what selects or limits it.

Where the nodes are known every pod takes part, because each takes room. What an input of manifests refers to without
holding it (a ServiceAccount, a Secret made by hand) has a stand-in: nothing is said to be missing that may be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from kplan import graph
from kplan.graph import FOUND
from kplan.hints import Any
from kplan.model import Key, Object, Ref
from kplan.plan import standins
from kplan.plan.sides import (
    DEFAULT,
    SUPPORTS,
    WORKLOADS,
    Side,
    Workload,
    is_workload,
    namespace_of,
    of_budget,
    of_service,
    replicas,
    targets,
)
from kplan.plan.values import items, submap
from kplan.schema.catalog import Catalog
from kplan.store import ref_of
from kplan.tuples import NamedTuple

Value = dict[str, Any]

_CLUSTER_WIDE = (
    "StorageClass",
    "CSIDriver",
    "CSINode",
    "PriorityClass",
    "RuntimeClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
)
_BINDINGS = ("ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicyBinding")
_OF_NAMESPACE = ("ResourceQuota", "LimitRange", "PersistentVolumeClaim")
_SELECTING = {"Service": of_service, "PodDisruptionBudget": of_budget}
_DONE = ("Succeeded", "Failed")


class Act(NamedTuple):
    """An action with the whole objects: `key` is where the server keeps it; `first` creates before it deletes.

    `gone` is what the current object is called, another than `key` where it is renamed. `scaled`: the manifest leaves
    the number of replicas to others.
    """

    ref: Ref
    verb: str
    key: Key
    old: Value | None
    new: Value | None
    first: bool = False
    gone: Key | None = None
    scaled: bool = False


class Cast(NamedTuple):
    """What is there before the first action, and the actions; `pods` is about how many pods will run."""

    objects: tuple[Value, ...]
    acts: tuple[Act, ...]
    nodes: bool
    pods: int


def place(value: Value, kinds: Catalog) -> Value | None:
    """The object in the namespace where the server keeps it; None for a kind that this release does not serve."""
    ref = ref_of(value)
    info = kinds.kind(ref.api_version, ref.kind)
    if info is None or info.custom or not info.served or not ref.name:
        return None
    meta = submap(value, "metadata")
    if not info.namespaced:
        return value if "namespace" not in meta else _in(value, {k: v for k, v in meta.items() if k != "namespace"})
    return value if meta.get("namespace") else _in(value, {**meta, "namespace": DEFAULT})


def _in(value: Value, meta: Value) -> Value:
    return {**value, "metadata": meta}


def cast(old: Side, new: Side, acts: Sequence[Act], kinds: Catalog, *, room: bool = True) -> Cast:
    """Everything that takes part, the current objects in an order in which they can be put in place.

    Without `room` it is as if nobody knew the nodes.
    """
    nodes = room and next(old.all("Node"), None) is not None
    chosen = _everything(old, new) if nodes else _concerned(old, new, acts)
    current = [*_with_supports(old, chosen), *(old.all("Node") if nodes else ())]
    coming = [*_with_supports(new, chosen), *(new.all("Node") if nodes else ())]
    current += [a.old for a in acts if a.old is not None]
    coming += [a.new for a in acts if a.new is not None]
    here = _once(current, kinds)
    later = {**here, **_once(coming, kinds)}
    missing = _missing(later.values(), old)
    ordered = sorted([*here.values(), *missing], key=_turn)
    return Cast(tuple(ordered), tuple(acts), nodes, _pods(here.values(), later.values()))


def _everything(old: Side, new: Side) -> list[Workload]:
    namespaces = dict.fromkeys(namespace_of(v) for side in (old, new) for kind in WORKLOADS for v in side.all(kind))
    return [w for ns in namespaces for side in (old, new) for w in side.workloads(ns)]


def _concerned(old: Side, new: Side, acts: Sequence[Act]) -> list[Workload]:
    """The workloads acted upon, and those that share a quota, a budget or a Service with them."""
    touched = [Workload(a.ref, {}, v) for a in acts if is_workload(a.ref) for v in (a.old, a.new) if v is not None]
    names = {(w.ref.kind, namespace_of(w.value), w.ref.name) for w in touched}
    chosen: list[Workload] = []
    for namespace in dict.fromkeys(namespace_of(w.value) for w in touched):
        limited = any(True for side in (old, new) for _ in side.all("ResourceQuota", namespace))
        everyone = [w for side in (old, new) for w in side.workloads(namespace)]
        mine = [w for w in everyone if limited or (w.ref.kind, namespace, w.ref.name) in names]
        wanted = [
            of(v)
            for kind, of in _SELECTING.items()
            for side in (old, new)
            for v in side.all(kind, namespace)
            if any(of(v)(w.labels) for w in mine)
        ]
        chosen += mine
        chosen += [w for w in everyone if any(f(w.labels) for f in wanted)] if not limited else []
    return chosen


def _with_supports(side: Side, chosen: Sequence[Workload]) -> Iterator[Value]:
    """The chosen workloads that this side has, what they made there, and what belongs to them."""
    namespaces = dict.fromkeys(namespace_of(w.value) for w in chosen)
    mine = []
    for w in chosen:
        value = side.find(w.ref.kind, w.ref.name, namespace_of(w.value))
        if value is not None:
            mine.append(Workload(ref_of(value), w.labels, value))
            yield value
    yield from _made(side, namespaces, [w.value for w in mine])
    for kind in _CLUSTER_WIDE:
        yield from side.all(kind)
    for namespace in namespaces:
        found = side.find("Namespace", namespace)
        if found is not None:
            yield found
        for kind in _OF_NAMESPACE:
            yield from side.all(kind, namespace)
        near = [w for w in mine if namespace_of(w.value) == namespace]
        yield from _selecting(side, namespace, near)
    yield from _referred(side, [*(w.value for w in mine), *(b for kind in _BINDINGS for b in side.all(kind))])


def _selecting(side: Side, namespace: str, near: Sequence[Workload]) -> Iterator[Value]:
    for kind, of in _SELECTING.items():
        yield from (v for v in side.all(kind, namespace) if any(of(v)(w.labels) for w in near))
    for v in side.all("HorizontalPodAutoscaler", namespace):
        if any(targets(v, w.ref) for w in near):
            yield v


def _made(side: Side, namespaces: Iterable[str], owners: Sequence[Value]) -> Iterator[Value]:
    """What controllers made for these objects, as far as this side holds it."""
    uids = {str(submap(o, "metadata").get("uid") or "") for o in owners} - {""}
    if not uids:
        return
    for kind in ("ReplicaSet", "Job", "ControllerRevision", "Pod"):
        for namespace in namespaces:
            for value in side.all(kind, namespace):
                if any(r.get("uid") in uids for r in items(value, "metadata", "ownerReferences")):
                    uids.add(str(submap(value, "metadata").get("uid") or "-"))
                    yield value


def _referred(side: Side, mine: Sequence[Value]) -> Iterator[Value]:
    """The configuration and accounts that workloads name, the parameters of policies, and the volumes of claims."""
    for edge in _edges(mine):
        target = edge.target
        if isinstance(target, Key) and target.group in SUPPORTS.get(target.kind, ()):
            found = side.find(target.kind, target.name, target.namespace or DEFAULT)
            if found is not None:
                yield found
    yield from side.all("PersistentVolume")


def _edges(values: Iterable[Value]) -> tuple[graph.Edge, ...]:
    return graph.build(Object(ref_of(v), v) for v in values).edges


def _missing(values: Iterable[Value], old: Side) -> list[Value]:
    """Stand-ins for what is referred to, and may be there."""
    given = list(values)
    have = {ref_of(v).key for v in given}
    out: dict[Key, Value] = {}
    for edge in _edges(given):
        key = edge.target
        if edge.state == FOUND or edge.optional or not isinstance(key, Key):
            continue
        if not old.is_whole(key.kind, key.namespace):
            for value in standins.of(key, edge.key, out.get(key)):
                out[ref_of(value).key] = value
    if not old.is_whole("Namespace"):
        for namespace in dict.fromkeys(k.namespace for k in have if k.namespace):
            out[Key("", "Namespace", "", namespace)] = standins.namespace(namespace)
    if not old.is_whole("StorageClass"):
        out |= {ref_of(v).key: v for v in standins.default_class(given)}
    return [v for key, v in out.items() if key not in have]


def _once(values: Iterable[Value], kinds: Catalog) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    for value in values:
        placed = place(value, kinds)
        if placed is not None:
            found[ref_of(placed).key] = placed
    return found


_ORDER = {
    kind: i
    for i, kind in enumerate(
        ("Namespace", "Node", *_CLUSTER_WIDE, "ServiceAccount", "ConfigMap", "Secret", "LimitRange")
        + ("PersistentVolume", "PersistentVolumeClaim", "Service", "PodDisruptionBudget", "ControllerRevision")
        + (*WORKLOADS, "HorizontalPodAutoscaler", "ResourceQuota")
    )
}


def _turn(value: Value) -> tuple[int, str, str]:
    """What others need comes first; a quota comes last, since what is there already was let in."""
    ref = ref_of(value)
    return _ORDER.get(ref.kind, len(_ORDER)), ref.namespace, ref.name


def _pods(here: Iterable[Value], later: Iterable[Value]) -> int:
    """About how many pods will run at one time, before or after."""
    return max(sum(map(_wanted, here)), sum(map(_wanted, later)))


def _wanted(value: Value) -> int:
    ref = ref_of(value)
    if not is_workload(ref) or items(value, "metadata", "ownerReferences") or ref.kind == "CronJob":
        return 0
    if ref.kind == "Pod":
        return int(submap(value, "status").get("phase") not in _DONE)
    if ref.kind == "Job":
        parallelism = submap(value, "spec").get("parallelism")
        return parallelism if isinstance(parallelism, int) else 1
    return replicas(value)
