"""ValidatingAdmissionPolicy: policies in CEL that the cluster holds, where a binding puts them to work.

Follows k8s.io/apiserver/pkg/admission/plugin/policy (generic, matching, validating). Only the action Deny has an effect
here.
"""

from __future__ import annotations

from kplan.api import cel
from kplan.api.admission import matching
from kplan.api.admission.policyvalues import Scope, conditions_hold, fails, items, scope_of, value_of
from kplan.api.request import Refused, Request
from kplan.hints import Any
from kplan.model import Cause
from kplan.workloads import get

Value = dict[str, Any]

_CODES = {"Unauthorized": 401, "Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413}


def validate(obj: Value, request: Request) -> None:
    """Refuse an object that a bound policy denies."""
    store = request.store
    if store is None or matching.is_exempt(request):
        return
    for policy in store.all("ValidatingAdmissionPolicy"):
        if not matching.matches(get(policy, "spec", "matchConstraints"), obj, request):
            continue
        for binding in store.all("ValidatingAdmissionPolicyBinding"):
            if _is_bound(policy, binding) and matching.matches(get(binding, "spec", "matchResources"), obj, request):
                _enforce(policy, binding, obj, request)


def _is_bound(policy: Value, binding: Value) -> bool:
    spec = binding.get("spec") or {}
    return spec.get("policyName") == get(policy, "metadata", "name") and "Deny" in (spec.get("validationActions") or ())


def _enforce(policy: Value, binding: Value, obj: Value, request: Request) -> None:
    """One policy with one binding, for each of its parameters; raises Refused."""
    found = matching.params_of(policy, binding, request)
    if not found and fails(policy) and matching.denies_without_params(binding, request):
        raise _denied(policy, binding, request, matching.NO_PARAMS, "Invalid")
    for params in found:
        scope = scope_of(policy, params, obj, request)
        try:
            if not conditions_hold(policy, scope):
                continue
        except cel.EvalError as e:
            if fails(policy):
                raise _denied(policy, binding, request, str(e), "Invalid") from None
            continue
        for validation in items(policy, "validations"):
            fault = _fault(policy, validation, scope)
            if fault is not None:
                raise _denied(policy, binding, request, *fault)


def _denied(policy: Value, binding: Value, request: Request, message: str, reason: str) -> Refused:
    names = get(policy, "metadata", "name"), get(binding, "metadata", "name")
    text = f"ValidatingAdmissionPolicy '{names[0]}' with binding '{names[1]}' denied request: {message}"
    return Refused(_CODES.get(reason, 422), request.forbidden(text).message, (Cause("", "", text),))


def _fault(policy: Value, validation: Value, scope: Scope) -> tuple[str, str] | None:
    """Why a validation denies the object, and the reason of the answer; None if it does not."""
    source = (validation.get("expression") or "").strip()
    try:
        if value_of(policy, validation, "expression", scope) is True:
            return None
    except cel.EvalError as e:
        return (f"expression '{source}' resulted in error: {e}", "Invalid") if fails(policy) else None
    try:
        text = value_of(policy, validation, "messageExpression", scope)
    except cel.EvalError:
        text = None
    if not isinstance(text, str) or "\n" in text.strip():
        text = ""
    written = (validation.get("message") or "").strip()
    return text.strip() or written or f"failed expression: {source}", validation.get("reason") or "Invalid"
