"""The ConfigMap `kube-root-ca.crt` of every namespace, with the certificate authority of the API server.

Follows pkg/controller/certificates/rootcacertpublisher/publisher.go: it is made where it is missing and put right
where it was changed. The authority of a cluster is what most of its ConfigMaps hold when the controllers start; of a
cluster that has none it is a placeholder.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kplan.api.request import Refused
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.controllers.namespaces import is_active
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]

NAME, FIELD = "kube-root-ca.crt", "ca.crt"
PLACEHOLDER = "<ca>\n"
_CONTROLLER = "root-ca-certificate-publisher"
_ANNOTATION = "kubernetes.io/description"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


def reconcile(key: Key, control: Control) -> None:
    """Make the ConfigMap of one namespace, or put it right."""
    namespace = control.get(key)
    if namespace is None:
        return
    data = {FIELD: control.remembered(_CONTROLLER, lambda: _authority(control))}
    known = control.get(Key("", "ConfigMap", key.name, NAME))
    if known is not None:
        meta = known["metadata"]
        notes = meta.get("annotations") or {}
        if known.get("data") != data or not notes.get(_ANNOTATION):
            meta = {**meta, "annotations": {**notes, _ANNOTATION: _DESCRIPTION}}
            control.update({**known, "metadata": meta, "data": data})
        return
    if not is_active(namespace):
        return
    meta = {"name": NAME, "namespace": key.name, "annotations": {_ANNOTATION: _DESCRIPTION}}
    try:
        control.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
    except Refused as no:
        if not no.by_terminating_namespace:
            control.retry()


def _authority(control: Control) -> str:
    held = Counter(
        str((c.get("data") or {}).get(FIELD) or "")
        for c in control.store.all("ConfigMap")
        if c["metadata"]["name"] == NAME
    )
    held.pop("", None)
    return held.most_common(1)[0][0] if held else PLACEHOLDER


def _namespace(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    return [write.key] if write.new is not None else []


def _config_map(write: Write, control: Control) -> list[Key]:  # noqa: ARG001
    touched = write.key.name == NAME and write.old is not None
    return [Key("", "Namespace", "", write.key.namespace)] if touched else []


CONTROLLER = Controller(_CONTROLLER, {"Namespace": _namespace, "ConfigMap": _config_map}, reconcile)
