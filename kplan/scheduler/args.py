"""The arguments of the default plugins, as pkg/scheduler/apis/config/v1/defaults.go sets them."""

from __future__ import annotations

from dataclasses import dataclass

from kplan.scheduler.node import HOSTNAME, ZONE
from kplan.scheduler.pod import Spread
from kplan.scheduler.terms import NodeTerm

LEAST, MOST, RATIO = "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"
SYSTEM_SPREAD = (Spread(HOSTNAME, 3, False, None), Spread(ZONE, 5, False, None))


@dataclass(frozen=True, slots=True)
class Args:
    """What plugins may be told. `minor` is the release's; resources come as (name, weight).

    `ratio` is the shape of RequestedToCapacityRatio as (utilization, score), the score from 0 to 10.
    `system_spread` says that `default_spread` is the built-in one, which also counts nodes without a zone.
    """

    minor: int = 36
    strategy: str = LEAST
    fit_resources: tuple[tuple[str, int], ...] = (("cpu", 1), ("memory", 1))
    ratio: tuple[tuple[int, int], ...] = ()
    ignored_resources: frozenset[str] = frozenset()
    ignored_groups: frozenset[str] = frozenset()
    balanced_resources: tuple[str, ...] = ("cpu", "memory")
    hard_affinity_weight: int = 1
    ignore_preferred_of_others: bool = False
    added_required: tuple[NodeTerm, ...] | None = None
    added_preferred: tuple[NodeTerm, ...] = ()
    default_spread: tuple[Spread, ...] = SYSTEM_SPREAD
    system_spread: bool = True
    candidate_percentage: int = 10
    candidate_absolute: int = 100
