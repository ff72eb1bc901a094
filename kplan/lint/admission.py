"""The stage that asks the API server: each cause of a refusal is a finding, and so is each warning."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.api import admit
from kplan.lint import fieldpath
from kplan.lint.draft import Draft
from kplan.model import Admission, Object

REFUSED, WARNED, CRASH = "api-server", "api-warning", "rule-crash"
# Said by rules of their own, which know where and what instead.
_SAID_ELSEWHERE = (" is deprecated in v", "would violate PodSecurity")


def judge(obj: Object, version: str) -> list[Draft]:
    """What the API server of a release says about the creation of this object."""
    try:
        answer = admit(obj.value, version=version)
    except Exception as error:  # noqa: BLE001 - a fault here must not hide what the rules find
        return [Draft(CRASH, obj, (), {"failed": "the API server stage", "error": type(error).__name__})]
    return [*_refusals(obj, answer), *_warnings(obj, answer)]


def _warnings(obj: Object, answer: Admission) -> Iterator[Draft]:
    for warning in answer.warnings:
        if not any(part in warning for part in _SAID_ELSEWHERE):
            field, _ = fieldpath.leading(warning)
            yield Draft(WARNED, obj, fieldpath.parse(field, obj.value), {"problem": warning})


def _refusals(obj: Object, answer: Admission) -> Iterator[Draft]:
    if not answer.accepted and not answer.causes:
        yield Draft(REFUSED, obj, (), {"problem": answer.message})
    for cause in answer.causes:
        path = fieldpath.parse(cause.field, obj.value) if cause.field not in ("", "<nil>") else ()
        text = f"{cause.field}: {cause.message}" if cause.field else cause.message
        yield Draft(REFUSED, obj, path, {"problem": text})
