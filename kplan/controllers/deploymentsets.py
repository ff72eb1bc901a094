"""The ReplicaSets of a Deployment: which one is the new one, what it is called, and what its annotations carry.

Follows pkg/controller/deployment/sync.go (getNewReplicaSet) and util/deployment_util.go.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from kplan.api.request import Refused
from kplan.controllers.control import NORMAL, WARNING, Control, reference
from kplan.controllers.deploymentconditions import with_condition
from kplan.controllers.hashes import pod_template_hash
from kplan.controllers.rounding import resolve

Value = dict[str, Any]

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
ROLLBACK = "deprecated.deployment.rollback.to"
NOT_COPIED = frozenset((_LAST_APPLIED, REVISION, HISTORY, DESIRED, MAXIMUM, ROLLBACK))
_LONGEST_HISTORY = 2000  # characters


class Sets(NamedTuple):
    """The ReplicaSets of one Deployment, oldest first; `new` has the Deployment's template."""

    new: Value | None
    old: tuple[Value, ...]

    @property
    def all(self) -> tuple[Value, ...]:
        """The old ones, then the new one."""
        return (*self.old, self.new) if self.new is not None else self.old

    def replace(self, changed: Value) -> Sets:
        """The same sets with one of them as it is now."""
        name = changed["metadata"]["name"]
        if self.new is not None and self.new["metadata"]["name"] == name:
            return Sets(changed, self.old)
        return Sets(self.new, tuple(changed if s["metadata"]["name"] == name else s for s in self.old))

    def wanted_size(self, deployment: Value) -> int:
        """How many replicas the new set may have now: what surge leaves room for, at most what is wanted."""
        current = size(self.new) if self.new is not None else 0
        wanted = size(deployment)
        if current >= wanted or (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            return wanted
        room = wanted + surge(deployment) - sum(map(size, self.all))
        return current + min(room, wanted - current) if room > 0 else current


def old_of(deployment: Value, owned: list[Value]) -> Sets:
    """The sets of a Deployment, told apart by their templates: the oldest that matches is the new one."""
    ordered = sorted(owned, key=age)
    wanted = without_hash(deployment["spec"]["template"])
    new = next((s for s in ordered if without_hash(s["spec"]["template"]) == wanted), None)
    return Sets(new, tuple(s for s in ordered if s is not new))


def with_new_set(deployment: Value, sets: Sets, control: Control, *, create: bool) -> tuple[Value, Sets]:
    """The Deployment and its sets with the revision up to date, and with a new set if there is to be one.

    A set that could not be created is still missing: the sync ends there, and nothing is said of the counts.
    """
    revision = max((revision_of(s) for s in sets.old), default=0) + 1
    if sets.new is not None:
        return _known(deployment, sets, revision, control)
    return _created(deployment, sets, revision, control) if create else (deployment, sets)


def _known(deployment: Value, sets: Sets, revision: int, control: Control) -> tuple[Value, Sets]:
    assert sets.new is not None
    new = sets.new
    notes = _annotations(deployment, new, revision)
    spec = new["spec"]
    if spec.get("minReadySeconds", 0) != deployment["spec"].get("minReadySeconds", 0):
        spec = {**spec, "minReadySeconds": deployment["spec"].get("minReadySeconds", 0)}
        if not spec["minReadySeconds"]:
            del spec["minReadySeconds"]
    if notes != (new["metadata"].get("annotations") or {}) or spec is not new["spec"]:
        new = control.update({**new, "metadata": {**new["metadata"], "annotations": notes}, "spec": spec})
        return deployment, Sets(new, sets.old)  # the rest follows in the next sync
    status = deployment.get("status") or {}
    if has_deadline(deployment) and not any(c["type"] == "Progressing" for c in status.get("conditions") or ()):
        message = f'Found new replica set "{new["metadata"]["name"]}"'
        status = with_condition(status, control, "Progressing", "True", "FoundNewReplicaSet", message)
    return _revised(deployment, notes[REVISION], status, control), sets


def _created(deployment: Value, sets: Sets, revision: int, control: Control) -> tuple[Value, Sets]:
    meta, spec = deployment["metadata"], deployment["spec"]
    status = deployment.get("status") or {}
    code = pod_template_hash(spec["template"], control.minor, status.get("collisionCount"))
    template = _labelled(spec["template"], code)
    selector = spec["selector"]
    new: Value = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{meta['name']}-{code}",
            "namespace": meta["namespace"],
            "ownerReferences": [reference(deployment)],
            "labels": template["metadata"]["labels"],
        },
        "spec": {
            "replicas": sets.wanted_size(deployment),
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: code}},
            "template": template,
        },
    }
    if spec.get("minReadySeconds"):
        new["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    notes = _annotations(deployment, new, revision)
    new["metadata"]["annotations"] = notes | limits(deployment)
    try:
        made = control.create(new)
    except Refused as no:
        return _not_created(deployment, new, no, control), sets
    name = made["metadata"]["name"]
    if size(made):
        message = f"Scaled up replica set {name} from 0 to {size(made)}"
        control.event(deployment, NORMAL, "ScalingReplicaSet", message)
    if has_deadline(deployment):
        message = f'Created new replica set "{name}"'
        status = with_condition(status, control, "Progressing", "True", "NewReplicaSetCreated", message)
    return _revised(deployment, str(revision), status, control), Sets(made, sets.old)


def _not_created(deployment: Value, new: Value, no: Refused, control: Control) -> Value:
    """The name is taken: the next hash is another one. Any other refusal is told and tried again."""
    status = deployment.get("status") or {}
    control.retry()
    if no.by_terminating_namespace:
        return deployment
    if no.status == 409:
        return control.status(deployment, {**status, "collisionCount": (status.get("collisionCount") or 0) + 1})
    message = f'Failed to create new replica set "{new["metadata"]["name"]}": {no.message}'
    if has_deadline(deployment):
        status = with_condition(status, control, "Progressing", "False", "ReplicaSetCreateError", message)
        deployment = control.status(deployment, status)
    control.event(deployment, WARNING, "ReplicaSetCreateError", message)
    return deployment


def _revised(deployment: Value, revision: str, status: Value, control: Control) -> Value:
    notes = deployment["metadata"].get("annotations") or {}
    return control.status(deployment, status, {**notes, REVISION: revision})


def _annotations(deployment: Value, replica_set: Value, revision: int) -> dict[str, str]:
    """The annotations of the new set: those of the Deployment, and a revision above all others."""
    notes: dict[str, str] = dict(replica_set["metadata"].get("annotations") or {})
    given = deployment["metadata"].get("annotations") or {}
    notes.update({k: v for k, v in given.items() if k not in NOT_COPIED})
    known = notes.get(REVISION, "")
    if known and not is_number(known):
        return dict(replica_set["metadata"].get("annotations") or {})  # someone else's: left as it is
    if int(known or 0) < revision:
        notes[REVISION] = str(revision)
        if known:
            notes[HISTORY] = _history(notes.get(HISTORY, ""), known)
    return notes


def _history(text: str, revision: str) -> str:
    entries = [*filter(None, text.split(",")), revision]
    while len(",".join(entries)) > _LONGEST_HISTORY:
        entries.pop(0)
    return ",".join(entries)


def limits(deployment: Value) -> dict[str, str]:
    """The annotations from which a later sync sees that the Deployment was scaled."""
    wanted = size(deployment)
    return {DESIRED: str(wanted), MAXIMUM: str(wanted + surge(deployment))}


def age(obj: Value) -> tuple[str, str]:
    """What sets are ordered by: when they came, then their names."""
    return str(obj["metadata"].get("creationTimestamp") or ""), obj["metadata"]["name"]


def size(obj: Value) -> int:
    """`spec.replicas`."""
    wanted = obj["spec"].get("replicas")
    return 1 if wanted is None else int(wanted)


def is_active(replica_set: Value) -> bool:
    """Whether a set wants pods."""
    return size(replica_set) > 0


def surge(deployment: Value) -> int:
    """How many pods there may be beyond `spec.replicas` during a rollout."""
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0
    return resolve((strategy.get("rollingUpdate") or {}).get("maxSurge", 0), size(deployment), up=True)


def has_deadline(deployment: Value) -> bool:
    """Whether the rollout is watched for progress."""
    deadline = deployment["spec"].get("progressDeadlineSeconds")
    return deadline is not None and deadline != 2**31 - 1


def revision_of(replica_set: Value) -> int:
    """The revision in the annotation of a set; 0 without a readable one."""
    text = (replica_set["metadata"].get("annotations") or {}).get(REVISION, "0")
    return int(text) if is_number(text) else 0


def is_number(text: str) -> bool:
    """Whether an annotation is a whole number."""
    return re.fullmatch(r"[+-]?[0-9]{1,18}", text) is not None


def _labelled(template: Value, code: str) -> Value:
    meta = template.get("metadata") or {}
    return {**template, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), HASH: code}}}


def without_hash(template: Value) -> Value:
    """The template of a set as its Deployment has it."""
    meta = template.get("metadata") or {}
    have = {k: v for k, v in (meta.get("labels") or {}).items() if k != HASH}
    return {**template, "metadata": {**meta, "labels": have}}
