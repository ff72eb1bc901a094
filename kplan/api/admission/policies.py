"""ValidatingAdmissionPolicy: policies in CEL that the cluster holds, where a binding puts them to work.

Follows k8s.io/apiserver/pkg/admission/plugin/policy (generic, matching, validating). The action Deny refuses and Warn
warns; of Audit nothing is seen here.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan.api import cel
from kplan.api.admission import matching
from kplan.api.admission.policyvalues import Scope, conditions_hold, fails, items, scope_of, value_of
from kplan.api.request import Refused, Request
from kplan.hints import Any
from kplan.model import Cause
from kplan.tuples import NamedTuple
from kplan.workloads import get

Value = dict[str, Any]

_CODES = {"Unauthorized": 401, "Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413}


class _Decision(NamedTuple):
    """What a policy with one of its bindings has against an object: in which words, for which reason.

    `is_fault` says that the two do not work together at all: that refuses the object whatever the binding's actions.
    """

    policy: Value
    binding: Value
    message: str
    reason: str = "Invalid"
    is_fault: bool = False

    @property
    def names(self) -> str:
        """Policy and binding as messages name them."""
        policy, binding = (get(o, "metadata", "name") for o in (self.policy, self.binding))
        return f"ValidatingAdmissionPolicy '{policy}' with binding '{binding}'"


def validate(obj: Value, request: Request) -> None:
    """Refuse an object that a bound policy denies."""
    for decision in _decisions("Deny", obj, request):
        text = f"{decision.names} denied request: {decision.message}"
        raise Refused(_CODES.get(decision.reason, 422), request.forbidden(text).message, (Cause("", "", text),))


def warnings(obj: Value, request: Request) -> list[str]:
    """What the bindings that warn say of an object."""
    found = _decisions("Warn", obj, request)
    return [f"Validation failed for {d.names}: {d.message}" for d in found if not d.is_fault]


def _decisions(action: str, obj: Value, request: Request) -> Iterator[_Decision]:
    """What is decided by the bindings that ask for an action, and the faults of all."""
    store = request.store
    if store is None or matching.is_exempt(request):
        return
    for policy in store.all("ValidatingAdmissionPolicy"):
        if not matching.matches(get(policy, "spec", "matchConstraints"), obj, request):
            continue
        for binding in store.all("ValidatingAdmissionPolicyBinding"):
            bound = get(binding, "spec", "policyName") == get(policy, "metadata", "name")
            if bound and matching.matches(get(binding, "spec", "matchResources"), obj, request):
                yield from _of_binding(policy, binding, action, obj, request)


def _of_binding(policy: Value, binding: Value, action: str, obj: Value, request: Request) -> Iterator[_Decision]:
    """The decisions of one policy with one binding, for each of its parameters."""
    found = matching.params_of(policy, binding, request)
    if not found and fails(policy) and matching.denies_without_params(binding, request):
        yield _Decision(policy, binding, matching.NO_PARAMS, is_fault=True)
    if action not in (get(binding, "spec", "validationActions") or ()):
        return
    for params in found:
        scope = scope_of(policy, params, obj, request)
        try:
            if not conditions_hold(policy, scope):
                continue
        except cel.EvalError as e:
            if fails(policy):
                yield _Decision(policy, binding, str(e))
            continue
        for validation in items(policy, "validations"):
            fault = _fault(policy, validation, scope)
            if fault is not None:
                yield _Decision(policy, binding, *fault)


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
