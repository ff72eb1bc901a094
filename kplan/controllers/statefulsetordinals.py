"""The numbers of a StatefulSet's pods.

Follows pkg/controller/statefulset/stateful_set_utils.go and KEP-3335 (spec.ordinals.start).
"""

from __future__ import annotations

import re
from typing import Any

Value = dict[str, Any]

_NAME = re.compile(r"(.*)-([0-9]+)")


def ordinal(pod: Value) -> int:
    """The number at the end of the name of a pod; -1 without one."""
    parts = _NAME.fullmatch(pod["metadata"]["name"])
    return int(parts[2]) if parts else -1


def is_member(owner: Value, pod: Value) -> bool:
    """Whether a pod is named as one of the set."""
    parts = _NAME.fullmatch(pod["metadata"]["name"])
    return parts is not None and parts[1] == owner["metadata"]["name"]


def size(owner: Value) -> int:
    """The wanted number of pods."""
    wanted = owner["spec"].get("replicas")
    return 1 if wanted is None else int(wanted)


def first(owner: Value) -> int:
    """The number of the first pod of the set."""
    return int((owner["spec"].get("ordinals") or {}).get("start") or 0)


def wanted(owner: Value) -> range:
    """The numbers of the pods that the set is to have."""
    return range(first(owner), first(owner) + size(owner))


def is_wanted(owner: Value, pod: Value) -> bool:
    """Whether the set is to have a pod of this number."""
    return ordinal(pod) in wanted(owner)
