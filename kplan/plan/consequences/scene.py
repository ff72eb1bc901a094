"""What the consequences of an action are found from: both sides whole, and the rehearsal if there was one."""

from __future__ import annotations

from collections.abc import Mapping

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Action, Key
from kplan.plan.sides import DEFAULT, Side, Workload, namespace_of, replicas
from kplan.plan.values import get, items
from kplan.record import record

if TYPE_CHECKING:
    from kplan.plan.cast import Act
    from kplan.plan.rehearsal import Run

Value = dict[str, Any]
Written = Mapping[Key, Value]

# What the counts of a kind are called: all pods, those of the new template, ready and available ones.
_COUNTS: Mapping[str, tuple[str, str, str, str]] = {
    "Deployment": ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
    "ReplicaSet": ("replicas", "replicas", "readyReplicas", "availableReplicas"),
    "StatefulSet": ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
    "DaemonSet": ("currentNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable"),
}


@record
class Moment:
    """The pods of one workload at a rest: all, those of the new template, the ready and the available ones."""

    pods: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0


@record
class Course:
    """What became of one workload in the rehearsal.

    `old` and `new` are its pods before the first action and after the last, `asked` how many it asked for then.
    `moments` are its counts before the first action and at every rest since, None while it was not there.
    """

    key: Key
    old: tuple[Value, ...]
    new: tuple[Value, ...]
    moments: tuple[Moment | None, ...]
    asked: tuple[int, int]

    @property
    def gone(self) -> int:
        """The number of pods that did not stay."""
        return len(self.old) - len(self.stayed)

    @property
    def come(self) -> int:
        """The number of pods that are new."""
        return len(self.new) - len(self.stayed)

    @property
    def stayed(self) -> list[Value]:
        """The pods from before that are still there."""
        before = {p["metadata"].get("uid") for p in self.old}
        return [p for p in self.new if p["metadata"].get("uid") in before]

    @property
    def steps(self) -> list[Moment]:
        """The moments at which pods of the new template came."""
        found, known = [], 0
        changed = False
        for moment in self.moments[1:]:
            changed = changed or moment != self.moments[0]
            if changed and moment is not None:
                if moment.updated > known:
                    found.append(moment)
                known = moment.updated
        return found


@record
class Scene:
    """Both sides in full, what people wrote (by the identity in the plan), the actions, and the rehearsal if any."""

    old: Side
    new: Side
    written: tuple[Written, Written]
    acts: Mapping[Key, Act]
    run: Run | None = None

    def act(self, action: Action) -> Act | None:
        """The action with the whole objects; None for a custom resource and whatever else was not looked at."""
        return self.acts.get(action.ref.key)

    def course(self, key: Key) -> Course | None:
        """What became of a workload, None if nobody can tell: no rehearsal, or no controller looked after it.

        How many pods a DaemonSet has is known only if the nodes are.
        """
        run = self.run
        if run is None or not run.is_simulated(key) or (key.kind == "DaemonSet" and not run.nodes):
            return None
        names = _COUNTS.get(key.kind)
        moments = [_moment(counts, names) for counts in run.series(key)] if names else []
        old, new = (tuple(run.pods(side, key)) for side in (run.before, run.after))
        asked = wanted(run.before.get(key)), wanted(run.after.get(key))
        return Course(key, old, new, tuple(moments), asked)

    def is_missing(self, kind: str, name: str, namespace: str) -> bool:
        """Whether an object surely is not there: its kind was read whole from a server, and it is not among it."""
        if self.new.find(kind, name, namespace) is not None or self.old.find(kind, name, namespace) is not None:
            return False
        return self.old.is_whole(kind, namespace)


def _moment(counts: Mapping[str, int], names: tuple[str, str, str, str]) -> Moment | None:
    return Moment(*(counts.get(n, 0) for n in names)) if counts else None


def key_of(workload: Workload) -> Key:
    """Where the server keeps a workload."""
    return workload.ref.key._replace(namespace=namespace_of(workload.value))


def wanted(value: Value | None) -> int:
    """How many pods a workload asks for; 0 without one."""
    if value is None:
        return 0
    if value.get("kind") == "Job":
        parallelism = get(value, ("spec", "parallelism"))
        return parallelism if isinstance(parallelism, int) else 1
    return replicas(value)


def is_up(pod: Value) -> bool:
    """Whether a pod is ready."""
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in items(pod, "status", "conditions"))


def in_namespace(act: Act) -> str:
    """The namespace of an action's object."""
    return act.key.namespace or DEFAULT
