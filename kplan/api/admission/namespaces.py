"""NamespaceLifecycle: an object needs a namespace that exists and is not going away, and some namespaces never go.

Follows k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
"""

from __future__ import annotations

from kplan.api.request import CREATE, NAMESPACE_TERMINATING, Refused, Request
from kplan.hints import Any
from kplan.model import Cause

Value = dict[str, Any]

# Every cluster has these, listed or not.
BUILT_IN = frozenset(("default", "kube-system", "kube-public", "kube-node-lease"))


# Those that no call may delete.
IMMORTAL = frozenset(("default", "kube-system", "kube-public"))


def mutate(obj: Value, request: Request) -> None:  # noqa: ARG001 - a plugin's signature
    """Refuse what is created in a namespace that is missing or terminating."""
    if not request.namespace or request.operation != CREATE or not request.is_closed:
        return
    namespace = request.namespace_object
    if namespace is None:
        if request.namespace not in BUILT_IN:
            raise Refused(404, f'namespaces "{request.namespace}" not found')
    elif (namespace.get("metadata") or {}).get("deletionTimestamp"):
        name = request.namespace
        reason = f"unable to create new content in namespace {name} because it is being terminated"
        cause = Cause("metadata.namespace", NAMESPACE_TERMINATING, f"namespace {name} is being terminated")
        raise Refused(403, request.forbidden(reason).message, (cause,))
