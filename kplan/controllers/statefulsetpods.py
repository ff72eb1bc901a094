"""The pods of a StatefulSet: their names, their identity and storage, and what becomes of them.

Follows pkg/controller/statefulset/stateful_set_utils.go and stateful_pod_control.go.
"""

from __future__ import annotations

from typing import Any

from kplan.api.request import Refused
from kplan.controllers import pods, revisions, statefulsetclaims
from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.statefulsethistory import History
from kplan.controllers.statefulsetordinals import first, ordinal

Value = dict[str, Any]

_POD_NAME, _POD_INDEX = "statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"


def runs_ready(pod: Value) -> bool:
    """Whether a pod runs and is ready."""
    return pods.phase(pod) == "Running" and pods.is_ready(pod)


def create(owner: Value, index: int, history: History, control: Control) -> bool:
    """Create the pod of this number with its claims; whether that worked.

    A pod that exists already under another owner is passed over in silence, any other refusal is told.
    """
    pod = _new(owner, index, history)
    name = pod["metadata"]["name"]
    problem = statefulsetclaims.create_missing(owner, name, control)
    if problem:
        return _tell("Create", owner, name, problem, control)
    try:
        pod = control.create(pod)
    except Refused as no:
        if no.status == 409:
            return False
        problem = no.message
    statefulsetclaims.settle_owners(owner, pod, control)
    return _tell("Create", owner, name, problem, control)


def delete(owner: Value, pod: Value, control: Control) -> None:
    """Delete a pod of the set."""
    control.delete(pod)
    _tell("Delete", owner, pod["metadata"]["name"], "", control)


def mend(owner: Value, pod: Value, control: Control) -> bool:
    """Put right what is wrong with the labels of a pod or with the owners of its claims; whether its volumes fit.

    The volumes of a pod cannot be changed: one that was adopted with others stays as it is.
    """
    name = pod["metadata"]["name"]
    if not _has_storage(owner, pod):
        statefulsetclaims.create_missing(owner, name, control)
        return False
    labels = pod["metadata"].get("labels") or {}
    wrong_name = labels.get(_POD_NAME) != name
    wrong_owners = not statefulsetclaims.owners_are_settled(owner, pod, control)
    if wrong_owners:
        statefulsetclaims.settle_owners(owner, pod, control)
    if wrong_name:
        identity = _identity(name, ordinal(pod))
        control.update({**pod, "metadata": {**pod["metadata"], "labels": {**labels, **identity}}})
    if wrong_name or wrong_owners:
        _tell("Update", owner, name, "", control)
    return True


def _new(owner: Value, index: int, history: History) -> Value:
    """The pod of this number as it is to be created."""
    revision = history.current if _is_held_back(owner, index) else history.update
    template = revisions.template_of(revision)
    set_name = owner["metadata"]["name"]
    name = f"{set_name}-{index}"
    pod = pods.from_template(owner, template, generate_name=f"{set_name}-")
    meta, spec = pod["metadata"], pod["spec"]
    labels = {**(meta.get("labels") or {}), **_identity(name, index), revisions.POD_HASH: revision["metadata"]["name"]}
    new_spec = {**spec, "hostname": name}
    if owner["spec"].get("serviceName"):
        new_spec["subdomain"] = owner["spec"]["serviceName"]
    else:
        new_spec.pop("subdomain", None)
    volumes = _volumes(owner, name, spec)
    if volumes:
        new_spec["volumes"] = volumes
    return {**pod, "metadata": {**meta, "name": name, "labels": labels}, "spec": new_spec}


def _is_held_back(owner: Value, index: int) -> bool:
    """Whether the pod of this number is still to be of the current revision."""
    strategy = owner["spec"].get("updateStrategy") or {}
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return False
    rolling = strategy.get("rollingUpdate")
    if rolling is None:
        held = int((owner.get("status") or {}).get("currentReplicas") or 0)
    else:
        held = partition(owner)
    return index < first(owner) + held


def partition(owner: Value) -> int:
    """How many of the first pods a rolling update leaves alone."""
    rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)


def _identity(name: str, index: int) -> dict[str, str]:
    return {_POD_NAME: name, _POD_INDEX: str(index)}


def _volumes(owner: Value, pod_name: str, spec: Value) -> list[Value]:
    """Those of the claims first, then those of the template that no claim stands for."""
    claims = statefulsetclaims.names(owner, pod_name)
    mine = [{"name": v, "persistentVolumeClaim": {"claimName": claim}} for v, claim in claims.items()]
    return mine + [v for v in spec.get("volumes") or () if v["name"] not in claims]


def _has_storage(owner: Value, pod: Value) -> bool:
    volumes = {v["name"]: v for v in pod["spec"].get("volumes") or ()}
    return all(
        (volumes.get(volume, {}).get("persistentVolumeClaim") or {}).get("claimName") == claim
        for volume, claim in statefulsetclaims.names(owner, pod["metadata"]["name"]).items()
    )


def _tell(verb: str, owner: Value, name: str, problem: str, control: Control) -> bool:
    """The event for what was done to a pod; whether it worked."""
    what = f"{verb} Pod {name} in StatefulSet {owner['metadata']['name']}"
    if problem:
        control.event(owner, WARNING, f"Failed{verb}", f"{what} failed error: {problem}")
    else:
        control.event(owner, NORMAL, f"Successful{verb}", f"{what} successful")
    return not problem
