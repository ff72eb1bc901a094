"""What the registry does to a new pod: its first status, and fields that follow from others.

Follows pkg/registry/core/pod/strategy.go and pkg/apis/core/helper/qos/qos.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan import resourcelist
from kplan.hints import Any

Value = dict[str, Any]

_COMPUTE = ("cpu", "memory")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
# The minors since which a feature is on by default.
_AFFINITY_LABEL_KEYS, _SPREAD_LABEL_KEYS, _APPARMOR_FIELDS, _POD_LEVEL_RESOURCES = 31, 34, 30, 34


def prepare(pod: Value, minor: int) -> None:
    """Set the status of a new pod and fill in what the server derives, in place."""
    spec = pod["spec"]
    given = pod["status"].get("qosClass")  # of the status, this alone is taken from the user
    pod["status"] = {"phase": "Pending", "qosClass": given or qos_class(spec, minor)}
    if spec.get("schedulingGates"):
        message = "Scheduling is blocked due to non-empty scheduling gates"
        condition = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": message}
        pod["status"]["conditions"] = [condition]
    labels = pod["metadata"].get("labels") or {}
    if minor >= _AFFINITY_LABEL_KEYS:
        for term in _affinity_terms(spec):
            _merge_label_keys(term, labels)
    if minor >= _SPREAD_LABEL_KEYS:
        for constraint in spec.get("topologySpreadConstraints") or ():
            _merge_label_keys(constraint, labels)
    if minor >= _APPARMOR_FIELDS:
        _apparmor(pod)


def qos_class(spec: Value, minor: int) -> str:
    """Guaranteed, Burstable or BestEffort."""
    holders: list[Value] = [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]
    own = spec.get("resources") or {}
    if minor >= _POD_LEVEL_RESOURCES and (own.get("requests") or own.get("limits")):
        holders = [spec]
    requests: resourcelist.Amounts = {}
    limits: resourcelist.Amounts = {}
    guaranteed = True
    for holder in holders:
        capped = _positive(holder, "limits")
        resourcelist.add(requests, _positive(holder, "requests"))
        resourcelist.add(limits, capped)
        guaranteed = guaranteed and len(capped) == len(_COMPUTE)
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if guaranteed and requests == limits else "Burstable"


def _positive(holder: Value, side: resourcelist.Side) -> resourcelist.Amounts:
    return {k: n for k, n in resourcelist.of_container(holder, side).items() if k in _COMPUTE and n > 0}


def _affinity_terms(spec: Value) -> Iterator[Value]:
    affinity = spec.get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(kind) or {}
        for weighted in rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}
        yield from rules.get("requiredDuringSchedulingIgnoredDuringExecution") or ()


def _merge_label_keys(term: Value, labels: dict[str, str]) -> None:
    """matchLabelKeys become expressions on the pod's own label values; no selector at all matches nothing anyway."""
    selector = term.get("labelSelector")
    if selector is None:
        return
    added = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for field, operator in (("matchLabelKeys", "In"), ("mismatchLabelKeys", "NotIn"))
        for key in term.get(field) or ()
        if key in labels
    ]
    if added:
        selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *added]


def _apparmor(pod: Value) -> None:
    """The old annotations become fields of containers that have none, where they differ from the pod's."""
    spec, annotations = pod["spec"], pod["metadata"].get("annotations") or {}
    if (spec.get("os") or {}).get("name") == "windows":
        return
    for role in ("containers", "initContainers", "ephemeralContainers"):
        for c in spec.get(role) or ():
            text = annotations.get(f"{_APPARMOR}{c.get('name')}")
            profile = _profile(text) if text is not None else None
            if profile is None or "appArmorProfile" in c.get("securityContext", {}):
                continue
            if profile != (spec.get("securityContext") or {}).get("appArmorProfile"):
                c.setdefault("securityContext", {})["appArmorProfile"] = profile


def _profile(text: str) -> Value | None:
    if text in ("unconfined", "runtime/default"):
        return {"type": "Unconfined" if text == "unconfined" else "RuntimeDefault"}
    prefix, slash, name = text.partition("/")
    if prefix == "localhost" and slash and name.strip() == name and 0 < len(name) <= 4095:
        return {"type": "Localhost", "localhostProfile": name}
    return None
