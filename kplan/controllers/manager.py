"""The work queue of all controllers: from changes in the store to what has to be looked at, until there is nothing.

Follows client-go's informers and workqueue as far as they decide what happens: first come first served, an object
that waits already is not queued twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kplan.controllers.control import Control
from kplan.model import Key
from kplan.store import Write, is_native

Value = dict[str, Any]
Route = Callable[[Write, Control], Iterable[Key]]
ANY = "*"

MOST_WANTED = 5000  # pods of one object: a number of replicas is only a number, pods take room and time
# The kinds that make pods by a number, and their controllers.
_MAKERS: Mapping[str, str] = {
    "ReplicaSet": "replicaset",
    "ReplicationController": "replicationcontroller",
    "StatefulSet": "statefulset",
    "Job": "job",
}


class Controller(NamedTuple):
    """A controller: the kinds it watches (or `*`), and for each which objects a change makes it look at."""

    name: str
    watches: Mapping[str, Route]
    reconcile: Callable[[Key, Control], None]


class Manager:
    """Runs controllers over a store whose journal it reads.

    What wants more than MOST_WANTED pods is in `too_large`, with the number, and is left as it is.
    """

    def __init__(self, control: Control, controllers: Sequence[Controller]) -> None:
        self.control = control
        self.controllers = {c.name: c for c in controllers}
        self.too_large: dict[Key, int] = {}
        self._routes: dict[str, list[tuple[str, Route]]] = {}
        for c in controllers:
            for kind, route in c.watches.items():
                self._routes.setdefault(kind, []).append((c.name, route))
        self._queue: deque[tuple[str, Key]] = deque()
        self._queued: set[tuple[str, Key]] = set()
        self._retried: set[tuple[str, Key]] = set()

    def see(self, writes: Iterable[Write]) -> None:
        """Queue what these changes make the controllers look at."""
        for write in writes:
            native = is_native(write.key.group, write.key.kind)
            if native and write.key.kind in _MAKERS:
                self._weigh(write)
            for kind in (write.key.kind, ANY) if native else (ANY,):
                for name, route in self._routes.get(kind, ()):
                    for key in route(write, self.control):
                        self.add(name, key)

    def _weigh(self, write: Write) -> None:
        wanted = pods_wanted(write.new) if write.new is not None else 0
        if wanted > MOST_WANTED:
            self.too_large[write.key] = wanted
        else:
            self.too_large.pop(write.key, None)

    def add(self, name: str, key: Key) -> None:
        """Queue an object for a controller, unless it waits already."""
        if (name, key) not in self._queued:
            self._queued.add((name, key))
            self._queue.append((name, key))

    @property
    def waiting(self) -> int:
        """How many objects wait to be looked at."""
        return len(self._queue)

    def step(self) -> bool:
        """Let one controller look at one object; False if there was nothing to do."""
        if not self._queue:
            return False
        item = self._queue.popleft()
        self._queued.discard(item)
        if self.too_large and item[1] in self.too_large and item[0] == _MAKERS[item[1].kind]:
            return True
        control = self.control
        control.current = item
        control.retrying = item in self._retried
        self._retried.discard(item)
        control.failed.pop(item, None)
        self.controllers[item[0]].reconcile(item[1], control)
        control.retrying = False
        if item in control.failed:
            control.failed[item] = control.store.revision
        return True

    def due(self) -> bool:
        """Queue what is due by the clock; whether there was anything."""
        control = self.control
        ready = [t for t in control.timers.values() if t.at <= control.clock.now and t.call <= control.calls]
        for timer in sorted(ready):
            del self.control.timers[(timer.controller, timer.key)]
            self.add(timer.controller, timer.key)
        return bool(ready)

    def failed_before(self) -> bool:
        """Queue what failed before the last change of the store; whether there was anything."""
        revision = self.control.store.revision
        again = [item for item, at in self.control.failed.items() if at < revision]
        for item in again:
            if item not in self._queued:
                self._retried.add(item)
            self.add(*item)
        return bool(again)


def pods_wanted(owner: Value) -> int:
    """How many pods an object that makes them by a number asks for, one after the other too."""
    if owner["metadata"].get("deletionTimestamp"):
        return 0
    spec = owner["spec"]
    fields = ("parallelism", "completions") if owner["kind"] == "Job" else ("replicas",)
    return max(int(spec.get(field) or 0) for field in fields)


def itself(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    """The object that changed."""
    return [write.key]
