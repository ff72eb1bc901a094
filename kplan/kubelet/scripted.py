"""What a script may call a pod: its name, the workloads above it, its images; each also with `*`, `?` and `[…]`.

A name may carry its namespace (`shop/web`). The exact one goes before a pattern, the pod before its workload, that
before an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from kplan.controllers.control import controller_of
from kplan.store import Store

Value = dict[str, Any]
T = TypeVar("T")

_SIGNS = frozenset("*?[")
_HIGHEST = 3  # owners: a ReplicaSet and its Deployment, a Job and its CronJob


def scripted(pod: Value, script: Mapping[str, T], store: Store) -> T | None:
    """What a script says of a pod; None if it says nothing."""
    names = names_of(pod, store)
    for name in names:
        if name in script:
            return script[name]
    patterns = [pattern for pattern in script if not _SIGNS.isdisjoint(pattern)]
    return next((script[p] for p in patterns for name in names if fnmatchcase(name, p)), None)


def matches(pattern: str, name: str) -> bool:
    """Whether an entry of a script means this name."""
    return pattern == name or (not _SIGNS.isdisjoint(pattern) and fnmatchcase(name, pattern))


def names_of(pod: Value, store: Store) -> list[str]:
    """All that a pod may be called, the closest first."""
    namespace = str(pod["metadata"].get("namespace") or "")
    names, obj = [str(pod["metadata"]["name"])], pod
    for _ in range(_HIGHEST):
        ref = controller_of(obj)
        found = store.find(str(ref.get("kind")), str(ref.get("name")), namespace) if ref is not None else None
        if found is None:
            break
        names.append(str(found["metadata"]["name"]))
        obj = found
    images = [str(c.get("image") or "") for c in pod["spec"].get("containers") or ()]
    return [*(n for name in names for n in (name, f"{namespace}/{name}")), *images]
