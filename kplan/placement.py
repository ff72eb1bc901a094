"""The frozen data of a scheduling simulation, from the run to the renderers. A leaf like model.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from kplan.model import Decision, Skipped, Unreadable
from kplan.results import Results

CERTAINTIES = ("deterministic", "tie", "sampled", "unsupported")


class Placement(NamedTuple):
    """What became of one pod in a run of the scheduler over many.

    `ties` is how many nodes shared the top score, `evicted` the names of the pods that had to go for it. Without a
    node, `reason` and `message` are those of the PodScheduled condition. `before` is the node that it had been on.
    """

    namespace: str
    name: str
    node: str | None
    ties: int = 1
    certainty: str = "deterministic"
    reason: str = ""
    message: str = ""
    evicted: tuple[str, ...] = ()
    nominated: str = ""
    notes: tuple[str, ...] = ()
    before: str = ""

    @property
    def id(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name


class ResourceUse(NamedTuple):
    """How much of a resource the pods of a node request: cpu in millicores, everything else in its unit."""

    name: str
    requested: int
    allocatable: int


class NodeUse(NamedTuple):
    """What a node holds in the end. `origin` is empty, `added` or `drained`."""

    name: str
    pods: int
    max_pods: int
    resources: tuple[ResourceUse, ...]
    origin: str = ""


class Explanation(NamedTuple):
    """The scheduler's whole answer for one pod, over the nodes in visiting order."""

    pod: str
    decision: Decision
    nodes: tuple[str, ...]


class Capacity(NamedTuple):
    """How many copies of a pod fit besides everything else, where they went, and why the next one does not fit."""

    pod: str
    copies: int
    by_node: Mapping[str, int]
    message: str


class Needed(NamedTuple):
    """How many more nodes like `like` place every pod that more such nodes can place; the rest stays `pending`."""

    like: str
    nodes: int
    pending: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Where everything goes. `pool` says where the nodes came from, `notes` what was not simulated.

    `results` are those of a cluster that was brought to rest; None where pods were only placed.
    """

    version: str
    pool: str
    placements: tuple[Placement, ...]
    nodes: tuple[NodeUse, ...]
    explanation: Explanation | None = None
    capacity: Capacity | None = None
    needed: Needed | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    results: Results | None = None

    @property
    def pending(self) -> tuple[Placement, ...]:
        """The pods without a node."""
        return tuple(p for p in self.placements if p.node is None)

    @property
    def is_well(self) -> bool:
        """Whether every pod has a node, and every workload is ready as far as that was followed."""
        return not self.pending and (self.results is None or self.results.is_ready)
