"""The cluster that the views look at: what is there already, the manifests applied to it, and all of it at rest."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kplan.errors import KplanError
from kplan.model import Document, Loaded
from kplan.store import ref_of

if TYPE_CHECKING:
    from kplan.cluster import Cluster
    from kplan.render.admission import Answered

Value = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Predicted:
    """A cluster at rest, the Events on the way there among its objects, and what did not become part of it.

    `now` (RFC 3339) is the cluster's time, None while it has no clock.
    """

    cluster: Cluster
    refused: tuple[Answered, ...]
    loaded: Loaded
    notes: tuple[str, ...] = ()
    now: str | None = None


def predicted(
    paths: Sequence[str],
    nodes: Sequence[str],
    version: str,
    *,
    namespace: str = "default",
    exclude: Iterable[str] = (),
) -> Predicted:
    """Apply the manifests of `paths`, one after the other, to what `nodes` say is stored, and let it come to rest.

    Without any Node there, a default pool is taken. `namespace` is that of manifests which name none. Raises KplanError
    where there is nothing to look at, or what is stored cannot be read.
    """
    from kplan.cli.admit import judge
    from kplan.cluster import Cluster
    from kplan.source import load

    stdin = sys.stdin.buffer.read() if "-" in (*paths, *nodes) else None
    stored, loaded = load(nodes, exclude=exclude, stdin=stdin), load(paths, exclude=exclude, stdin=stdin)
    if stored.unreadable:
        first = stored.unreadable[0]
        raise KplanError(f"the cluster cannot be read: {first.span}: {first.message}")
    if not stored.documents and not loaded.documents and not loaded.unreadable:
        raise KplanError(f"no manifests in {' '.join((*paths, *nodes))}")
    pool, notes = _pool([*stored.documents, *loaded.documents])
    cluster = Cluster([*(d.value for d in stored.documents), *pool], version=version)
    open_world = not cluster.objects("Namespace")
    answers = judge(loaded.documents, cluster, namespace, open_world=open_world)
    _settle(cluster)
    refused = tuple(a for a in answers if not a.answer.accepted)
    return Predicted(cluster, refused, loaded, notes, _now(cluster))


def _pool(documents: Iterable[Document]) -> tuple[list[Value], tuple[str, ...]]:
    """The nodes to add where none are given, and the sentence that says so."""
    from kplan.scheduler import pools

    if any(d.value.get("kind") == "Node" for d in documents):
        return [], ()
    return pools.default_pool(), (pools.STATEMENT,)


def _settle(cluster: Cluster) -> None:
    """Let the controllers act until nothing changes any more, and store the events they wrote."""
    settle = getattr(cluster, "settle", None)
    if settle is None:
        return
    before = cluster.store.changes("Event")
    settle()
    if cluster.store.changes("Event") == before:  # they are told, but no objects
        for number, event in enumerate(cluster.events_since_last_settle()):
            cluster.store.put(event_object(event, number, cluster))


def event_object(event: Any, number: int, cluster: Cluster) -> Value:
    """A v1 Event from an event of `settle`: `type`, `reason`, `message`, `object` ("Kind/name"), perhaps `namespace`.

    Without a namespace it is that of the one object of this kind and name. `number` makes the names follow the order.
    """
    kind, _, name = event.object.partition("/")
    places = [ref_of(o) for o in cluster.store.all(kind) if ref_of(o).name == name]
    about = {"kind": kind, "name": name}
    namespace = getattr(event, "namespace", None) or (places[0].namespace if len(places) == 1 else "") or "default"
    if places and places[0].namespace:
        about["namespace"] = namespace
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{name}.{number:016x}", "namespace": namespace},
        "involvedObject": about,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": 1,
    }


def _now(cluster: Cluster) -> str | None:
    """The time on the cluster's clock."""
    now = getattr(getattr(cluster, "clock", None), "now", None)
    found = now() if callable(now) else now
    if isinstance(found, datetime):
        return found.isoformat()
    return found if isinstance(found, str) else None


def complain(found: Predicted) -> None:
    """Say on stderr what was left out; raises KplanError if the view is not all that the manifests ask for."""
    from kplan.render import admission
    from kplan.render.sanitise import one_line

    for skipped in found.loaded.skipped:
        sys.stderr.write(f"skipped {one_line(skipped.file)}: {one_line(skipped.reason)}\n")
    sys.stderr.write("".join(f"note: {one_line(note)}\n" for note in found.notes))
    sys.stderr.write(admission.text(found.refused))
    if found.loaded.unreadable:
        first = found.loaded.unreadable[0]
        count = len(found.loaded.unreadable)
        what = f"{count} document{'s' * (count > 1)} could not be read, so objects may be missing"
        raise KplanError(what, hint=f"first: {first.span}: {first.message}")
    if found.refused:
        count = len(found.refused)
        raise KplanError(f"{count} object{'s' * (count > 1)} refused, so objects are missing")
