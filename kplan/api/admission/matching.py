"""Which requests an admission policy or its binding is for, and with which parameters.

Follows the reference of MatchResources, ParamKind and ParamRef, which mutating and validating policies share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kplan import labels
from kplan.api.customresources import catalog_of
from kplan.api.request import Request
from kplan.model import split_api_version
from kplan.workloads import get

Value = dict[str, Any]

NO_PARAMS = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"

_GROUP = "admissionregistration.k8s.io"


def is_exempt(request: Request) -> bool:
    """Whether no policy is ever asked about objects of this kind, as a cluster could not be repaired otherwise.

    So say the pages on both kinds of policies ("API kinds exempt from mutating admission").
    """
    return request.group == _GROUP and "AdmissionPolicy" in request.kind


def denies_without_params(binding: Value, request: Request) -> bool:
    """Whether it is an error that a binding has no parameters. In an open world there is no saying that it has none."""
    action = get(binding, "spec", "paramRef", "parameterNotFoundAction")
    return action == "Deny" and not request.open_world


def params_of(policy: Value, binding: Value, request: Request) -> list[Value | None]:
    """The parameters of a binding: [None] for a policy without. Where there are none the policy has nothing to say."""
    kind, ref = get(policy, "spec", "paramKind"), get(binding, "spec", "paramRef")
    if not kind or not ref or request.store is None:
        return [None]
    info = catalog_of(request.release, request.store).kind(kind.get("apiVersion") or "", kind.get("kind") or "")
    namespaced = info is None or info.namespaced
    namespace = (ref.get("namespace") or request.namespace) if namespaced else ""
    group = split_api_version(kind.get("apiVersion") or "")[0]
    return [
        o
        for o in request.store.all(kind.get("kind"), namespace)
        if split_api_version(str(o.get("apiVersion")))[0] == group and _is_meant(ref, o)
    ]


def _is_meant(ref: Value, obj: Value) -> bool:
    if ref.get("name"):
        return bool(get(obj, "metadata", "name") == ref["name"])
    return labels.matches(ref.get("selector"), get(obj, "metadata", "labels"))


def matches(rules: Value | None, obj: Value, request: Request) -> bool:
    """Whether an object is among those that a policy or a binding is for; None is everything."""
    if rules is None:
        return True
    sides = (obj,) if request.old is None else (obj, request.old)
    if not any(labels.matches(rules.get("objectSelector"), get(o, "metadata", "labels")) for o in sides):
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
