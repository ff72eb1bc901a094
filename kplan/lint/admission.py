"""The stage that asks the API server: each cause of a refusal is a finding, and so is each warning."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.api import admit
from kplan.lint.draft import Draft
from kplan.model import Admission, Cause, Object
from kplan.workloads import POD_PATHS, get, pod_template

REFUSED, WARNED, PARTIAL, CRASH = "api-server", "api-warning", "partial-object", "rule-crash"
RULES = (REFUSED, WARNED, PARTIAL)
# Said by rules of their own, which know where and what instead.
_SAID_ELSEWHERE = (" is deprecated in v", "would violate PodSecurity")
# True of one cluster and not of another: how its network is laid out.
_OF_ONE_CLUSTER = ("failed to allocate IP", "not configured on this cluster", "cluster is not configured for")


def judge(obj: Object, version: str, *, pieces: bool) -> list[Draft]:
    """What the API server of a release says about the creation of this object.

    `pieces` says that something will complete the object before it is applied: what is missing is no fault then.
    """
    if _is_partial(obj):
        return [Draft(PARTIAL, obj, ("spec",), {"missing": "selector and no containers"})]
    try:
        answer = admit(obj.value, version=version)
    except Exception as error:  # noqa: BLE001 - a fault here must not hide what the rules find
        return [Draft(CRASH, obj, (), {"failed": "the API server stage", "error": type(error).__name__})]
    return [*_refusals(obj, answer, pieces), *_warnings(obj, answer)]


def _is_partial(obj: Object) -> bool:
    """Whether a workload lacks all that it cannot be without."""
    if obj.ref.kind not in POD_PATHS or obj.ref.kind in ("Pod", "PodTemplate"):
        return False
    pod = pod_template(obj.value)
    return get(obj.value, "spec", "selector") is None and (pod is None or not pod.spec.get("containers"))


def _warnings(obj: Object, answer: Admission) -> Iterator[Draft]:
    if not answer.warnings:
        return
    from kplan.lint import fieldpath

    for warning in answer.warnings:
        if not any(part in warning for part in _SAID_ELSEWHERE):
            field, _ = fieldpath.leading(warning)
            yield Draft(WARNED, obj, fieldpath.parse(field, obj.value), {"problem": warning})


def _refusals(obj: Object, answer: Admission, pieces: bool) -> Iterator[Draft]:
    if answer.accepted:
        return
    from kplan.lint import fieldpath

    if not answer.causes:
        yield Draft(REFUSED, obj, (), {"problem": answer.message})
    for cause in answer.causes:
        if any(part in cause.message for part in _OF_ONE_CLUSTER) or (pieces and _is_lack(cause)):
            continue
        path = fieldpath.parse(cause.field, obj.value) if cause.field not in ("", "<nil>") else ()
        text = f"{cause.field}: {cause.message}" if cause.field else cause.message
        yield Draft(REFUSED, obj, path, {"problem": text})


def _is_lack(cause: Cause) -> bool:
    return cause.reason == "FieldValueRequired" or "`selector` does not match template `labels`" in cause.message
