"""The revisions of a StatefulSet: the one that its pods come from, and the one that they are to come to.

Follows pkg/controller/statefulset/stateful_set_control.go (getStatefulSetRevisions, truncateHistory).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers import revisions
from kplan.controllers.claims import claim
from kplan.controllers.control import Control, controller_of
from kplan.controllers.hashes import stateful_set_revision_hash
from kplan.controllers.podroutes import selects

Value = dict[str, Any]

_HASH = "controller.kubernetes.io/hash"
_LONGEST_PREFIX = 223  # what the name of a revision keeps of the name of its owner


class History(NamedTuple):
    """`past` are the revisions that were there before this sync, oldest first; `collisions` goes into the status."""

    past: list[Value]
    current: Value
    update: Value
    collisions: int

    @property
    def names(self) -> tuple[str, str]:
        """The names of the current and the update revision."""
        return self.current["metadata"]["name"], self.update["metadata"]["name"]


def history_of(owner: Value, control: Control) -> History:
    """The history of a set, with a revision for its template. Raises Refused if that cannot be written."""
    past = revisions.ordered(_listed(owner, control))
    status = owner.get("status") or {}
    collisions = int(status.get("collisionCount") or 0)
    following = revisions.number(past[-1]) + 1 if past else 1
    equal = revisions.equal_ones(past, owner["spec"]["template"], control.minor)
    if equal and equal[-1] is past[-1]:
        update = past[-1]
    elif equal:
        update = revisions.renumber(equal[-1], following, control)
    else:
        update, collisions = _created(owner, following, collisions, control)
    known = status.get("currentRevision")
    current = next((r for r in past if r["metadata"]["name"] == known), update)
    if current["metadata"]["name"] == update["metadata"]["name"]:
        current = update
    return History(past, current, update, collisions)


def _listed(owner: Value, control: Control) -> list[Value]:
    """The revisions that the set owns or adopts; one whose labels no longer match is left alone."""
    uid = owner["metadata"].get("uid")

    def counts(revision: Value) -> bool:
        ref = controller_of(revision)
        return selects(owner, revision) and (ref is None or ref.get("uid") == uid)

    return claim(owner, "ControllerRevision", control, lambda _: True, counts)


def _created(owner: Value, number: int, collisions: int, control: Control) -> tuple[Value, int]:
    """A new revision; while its name is taken by another template, under the next hash."""
    meta, template = owner["metadata"], owner["spec"]["template"]
    prefix = f"{meta['name'][:_LONGEST_PREFIX]}-"
    first = _told(owner, prefix) or stateful_set_revision_hash(template, control.minor, collisions)
    code = first
    while True:
        name = prefix + code
        known = revisions.named(name, meta["namespace"], control)
        if known is None:
            made = revisions.make(owner, name, (_HASH, first), number, control)
            return control.create(made), collisions
        if revisions.equal_ones([known], template, control.minor):
            return known, collisions
        collisions += 1
        code = stateful_set_revision_hash(template, control.minor, collisions)


def _told(owner: Value, prefix: str) -> str:
    """The hash that the status names for this very template; empty if it names none.

    A set may come from a cluster without its revisions: what it runs was made there, perhaps by an older controller
    that hashed otherwise, and is up to date all the same.
    """
    status = owner.get("status") or {}
    name = str(status.get("updateRevision") or "")
    seen = status.get("observedGeneration") == owner["metadata"].get("generation", 0)
    return name.removeprefix(prefix) if seen and name.startswith(prefix) else ""


def truncate(owner: Value, pods: list[Value], history: History, control: Control) -> None:
    """Delete the oldest revisions beyond revisionHistoryLimit that no pod is of."""
    live = {*history.names, *(revision_of(p) for p in pods)}
    unused = [r for r in history.past if r["metadata"]["name"] not in live]
    limit = owner["spec"].get("revisionHistoryLimit")
    for old in unused[: max(0, len(unused) - (10 if limit is None else int(limit)))]:
        control.delete(old)


def revision_of(pod: Value) -> str:
    """The name of the revision that a pod was made from; empty if it does not say."""
    return str((pod["metadata"].get("labels") or {}).get(revisions.POD_HASH) or "")
