"""What the server warns of when an object changes, where that is less than when it is made.

Follows the WarningsOnUpdate of pkg/registry/*/strategy.go: pods change too often for that, a pod template is looked at
where the generation has changed, and what was settled with the creation, as the name was, is not said again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kplan.api.warnings import kinds, pods
from kplan.hints import Any

Value = dict[str, Any]
Source = Callable[[Value, int], Iterable[str]]

_TEMPLATE = pods.template_at("spec.template")


def _nothing(obj: Value, minor: int) -> Iterable[str]:  # noqa: ARG001 - a source's signature
    return ()


# Where it is another source than for a new object: what is said, and what only where the generation has changed.
_SOURCES: Mapping[tuple[str, str], tuple[Source, Source]] = {
    ("", "Pod"): (_nothing, _nothing),
    ("networking.k8s.io", "Ingress"): (_nothing, _nothing),
    ("", "PodTemplate"): (_nothing, pods.template_at("template")),
    ("", "ReplicationController"): (_nothing, _TEMPLATE),
    ("apps", "Deployment"): (_nothing, _TEMPLATE),
    ("apps", "ReplicaSet"): (_nothing, _TEMPLATE),
    ("apps", "DaemonSet"): (_nothing, _TEMPLATE),
    ("apps", "StatefulSet"): (kinds.claims_and_history, _TEMPLATE),
    ("batch", "Job"): (_nothing, _TEMPLATE),
    ("batch", "CronJob"): (_nothing, pods.template_at("spec.jobTemplate.spec.template")),
}


def of(new: Value, old: Value, kind: tuple[str, str], source: Source | None, minor: int) -> list[str]:
    """The warnings of an object in place of `old`; `source` has those of a new one of this group and kind."""
    always, changed = _SOURCES.get(kind, (source or _nothing, _nothing))
    found = list(always(new, minor))
    if new["metadata"].get("generation") != old["metadata"].get("generation"):
        found += changed(new, minor)
    if kind == ("", "ServiceAccount") and kinds.MOUNTABLE in (old["metadata"].get("annotations") or {}):
        return []
    return found
