"""`Cluster`: a set of stored objects, and the questions that can be asked of it.

Taken as what is stored: defaults are filled in, nothing is refused, status is kept, and a pod with `spec.nodeName`
counts as placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kplan import release
from kplan.clock import Clock
from kplan.errors import KplanError
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Applied, Decision, Ref
from kplan.store import Odd, Store, ref_of

if TYPE_CHECKING:
    from kplan.api.apply import Outcome
    from kplan.api.request import Server
    from kplan.events import Event
    from kplan.kubelet.outcomes import Script
    from kplan.model import Key
    from kplan.placement import Placement
    from kplan.rests import Rest
    from kplan.settle import ControlPlane

Value = dict[str, Any]


class Cluster:
    """A Kubernetes cluster as data; `version` is the release it runs, such as "1.36".

    `metrics` is what pods and other things measure, in the form of kplan.controllers.autoscaling.metrics; None means
    that the cluster has no metrics API. It may be replaced between two calls of `settle`. With `provision` its storage
    classes have somebody behind them who makes the volumes that claims ask for: a bare control plane has nobody. Nor
    does it give addresses to load balancers: `load_balancer_pool` has the networks, ranges or addresses to give out.

    `odd` names what no server could have stored. Such objects count where nothing happens to them (`objects`, `get`,
    plans, schedule); controllers do not see them.
    """

    def __init__(
        self,
        objects: Iterable[Value] = (),
        *,
        version: str = release.DEFAULT,
        metrics: Value | None = None,
        provision: bool = False,
        load_balancer_pool: Iterable[str] = (),
    ) -> None:
        self.metrics = metrics
        if metrics is not None:
            from kplan.controllers.autoscaling.metrics import check

            check(metrics)
        self.version = release.parse(version)
        self.odd: list[Odd] = []
        self.store = Store()
        for o in objects:
            value = self._read(o)
            if value is not None:
                ref = ref_of(value)
                twin = self.store.get(ref.key)
                if twin is not None:
                    self.odd.append(Odd(ref, "another object of this name comes later, and counts", twin))
                self.store.put(value)
        self.store.journal = []  # what comes after this is what `settle` tells of
        self.clock = Clock()
        self._provision = provision
        self._pool = tuple(load_balancer_pool)
        self._plane: ControlPlane | None = None
        self._told, self._settled = 0, False

    def get(self, document: Ref | Value | str, *, namespace: str | None = None) -> Value | None:
        """The stored object, as the server writes it, with this Ref or the identity of this document; or None.

        `namespace` is that of a document which names none. Raises KplanError for a text that is no document.
        """
        from kplan.api.access import get

        return get(document, self.server(namespace))

    def apply(
        self,
        objects: Value | str | Iterable[Value | str],
        *,
        mode: str = "csa",
        dry_run: bool = False,
        namespace: str | None = None,
        manager: str = "kplan",
        force: bool = False,
    ) -> list[Applied]:
        """Apply objects, or texts of one document each, one after the other; each mode creates what is missing.

        `mode` is csa (kubectl apply), replace (PUT) or ssa (server-side apply as the field manager `manager`; `force`
        takes fields from other managers instead of a conflict). `namespace` is that of objects which name none,
        `dry_run` stores nothing. In mode ssa an object of a built-in kind may leave out its apiVersion, and the status
        of a Node is applied too, for no kubelet reports it. Raises KplanError for another mode.
        """
        from kplan.api.apply import apply

        server = self.server(namespace, writes=not dry_run)
        given = [objects] if isinstance(objects, dict | str) else objects
        return [self._write(apply(o, server, mode=mode, manager=manager, force=force), dry_run) for o in given]

    def patch(
        self,
        kind: str,
        name: str,
        patch: Value | list[Any] | str,
        *,
        namespace: str | None = None,
        subresource: str | None = None,
        patch_type: str = "merge",
    ) -> Applied:
        """Patch a stored object; `kind` may be a plural or short name too.

        `patch_type` is merge (RFC 7386), strategic or json (RFC 6902), `subresource` None, status or scale, of which
        the answer is the Scale. Raises KplanError for another one.
        """
        from kplan.api.patch import patch as patched

        server = self.server(namespace, writes=True)
        return self._write(patched(kind, name, patch, server, form=patch_type, subresource=subresource))

    def server(self, namespace: str | None = None, *, writes: bool = False) -> Server:
        """The API server of this cluster, which does not see what no server could have stored.

        `namespace` is that of objects which name none. With `writes` what it is told to do happens in this cluster, and
        what is odd stays apart from then on.
        """
        from kplan.api.request import Server

        store, odd = self.store, [o.value for o in self.odd if self._holds(o)]
        if odd:
            from kplan.completion import set_aside

            store = store if writes else store.copy()
            set_aside(store, self.version, odd)
        return Server(self.version, store, namespace or "default", now=self.clock.text)

    def _holds(self, odd: Odd) -> bool:
        """Whether something odd is here, and not only in its field managers, which count as none then."""
        from kplan.api.stored import stored

        value = self.store.get(odd.ref.key) if odd.ref is not None else None
        if value is None or value is not odd.value:
            return False
        meta = value.get("metadata")
        rest = {k: v for k, v in meta.items() if k != "managedFields"} if isinstance(meta, dict) else meta
        return bool(stored({**value, "metadata": rest}, self.version)[1])

    def _write(self, outcome: Outcome, dry_run: bool = False) -> Applied:
        from kplan.api.access import commit

        return outcome.answer if dry_run else commit(outcome, self.store, self.clock.text)

    def delete(self, kind: str, name: str, *, namespace: str = "default", propagation: str | None = None) -> Applied:
        """Delete an object as the API server does: what holds it is seen in the next `settle`.

        `propagation` is Background, Foreground or Orphan; None leaves it to the kind.
        """
        from kplan.api.access import deleted

        return deleted(kind, name, self.server(namespace, writes=True), self.clock.now, propagation)

    def evict(self, pod: str, *, namespace: str = "default") -> Applied:
        """Evict a pod as the API server does: status 201, or 429 with a cause where a budget does not allow it."""
        from kplan.api.eviction import evict

        return evict(pod, self.server(namespace, writes=True), self.clock.now)

    def settle(self, kubelet: bool | Script = True) -> list[Rest]:
        """Let controllers, scheduler and kubelets work until nothing is left to do; one entry for each pause.

        Without `kubelet` pods stay as they are; a script names pods or images and says how they fare. Time is the
        cluster's own `clock`. What does not come to rest is named in `unsettled`.
        """
        plane = self._control_plane()
        plane.control.metrics = self.metrics
        self._told = len(plane.control.events) if self._settled else self._told
        self._settled = True
        return plane.settle(kubelet)

    def events_since_last_settle(self) -> list[Event]:
        """What was reported since the last but one `settle` ended, each event once, in the order of first sight.

        Which node a pod got is left out once a tie between nodes was broken: from then on it is not determined.
        """
        found: dict[tuple[str, ...], Event] = {}
        for e in self._control_plane().control.events[self._told :]:
            if e.certain:
                found.setdefault((e.type, e.reason, e.message, e.object, e.namespace), e)
        return list(found.values())

    def events(self) -> list[Event]:
        """All that was reported by every `settle`, in order; also what a real cluster may draw otherwise."""
        return list(self._plane.control.events) if self._plane is not None else []

    def placements(self) -> Mapping[Key, Placement]:
        """What the scheduler last decided about each pod that it had to place, and how sure that is."""
        return dict(self._plane.placing.placements) if self._plane is not None else {}

    @property
    def unsettled(self) -> str:
        """The controller and object that did not come to rest; empty if all did."""
        return self._plane.unsettled if self._plane is not None else ""

    def _control_plane(self) -> ControlPlane:
        from kplan.completion import complete
        from kplan.settle import ControlPlane

        if self._plane is None:
            odd = [o.value for o in self.odd if o.value is not None]
            complete(self.store, self.clock.text, self.version, odd)
            self._plane = ControlPlane(self.store, self.clock, self.version, provision=self._provision)
            if self._pool:
                from kplan.controllers.loadbalancers import addresses

                self._plane.control.pool = addresses(self._pool)
        return self._plane

    def add(self, pod: Value) -> None:
        """A Pending pod joins the cluster."""
        value = self._read(pod)
        if value is not None:
            self.store.put(value)

    def bind(self, pod: Value, node: str) -> None:
        """A pod is placed on a node and runs; its claims are bound as the PV controller would bind them."""
        from kplan.scheduler import writes
        from kplan.scheduler.snapshot import Snapshot

        value = self._read(pod)
        if value is None:
            raise KplanError("what is to be bound is no pod")
        if (value.get("spec") or {}).get("volumes"):
            cluster = Snapshot(self.store, self.version)
            target = cluster.by_name.get(node)
            for changed in writes.claims(cluster.pod(value), target, cluster) if target is not None else ():
                self.store.put(changed)
        status = {**(value.get("status") or {}), "phase": "Running"}
        # of pods that have run for equally long, the one that was bound first counts as the older
        self.store.remove(ref_of(value).key)
        self.store.put({**writes.bound(value, node), "status": status})

    def _read(self, given: Value) -> Value | None:
        """What is taken as stored, None if it is no object; it is noted if no server could have stored it."""
        from kplan.api.stored import stored

        value, why = stored(_typed(given), self.version)
        if why:
            self.odd.append(Odd(ref_of(value) if value is not None else None, why, value))
        return value

    def objects(self, kind: str | None = None, namespace: str | None = None) -> list[Value]:
        """The stored objects, of one kind or namespace if given, in the order in which they came."""
        aside = (o for key, o in self.store.aside.items() if namespace in (None, key.namespace))
        found = [*self.store.all(None, namespace), *aside]
        return found if kind is None else [o for o in found if o.get("kind") == kind]


def _typed(o: Value) -> Value:
    """A node may come without its type, as in lists of machines: nothing else has allocatable resources."""
    if not isinstance(o, dict):
        return o
    status = o.get("status")
    if "kind" not in o and isinstance(status, dict) and "allocatable" in status:
        return {"apiVersion": "v1", "kind": "Node", **o}
    return o


def schedule(pod: Value, cluster: Cluster) -> Decision:
    """Where the default scheduler of a cluster would put a pod; nothing is stored.

    The pod is defaulted and given its priority first. It may be one of the cluster's Pending pods.
    """
    from kplan.api.defaults import default
    from kplan.scheduler import cycle, profile
    from kplan.scheduler.snapshot import Snapshot

    snapshot = Snapshot(cluster.store, cluster.version)
    return cycle.decide(snapshot.pod(default(pod, cluster.version)), snapshot, profile.default(cluster.version))
