"""One action of a kubelet at a time, so that a rollout is a sequence of steps.

Remove a pod that is being deleted, else start one that is bound, else end one whose containers end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import Any, NamedTuple

from kplan.controllers import pods
from kplan.controllers.control import Control, controller_of
from kplan.kubelet import restarts
from kplan.kubelet.outcomes import Script, outcome_of
from kplan.kubelet.starting import begin, with_sidecars_ended
from kplan.kubelet.status import finished, restarted
from kplan.model import Key
from kplan.store import Write, ref_of

Value = dict[str, Any]

GONE, START, EXIT = "gone", "start", "exit"
_ORDER = (GONE, START, EXIT)
_INDEX = "batch.kubernetes.io/job-completion-index"


class Action(NamedTuple):
    """What a kubelet does next, and to which pod."""

    verb: str
    key: Key

    def __str__(self) -> str:
        return f"{self.verb} {self.key.name}"


class Kubelet:
    """Watches pods, and does one thing when it is asked to."""

    def __init__(self, control: Control, script: Script | None = None) -> None:
        self.control = control
        self.script = script
        self._work: dict[Key, tuple[str, tuple[Any, ...]]] = {}  # what is to be done with a pod, and its turn
        self._turns: dict[str, list[tuple[tuple[Any, ...], Key]]] = {
            verb: [] for verb in _ORDER
        }  # heaps, with leftovers
        self._stopped: set[Key] = set()  # pods that could not be started, and nothing has changed about that
        self._lacking: dict[Key, set[Key]] = {}  # objects that pods wait for, and these pods

    def see(self, writes: Iterable[Write]) -> None:
        """Take note of changed pods."""
        writes = [changed for write in writes for changed in (write, *self._on_node(write))]
        for write in writes:
            if write.key.kind == "Pod" and not write.key.group:
                self._sort(write.key, self.control.get(write.key))  # it may have gone since
            for key in self._lacking.pop(write.key, ()):
                self._stopped.discard(key)
                self._sort(key, self.control.get(key))

    def _sort(self, key: Key, pod: Value | None) -> None:
        verb = self._verb(pod) if pod is not None else ""
        if verb != START:
            self._stopped.discard(key)
        elif key in self._stopped:
            verb = ""
        if not verb or pod is None:
            self._work.pop(key, None)
            return
        work = (verb, self._turn(key, pod))
        if self._work.get(key) != work:
            self._work[key] = work
            heappush(self._turns[verb], (work[1], key))

    def _verb(self, pod: Value) -> str:
        """What is to be done with a pod, if anything."""
        node = pod["spec"].get("nodeName")
        if not node or self.control.find("Node", node) is None:
            return ""
        if pods.is_terminating(pod):
            to_stop = _is_of_job(pod) and not pods.has_ended(pod)
            return GONE if to_stop or pod["metadata"].get("deletionGracePeriodSeconds") else ""
        outcome = outcome_of(pod, self.script, self.control)
        if pods.phase(pod) == "Pending":
            return START
        if pods.phase(pod) == "Running" and outcome.ends(pod):
            return EXIT
        return ""

    def _turn(self, key: Key, pod: Value) -> tuple[Any, ...]:
        """Older owners first; pods of one owner by index, node or age."""
        store, ref = self.control.store, controller_of(pod)
        owner = self.control.find(ref["kind"], ref["name"], key.namespace) if ref is not None else None
        if ref is None or owner is None:
            return (store.born(key), 0, "", 0)
        first = self._birth(owner)
        if ref["kind"] == "StatefulSet":
            ordinal = key.name.rpartition("-")[2]
            return (first, int(ordinal) if ordinal.isdigit() else 0, "", 0)
        if ref["kind"] == "DaemonSet":
            return (first, 0, pod["spec"].get("nodeName") or "", store.born(key))
        index = (pod["metadata"].get("annotations") or {}).get(_INDEX, "")
        return (first, int(index) if index.isdigit() else 0, "", store.born(key))

    def _birth(self, owner: Value) -> float:
        """The age of an owner: a set that came in the same moment as its Deployment came right after it.

        A real controller is faster than whoever applies one object after the other.
        """
        born = self.control.store.born
        ref = controller_of(owner)
        above = self.control.find(ref["kind"], ref["name"], owner["metadata"]["namespace"]) if ref is not None else None
        moments = {o["metadata"].get("creationTimestamp") for o in (owner, above) if o is not None}
        if above is None or len(moments) > 1:
            return born(ref_of(owner).key)
        return born(ref_of(above).key) + 0.5

    def _on_node(self, write: Write) -> Iterator[Write]:
        """The pods of a node that came or went: its kubelet came or went with it."""
        if write.key.kind == "Node" and not write.key.group and (write.old is None or write.new is None):
            for pod in self.control.store.all("Pod"):
                if pod["spec"].get("nodeName") == write.key.name:
                    yield Write(ref_of(pod).key, pod, pod)

    def next(self) -> Action | None:
        """The next action, None if there is nothing to do."""
        for verb in _ORDER:
            turns = self._turns[verb]
            while turns:
                turn, key = turns[0]
                if self._work.get(key) == (verb, turn):
                    return Action(verb, key)
                heappop(turns)
        return None

    def act(self, action: Action) -> None:
        """Carry out an action."""
        pod = self.control.get(action.key)
        assert pod is not None
        {GONE: self._remove, START: self._start, EXIT: self._exit}[action.verb](pod)

    def _remove(self, pod: Value) -> None:
        """The containers have stopped; the pod goes, or waits for its finalizers."""
        control = self.control
        if _is_of_job(pod) and not pods.has_ended(pod):
            pod = control.status(pod, finished(pod, 143, control.now))
        control.delete(pod, grace=0)

    def _start(self, pod: Value) -> None:
        """Start what can be started; the rest waits until the objects that it lacks change."""
        key, control = ref_of(pod).key, self.control
        outcome = outcome_of(pod, self.script, control)
        begun = begin(pod, outcome, self._address(pod), self.script, control)
        if begun.stopped:
            self._stopped.add(key)
            for lacking in begun.waits_for:
                self._lacking.setdefault(lacking, set()).add(key)
            self._sort(key, pod)
        control.status(pod, begun.status)
        for event in begun.events:
            control.event(pod, *event)

    def _exit(self, pod: Value) -> None:
        outcome, now = outcome_of(pod, self.script, self.control), self.control.now
        code = outcome.exit_code or 0
        again = restarts.again(pod, code)
        status = restarted(pod, code, again, now) if again else finished(pod, code, now)
        self.control.status(pod, with_sidecars_ended(pod, status, now))

    def _address(self, pod: Value) -> str:
        """An address of its own for each pod, from the usual range of pod networks."""
        number = self.control.store.born(ref_of(pod).key)
        return f"10.{64 + (number >> 16) % 64}.{(number >> 8) % 256}.{number % 256}"


def _is_of_job(pod: Value) -> bool:
    """Whether somebody looks at how a pod ends before it goes."""
    return (controller_of(pod) or {}).get("kind") == "Job"
