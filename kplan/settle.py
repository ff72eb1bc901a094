"""Bringing a cluster to rest: controllers and scheduler until nothing is left to do, then one action of a kubelet.

Time is virtual. An action takes a moment; when kubelets have nothing to do, the clock jumps to the next time that a
controller asked for, as long as that is near. What is scheduled for some day (the next run of a CronJob, the end of a
finished Job) waits until a call finds nothing else to do.
"""

from __future__ import annotations

import uuid
from typing import Any

from kplan.api.strategy import GENERATION
from kplan.clock import Clock
from kplan.controllers.control import NOBODY, Control
from kplan.controllers.manager import MOST_WANTED, Manager
from kplan.controllers.registry import controllers
from kplan.kubelet.actions import Kubelet
from kplan.kubelet.outcomes import Script
from kplan.model import Key
from kplan.placing import Placing
from kplan.rests import Counts, Delta, Rest, delta, lines
from kplan.store import Store, Write

Value = dict[str, Any]

ACTION = 0.3  # seconds that one action of a kubelet takes
QUIET = 1.5  # seconds without a change after which a cluster counts as at rest
HORIZON = 60.0  # seconds that a controller's timer may lie ahead
STILL = 8.0  # the same while kubelets are stopped: a namespace goes (5 s), but a failed pod is not replaced (10 s)
LAZY_HORIZON = 3600.0  # the same for what is scheduled for later
MOST_JUMPS = 300  # times that the clock may jump in one call
MOST_SYNCS = 50  # of one object between two rests: beyond that a cluster does not come to rest
MOST_MADE = 20_000  # objects that controllers may make in one call


class ControlPlane:
    """The controllers, the scheduler and the kubelets of one store; with `provision` also who makes volumes."""

    def __init__(self, store: Store, clock: Clock, version: str, *, provision: bool = False) -> None:
        self.store = store
        self.clock = clock
        self.control = Control(store, clock, version)
        self.manager = Manager(self.control, controllers(provision=provision))
        self.kubelet = Kubelet(self.control)
        self.placing = Placing(self.control)
        self._stopped = ""
        self._deltas: list[Delta] = []
        self._counts: dict[Key, Counts | None] = {}
        self._wrote = False
        self._syncs: dict[tuple[str, Key], int] = {}  # how often each object was looked at since the last rest
        store.simulated = True
        _identify(store)
        told = {write.key for write in store.journal or ()}
        store.journal = store.journal if store.journal is not None else []
        self._see([Write(key, None, value) for key, value in store.items() if key not in told])

    def settle(self, kubelet: bool | Script = True) -> list[Rest]:
        """Everything that happens until the cluster is at rest, one entry for each time it pauses."""
        self._stopped = ""
        self.kubelet.script = None if isinstance(kubelet, bool) else kubelet
        self.control.calls += 1
        self.control.made = 0
        self.control.current = ("", NOBODY)  # what was done since the last call is not the work of a controller
        given = self._drain()
        rests = [self._rest(None, given)]
        busy = self._wrote
        jumps, visits = 0, dict.fromkeys([self.control.current], 0)
        near, far = (HORIZON, LAZY_HORIZON) if kubelet is not False else (STILL, STILL)
        someday = self.clock.now + far
        while not self._stopped:
            action = self.kubelet.next() if kubelet is not False else None
            if action is not None:
                self.clock.advance(ACTION)
                self.kubelet.act(action)
                rests.append(self._rest(str(action)))
                busy = True
                continue
            known = len(self.control.events)
            if not self._pass_time(near, someday=None if busy else someday):
                break
            jumps += 1
            if jumps > MOST_JUMPS:
                (name, key), _ = max(visits.items(), key=lambda visit: visit[1])
                self._stopped = f"{name} {key.name}: it comes back as often as time passes"
            after = self._rest(None)
            for item, count in self._syncs.items():
                visits[item] = visits.get(item, 0) + count
            busy = busy or len(self.control.events) > known
            if after.changes or self._deltas[-1]:
                rests.append(after)
                busy = True
        self.clock.advance(QUIET)
        return rests

    @property
    def unsettled(self) -> str:
        """What did not come to rest, and why; empty if all did."""
        most = f"and {MOST_WANTED} are the most that are simulated for one object"
        large = (f"{k.kind.lower()} {k.name}: it wants {n} pods, {most}" for k, n in self.manager.too_large.items())
        return "; ".join(filter(None, (self._stopped, *large)))

    def _pass_time(self, horizon: float, someday: float | None) -> bool:
        """Let time pass until a controller has something to do; False if none has within so many seconds.

        What is scheduled for later counts until `someday`, and not at all if that is None.
        """
        if self.manager.failed_before():
            self.clock.advance(1.0)
            return True
        now = self.clock.now
        near = [
            t.at
            for t in self.control.timers.values()
            if (someday is not None and t.at <= someday if t.lazy else t.at <= now + horizon)
            and t.call <= self.control.calls
        ]
        if not near:
            return False
        self.clock.now = max(now, min(near)) + QUIET  # what is due within the pause comes with it
        return self.manager.due()

    def _rest(self, kubelet: str | None, given: list[Write] | None = None) -> Rest:
        writes = self._run()
        self._wrote = bool(writes)
        writes = [*(given or ()), *writes]
        changed = {k: v for k, v in delta(writes, self.store).items() if self._counts.get(k) != v}
        self._counts.update(changed)
        self._deltas.append(changed)
        return Rest(kubelet, lines(writes), self.clock.now, self._deltas, len(self._deltas) - 1)

    def _run(self) -> list[Write]:
        """Controllers and scheduler until neither has anything left to do; what they wrote.

        The scheduler gets its turn whenever the controllers have been through what was waiting for them: a pod is
        bound before its owner has seen the consequences of making it.
        """
        seen: list[Write] = self._drain()
        syncs: dict[tuple[str, Key], int] = {}
        self._syncs = syncs
        while True:
            for _ in range(self.manager.waiting):
                self.manager.step()
                seen += self._drain()
                current = self.control.current
                syncs[current] = syncs.get(current, 0) + 1
                if syncs[current] > MOST_SYNCS:
                    self._stopped = f"{current[0]} {current[1].name}"
                    return seen
                if self.control.made > MOST_MADE:
                    most = f"{MOST_MADE} objects are the most that are made in one go"
                    self._stopped = f"{current[0]} {current[1].name}: {most}"
                    return seen
            if self.placing.run():
                seen += self._drain()
            elif not self.manager.waiting:
                return seen

    def _drain(self) -> list[Write]:
        journal = self.store.journal or []
        if not journal:
            return []
        self.store.journal = []
        self._see(journal)
        return journal

    def _see(self, writes: list[Write]) -> None:
        self.manager.see(writes)
        self.kubelet.see(writes)
        self.placing.see(writes)


def _identify(store: Store) -> None:
    """Give what is stored without them what every server gives: a uid, and a generation where the kind has one.

    Without a uid an object could own nothing.
    """
    journal, store.journal = store.journal, None
    for key, value in store.items():
        meta = dict(value["metadata"])
        if not meta.get("uid"):
            meta["uid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(key)))
        if f"{key.group}/{key.kind}" in GENERATION:
            meta.setdefault("generation", 1)
        if meta != value["metadata"]:
            store.put({**value, "metadata": meta})
    store.journal = journal
