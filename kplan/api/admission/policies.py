"""ValidatingAdmissionPolicy: policies in CEL that the cluster holds, where a binding puts them to work.

Follows k8s.io/apiserver/pkg/admission/plugin/policy (generic, matching, validating). Only the action Deny has an effect
here. An expression that asks the authorizer is taken to hold, for nobody knows who sends the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache, partial

from kplan import labels
from kplan.api import cel
from kplan.api.cel.tree import uses
from kplan.api.cel.types import DYN
from kplan.api.customresources import catalog_of
from kplan.api.request import Refused, Request
from kplan.api.validation import expressions
from kplan.hints import Any
from kplan.model import Cause, split_api_version
from kplan.workloads import get

Value = dict[str, Any]
Scope = dict[str, Any]

_GROUP = "admissionregistration.k8s.io"
_CODES = {"Unauthorized": 401, "Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413}
_NO_PARAMS = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"


def validate(obj: Value, request: Request) -> None:
    """Refuse an object that a bound policy denies."""
    store = request.store
    if store is None or request.group == _GROUP:
        return
    for policy in store.all("ValidatingAdmissionPolicy"):
        if not _matches(get(policy, "spec", "matchConstraints"), obj, request):
            continue
        for binding in store.all("ValidatingAdmissionPolicyBinding"):
            if _is_bound(policy, binding) and _matches(get(binding, "spec", "matchResources"), obj, request):
                _enforce(policy, binding, obj, request)


def _is_bound(policy: Value, binding: Value) -> bool:
    spec = binding.get("spec") or {}
    return spec.get("policyName") == get(policy, "metadata", "name") and "Deny" in (spec.get("validationActions") or ())


def _enforce(policy: Value, binding: Value, obj: Value, request: Request) -> None:
    """One policy with one binding, for each of its parameters; raises Refused."""
    fails = get(policy, "spec", "failurePolicy") != "Ignore"
    found = _params(policy, binding, request)
    if not found and fails and get(binding, "spec", "paramRef", "parameterNotFoundAction") == "Deny":
        raise _denied(policy, binding, request, _NO_PARAMS, "Invalid")
    for params in found:
        scope = _scope(policy, params, obj, request)
        try:
            if not all(_value(policy, c, "expression", scope) is True for c in _items(policy, "matchConditions")):
                continue
        except cel.EvalError as e:
            if fails:
                raise _denied(policy, binding, request, str(e), "Invalid") from None
            continue
        for validation in _items(policy, "validations"):
            fault = _fault(policy, validation, scope, fails)
            if fault is not None:
                raise _denied(policy, binding, request, *fault)


def _items(policy: Value, name: str) -> list[Value]:
    return [i or {} for i in get(policy, "spec", name) or ()]


def _denied(policy: Value, binding: Value, request: Request, message: str, reason: str) -> Refused:
    names = get(policy, "metadata", "name"), get(binding, "metadata", "name")
    text = f"ValidatingAdmissionPolicy '{names[0]}' with binding '{names[1]}' denied request: {message}"
    return Refused(_CODES.get(reason, 422), request.forbidden(text).message, (Cause("", "", text),))


def _fault(policy: Value, validation: Value, scope: Scope, fails: bool) -> tuple[str, str] | None:
    """Why a validation denies the object, and the reason of the answer; None if it does not."""
    source = (validation.get("expression") or "").strip()
    try:
        if _value(policy, validation, "expression", scope) is True:
            return None
    except cel.EvalError as e:
        return (f"expression '{source}' resulted in error: {e}", "Invalid") if fails else None
    try:
        text = _value(policy, validation, "messageExpression", scope)
    except cel.EvalError:
        text = None
    if not isinstance(text, str) or "\n" in text.strip():
        text = ""
    written = (validation.get("message") or "").strip()
    return text.strip() or written or f"failed expression: {source}", validation.get("reason") or "Invalid"


def _value(policy: Value, holder: Value, field: str, scope: Scope) -> Any:
    """The value of an expression of a policy. Raises EvalError."""
    source = (holder.get(field) or "").strip()
    if not source:
        return None
    names = tuple(v.get("name") or "" for v in _items(policy, "variables"))
    program = _program(source, names)
    return True if uses(program.tree, "authorizer") else program.evaluate(scope)[0]


@lru_cache(maxsize=1024)
def _program(source: str, variables: tuple[str, ...]) -> cel.Program:
    known = expressions.Variables(params=True, composed=dict.fromkeys(variables, DYN))
    try:
        return cel.compile(source, expressions.environment(known))
    except cel.CompileError as e:
        raise cel.EvalError(f"compilation error: {e}") from None


def _scope(policy: Value, params: Value | None, obj: Value, request: Request) -> Scope:
    variables: dict[str, Callable[[], Any]] = {}
    scope: Scope = {
        "object": obj,
        "oldObject": request.old,
        "params": params,
        "namespaceObject": request.namespace_object,
        "request": _request(request),
        "variables": variables,
    }
    for variable in _items(policy, "variables"):
        # Each is worked out when it is first asked for, and once.
        variables[variable.get("name") or ""] = cache(partial(_variable, policy, variable, scope))
    return scope


def _variable(policy: Value, variable: Value, scope: Scope) -> Any:
    try:
        return _value(policy, variable, "expression", scope)
    except cel.BudgetError:
        raise
    except cel.EvalError as e:
        raise cel.EvalError(f'composited variable "{variable.get("name")}" fails to evaluate: {e}') from None


def _request(request: Request) -> Value:
    kind = {"group": request.group, "version": request.version, "kind": request.kind}
    resource = {"group": request.group, "version": request.version, "resource": request.resource}
    return {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "subResource": "",
        "requestSubResource": "",
        "name": request.name,
        "namespace": request.namespace,
        "operation": request.operation,
        "userInfo": {"username": "", "uid": "", "groups": [], "extra": {}},
        "dryRun": False,
        "options": {},
    }


def _params(policy: Value, binding: Value, request: Request) -> list[Value | None]:
    """The parameters of a binding: [None] for a policy without."""
    kind, ref = get(policy, "spec", "paramKind"), get(binding, "spec", "paramRef")
    if not kind or not ref or request.store is None:
        return [None]
    info = catalog_of(request.release, request.store).kind(kind.get("apiVersion") or "", kind.get("kind") or "")
    namespaced = info is None or info.namespaced
    namespace = (ref.get("namespace") or request.namespace) if namespaced else ""
    group = split_api_version(kind.get("apiVersion") or "")[0]
    found: list[Value | None] = [
        o
        for o in request.store.all(kind.get("kind"), namespace)
        if split_api_version(str(o.get("apiVersion")))[0] == group and _is_meant(ref, o)
    ]
    return found or ([None] if ref.get("parameterNotFoundAction") == "Allow" else [])


def _is_meant(ref: Value, obj: Value) -> bool:
    if ref.get("name"):
        return bool(get(obj, "metadata", "name") == ref["name"])
    return labels.matches(ref.get("selector"), get(obj, "metadata", "labels"))


def _matches(rules: Value | None, obj: Value, request: Request) -> bool:
    """Whether an object is among those that a policy or a binding is for; None is everything."""
    if rules is None:
        return True
    if not labels.matches(rules.get("objectSelector"), get(obj, "metadata", "labels")):
        return False
    namespace = obj if request.kind == "Namespace" else request.namespace_object
    if (request.namespace or request.kind == "Namespace") and not labels.matches(
        rules.get("namespaceSelector"), get(namespace or {}, "metadata", "labels")
    ):
        return False
    if any(_fits(r, request) for r in rules.get("excludeResourceRules") or ()):
        return False
    included = rules.get("resourceRules") or ()
    return not included or any(_fits(r, request) for r in included)


def _fits(rule: Mapping[str, Any], request: Request) -> bool:
    names = rule.get("resourceNames") or ()
    scope = rule.get("scope") or "*"
    return (
        (not names or request.name in names)
        and scope in ("*", "Namespaced" if request.namespace else "Cluster")
        and all(_listed(rule, *wanted) for wanted in _wanted(request))
    )


def _wanted(request: Request) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "operations", (request.operation, "*")
    yield "apiGroups", (request.group, "*")
    yield "apiVersions", (request.version, "*")
    yield "resources", (request.resource, "*", "*/*")


def _listed(rule: Mapping[str, Any], field: str, values: tuple[str, ...]) -> bool:
    return not set(values).isdisjoint(rule.get(field) or ())
