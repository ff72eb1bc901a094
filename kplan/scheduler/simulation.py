"""Where everything in a set of manifests would go, and what would happen if nodes were drained or added.

The pods are those of the input and those that its workloads would make; new ones pass the admission plugins that
matter to placement first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from kplan import release
from kplan.errors import KplanError
from kplan.placement import Capacity, Explanation, Needed, NodeUse, Placement, ResourceUse, Simulation
from kplan.scheduler import cycle, pools, profile
from kplan.scheduler.drain import drain
from kplan.scheduler.expand import expand
from kplan.scheduler.fields import text
from kplan.scheduler.node import Node
from kplan.scheduler.pod import Pod
from kplan.scheduler.prepare import missing_classes, namespaced, prepared
from kplan.scheduler.profile import Profile
from kplan.scheduler.run import Scheduler
from kplan.scheduler.snapshot import Snapshot
from kplan.store import Store, ref_of

Value = dict[str, Any]

REFUSED = "Refused"
MOST_COPIES = 100_000
MOST_NODES = 4096


class Extra(NamedTuple):
    """Nodes to add: how many, and the name of the node that they are like (empty: the first)."""

    nodes: int
    like: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked besides where everything goes. A pod is named by its own name or by its workload's."""

    version: str = release.DEFAULT
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    explain: str = ""
    drain: tuple[str, ...] = ()
    add: tuple[Extra, ...] = ()
    until_full: str = ""
    needed_like: str | None = None


def simulate(objects: Sequence[Value], question: Question) -> Simulation:
    """Place all pods and answer the question. Raises KplanError for a pod or node that is not there."""
    if not question.profiles:
        used = profile.default(question.version)
        question = replace(question, profiles={used.name: used})
    if question.needed_like is None:
        return _run(objects, question)
    return _with_needed(objects, question, question.needed_like)


def _with_needed(objects: Sequence[Value], question: Question, like: str) -> Simulation:
    """The run with the fewest added nodes that leaves as few pods pending as any number of them."""
    runs: dict[int, Simulation] = {}

    def run(nodes: int) -> Simulation:
        if nodes not in runs:
            runs[nodes] = _run(objects, replace(question, add=(*question.add, Extra(nodes, like))))
        return runs[nodes]

    def pending(nodes: int) -> int:
        return len(run(nodes).pending)

    enough = 0
    while pending(enough) and enough < MOST_NODES and pending(max(1, 2 * enough)) < pending(enough):
        enough = max(1, 2 * enough)
    least, too_few = pending(enough), -1
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        if pending(middle) <= least:
            enough = middle
        else:
            too_few = middle
    return replace(run(enough), needed=Needed(like or run(0).nodes[0].name, enough, least))


def _run(objects: Sequence[Value], question: Question) -> Simulation:
    world = _world(objects, question.add)
    cluster, refused, notes = _snapshot(world, question.version)
    explained = _find(cluster, question.explain) if question.explain else None
    scheduler = Scheduler(cluster, question.profiles, explain=(explained.id,) if explained else ())
    placements = {p.id: p for p in _standing(cluster)}
    placements.update((p.id, p) for p in scheduler.run(cluster.pending.values()))
    if question.drain:
        drained = drain(cluster, question.drain)
        notes += drained.notes
        placements.update((p.id, p) for p in drained.lost)
        moved = Scheduler(cluster, question.profiles).run(drained.pods)  # boards hold what the nodes were like before
        placements.update((p.id, p._replace(before=drained.before.get(p.id, ""))) for p in moved)
    return Simulation(
        version=question.version,
        pool=world.pool,
        placements=(*placements.values(), *refused),
        nodes=tuple(use(n, world.added, question.drain) for n in cluster.nodes),
        explanation=_explanation(explained, scheduler) if explained else None,
        capacity=_fill(cluster, question) if question.until_full else None,
        notes=tuple(dict.fromkeys(notes)),
    )


class _World(NamedTuple):
    """The objects with the nodes of this run, where these came from, and which were added."""

    objects: tuple[Value, ...]
    pool: str
    added: frozenset[str] = frozenset()


def _world(objects: Sequence[Value], add: Sequence[Extra]) -> _World:
    objects = [namespaced(o) for o in objects]
    nodes = [o for o in objects if o.get("kind") == "Node"]
    pool = f"{len(nodes)} node{'s' * (len(nodes) != 1)} of the input"
    if not nodes:
        nodes, pool = pools.default_pool(), pools.STATEMENT
        objects = [*nodes, *objects]
    added: dict[str, Value] = {}
    for extra in add:
        like = _like(nodes, extra.like)
        if extra.nodes > MOST_NODES:
            raise KplanError(f"{extra.nodes} nodes are too many to add", hint=f"at most {MOST_NODES}")
        number = 0
        for _ in range(extra.nodes):
            number += 1
            while text(copy := pools.copy_of(like, number), "metadata", "name") in added:
                number += 1
            added[text(copy, "metadata", "name")] = copy
    return _World((*objects, *added.values()), pool, frozenset(added))


def _like(nodes: Sequence[Value], name: str) -> Value:
    for node in nodes:
        if not name or text(node, "metadata", "name") == name:
            return node
    raise KplanError(f"there is no node {name!r}", hint=_some("nodes", [text(n, "metadata", "name") for n in nodes]))


def _some(what: str, names: Sequence[str]) -> str:
    return f"{what} are {', '.join(names[:5])}{', …' * (len(names) > 5)}"


def _snapshot(world: _World, version: str) -> tuple[Snapshot, list[Placement], list[str]]:
    """The cluster with all pods that are to be placed; those that the API server refuses; what makes no pods."""
    base = Store(world.objects)
    made = expand(world.objects, Snapshot(base, version))
    for o in made.objects:
        if ref_of(o).key not in base:
            base.put(o)
    for c in missing_classes(base.all("PersistentVolumeClaim"), base):
        base.put(c)
        name = text(c, "metadata", "name")
        made.notes.append(f"storage class {name} is not in the input; it is taken to make volumes for any node")
    lookups = Store(o for o in base.all() if o.get("kind") != "Namespace")
    refused = []
    for pod in [*(p for p in base.all("Pod") if not _is_stored(p)), *made.pods]:
        value, refusal = prepared(pod, lookups, version)
        if refusal:
            base.remove(ref_of(pod).key)
            names = text(pod, "metadata", "namespace"), text(pod, "metadata", "name")
            refused.append(Placement(*names, None, reason=REFUSED, message=refusal))
        else:
            base.put(value)
    return Snapshot(base, version), refused, made.notes


def _is_stored(pod: Value) -> bool:
    """Whether a Pod of the input was in a cluster already, so that admission has seen it."""
    return bool(text(pod, "metadata", "uid") or text(pod, "spec", "nodeName") or pod.get("status"))


def _standing(cluster: Snapshot) -> Iterator[Placement]:
    """The pods that had a node from the beginning."""
    for node in cluster.nodes:
        for pod in node.pods:
            yield Placement(pod.namespace, pod.name, node.name, before=node.name)


def _find(cluster: Snapshot, name: str) -> Pod:
    """The first pod of this name, `namespace/name`, or workload."""
    pods = [*cluster.pending.values(), *(p for n in cluster.nodes for p in n.pods)]
    for matches in (_is_called, _is_of):
        for pod in pods:
            if matches(pod, name):
                return pod
    known = list(dict.fromkeys(f"{p.namespace}/{p.name}" for p in pods))
    raise KplanError(f"there is no pod or workload {name!r}", hint=_some("pods", known) if known else "")


def _is_called(pod: Pod, name: str) -> bool:
    return name in (pod.name, f"{pod.namespace}/{pod.name}")


def _is_of(pod: Pod, name: str) -> bool:
    owner = pod.shape.owner.name.removesuffix("-<hash>") if pod.shape.owner else ""
    return bool(owner) and name in (owner, f"{pod.namespace}/{owner}")


def _explanation(pod: Pod, scheduler: Scheduler) -> Explanation:
    """The answer for a pod when its turn came; for one that had a node already, what it would be now."""
    cluster = scheduler.cluster
    decision = scheduler.decisions.get(pod.id)
    if decision is None:
        node = cluster.by_name[pod.node_name]
        used = scheduler.profiles.get(pod.shape.scheduler) or profile.default(cluster.version)
        cluster.remove(pod, node)
        decision = cycle.decide(pod, cluster, used)
        cluster.add(pod, node)
    return Explanation(f"{pod.namespace}/{pod.name}", decision, tuple(n.name for n in cluster.nodes))


def use(node: Node, added: Container[str] = (), drained: Container[str] = ()) -> NodeUse:
    """What a node holds; `added` and `drained` are names of nodes."""
    origin = "drained" if node.name in drained else "added" if node.name in added else ""
    resources = tuple(ResourceUse(name, node.requested.get(name, 0), n) for name, n in node.allocatable.items())
    return NodeUse(node.name, len(node.pods), node.max_pods, resources, origin)


def _fill(cluster: Snapshot, question: Question) -> Capacity:
    """Place copies of a pod until one does not fit without an eviction."""
    pod = _find(cluster, question.until_full)
    scheduler = Scheduler(cluster, question.profiles)
    by_node: Counter[str] = Counter()
    message = f"stopped after {MOST_COPIES} copies"
    scheduler.expect({pod.shape: MOST_COPIES + 1})
    for i in range(1, MOST_COPIES + 1):
        twin = Pod(f"{pod.name}-<{i}>", pod.shape, pod.value)
        placement, _ = scheduler.place(twin)
        if placement.node is None:
            message = placement.message
            break
        by_node[placement.node] += 1
    return Capacity(f"{pod.namespace}/{pod.name}", by_node.total(), dict(by_node), message)
