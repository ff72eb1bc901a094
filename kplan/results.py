"""The frozen data of a cluster that was brought to rest: what became of it, and on which way. A leaf like model.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Workload(NamedTuple):
    """A workload that no other one made, or a pod of its own: how many pods are ready, and how many there should be.

    Of a Job these are the pods that have succeeded. `state` says what the numbers do not: `paused`, `suspended`,
    `complete`, `failed`, or is empty.
    """

    kind: str
    namespace: str
    name: str
    ready: int
    wanted: int
    is_ready: bool
    state: str = ""


class Reason(NamedTuple):
    """One reason, in a word and in a sentence, and the objects (`Kind/name`) that it holds for."""

    reason: str
    message: str
    objects: tuple[str, ...]


class Unready(NamedTuple):
    """A workload or claim that is not ready in the end, and why. `ready` and `wanted` are 0 and 1 for a claim."""

    kind: str
    namespace: str
    name: str
    ready: int
    wanted: int
    reasons: tuple[Reason, ...]


class Told(NamedTuple):
    """An event `after` so many seconds. It is not `certain` where a real cluster may draw otherwise."""

    after: float
    type: str
    reason: str
    message: str
    kind: str
    namespace: str
    name: str
    certain: bool = True


class Step(NamedTuple):
    """A moment `after` so many seconds at which all controllers had come to rest.

    `action` is what a kubelet did before (empty: nothing), `changes` what was written since the step before, `counts`
    the numbers of workloads that are new (`deployment/namespace/name`; None for one that is gone), in the order of the
    table in kplan/rests.py.
    """

    after: float
    action: str
    changes: tuple[str, ...]
    counts: Mapping[str, tuple[int, ...] | None]


@dataclass(frozen=True, slots=True)
class Results:
    """What became of a cluster. `statuses` are the words of `kubectl get pods` by namespace and name.

    `lasted` is the time in seconds until it was at rest. `unsettled` names what never came to rest.
    """

    workloads: tuple[Workload, ...] = ()
    unready: tuple[Unready, ...] = ()
    events: tuple[Told, ...] = ()
    steps: tuple[Step, ...] = ()
    statuses: Mapping[tuple[str, str], str] = field(default_factory=dict)
    lasted: float = 0.0
    unsettled: str = ""

    @property
    def warnings(self) -> tuple[Told, ...]:
        """The events that warn."""
        return tuple(e for e in self.events if e.type == "Warning")

    @property
    def is_ready(self) -> bool:
        """Whether every workload is ready, and the cluster at rest."""
        return not self.unsettled and all(w.is_ready for w in self.workloads)
