"""The rehearsal of a plan: its actions are carried out on a simulated cluster, which then comes to rest.

The current objects are put in place first and settle, so that workloads of manifests have their pods; then the actions
follow each other as `kubectl apply` sends them, without waiting for rollouts. A replacement waits for the old object to
be gone, as `kubectl replace --force` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kplan.api.access import commit
from kplan.api.apply import REPLACE, apply
from kplan.api.deletion import deleted
from kplan.api.merge import three_way
from kplan.api.request import Server
from kplan.clock import Clock, seconds
from kplan.events import Event
from kplan.model import Key
from kplan.plan.anywhere import Anywhere, needed
from kplan.plan.cast import Act, Cast
from kplan.plan.sides import replicas
from kplan.plan.values import items, submap
from kplan.record import field, record
from kplan.rests import FIELDS, Rest
from kplan.schema.catalog import catalog
from kplan.settle import ControlPlane
from kplan.store import Store, ref_of

Value = dict[str, Any]

_WRONG = (400, 404, 422)
# Kinds into which the server puts nothing of its own when they are created, apart from what every object gets.
_PLAIN = frozenset(
    ("Node", "Namespace", "ConfigMap", "Secret", "ServiceAccount", "LimitRange", "ResourceQuota", "PriorityClass")
    + ("RuntimeClass", "StorageClass", "CSIDriver", "CSINode", "ControllerRevision")
)


@record
class Run:
    """What a rehearsal showed: the cluster at rest before the first action and after the last, and the way there.

    `rests` and `events` are those since the first action. `refused` is what the API server said to an action, `held`
    what keeps an object that was to be replaced from going. `nodes`: whether nodes are known, so that room counts.
    """

    before: Store
    after: Store
    rests: tuple[Rest, ...]
    events: tuple[Event, ...]
    nodes: bool
    unsettled: str = ""
    refused: Mapping[Key, str] = field(default_factory=dict)
    held: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)

    def pods(self, side: Store, key: Key) -> list[Value]:
        """The pods of a workload, through its ReplicaSets or Jobs, that have not ended and are not being deleted."""
        owner = side.get(key)
        if owner is None:
            return []
        if key.kind == "Pod":
            return [owner] if _is_active(owner) else []
        out: list[Value] = []
        for value in side.dependents(str(owner["metadata"].get("uid") or "-")):
            if value["kind"] in ("Pod", "ReplicaSet", "Job"):
                out += self.pods(side, ref_of(value).key)
        return out

    def series(self, key: Key) -> list[dict[str, int]]:
        """The counts of a workload (see kplan.rests.FIELDS) at every rest, {} while it is not there."""
        fields = FIELDS.get(key.kind, ())
        value = self.before.get(key)
        status, spec = submap(value, "status"), submap(value, "spec")
        now = {f: _number(spec.get("replicas", 1) if f == "spec.replicas" else status.get(f)) for f in fields}
        out = [now if value is not None else {}]
        for rest in self.rests:
            if key in rest.changed:
                counts = rest.changed[key]
                out.append(dict(zip(fields, counts, strict=True)) if counts is not None else {})
            else:
                out.append(out[-1])
        return out

    def is_simulated(self, key: Key) -> bool:
        """Whether a controller looked after this workload."""
        if key.kind == "Pod":
            return True
        status = submap(self.after.get(key) or self.before.get(key), "status")
        return "observedGeneration" in status or (key.kind == "Job" and bool(status))


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _is_active(pod: Value) -> bool:
    phase = submap(pod, "status").get("phase")
    return phase not in ("Succeeded", "Failed") and not submap(pod, "metadata").get("deletionTimestamp")


def rehearse(given: Cast, version: str) -> Run:
    """Carry out the actions and let the cluster come to rest."""
    stage = _Stage(given, version)
    stage.set_up()
    before, told = stage.store.copy(), len(stage.plane.control.events)
    for act in given.acts:
        stage.carry_out(act)
    stage.settle()
    return Run(
        before,
        stage.store.copy(),
        tuple(stage.rests),
        tuple(stage.plane.control.events[told:]),
        given.nodes,
        stage.plane.unsettled,
        stage.refused,
        stage.held,
    )


class _Stage:
    """A control plane in which the actions are carried out."""

    def __init__(self, given: Cast, version: str) -> None:
        self.given = given
        self.kinds = catalog(version)
        self.store = Store()
        self.plane = ControlPlane(self.store, Clock(), version, provision=True)
        if not given.nodes:
            self.plane.placing = Anywhere(self.plane.control)
        self.server = Server(version, self.store)
        self.rests: list[Rest] = []
        self.refused: dict[Key, str] = {}
        self.held: dict[Key, tuple[str, ...]] = {}

    def set_up(self) -> None:
        """Everything that is there already, at rest."""
        objects = list(self.given.objects)
        self.plane.clock.now = max(self.plane.clock.now, _latest(objects))
        uids = {str(u) for o in objects if (u := submap(o, "metadata").get("uid"))}
        if not self.given.nodes:
            objects = [*needed(objects), *objects]
        for value in objects:
            self._put(value, uids)
        self.plane.settle()

    def settle(self, *, kubelet: bool = True) -> None:
        """Come to rest; the rests on the way are noted."""
        self.rests += self.plane.settle(kubelet)

    def _put(self, value: Value, uids: set[str]) -> None:
        """Put in place what is there: as it is if it was read from a server, else as the server would have made it."""
        if submap(value, "metadata").get("uid"):
            self.store.put(_without_strangers(value, uids))
            return
        if value["kind"] not in _PLAIN:
            answer = commit(apply(value, self.server, mode=REPLACE), self.store, self.plane.clock.text)
            if answer.accepted or answer.status in _WRONG:
                return
        ref = ref_of(value)
        meta = {**value["metadata"], "uid": f"<uid {ref.kind}/{ref.namespace}/{ref.name}>"}
        self.store.put({**value, "metadata": {**meta, "creationTimestamp": self.plane.clock.text}})

    def carry_out(self, act: Act) -> None:
        """One action; what the server refuses is noted."""
        if act.verb == "delete":
            self._delete(act.key)
            return
        if act.verb == "replace" and not act.first:
            self._delete(act.key)
            self.settle(kubelet=False)
            left = self.store.get(act.key)
            if left is not None:
                self.held[act.key] = tuple(left["metadata"].get("finalizers") or ())
                return
        assert act.new is not None
        stored = self.store.get(act.key)
        new = _sent(act.new)
        if stored is not None and act.old is not None:
            old = _sent(act.old)
            if act.scaled and replicas(old) == replicas(new):
                old, new = _without_replicas(old), _without_replicas(new)
            info = self.kinds.kind(new["apiVersion"], new["kind"])
            new = three_way(old, stored, new, info.node if info is not None else None)
        answer = commit(apply(new, self.server, mode=REPLACE), self.store, self.plane.clock.text)
        if not answer.accepted:
            self.refused[act.key] = answer.message
        elif act.first and act.gone is not None and act.gone != act.key:
            self._delete(act.gone)

    def _delete(self, key: Key) -> None:
        found = self.store.get(key)
        if found is None:
            return
        left = deleted(found, self.plane.clock.now)
        if left is None:
            self.store.remove(key)
        else:
            self.store.put(left)


def _sent(value: Value) -> Value:
    """What of an object a client sends: no status, and nothing that only a server knows."""
    meta = {k: v for k, v in value["metadata"].items() if k not in _OF_SERVER}
    return {k: v for k, v in value.items() if k != "status"} | {"metadata": meta}


def _without_replicas(value: Value) -> Value:
    return {**value, "spec": {k: v for k, v in value["spec"].items() if k != "replicas"}}


_OF_SERVER = frozenset(("resourceVersion", "uid", "generation", "creationTimestamp", "managedFields", "selfLink"))


def _without_strangers(value: Value, uids: set[str]) -> Value:
    """The object without owners that are not among what is there: nobody deletes it for their sake."""
    refs = items(value, "metadata", "ownerReferences")
    known = [r for r in refs if r.get("uid") in uids]
    if len(known) == len(refs):
        return value
    meta = {k: v for k, v in value["metadata"].items() if k != "ownerReferences"}
    return {**value, "metadata": {**meta, **({"ownerReferences": known} if known else {})}}


def _latest(values: Iterable[Value]) -> float:
    """The latest time that these objects speak of, in seconds since 1970; 0 if they name none."""
    found = 0.0
    for value in values:
        times = [submap(value, "metadata").get("creationTimestamp")]
        times += [c.get("lastTransitionTime") for c in items(value, "status", "conditions")]
        for time in times:
            try:
                found = max(found, seconds(str(time)))
            except ValueError:
                continue
    return found
