"""CEL expressions of webhooks and admission policies: what they may refer to, and the faults of their compilation.

Follows k8s.io/apiserver/pkg/admission/plugin/cel (compile.go, composition.go) and pkg/cel/mutation.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from kplan.api import cel
from kplan.api.cel.types import BOOL, DYN, NULL, STRING, Type, list_of, map_of, object_of
from kplan.api.validation.field import Errors
from kplan.hints import Any
from kplan.tuples import NamedTuple

Results = tuple[Type, ...]
BOOL_RESULT: Results = (BOOL,)
STRING_RESULT: Results = (STRING,)
AUDIT_RESULT: Results = (STRING, NULL)
ANY_RESULT: Results = ()

_AUTHORIZER = Type("kubernetes.authorization.Authorizer")
_RESOURCE_CHECK = Type("kubernetes.authorization.ResourceCheck")

_JSON_PATCH = object_of("JSONPatch", {"op": STRING, "path": STRING, "from": STRING, "value": DYN})
PATCH_RESULT: Results = (list_of(_JSON_PATCH),)
APPLY_RESULT: Results = (Type("Object"),)


class Variables(NamedTuple):
    """What an expression may see besides the object; `composed` are the variables of its policy, None if it has none.

    `mutating` adds the messages that a mutation builds.
    """

    params: bool = False
    authorizer: bool = True
    composed: Mapping[str, Type] | None = None
    mutating: bool = False


def judge(source: str, errors: Errors, at: str, variables: Variables, results: Results) -> Type:
    """Report why an expression cannot be used; returns its type, dyn for one that does not compile."""
    try:
        program = cel.compile(source, environment(variables))
    except cel.CompileError as e:
        errors.invalid(at, source, f"compilation failed: {e}")
        return DYN
    if results and program.type not in results:
        wanted = results[0].name if len(results) == 1 else f"one of [{' '.join(r.name for r in results)}]"
        if results is PATCH_RESULT:
            wanted = str(results[0])
        errors.invalid(at, source, f"must evaluate to {wanted} but got {program.type}")
    return program.type


def environment(variables: Variables) -> cel.Environment:
    """The variables and messages of an expression of a webhook or policy."""
    declared: dict[str, Type] = {"object": DYN, "oldObject": DYN, "request": request_type()}
    declared["namespaceObject"] = namespace_type()
    if variables.params:
        declared["params"] = DYN
    if variables.authorizer:
        declared |= {"authorizer": _AUTHORIZER, "authorizer.requestResource": _RESOURCE_CHECK}
    if variables.composed is not None:
        declared["variables"] = object_of("kubernetes.variables", variables.composed)
    return cel.Environment(declared, _messages, frozenset()) if variables.mutating else cel.Environment(declared)


def _messages(name: str) -> Type | None:
    if name == "JSONPatch":
        return _JSON_PATCH
    if name == "Object" or name.startswith("Object."):
        return Type(name, (), lambda _: DYN)
    return None


@lru_cache(maxsize=1)
def request_type() -> Type:
    """admission.k8s.io/v1 AdmissionRequest, without the objects."""
    kind = object_of("kubernetes.GroupVersionKind", dict.fromkeys(("group", "version", "kind"), STRING))
    resource = object_of("kubernetes.GroupVersionResource", dict.fromkeys(("group", "version", "resource"), STRING))
    user = {"username": STRING, "uid": STRING, "groups": list_of(STRING), "extra": map_of(STRING, list_of(STRING))}
    fields: dict[str, Type] = {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "userInfo": object_of("kubernetes.UserInfo", user),
        "dryRun": BOOL,
        "options": DYN,
        **dict.fromkeys(("subResource", "requestSubResource", "name", "namespace", "operation"), STRING),
    }
    return object_of("kubernetes.AdmissionRequest", fields)


@lru_cache(maxsize=1)
def namespace_type() -> Type:
    """What expressions see of a Namespace."""
    texts = "name generateName namespace uid resourceVersion".split()
    meta: dict[str, Type] = {
        **dict.fromkeys(texts, STRING),
        **dict.fromkeys(("labels", "annotations"), map_of(STRING, STRING)),
        "generation": Type("int"),
        "creationTimestamp": Type("timestamp"),
        "deletionTimestamp": Type("timestamp"),
        "deletionGracePeriodSeconds": Type("int"),
        "finalizers": list_of(STRING),
    }
    fields: dict[str, Type] = {
        "metadata": object_of("kubernetes.NamespaceMetadata", meta),
        "spec": object_of("kubernetes.NamespaceSpec", {"finalizers": list_of(STRING)}),
        "status": object_of("kubernetes.NamespaceStatus", {"phase": STRING, "conditions": list_of(DYN)}),
    }
    return object_of("kubernetes.Namespace", fields)


def text_of(value: Mapping[str, Any], name: str) -> str:
    """A text field that may be absent, or something else in an object that was never validated."""
    found = value.get(name)
    return found if isinstance(found, str) else ""
