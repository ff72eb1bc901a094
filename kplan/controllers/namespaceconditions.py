"""The conditions of a namespace that is being deleted.

Follows pkg/controller/namespace/deletion/status_condition_utils.go: five conditions, each False when all is well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

Value = dict[str, Any]

_FINE = (
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
)


class Remainder(NamedTuple):
    """What a pass left behind: how many objects of each `resource.group`, their finalizers, and what went wrong.

    `estimate` is in seconds. `counts` is None where a pass stopped at the pods and did not look at the rest.
    """

    counts: Counter[str] | None
    finalizers: Counter[str]
    errors: list[str]
    estimate: int

    @property
    def is_empty(self) -> bool:
        """Whether everything is gone."""
        return self.counts is not None and not self.counts


def with_conditions(namespace: Value, rest: Remainder, now: str) -> Value:
    """The status of a namespace after a pass; a condition keeps its time while it says the same."""
    status = namespace.get("status") or {}
    bad = _bad(rest)
    conditions = list(status.get("conditions") or ())
    known = {c.get("type"): i for i, c in enumerate(conditions)}
    for kind, reason, message in _FINE:
        state = "False"
        if kind in bad:
            state, (reason, message) = "True", bad[kind]
        new = {"type": kind, "status": state, "lastTransitionTime": now, "reason": reason, "message": message}
        at = known.get(kind)
        if at is None:
            conditions.append(new)
        else:
            since = conditions[at].get("lastTransitionTime", now)
            conditions[at] = {**new, **({"lastTransitionTime": since} if conditions[at].get("status") == state else {})}
    return {**status, "conditions": conditions}


def _bad(rest: Remainder) -> dict[str, tuple[str, str]]:
    """The conditions that are True, with reason and message."""
    found = {}
    if rest.errors:
        what = rest.errors[0] if len(rest.errors) == 1 else f"[{', '.join(rest.errors)}]"
        message = f"Failed to delete all resource types, {len(rest.errors)} remaining: {what}"
        found["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", message)
    if rest.counts:
        parts = _sorted(f"{name} has {n} resource instances" for name, n in rest.counts.items())
        message = f"Some resources are remaining: {parts}"
        found["NamespaceContentRemaining"] = ("SomeResourcesRemain", message)
    if rest.finalizers:
        parts = _sorted(f"{name} in {n} resource instances" for name, n in rest.finalizers.items())
        message = f"Some content in the namespace has finalizers remaining: {parts}"
        found["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", message)
    return found


def _sorted(parts: Iterable[str]) -> str:
    return ", ".join(sorted(parts))
