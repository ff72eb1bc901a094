"""DefaultIngressClass: an Ingress without a class gets the default one.

Follows plugin/pkg/admission/network/defaultingressclass/admission.go.
"""

from __future__ import annotations

from kplan.api.admission.storageclasses import newest_default
from kplan.api.request import CREATE, Request
from kplan.hints import Any

Value = dict[str, Any]

DEFAULT_KEY = "ingressclass.kubernetes.io/is-default-class"
CLASS_KEY = "kubernetes.io/ingress.class"


def mutate(obj: Value, request: Request) -> None:
    """Set spec.ingressClassName where neither field nor annotation is given."""
    if request.operation != CREATE or request.store is None:
        return
    spec = obj.setdefault("spec", {})
    if spec.get("ingressClassName") is not None or CLASS_KEY in (obj["metadata"].get("annotations") or {}):
        return
    chosen = newest_default(request.store.all("IngressClass"), (DEFAULT_KEY,))
    if chosen is not None:
        spec["ingressClassName"] = chosen["metadata"]["name"]
