"""What a controller may do: read the store, write through the API server, emit an event, ask to be called again.

Follows client-go (listers, recorder, workqueue.AddAfter) and pkg/controller/controller_utils.go. Every write is seen by
the next read: a simulated cluster has no caches that lag.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from kplan import release as releases
from kplan.api.admission.quota import charge
from kplan.api.deletion import deleted
from kplan.api.pipeline import kind_of
from kplan.api.placeholders import closed
from kplan.api.request import Refused, Server
from kplan.api.strategy import GENERATION
from kplan.clock import Clock, seconds
from kplan.controllers.twins import Twins
from kplan.events import Event
from kplan.model import Key, split_api_version
from kplan.store import Store, ref_of

Value = dict[str, Any]
Made = TypeVar("Made")

NOBODY = Key("", "", "", "")
NORMAL, WARNING = "Normal", "Warning"
_LONGEST_PREFIX = 58  # k8s.io/apiserver/pkg/storage/names: what generateName keeps of its prefix


class Timer(NamedTuple):
    """When a controller wants to look at an object again; a `lazy` one waits until there is nothing else to do.

    `call` is the first call of `settle` that serves it.
    """

    at: float
    controller: str
    key: Key
    lazy: bool = False
    call: int = 0


class Control:
    """The hands of every controller. `current` is the controller and the object that it looks at.

    `memory` is what controllers know that no object says, by controller and object (of all: see `remembered`).
    `retrying` says that the current sync is a second try. `calls` counts the calls of `settle`, `made` what was created
    in this one; `metrics` is what the metrics APIs answer, None if there are none.
    """

    def __init__(self, store: Store, clock: Clock, version: str) -> None:
        self.store = store
        self.clock = clock
        self.version = version
        self.minor = releases.minor(version)
        self.events: list[Event] = []
        self._told: set[Event] = set()  # the same without their times
        self.timers: dict[tuple[str, Key], Timer] = {}
        self.failed: dict[tuple[str, Key], int] = {}
        self.memory: dict[tuple[str, Key], Any] = {}
        self.metrics: Value | None = None
        self.pool: tuple[str, ...] = ()
        self.calls = 0
        self.made = 0
        self.retrying = False
        self.current: tuple[str, Key] = ("", Key("", "", "", ""))
        self._twins = Twins()
        self._serials: dict[tuple[str, str, str], int] = {}
        self._time = (clock.now, clock.text)

    # ---------------------------------------------------------------- reading

    @property
    def now(self) -> str:
        """The time as objects carry it."""
        if self._time[0] != self.clock.now:
            self._time = self.clock.now, self.clock.text
        return self._time[1]

    def get(self, key: Key) -> Value | None:
        """The object, or None if it is gone."""
        return self.store.get(key)

    def find(self, kind: str, name: str, namespace: str = "") -> Value | None:
        """The object of a built-in kind, or None."""
        return self.store.find(kind, name, namespace)

    def owned(self, owner: Value, kind: str) -> list[Value]:
        """The objects of a kind that this object controls, oldest first."""
        return self.store.controlled(owner["metadata"].get("uid", ""), kind)

    def orphans(self, kind: str, namespace: str) -> list[Value]:
        """The objects of a kind that no controller owns."""
        return self.store.uncontrolled(kind, namespace)

    def remembered(self, controller: str, make: Callable[[], Made]) -> Made:
        """What a controller knows of all objects together; `make` begins it."""
        place = (controller, NOBODY)
        if place not in self.memory:
            self.memory[place] = make()
        found: Made = self.memory[place]
        return found

    # ---------------------------------------------------------------- writing

    def create(self, obj: Value, status: Value | None = None) -> Value:
        """Create an object through the API server; returns what is stored, under a name made from generateName.

        Names that a real server draws at random are `<prefix><1>`, `<prefix><2>` and so on. Raises Refused.
        """
        obj, opened = closed(obj)
        server = Server(self.version, self.store, obj["metadata"].get("namespace") or "default")
        info = kind_of(obj, server)
        if info is None:
            raise Refused(404, f"no matches for kind {obj['kind']!r}")
        prefix = "" if obj["metadata"].get("name") else obj["metadata"].get("generateName", "")
        try:
            new = self._twins.created(obj, info, server)
        except Refused as no:
            no = _unnamed(no, prefix) if prefix else no
            raise Refused(no.status, opened(no.message), no.causes) from None
        new, prefix = opened(new), opened(prefix)
        if prefix:
            new["metadata"]["name"] = self._next_name(new, prefix)
        elif ref_of(new).key in self.store:
            group = f".{info.group}" if info.group else ""
            raise Refused(409, f'{info.plural}{group} "{new["metadata"]["name"]}" already exists')
        new["metadata"]["creationTimestamp"] = self.now
        if status is not None:
            new["status"] = status
        self.made += 1
        stored = self._put(new)
        charge(stored, None, self.store)
        return stored

    def update(self, obj: Value) -> Value:
        """Write spec and metadata of an object that was read before; its status stays as it is stored.

        What counts for the generation raises it; an object that is being deleted goes with its last finalizer.
        """
        old = self.store.get(ref_of(obj).key)
        if old is None or old["metadata"].get("uid") != obj["metadata"].get("uid"):
            return obj
        new = {**obj}
        if "status" in old:
            new["status"] = old["status"]
        if new == old:
            return old
        if _tracks_generation(new) and _counts(new) != _counts(old):
            new["metadata"] = {**new["metadata"], "generation": old["metadata"].get("generation", 0) + 1}
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            grace = new["metadata"].get("deletionGracePeriodSeconds") or 0
            if new["kind"] != "Pod" or not grace:
                self.store.remove(ref_of(new).key)
                return new
        return self._put(new)

    def status(self, obj: Value, status: Value, annotations: dict[str, str] | None = None) -> Value:
        """Write the status of an object, and with it annotations if given; nothing happens if they are the same."""
        old = self.store.get(ref_of(obj).key)
        if old is None or old["metadata"].get("uid") != obj["metadata"].get("uid"):
            return obj
        meta = old["metadata"]
        if annotations is not None:
            meta = {**meta, "annotations": annotations}
        if old.get("status") == status and meta.get("annotations") == old["metadata"].get("annotations"):
            return old
        return self._put({**old, "metadata": meta, "status": status})

    def delete(self, obj: Value, propagation: str | None = None, grace: int | None = None) -> None:
        """Delete an object as the API server does: at once, or by a deletionTimestamp while something holds it."""
        old = self.store.get(ref_of(obj).key)
        if old is None or old["metadata"].get("uid") != obj["metadata"].get("uid"):
            return
        new = deleted(old, self.clock.now, propagation, grace)
        if new is None:
            self.store.remove(ref_of(old).key)
        elif new != old:
            self._put(new)

    def _put(self, new: Value) -> Value:
        new = {**new, "metadata": {**new["metadata"], "resourceVersion": str(self.store.revision + 1)}}
        self.store.put(new)
        return new

    def _next_name(self, new: Value, prefix: str) -> str:
        prefix = prefix[:_LONGEST_PREFIX]
        counter = (new["kind"], new["metadata"].get("namespace", ""), prefix)
        while True:
            self._serials[counter] = serial = self._serials.get(counter, 0) + 1
            name = f"{prefix}<{serial}>"
            if self.store.find(new["kind"], name, counter[1]) is None:
                return name

    # ---------------------------------------------------------------- events and time

    def event(self, obj: Value, kind: str, reason: str, message: str, *, certain: bool = True) -> None:
        """Emit an event about an object; `kind` is Normal or Warning, `certain` whether it follows from the input.

        Events are objects too: a namespace that is being deleted gets no new ones, but those it has may come again.
        A failure that a second try meets again is not told again: a real controller waits longer each time.
        """
        meta = obj["metadata"]
        name = f"{obj['kind']}/{meta['name']}"
        new = Event(kind, reason, message, name, meta.get("namespace", ""), self.clock.now, certain)
        only_old, only_new = self._is_leaving(new.namespace), self.retrying and kind == WARNING
        known = new._replace(at=0.0) in self._told
        if only_new if known else only_old:
            return
        self._told.add(new._replace(at=0.0))
        self.events.append(new)

    def _is_leaving(self, name: str) -> bool:
        namespace = self.store.find("Namespace", name) if name else None
        return namespace is not None and bool(namespace["metadata"].get("deletionTimestamp"))

    def wake(self, after: float, *, lazy: bool = False, next_call: bool = False) -> None:
        """Look at the current object again in so many seconds; the nearest time asked for counts.

        `next_call` is for what would only repeat itself: it waits for the next call of `settle`.
        """
        timer = Timer(self.clock.now + max(after, 0.0), *self.current, lazy, self.calls + next_call)
        known = self.timers.get(self.current)
        if known is None or (max(timer.call, self.calls), timer.at) < (max(known.call, self.calls), known.at):
            self.timers[self.current] = timer

    def is_waiting(self) -> bool:
        """Whether the current object is looked at before its time has come."""
        return self.current in self.timers

    def sleep(self) -> None:
        """Look at the current object only when something changes: what it asked for before is no longer due."""
        self.timers.pop(self.current, None)

    def retry(self) -> None:
        """Look at the current object again once anything has changed: its last sync failed."""
        self.failed[self.current] = -1

    def since(self, time: str | None) -> float:
        """Seconds from a time of an object until now; 0 for none."""
        return self.clock.now - seconds(time) if time else 0.0


def controller_of(obj: Value) -> Value | None:
    """The owner reference of the controller of an object, if it has one."""
    for ref in obj["metadata"].get("ownerReferences") or ():
        if ref.get("controller"):
            found: Value = ref
            return found
    return None


def reference(owner: Value) -> Value:
    """The owner reference that a controller gives to what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"].get("uid", ""),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _tracks_generation(obj: Value) -> bool:
    group, _ = split_api_version(obj["apiVersion"])
    return f"{group}/{obj['kind']}" in GENERATION or "generation" in obj["metadata"]


def _counts(obj: Value) -> tuple[Any, Any]:
    """What counts for the generation: the spec, and the annotations of a Deployment."""
    return obj.get("spec"), obj["metadata"].get("annotations") if obj["kind"] == "Deployment" else None


def _unnamed(no: Refused, prefix: str) -> Refused:
    """A refusal without the random part of the name: it never came to be."""
    drawn = re.compile(re.escape(f'"{prefix[:_LONGEST_PREFIX]}') + r'[a-z0-9]{5}"')
    return Refused(no.status, drawn.sub(f'"{prefix[:_LONGEST_PREFIX]}<?>"', no.message), no.causes)
