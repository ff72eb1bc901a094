"""The stage that asks the API server: each cause of a refusal is a finding, and so is each warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kplan import release
from kplan.api import defaults
from kplan.api.pipeline import create, kind_of, verdict
from kplan.api.request import Server
from kplan.lint.draft import Draft
from kplan.model import Admission, Cause, Object, Value
from kplan.schema import KindInfo
from kplan.workloads import POD_PATHS, get, pod_template

REFUSED, WARNED, PARTIAL, CRASH = "api-server", "api-warning", "partial-object", "rule-crash"
RULES = (REFUSED, WARNED, PARTIAL)
# Said by rules of their own, which know where and what instead.
_SAID_ELSEWHERE = (" is deprecated in v", "would violate PodSecurity", "is forbidden: violates PodSecurity")
# True of one cluster and not of another: how its network is laid out.
_OF_ONE_CLUSTER = ("failed to allocate IP", "not configured on this cluster", "cluster is not configured for")

_POLICY, _BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"


def server_of(objects: Sequence[Object], version: str) -> Server:
    """Who is asked: an API server of a release that knows nothing but the mutating policies of the input, if any are at
    work there, and what these ask for."""
    if not any(o.ref.kind == _BINDING for o in objects):
        return Server(release.parse(version))
    from kplan.api.stored import stored
    from kplan.store import Store

    params = {str(get(o.value, "spec", "paramKind", "kind")) for o in objects if o.ref.kind == _POLICY}
    known = [o.value for o in objects if o.ref.kind in {_POLICY, _BINDING, "Namespace", *params}]
    held = [value for value, wrong in (stored(v, version) for v in known) if value is not None and not wrong]
    return Server(release.parse(version), Store(held), open_world=True)


def decoded(obj: Object, server: Server) -> tuple[Value, KindInfo] | None:
    """The object as the API server reads it, with its kind; None if it is of no built-in kind, or faulty."""
    value = obj.value
    try:
        info = kind_of(value, server)
        return (defaults.decoded(value, info, server.minor), info) if info and not info.custom else None
    except Exception:  # noqa: BLE001 - whatever it is, `judge` meets it again
        return None


def judge(
    obj: Object, server: Server, new: tuple[Value, KindInfo] | None = None, *, pieces: bool = False
) -> list[Draft]:
    """What the API server says about the creation of this object; `new` is what `decoded` gave, which is used up.

    `pieces` says that something will complete the object before it is applied: what is missing is no fault then.
    """
    if _is_partial(obj):
        return [Draft(PARTIAL, obj, ("spec",), {"missing": "selector and no containers"})]
    try:
        answer = verdict(*new, server) if new else create(obj.value, server)
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
    from kplan.lint.sentences import place

    for warning in answer.warnings:
        if not any(part in warning for part in _SAID_ELSEWHERE):
            yield Draft(WARNED, obj, place(warning, obj.value), {"problem": warning})


def _refusals(obj: Object, answer: Admission, pieces: bool) -> Iterator[Draft]:
    if answer.accepted:
        return
    from kplan.lint import fieldpath
    from kplan.lint.sentences import place

    if not answer.causes and not any(part in answer.message for part in _SAID_ELSEWHERE):
        yield Draft(REFUSED, obj, place(answer.message, obj.value), {"problem": answer.message})
    for cause in answer.causes:
        if any(part in cause.message for part in _OF_ONE_CLUSTER) or (pieces and _is_lack(cause)):
            continue
        path = fieldpath.parse(cause.field, obj.value) if cause.field not in ("", "<nil>") else ()
        text = f"{cause.field}: {cause.message}" if cause.field else cause.message
        yield Draft(REFUSED, obj, path, {"problem": text})


def _is_lack(cause: Cause) -> bool:
    return cause.reason == "FieldValueRequired" or "`selector` does not match template `labels`" in cause.message
