"""MutatingAdmissionPolicy: changes in CEL that the cluster's policies make, where a binding puts them to work.

From the page "Mutating Admission Policy", the reference of MutatingAdmissionPolicySpec and KEP-3962: after the built-in
plugins, the mutations of a policy run in their order, once for each binding and parameter, each on what the one before
it left. An apply configuration is merged as by server-side apply but without owners, and may not touch what is atomic.
What comes out is decoded and defaulted again. If anything changed, the built-in plugins run a second time, and then the
policies with reinvocationPolicy IfNeeded whose result somebody has changed since.

No order of policies is promised. Here it is that of their names, then of the names of their bindings, as KEP-3962 has
it for webhooks. Of a policy that fails under failurePolicy Ignore nothing is done for that binding and parameter, and a
mutation that asks the authorizer is left out: the documents do not say more. A cluster that holds policies is taken to
have them switched on. Of the refusals, the sentences up to `denied request: `, that of atomic parts and that of missing
parameters were seen on a server; what follows otherwise is put in the words that validating policies have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kplan.api import cel, jsonpatch
from kplan.api.admission import matching
from kplan.api.admission.policyvalues import conditions_hold, fails, items, program_of, scope_of
from kplan.api.cel.plain import plain
from kplan.api.cel.tree import uses
from kplan.api.customresources import catalog_of
from kplan.api.decode import copied
from kplan.api.request import Refused, Request
from kplan.api.rereading import reread, same_name
from kplan.api.ssa import typed
from kplan.api.ssa.shapes import ANY, is_atomic, member
from kplan.api.ssa.structured import merged
from kplan.model import Cause
from kplan.schema import KindInfo
from kplan.schema.node import Node
from kplan.tuples import NamedTuple
from kplan.workloads import get

Value = dict[str, Any]

POLICY, BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"

_ATOMIC = "may not mutate atomic arrays, maps or structs"
_EXPRESSIONS = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}


class _Fault(Exception):  # noqa: N818 - what failurePolicy decides about
    """A mutation that cannot be carried out; the text says why."""


class _Call(NamedTuple):
    """A policy at work: with one binding and one of its parameters."""

    policy: Value
    binding: Value
    params: Value | None


def mutate(obj: Value, request: Request, plugins: Callable[[], None]) -> None:
    """Let the bound policies change `obj`, in place; `plugins` runs the built-in ones again. Raises Refused."""
    if request.store is None or matching.is_exempt(request):
        return
    before = copied(obj)
    called = [(call, copied(obj)) for call in _calls(obj, request) if _run(call, obj, request)]
    if obj == before:
        return
    plugins()
    for call, left in called:
        if (
            get(call.policy, "spec", "reinvocationPolicy") == "IfNeeded"
            and obj != left
            and _is_meant(call, obj, request)
        ):
            _run(call, obj, request)


def _calls(obj: Value, request: Request) -> Iterator[_Call]:
    """The calls that the object as it then is asks for, in order. Raises Refused where parameters are missing."""
    assert request.store is not None
    bindings = sorted(request.store.all(BINDING), key=_name)
    for policy in sorted(request.store.all(POLICY), key=_name):
        for binding in bindings:
            if get(binding, "spec", "policyName") != _name(policy):
                continue
            if not _is_meant(_Call(policy, binding, None), obj, request):
                continue
            found = matching.params_of(policy, binding, request)
            if not found and fails(policy) and matching.denies_without_params(binding, request):
                raise Refused(403, _denial(policy, binding, matching.NO_PARAMS))
            yield from (_Call(policy, binding, params) for params in found)


def _name(obj: Value) -> str:
    return str(get(obj, "metadata", "name"))


def _is_meant(call: _Call, obj: Value, request: Request) -> bool:
    return matching.matches(get(call.policy, "spec", "matchConstraints"), obj, request) and matching.matches(
        get(call.binding, "spec", "matchResources"), obj, request
    )


def _run(call: _Call, obj: Value, request: Request) -> bool:
    """Whether the conditions of the policy hold; then its mutations are made, in place. Raises Refused."""
    policy = call.policy
    new = obj
    try:
        if not conditions_hold(policy, scope_of(policy, call.params, obj, request)):
            return False
        for mutation in items(policy, "mutations"):
            new = _mutated(call, mutation, new, request)
    except (cel.EvalError, _Fault) as why:
        if fails(policy):
            text = _denial(policy, call.binding, str(why))
            raise Refused(422, text, (Cause("", "", text),)) from None
        return False
    if new is not obj:
        obj.clear()
        obj.update(new)
    return True


def _denial(policy: Value, binding: Value, why: str) -> str:
    return f"policy '{_name(policy)}' with binding '{_name(binding)}' denied request: {why}"


def _mutated(call: _Call, mutation: Value, obj: Value, request: Request) -> Value:
    """The object after one mutation. Raises EvalError, _Fault."""
    form = mutation.get("patchType")
    patch = _patch(call, mutation.get(_EXPRESSIONS.get(str(form), "")) or {}, obj, request)
    info = catalog_of(request.release, request.store).kind(obj["apiVersion"], obj["kind"])
    if patch is None or info is None:
        return obj
    try:
        new = _merged(obj, patch, info.node) if form == "ApplyConfiguration" else _patched(obj, patch)
        return _read(new, obj, info, request)
    except _Fault as why:
        raise _Fault(f"error applying patch: {why}") from None


def _patch(call: _Call, holder: Value, obj: Value, request: Request) -> Any:
    """What the expression of a mutation builds; None for one that cannot be known. Raises EvalError, _Fault."""
    program = program_of(call.policy, holder, "expression", mutating=True)
    if program is None or uses(program.tree, "authorizer"):
        return None
    try:
        return plain(program.evaluate(scope_of(call.policy, call.params, obj, request, mutating=True))[0])
    except cel.EvalError as why:
        raise _Fault(f"expression '{program.source}' resulted in error: {why}") from None


def _merged(obj: Value, config: Any, node: Node) -> Value:
    if not isinstance(config, dict):
        raise _Fault("invalid ApplyConfiguration: it is no object")
    config = {**config, "apiVersion": obj["apiVersion"], "kind": obj["kind"]}
    wrong = typed.problem(config, node)
    if wrong:
        raise _Fault(f"invalid ApplyConfiguration: {wrong}")
    atomic = next(_atomic_parts(config, node, ""), None)
    if atomic is not None:
        raise _Fault(f"invalid ApplyConfiguration: {_ATOMIC}: {atomic}")
    return merged(obj, config, node)


def _atomic_parts(value: Any, node: Node, at: str) -> Iterator[str]:
    """The places of what has one owner as a whole, the first of each branch."""
    if not isinstance(value, dict | list):
        return
    if is_atomic(node, value):
        yield at
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _atomic_parts(inner, member(node, name) or ANY, f"{at}.{name}")
    else:
        for i, inner in enumerate(value):
            yield from _atomic_parts(inner, node.items or ANY, f"{at}[{i}]")


def _patched(obj: Value, operations: Any) -> Value:
    if not isinstance(operations, list):
        raise _Fault("a JSON patch is a list")
    try:
        new = jsonpatch.apply(obj, operations)
    except jsonpatch.PatchError as why:
        raise _Fault(str(why)) from None
    if not isinstance(new, dict) or (new.get("apiVersion"), new.get("kind")) != (obj["apiVersion"], obj["kind"]):
        raise _Fault("a patch cannot change apiVersion and kind")
    return new


def _read(new: Value, obj: Value, info: KindInfo, request: Request) -> Value:
    """The object as the server reads it once more, of the same identity as before. Raises _Fault, Refused."""
    if not isinstance(new.get("metadata"), dict):
        raise _Fault("there is no metadata")
    read, error, _ = reread(new, info, request.minor)
    if error:
        raise _Fault(error)
    before = obj["metadata"] if request.old is not None else {**obj["metadata"], "name": read["metadata"].get("name")}
    same_name(read["metadata"], before)
    return read
