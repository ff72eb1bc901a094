"""Fields that the API server lets be updated only under conditions.

Follows pkg/apis/core/validation/validation.go (ValidateServiceUpdate, ValidatePodUpdate,
ValidatePersistentVolumeClaimUpdate, ValidateConfigMapUpdate, ValidateSecretUpdate) and pkg/apis/batch/validation
(ValidateJobUpdate). Each function answers one change of one field: (field, sentence), or None if it is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kplan import quantity
from kplan.hints import Any
from kplan.model import ABSENT, Change
from kplan.plan.patterns import Names, covers, parse
from kplan.plan.values import get
from kplan.tuples import NamedTuple

Value = dict[str, Any]
Refusal = tuple[str, str] | None

IMMUTABLE = "field is immutable"
SET_ONCE = "may not change once set"


class Leaf(NamedTuple):
    """One change and where it is."""

    names: Names
    change: Change


def _service(leaf: Leaf, before: Value, after: Value) -> Refusal:
    kinds = [get(v, ("spec", "type")) for v in (before, after)]
    if "ExternalName" in kinds:
        return None
    match leaf.names[:2]:
        case ("spec", "clusterIP"):
            return ("spec.clusterIPs[0]", SET_ONCE) if get(after, leaf.names) not in (ABSENT, None, "") else None
        case ("spec", "clusterIPs" | "ipFamilies"):
            # The secondary one may come and go with the ipFamilyPolicy.
            first = [_first(get(v, leaf.names[:2])) for v in (before, after)]
            return (f"spec.{leaf.names[1]}[0]", SET_ONCE) if all(first) and first[0] != first[1] else None
        case ("spec", "loadBalancerClass"):
            set_before = get(before, leaf.names) not in (ABSENT, None)
            return ("spec.loadBalancerClass", SET_ONCE) if set_before and kinds == ["LoadBalancer"] * 2 else None
        case ("spec", "healthCheckNodePort"):
            return ("spec.healthCheckNodePort", IMMUTABLE) if all(get(v, leaf.names) for v in (before, after)) else None
    return None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None


_CLAIM = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
_SHRINK = "field can not be less than status.capacity"


def _claim(leaf: Leaf, before: Value, after: Value) -> Refusal:
    storage = ("spec", "resources", "requests", "storage")
    if leaf.names[0] != "spec":
        return None
    if leaf.names[1:2] == ("volumeAttributesClassName",) and get(after, leaf.names) not in (ABSENT, None, ""):
        return None
    if leaf.names == ("spec", "volumeName") and leaf.change.op == "create":
        return None
    if leaf.names == storage:
        old, new = (quantity.normalise(get(v, storage)) for v in (before, after))
        shrinks = old is not None and new is not None and quantity.parse(new).nanos < quantity.parse(old).nanos
        return (".".join(storage), _SHRINK) if shrinks else None
    return "spec", _CLAIM


_FROZEN = "field is immutable when `immutable` is set"


def _frozen(leaf: Leaf, before: Value, after: Value) -> Refusal:  # noqa: ARG001
    if before.get("immutable") is True and leaf.names[0] in ("data", "binaryData", "stringData", "immutable"):
        return leaf.names[0], _FROZEN
    return None


# What a Job that is suspended and has never started may change in its template (KEP-2926, KEP-3838).
_SCHEDULING = tuple(
    parse(f"spec.template.{p}")
    for p in (
        "metadata.labels",
        "metadata.annotations",
        "spec.nodeSelector",
        "spec.affinity.nodeAffinity",
        "spec.tolerations",
        "spec.schedulingGates",
    )
)
_TANDEM = "can only be modified in tandem with spec.parallelism"


def _job(leaf: Leaf, before: Value, after: Value) -> Refusal:
    if leaf.names[:2] == ("spec", "template"):
        waits = get(before, ("spec", "suspend")) is True and get(before, ("status", "startTime")) is ABSENT
        free = waits and any(covers(p, leaf.names) for p in _SCHEDULING)
        return None if free else ("spec.template", IMMUTABLE)
    if leaf.names == ("spec", "completions"):
        if get(after, ("spec", "completionMode")) != "Indexed":
            return "spec.completions", IMMUTABLE
        in_tandem = get(after, ("spec", "completions")) == get(after, ("spec", "parallelism"))
        return None if in_tandem else ("spec.completions", _TANDEM)
    return None


_POD = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
_TOLERATION = "existing toleration can not be modified except its tolerationSeconds"
_GATES = ("spec", "schedulingGates")
_IMAGES = (parse("spec.containers.*.image"), parse("spec.initContainers.*.image"))


def _pod(leaf: Leaf, before: Value, after: Value) -> Refusal:
    if leaf.names[0] != "spec":
        return None
    if any(covers(p, leaf.names) for p in _IMAGES) and leaf.change.op == "update":
        return None
    match leaf.names[1:]:
        case ("containers" | "initContainers", _) if leaf.change.op in ("create", "delete"):
            return f"spec.{leaf.names[1]}", "pod updates may not add or remove containers"
        case ("activeDeadlineSeconds",):
            return _deadline(get(before, leaf.names), get(after, leaf.names))
        case ("tolerations", *_):
            kept = leaf.change.op == "create" or leaf.names[-1] == "tolerationSeconds"
            return None if kept else ("spec.tolerations", _TOLERATION)
        case ("schedulingGates", *_):
            added = leaf.change.op == "create"
            return (
                ("spec.schedulingGates", "only deletion is allowed, but found new scheduling gate") if added else None
            )
        case ("nodeSelector" | "affinity", *_) if get(before, _GATES) is not ABSENT and _narrows(leaf):
            return None
        case ("ephemeralContainers", *_):
            return None
    return "spec", _POD


def _narrows(leaf: Leaf) -> bool:
    """A gated pod may be given more conditions on its node, and other preferences (KEP-3838)."""
    if leaf.names[1] == "affinity" and leaf.names[2:3] not in ((), ("nodeAffinity",)):
        return False
    return leaf.change.op == "create" or "preferredDuringSchedulingIgnoredDuringExecution" in leaf.names


def _deadline(before: Any, after: Any) -> Refusal:
    if before in (ABSENT, None):
        return None
    if after in (ABSENT, None):
        return "spec.activeDeadlineSeconds", "must not update from a positive integer to nil value"
    if isinstance(after, int) and isinstance(before, int) and after > before:
        return "spec.activeDeadlineSeconds", "must be less than or equal to previous value"
    return None


CONDITIONS: Mapping[tuple[str, str], Callable[[Leaf, Value, Value], Refusal]] = {
    ("", "Service"): _service,
    ("", "PersistentVolumeClaim"): _claim,
    ("", "ConfigMap"): _frozen,
    ("", "Secret"): _frozen,
    ("", "Pod"): _pod,
    ("batch", "Job"): _job,
}
