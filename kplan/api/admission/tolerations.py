"""DefaultTolerationSeconds: five minutes of patience with a node that is not ready or not reachable.

Follows plugin/pkg/admission/defaulttolerationseconds/admission.go.
"""

from __future__ import annotations

from kplan.api.request import Request
from kplan.hints import Any

Value = dict[str, Any]

TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
SECONDS = 300


def mutate(obj: Value, request: Request) -> None:  # noqa: ARG001 - a plugin's signature
    """Append a toleration for each of the two taints that the pod does not tolerate by itself."""
    spec: Value = obj["spec"]
    own = spec.get("tolerations") or []
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS}
        for key in TAINTS
        if not any(_tolerates(t, key) for t in own)
    ]
    if added:
        spec["tolerations"] = [*own, *added]


def _tolerates(toleration: Value, key: str) -> bool:
    return (toleration.get("key") or key) == key and (toleration.get("effect") or "NoExecute") == "NoExecute"
