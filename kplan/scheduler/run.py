"""The scheduler over all pods that wait: in queue order, each placement seen by the next pod.

Follows pkg/scheduler (backend/queue/scheduling_queue.go, schedule_one.go) without its clock: a pod that did not fit
is tried again whenever something was placed or evicted since, until a whole round changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kplan.model import Decision
from kplan.placement import Placement
from kplan.scheduler import cycle, fast
from kplan.scheduler.fields import text
from kplan.scheduler.plugins import volume_binding
from kplan.scheduler.pod import Pod, Shape
from kplan.scheduler.profile import Profile
from kplan.scheduler.snapshot import Snapshot

PodId = tuple[str, str]

PREEMPTED = "Preempted"


def in_queue_order(pods: Iterable[Pod]) -> list[Pod]:
    """The pods as the active queue gives them out: by priority, then by age, then as they came."""
    return sorted(pods, key=lambda p: (-p.shape.priority, text(p.value, "metadata", "creationTimestamp") or "~"))


class Scheduler:
    """Places pods one after the other in a snapshot, which it changes.

    With `plain` every pod goes the plain path; the placements are the same. `explain` names pods whose last full
    Decision is kept in `decisions`.
    """

    def __init__(
        self,
        cluster: Snapshot,
        profiles: Mapping[str, Profile],
        *,
        plain: bool = False,
        explain: Iterable[PodId] = (),
    ) -> None:
        self.cluster = cluster
        self.profiles = profiles
        self.plain = plain
        self.explain = frozenset(explain)
        self.decisions: dict[PodId, Decision] = {}
        self._boards: dict[Shape, fast.Board | None] = {}
        self._refused: dict[Shape, tuple[int, Decision]] = {}
        self._expected: dict[Shape, int] = {}

    def run(self, pods: Iterable[Pod]) -> list[Placement]:
        """What becomes of the pods, and of those that had to go for them, in the order of their last attempt.

        A pod that is evicted comes back as a waiting one if a controller would replace it.
        """
        placements: dict[PodId, Placement] = {}
        queue = in_queue_order(pods)
        for _ in range(2 * len(queue) + 1):  # every round but the last places a pod, or evicts one for another
            before, waiting = len(self.cluster.log), []
            self.expect(Counter(p.shape for p in queue))
            for pod in queue:
                placement, victims = self._settle(pod)
                placements.pop(pod.id, None)
                placements[pod.id] = placement
                for victim in victims:
                    placements[victim.id] = _preempted(victim, pod)
                waiting += [_again(v) for v in victims if v.shape.owner is not None]
                if placement.node is None:
                    waiting.append(pod)
            if len(self.cluster.log) == before:
                break
            queue = in_queue_order(waiting)
        return list(placements.values())

    def expect(self, shapes: Mapping[Shape, int]) -> None:
        """How many pods of each shape are about to come: for one alone no board is made."""
        self._expected = dict(shapes)

    def place(self, pod: Pod) -> tuple[Placement, tuple[Pod, ...]]:
        """Find a node for one pod and put it there; or say which pods have to go first, and wait for their node."""
        profile = self.profiles.get(pod.shape.scheduler)
        if profile is None:
            note = f"scheduler {pod.shape.scheduler} is not simulated"
            self.decisions[pod.id] = Decision(certainty=cycle.UNSUPPORTED, notes=(note,))
            return _placement(pod, self.decisions[pod.id]), ()
        if not (self.plain or pod.id in self.explain) and fast.suits(pod, self.cluster):
            found = self._from_board(pod, profile)
            if found is not None:
                return found, ()
        decision, victims = self._attempt(pod, profile)
        if pod.id in self.explain:
            self.decisions[pod.id] = decision
        if decision.node is not None:
            node = self.cluster.by_name[decision.node]
            volume_binding.reserve(pod, node, self.cluster)
            self.cluster.add(pod, node)
        elif victims:
            self.cluster.nominate(pod, decision.nominated)
        return _placement(pod, decision), victims

    def _settle(self, pod: Pod) -> tuple[Placement, tuple[Pod, ...]]:
        """`place`, and when pods have to go, what follows once they are gone."""
        placement, victims = self.place(pod)
        if not victims:
            return placement, ()
        node = self.cluster.by_name[placement.nominated]
        for other in tuple(self.cluster.nominated.get(node.name, ())):
            if other.shape.priority < pod.shape.priority:
                self.cluster.nominate(other, "")
        for victim in victims:
            self.cluster.remove(victim, node)
        after, more = self.place(pod)
        return after._replace(evicted=placement.evicted + after.evicted), victims + more

    def _attempt(self, pod: Pod, profile: Profile) -> tuple[Decision, tuple[Pod, ...]]:
        """The plain path; a refusal of a pod of the same shape still holds if nothing has happened since."""
        alike = cycle.depends_on_shape_only(pod) and not self.cluster.nominated
        known = self._refused.get(pod.shape) if alike else None
        if known is not None and known[0] == len(self.cluster.log):
            return known[1], ()
        decision, victims = cycle.attempt(pod, self.cluster, profile)
        if alike and decision.node is None and not victims:  # with victims, the next pod meets a nominated one
            self._refused[pod.shape] = (len(self.cluster.log), decision)
        return decision, victims

    def _from_board(self, pod: Pod, profile: Profile) -> Placement | None:
        """The fast path; None where it finds no node or does not apply."""
        shape = pod.shape
        more = self._expected[shape] = self._expected.get(shape, 0) - 1
        if shape not in self._boards:
            if more <= 0:
                return None  # a board for a single pod costs more than it saves
            self._boards[shape] = fast.board(pod, self.cluster, profile)
        board = self._boards[shape]
        if more <= 0:
            del self._boards[shape]
        best = board.best() if board is not None else None
        if best is None:
            return None
        self.cluster.add(pod, best.node)
        notes = cycle.notes_of(pod, profile)
        certainty = cycle.certainty(notes, best.ties, cycle.is_sampled(best.feasible, self.cluster, profile))
        return Placement(pod.namespace, pod.name, best.node.name, best.ties, certainty, notes=notes)


def _again(pod: Pod) -> Pod:
    """The pod that a controller makes in place of an evicted one, under the same name."""
    return replace(pod, node_name="", start="", deleting=False, nominated="")


def _preempted(victim: Pod, by: Pod) -> Placement:
    message = f"Preempted by pod {by.namespace}/{by.name}"
    return Placement(victim.namespace, victim.name, None, reason=PREEMPTED, message=message)


def _placement(pod: Pod, d: Decision) -> Placement:
    return Placement(
        pod.namespace,
        pod.name,
        d.node,
        max(1, len(d.tied)),
        d.certainty,
        d.reason,
        d.message,
        d.victims,
        d.nominated,
        d.notes,
    )
