"""What became of a simulated cluster: where its pods are, which workloads are ready, what is not and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kplan.cluster import Cluster
from kplan.events import Event
from kplan.model import Key
from kplan.placement import Placement, Simulation
from kplan.rests import Rest
from kplan.results import Results, Step, Told
from kplan.store import ref_of
from kplan.survey import notsimulated, podreasons
from kplan.survey.owners import Owners, of_builtin
from kplan.survey.progress import progress
from kplan.survey.unready import unready

Value = dict[str, Any]


def survey(
    cluster: Cluster,
    rests: Iterable[Rest],
    began: float,
    placed: Mapping[Key, str],
    pool: str,
    notes: Iterable[str] = (),
) -> Simulation:
    """What became of a cluster that was brought to rest by `settle` with these rests.

    `began` is the time (seconds since 1970) before that, `placed` the nodes that pods had then, `pool` says where the
    nodes come from.
    """
    from kplan.scheduler.simulation import use
    from kplan.scheduler.snapshot import Snapshot

    store, events, acting = cluster.store, cluster.events(), _acting()
    owners = Owners(store)
    workloads = [(o, row) for o in owners.workloads() if (row := progress(o)) is not None]
    steps = tuple(_step(r, began) for r in rests)
    results = Results(
        workloads=tuple(row for _, row in workloads),
        unready=tuple(unready(workloads, owners, store, events, acting)),
        events=tuple(_told(e, began) for e in events),
        steps=steps,
        lasted=max((s.after for s in steps), default=0.0),
        unsettled=cluster.unsettled,
    )
    return Simulation(
        version=cluster.version,
        pool=pool,
        placements=tuple(_placements(cluster, placed)),
        nodes=tuple(use(node) for node in Snapshot(store, cluster.version).nodes),
        notes=(*notes, *notsimulated.notes(cluster, acting)),
        results=results,
    )


def _told(e: Event, began: float) -> Told:
    kind, _, name = e.object.partition("/")
    return Told(round(e.at - began, 1), e.type, e.reason, e.message, kind, e.namespace, name, e.certain)


def _step(rest: Rest, began: float) -> Step:
    counts = {"/".join(filter(None, (k.kind.lower(), k.namespace, k.name))): n for k, n in rest.changed.items()}
    return Step(round(rest.at - began, 1), rest.kubelet or "", rest.changes, counts)


def _placements(cluster: Cluster, placed: Mapping[Key, str]) -> Iterator[Placement]:
    """All pods, with what the scheduler said of those that it placed."""
    decided = cluster.placements()
    for pod in of_builtin("Pod", cluster.store):
        ref = ref_of(pod)
        node = pod["spec"].get("nodeName") or None
        reason, message = podreasons.unplaced(pod) if node is None else ("", "")
        known = decided.get(ref.key) or Placement(ref.namespace, ref.name, node)
        yield known._replace(
            namespace=ref.namespace,
            node=node,
            reason=reason,
            message=message,
            nominated=str((pod.get("status") or {}).get("nominatedNodeName") or ""),
            before=placed.get(ref.key, ""),
        )


def _acting() -> frozenset[str]:
    """The kinds whose own controllers are simulated: each watches its kind before others."""
    from kplan.controllers.registry import controllers

    return frozenset(next(iter(c.watches)) for c in controllers())
