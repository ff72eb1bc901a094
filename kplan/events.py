"""What the parts of a simulated cluster report."""

from __future__ import annotations

from typing import NamedTuple


class Event(NamedTuple):
    """What a controller, the scheduler or a kubelet reports; `object` is `Kind/name`, `at` seconds since 1970.

    `certain` is false where the message names what a real cluster may draw otherwise: the node of a pod after a tie.
    """

    type: str
    reason: str
    message: str
    object: str
    namespace: str = ""
    at: float = 0.0
    certain: bool = True
