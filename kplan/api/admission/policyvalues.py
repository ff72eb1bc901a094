"""The CEL expressions of admission policies: what they see, and their values.

Follows KEP-3488 and the reference of ValidatingAdmissionPolicySpec and MutatingAdmissionPolicySpec. An expression that
asks the authorizer is taken to hold, for nobody knows who sends the request.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

from kplan.api import cel
from kplan.api.cel.tree import uses
from kplan.api.cel.types import DYN
from kplan.api.request import Request
from kplan.api.validation import expressions
from kplan.workloads import get

Value = dict[str, Any]
Scope = dict[str, Any]


def items(policy: Value, name: str) -> list[Value]:
    """A list of the spec of a policy."""
    return [i or {} for i in get(policy, "spec", name) or ()]


def fails(policy: Value) -> bool:
    """Whether an error of this policy refuses the request."""
    return bool(get(policy, "spec", "failurePolicy") != "Ignore")


def conditions_hold(policy: Value, scope: Scope) -> bool:
    """Whether a request meets all conditions. One that is false decides; raises EvalError if none is but some fail."""
    failures = []
    for condition in items(policy, "matchConditions"):
        try:
            if value_of(policy, condition, "expression", scope) is not True:
                return False
        except cel.BudgetError:
            raise
        except cel.EvalError as e:
            failures.append(f"expression '{condition.get('expression')}' resulted in error: {e}")
    if failures:
        raise cel.EvalError(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")
    return True


def value_of(policy: Value, holder: Value, field: str, scope: Scope, *, mutating: bool = False) -> Any:
    """The value of an expression of a policy, None if it has none. Raises EvalError."""
    program = program_of(policy, holder, field, mutating=mutating)
    if program is None:
        return None
    return True if uses(program.tree, "authorizer") else program.evaluate(scope)[0]


def program_of(policy: Value, holder: Value, field: str, *, mutating: bool = False) -> cel.Program | None:
    """The compiled expression; None if there is none. Raises EvalError."""
    source = (holder.get(field) or "").strip()
    names = tuple(v.get("name") or "" for v in items(policy, "variables"))
    return _program(source, names, mutating) if source else None


@lru_cache(maxsize=1024)
def _program(source: str, variables: tuple[str, ...], mutating: bool) -> cel.Program:
    known = expressions.Variables(params=True, composed=dict.fromkeys(variables, DYN), mutating=mutating)
    try:
        return cel.compile(source, expressions.environment(known))
    except cel.CompileError as e:
        raise cel.EvalError(f"compilation error: {e}") from None


def scope_of(policy: Value, params: Value | None, obj: Value, request: Request, *, mutating: bool = False) -> Scope:
    """What the expressions of a policy may refer to."""
    variables: dict[str, Callable[[], Any]] = {}
    scope: Scope = {
        "object": obj,
        "oldObject": request.old,
        "params": params,
        "namespaceObject": request.namespace_object,
        "request": _request(request),
        "variables": variables,
    }
    for variable in items(policy, "variables"):
        # Each is worked out when it is first asked for, and once.
        variables[variable.get("name") or ""] = cache(partial(_variable, policy, variable, scope, mutating))
    return scope


def _variable(policy: Value, variable: Value, scope: Scope, mutating: bool) -> Any:
    try:
        return value_of(policy, variable, "expression", scope, mutating=mutating)
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
