"""The claims of a StatefulSet's pods: made from templates, and owned as the retention policy says.

Follows pkg/controller/statefulset/stateful_pod_control.go (createPersistentVolumeClaims,
UpdatePodClaimForRetentionPolicy), stateful_set_utils.go and KEP-1847: with whenDeleted Delete the set owns the claims,
with whenScaled Delete a pod that is scaled away owns its own. The garbage collector does the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kplan.api.request import Refused
from kplan.controllers.control import NORMAL, WARNING, Control, reference
from kplan.controllers.statefulsetordinals import is_wanted
from kplan.model import Key

Value = dict[str, Any]

_DELETE = "Delete"


def names(owner: Value, pod_name: str) -> dict[str, str]:
    """The claims of a pod: name of the template (and so of the volume) -> name of the claim."""
    return {t["metadata"]["name"]: f"{t['metadata']['name']}-{pod_name}" for t in _templates(owner)}


def create_missing(owner: Value, pod_name: str, control: Control) -> str:
    """Create the claims that a pod lacks; what went wrong, if anything did."""
    problems = []
    for template in _templates(owner):
        name = f"{template['metadata']['name']}-{pod_name}"
        known = control.get(_key(owner, name))
        if known is None:
            problem = _create(owner, template, name, pod_name, control)
            if problem:
                problems.append(f"failed to create PVC {name}: {problem}")
        elif known["metadata"].get("deletionTimestamp"):
            problems.append(f"pvc {name} is being deleted")
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def _create(owner: Value, template: Value, name: str, pod_name: str, control: Control) -> str:
    meta = template["metadata"]
    own = (owner["spec"].get("selector") or {}).get("matchLabels") or {}
    labels = {**(meta.get("labels") or {}), **own}
    new_meta = {**meta, "name": name, "namespace": owner["metadata"]["namespace"]}
    if labels:
        new_meta["labels"] = labels
    claim = {**template, "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": new_meta}
    set_name = owner["metadata"]["name"]
    try:
        control.create(claim)
    except Refused as no:
        message = f"Create Claim {name} for Pod {pod_name} in StatefulSet {set_name} failed error: {no.message}"
        control.event(owner, WARNING, "FailedCreate", message)
        return no.message
    message = f"Create Claim {name} Pod {pod_name} in StatefulSet {set_name} success"
    control.event(owner, NORMAL, "SuccessfulCreate", message)
    return ""


def are_stale(owner: Value, pod_name: str, control: Control) -> bool:
    """Whether a claim belongs to a pod of this name that is gone, and so is about to go itself."""
    if not _is_delete(owner, "whenScaled"):
        return False
    gone: Value = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod_name}}
    return any(_is_stale(claim, gone) for claim in _present(owner, pod_name, control))


def owners_are_settled(owner: Value, pod: Value, control: Control) -> bool:
    """Whether the claims of a pod are owned as the retention policy says."""
    return all(_refs(c) == _wanted(c, owner, pod) for c in _present(owner, pod["metadata"]["name"], control))


def settle_owners(owner: Value, pod: Value, control: Control) -> None:
    """Make the set or the pod the owner of the pod's claims, or neither, as the retention policy says."""
    for claim in _present(owner, pod["metadata"]["name"], control):
        refs = _wanted(claim, owner, pod)
        if refs != _refs(claim):
            meta = {k: v for k, v in claim["metadata"].items() if k != "ownerReferences"}
            control.update({**claim, "metadata": {**meta, **({"ownerReferences": refs} if refs else {})}})


def _wanted(claim: Value, owner: Value, pod: Value) -> list[Value]:
    """The owner references that a claim is to have."""
    refs = _refs(claim)
    if _is_stale(claim, owner) or _is_stale(claim, pod):
        return refs  # of an earlier set or pod of that name: the garbage collector is about to deal with it
    others = [r for r in refs if not (_names(r, owner) or _names(r, pod))]
    on_deletion, on_scaling = _is_delete(owner, "whenDeleted"), _is_delete(owner, "whenScaled")
    if not (on_deletion or on_scaling) or any(r.get("controller") for r in others):
        new = None
    elif on_scaling and not is_wanted(owner, pod):
        new = pod
    else:
        new = owner if on_deletion else None
    if new is None:
        return others
    if any(_names(r, new) and r.get("controller") for r in refs) and len(refs) == len(others) + 1:
        return refs
    return [*others, reference(new)]


def _is_delete(owner: Value, when: str) -> bool:
    return (owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}).get(when) == _DELETE


def _is_stale(claim: Value, obj: Value) -> bool:
    return any(_names(r, obj) and r.get("uid") != obj["metadata"].get("uid") for r in _refs(claim))


def _names(ref: Value, obj: Value) -> bool:
    return all(
        ref.get(field) == value
        for field, value in (
            ("apiVersion", obj["apiVersion"]),
            ("kind", obj["kind"]),
            ("name", obj["metadata"]["name"]),
        )
    )


def _refs(claim: Value) -> list[Value]:
    return claim["metadata"].get("ownerReferences") or []


def _present(owner: Value, pod_name: str, control: Control) -> Iterator[Value]:
    for name in names(owner, pod_name).values():
        found = control.get(_key(owner, name))
        if found is not None:
            yield found


def _key(owner: Value, name: str) -> Key:
    return Key("", "PersistentVolumeClaim", owner["metadata"]["namespace"], name)


def _templates(owner: Value) -> list[Value]:
    return owner["spec"].get("volumeClaimTemplates") or []
