"""The cluster that the views look at: what is there already, the manifests applied to it, and all of it at rest."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kplan.cli.reading import nothing, say_skipped, unread
from kplan.clock import seconds, stamp
from kplan.errors import KplanError
from kplan.model import Document, Key, Loaded

if TYPE_CHECKING:
    from kplan.cluster import Cluster
    from kplan.events import Event
    from kplan.kubelet.outcomes import Script
    from kplan.render.admission import Answered
    from kplan.rests import Rest

Value = dict[str, Any]

MOST_PODS = 5000  # beyond that, a cluster is not brought to rest: it would take minutes
_CONTROLLED = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")


class Input(NamedTuple):
    """What was read: the objects that are stored already, what is to be applied, and all of it as documents.

    `pool` says where the nodes come from, `pods` how many pods there will be at least, about.
    """

    stored: tuple[Value, ...]
    applied: tuple[Document, ...]
    loaded: Loaded
    pool: str
    pods: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Predicted:
    """A cluster at rest, the Events on the way there among its objects, and what did not become part of it.

    `now` (RFC 3339) is the cluster's time, `began` (seconds since 1970) when it started to come to rest, `rests` its
    steps, `placed` the nodes that pods had before.
    """

    cluster: Cluster
    refused: tuple[Answered, ...]
    loaded: Loaded
    notes: tuple[str, ...] = ()
    now: str | None = None
    began: float = 0.0
    rests: tuple[Rest, ...] = ()
    placed: Mapping[Key, str] = field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        """Whether this is not all that the manifests ask for."""
        return bool(self.loaded.unreadable or self.refused)


class Surroundings(NamedTuple):
    """What there is beside Kubernetes: how containers fare, what they measure, addresses for load balancers."""

    script: Script | None = None
    metrics: Value | None = None
    pool: tuple[str, ...] = ()


NOTHING_BESIDE = Surroundings()


def surroundings(given: Mapping[str, Any]) -> Surroundings:
    """The surroundings that the options of a command name. Raises KplanError with the place of what is wrong."""
    from kplan.cli import script

    how = script.read(given["script"]) if given.get("script") else None
    return Surroundings(how, _metrics(given["metrics"]) if given["metrics"] else None, given["load_balancer_pool"])


def _metrics(file: str) -> Value:
    from kplan.controllers.autoscaling.metrics import check
    from kplan.yamlio import load_value

    try:
        value = load_value(Path(file).read_text(encoding="utf-8"), file)
    except (OSError, UnicodeDecodeError) as error:
        raise KplanError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error
    try:
        check(value)
    except KplanError as error:
        raise KplanError(f"{file}: {error}", hint=error.hint) from error
    assert isinstance(value, dict)
    return value


def predicted(
    paths: Sequence[str],
    nodes: Sequence[str],
    version: str,
    *,
    namespace: str = "default",
    exclude: Iterable[str] = (),
    around: Surroundings = NOTHING_BESIDE,
) -> Predicted:
    """Apply the manifests of `paths`, one after the other, to what `nodes` say is stored, and let it come to rest.

    Without any Node there, a default pool is taken. `namespace` is that of manifests which name none. Raises KplanError
    where there is nothing to look at, or what is stored cannot be read.
    """
    given = read(paths, nodes, exclude=exclude)
    return come_to_rest(given, version, namespace=namespace, around=around)


def read(paths: Sequence[str], nodes: Sequence[str], *, exclude: Iterable[str] = (), empty: bool = False) -> Input:
    """Read what is stored and what is to be applied.

    Nodes, and objects that carry the marks of a server (a dump), are stored wherever they are found. Raises KplanError
    if there is nothing (unless `empty`) or if `nodes` cannot be read.
    """
    from kplan.scheduler import pools
    from kplan.source import load

    stdin = sys.stdin.buffer.read() if "-" in (*paths, *nodes) else None
    there, loaded = load(nodes, exclude=exclude, stdin=stdin), load(paths, exclude=exclude, stdin=stdin)
    if there.unreadable:
        first = there.unreadable[0]
        raise KplanError(f"the cluster cannot be read: {first.span}: {first.message}")
    if not (there.documents or loaded.documents or loaded.unreadable or empty):
        raise nothing(loaded, (*paths, *nodes))
    old = [*there.documents, *filter(_was_stored, loaded.documents)]
    stored = [_checked(d) for d in old]
    machines = sum(v.get("kind") == "Node" for v in stored)
    applied = tuple(d for d in loaded.documents if not _was_stored(d))
    pool, notes = f"{machines} node{'s' * (machines != 1)} of the input", there.skipped
    if not machines:
        stored, pool, machines = [*stored, *pools.default_pool()], pools.STATEMENT, pools.DEFAULT_NODES
    pods = _pods([*stored, *(d.value for d in applied)], machines)
    all_read = Loaded(loaded.documents, (*notes, *loaded.skipped), loaded.unreadable, loaded.files + there.files)
    return Input(tuple(stored), applied, all_read, pool, pods, (pool,) if pool == pools.STATEMENT else ())


def _was_stored(document: Document) -> bool:
    """Whether an object is a machine, or comes from a server: nobody else gives out uids."""
    meta = document.value.get("metadata")
    dumped = isinstance(meta, dict) and bool(meta.get("uid")) and bool(meta.get("resourceVersion"))
    return dumped or (document.value.get("kind") == "Node" and document.value.get("apiVersion") == "v1")


def _checked(document: Document) -> Value:
    """A stored object whose outer form is right: nothing else refuses it."""
    value = document.value
    meta = value.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str) or not meta["name"]:
        raise KplanError(f"the cluster cannot be read: {document.span()}: metadata.name is missing")
    for part in ("spec", "status"):
        if not isinstance(value.get(part, {}), dict):
            raise KplanError(f"the cluster cannot be read: {document.span((part,))}: {part} is no map")
    return value


def _pods(values: Iterable[Value], machines: int) -> int:
    """How many pods there are or will be, without those of CronJobs; by the larger of the two countings."""
    there = wanted = 0
    for value in values:
        kind, spec = value.get("kind"), value.get("spec")
        spec = spec if isinstance(spec, dict) else {}
        if kind == "Pod":
            there += 1
        elif kind in _CONTROLLED:
            wanted += _number(spec.get("replicas"))
        elif kind == "DaemonSet":
            wanted += machines
        elif kind == "Job":
            wanted += _number(spec.get("parallelism"))
    return max(there, wanted)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 1


def come_to_rest(
    given: Input, version: str, *, namespace: str = "default", around: Surroundings = NOTHING_BESIDE
) -> Predicted:
    """Apply what was read and let the cluster come to rest; `around` is what there is beside Kubernetes.

    With more than MOST_PODS pods it stays as it was applied, and a note says so.
    """
    from kplan.cli.admit import judge
    from kplan.cli.standins import added
    from kplan.cluster import Cluster

    cluster = Cluster(
        given.stored, version=version, provision=True, metrics=around.metrics, load_balancer_pool=around.pool
    )
    cluster.clock.now = max(cluster.clock.now, *map(_created, given.stored))
    open_world = not cluster.objects("Namespace")
    now = cluster.clock.text
    refused = judge(given.applied, cluster, namespace, open_world=open_world, now=now, only_refused=True)
    journal = cluster.store.journal or []
    told = len(journal)
    notes = (*given.notes, *(added(cluster) if open_world else ()))
    del journal[told:]  # what is taken to exist has not just come
    if given.pods > MOST_PODS:
        notes = (*notes, f"about {given.pods} pods are too many to follow (at most {MOST_PODS}): no controller acted")
        return Predicted(cluster, tuple(refused), given.loaded, notes, cluster.clock.text, cluster.clock.now)
    placed = {k: v["spec"]["nodeName"] for k, v in cluster.store.items() if k.kind == "Pod" and _is_placed(v)}
    began = cluster.clock.now
    rests = cluster.settle(True if around.script is None else around.script)
    if cluster.unsettled:
        notes = (*notes, f"the cluster does not come to rest: {cluster.unsettled}")
    notes = (*notes, *(f"left out, for no server stores it: {o}" for o in cluster.odd), *_pending_addresses(cluster))
    for event in event_objects(cluster.events()):
        cluster.store.put(event)
    return Predicted(cluster, tuple(refused), given.loaded, notes, cluster.clock.text, began, tuple(rests), placed)


def _pending_addresses(cluster: Cluster) -> Iterator[str]:
    """Why Services of type LoadBalancer have no address."""
    waiting = [
        f"{s['metadata'].get('namespace')}/{s['metadata']['name']}"
        for s in cluster.objects("Service")
        if (s.get("spec") or {}).get("type") == "LoadBalancer"
        and not ((s.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    ]
    if waiting:
        names = ", ".join(waiting)
        yield f"no address for {names}: load balancers come from a cloud or an add-on; --load-balancer-pool stands in"


def _created(value: Value) -> float:
    """When a stored object came; 0 if that is not known."""
    try:
        return seconds(value["metadata"].get("creationTimestamp") or "")
    except (TypeError, ValueError):
        return 0.0


def _is_placed(value: Value) -> bool:
    return isinstance(value.get("spec"), dict) and bool(value["spec"].get("nodeName"))


def event_objects(events: Iterable[Event]) -> list[Value]:
    """Events as v1 Events, in the order of their first sight: one that came again is counted, as recorders do.

    Follows client-go's tools/record/events_cache.go (EventCorrelator) without its limits of rate.
    """
    alike: dict[tuple[str, ...], list[Event]] = {}
    for e in events:
        alike.setdefault((e.object, e.namespace, e.type, e.reason, e.message), []).append(e)
    return [_event_object(found, number) for number, found in enumerate(alike.values())]


def _event_object(found: Sequence[Event], number: int) -> Value:
    event = found[0]
    kind, _, name = event.object.partition("/")
    about = {"kind": kind, "name": name, **({"namespace": event.namespace} if event.namespace else {})}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{name}.{number:016x}",
            "namespace": event.namespace or "default",
            "creationTimestamp": stamp(event.at),
        },
        "involvedObject": about,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": len(found),
        "firstTimestamp": stamp(event.at),
        "lastTimestamp": stamp(found[-1].at),
    }


def complain(found: Predicted) -> None:
    """Say on stderr what was left out; raises KplanError if the view is not all that the manifests ask for."""
    from kplan.render import admission
    from kplan.render.sanitise import one_line

    say_skipped(found.loaded.skipped)
    sys.stderr.write("".join(f"note: {one_line(note)}\n" for note in found.notes))
    sys.stderr.write(admission.text(found.refused))
    if found.loaded.unreadable:
        raise unread(found.loaded.unreadable, "objects may be missing")
    if found.refused:
        count = len(found.refused)
        raise KplanError(f"{count} object{'s' * (count > 1)} refused, so objects are missing")
