"""TaintNodesByCondition: a new node is not ready until its conditions say so.

Follows plugin/pkg/admission/nodetaint/admission.go.
"""

from __future__ import annotations

from kplan.api.request import CREATE, Request
from kplan.hints import Any

Value = dict[str, Any]

NOT_READY: Value = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def mutate(obj: Value, request: Request) -> None:
    """Append the taint if it is not there."""
    if request.operation != CREATE:
        return
    spec = obj.setdefault("spec", {})
    own = spec.get("taints") or []
    if not any(t.get("key") == NOT_READY["key"] and t.get("effect") == NOT_READY["effect"] for t in own):
        spec["taints"] = [*own, dict(NOT_READY)]
