"""Going back to an earlier revision where an annotation asks for it, as the API of old had it.

Follows pkg/controller/deployment/rollback.go. The annotation `deprecated.deployment.rollback.to` names the revision, 0
for the last one; it goes once it is followed, or cannot be. `kubectl rollout undo` changes the template itself.
"""

from __future__ import annotations

from typing import Any

from kplan.controllers.control import NORMAL, WARNING, Control
from kplan.controllers.deploymentsets import (
    NOT_COPIED,
    ROLLBACK,
    Sets,
    is_number,
    revision_of,
    with_new_set,
    without_hash,
)

Value = dict[str, Any]


def rollback_to(deployment: Value) -> int | None:
    """The revision that an annotation asks for; None without a readable one."""
    text = (deployment["metadata"].get("annotations") or {}).get(ROLLBACK, "")
    return int(text) if is_number(text) else None


def roll_back(deployment: Value, sets: Sets, revision: int, control: Control) -> None:
    """Take template and annotations of the set with this revision, and drop the annotation that asks for it."""
    deployment, sets = with_new_set(deployment, sets, control, create=True)
    if sets.new is None:  # it could not be created
        return
    revision = revision or _last(sets)
    found = next((s for s in sets.all if revision and revision_of(s) == revision), None)
    if found is None:
        what = "Unable to find the revision to rollback to." if revision else "Unable to find last revision."
        control.event(deployment, WARNING, "DeploymentRollbackRevisionNotFound", what)
        _write(deployment, _notes(deployment), deployment["spec"], control)
        return
    name, template = deployment["metadata"]["name"], without_hash(found["spec"]["template"])
    if template == without_hash(deployment["spec"]["template"]):
        what = f'The rollback revision contains the same template as current deployment "{name}"'
        control.event(deployment, WARNING, "DeploymentRollbackTemplateUnchanged", what)
        _write(deployment, _notes(deployment), deployment["spec"], control)
        return
    own = {k: v for k, v in _notes(deployment).items() if k in NOT_COPIED}
    given = {k: v for k, v in (found["metadata"].get("annotations") or {}).items() if k not in NOT_COPIED}
    _write(deployment, own | given, {**deployment["spec"], "template": template}, control)
    control.event(deployment, NORMAL, "DeploymentRollback", f'Rolled back deployment "{name}" to revision {revision}')


def _last(sets: Sets) -> int:
    """The second highest revision; 0 if there is none."""
    revisions = sorted({revision_of(s) for s in sets.all} | {0}, reverse=True)
    return revisions[1] if len(revisions) > 1 else 0


def _notes(deployment: Value) -> dict[str, str]:
    return {k: v for k, v in (deployment["metadata"].get("annotations") or {}).items() if k != ROLLBACK}


def _write(deployment: Value, notes: dict[str, str], spec: Value, control: Control) -> None:
    meta = {k: v for k, v in deployment["metadata"].items() if k != "annotations"}
    control.update({**deployment, "metadata": {**meta, **({"annotations": notes} if notes else {})}, "spec": spec})
