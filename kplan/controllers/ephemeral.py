"""The claims of generic ephemeral volumes, which come and go with their pods.

Follows pkg/controller/volume/ephemeral: a pod that is not being deleted gets a claim for each such volume, named
POD-VOLUME and owned by the pod.
"""

from __future__ import annotations

from typing import Any

from kplan.api.request import Refused
from kplan.controllers.control import WARNING, Control, controller_of, reference
from kplan.controllers.manager import Controller
from kplan.controllers.pods import is_active
from kplan.model import Key
from kplan.store import Write

Value = dict[str, Any]

CLAIM = "PersistentVolumeClaim"


def reconcile(key: Key, control: Control) -> None:
    """Make the claims that a pod lacks."""
    pod = control.get(key)
    if pod is None or not is_active(pod):
        return
    for volume in pod["spec"].get("volumes") or ():
        if "ephemeral" in volume:
            try:
                _make(pod, volume, control)
            except Refused as no:
                what = f"ephemeral volume {volume['name']}: {no.message}"
                control.event(pod, WARNING, "EphemeralVolumeCreationFailed", what)
                control.retry()


def _make(pod: Value, volume: Value, control: Control) -> None:
    meta = pod["metadata"]
    name = f"{meta['name']}-{volume['name']}"
    known = control.get(Key("", CLAIM, meta["namespace"], name))
    if known is not None:
        if (controller_of(known) or {}).get("uid") != meta.get("uid"):
            where = f"{meta['namespace']}/{name} was not created for pod {meta['namespace']}/{meta['name']}"
            raise Refused(409, f"PVC {where} (pod is not owner)")
        return
    template = volume["ephemeral"].get("volumeClaimTemplate") or {}
    given = template.get("metadata") or {}
    own = {k: given[k] for k in ("labels", "annotations") if given.get(k)}
    own |= {"name": name, "namespace": meta["namespace"], "ownerReferences": [reference(pod)]}
    control.create({"apiVersion": "v1", "kind": CLAIM, "metadata": own, "spec": template.get("spec") or {}})


def _of_pod(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    if write.new is None or write.old is not None:
        return []
    return [write.key] if any("ephemeral" in v for v in write.new["spec"].get("volumes") or ()) else []


def _of_claim(write: Write, control: Control) -> list[Key]:  # noqa: ARG001
    """The pod of a claim that is gone."""
    owner = controller_of(write.old) if write.new is None and write.old is not None else None
    return [Key("", "Pod", write.key.namespace, owner["name"])] if owner and owner.get("kind") == "Pod" else []


CONTROLLER = Controller("ephemeral-volume", {"Pod": _of_pod, CLAIM: _of_claim}, reconcile)
