"""The revisions of a DaemonSet.

Follows pkg/controller/daemon/update.go (constructHistory, snapshot, dedupCurHistories, cleanupHistory).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.controllers import revisions
from kplan.controllers.claims import claim
from kplan.controllers.control import Control
from kplan.controllers.hashes import daemon_set_revision_hash
from kplan.controllers.podroutes import selects

Value = dict[str, Any]


class History(NamedTuple):
    """`code` is the hash that pods of the current template carry, `old` are the revisions of other templates."""

    code: str
    old: list[Value]


def history_of(owner: Value, control: Control) -> History | None:
    """The history of a DaemonSet, with a revision for its template; None if the name of that one is taken.

    Raises Refused if it cannot be written.
    """
    own = claim(owner, "ControllerRevision", control, lambda r: selects(owner, r))
    known = [_labelled(r, control) for r in own]
    template = owner["spec"]["template"]
    equal = revisions.equal_ones(known, template, control.minor)
    names = {r["metadata"]["name"] for r in equal}
    old = [r for r in known if r["metadata"]["name"] not in names]
    following = max(map(revisions.number, old), default=0) + 1
    if equal:
        current = _only(owner, equal, control)
        if revisions.number(current) < following:
            revisions.renumber(current, following, control)
        return History(code_of(current), old)
    made = _created(owner, following, control)
    return History(code_of(made), old) if made is not None else None


def code_of(obj: Value) -> str:
    """The hash in the labels of a revision or of a pod; empty if it does not say."""
    return str((obj["metadata"].get("labels") or {}).get(revisions.POD_HASH) or "")


def _labelled(obj: Value, control: Control, code: str = "") -> Value:
    """An object with a hash in its labels; a revision without one gets its name for it."""
    if code_of(obj) and not code:
        return obj
    meta = obj["metadata"]
    have = {**(meta.get("labels") or {}), revisions.POD_HASH: code or meta["name"]}
    return control.update({**obj, "metadata": {**meta, "labels": have}})


def _only(owner: Value, equal: list[Value], control: Control) -> Value:
    """Of several revisions of the current template the newest; the others go, and their pods become its own."""
    keep = equal[0]
    for r in equal[1:]:
        keep = r if revisions.number(r) >= revisions.number(keep) else keep
    for other in equal:
        if other is not keep:
            for pod in control.owned(owner, "Pod"):
                if code_of(pod) != code_of(keep):
                    _labelled(pod, control, code_of(keep))
            control.delete(other)
    return keep


def _created(owner: Value, number: int, control: Control) -> Value | None:
    """A new revision; if its name is taken by another template, the next try comes with another hash."""
    meta, template, status = owner["metadata"], owner["spec"]["template"], owner.get("status") or {}
    code = daemon_set_revision_hash(template, control.minor, status.get("collisionCount"))
    name = f"{meta['name']}-{code}"
    known = revisions.named(name, meta["namespace"], control)
    if known is None:
        return control.create(revisions.make(owner, name, (revisions.POD_HASH, code), number, control))
    if revisions.equal_ones([known], template, control.minor):
        return known
    control.status(owner, {**status, "collisionCount": int(status.get("collisionCount") or 0) + 1})
    return None


def truncate(owner: Value, own: list[Value], history: History, control: Control) -> None:
    """Delete the oldest revisions beyond revisionHistoryLimit, except those that a pod is of."""
    limit = owner["spec"].get("revisionHistoryLimit")
    surplus = len(history.old) - (10 if limit is None else int(limit))
    live = {code_of(p) for p in own}
    for old in sorted(history.old, key=revisions.number):
        if surplus <= 0:
            return
        if code_of(old) not in live:
            control.delete(old)
            surplus -= 1
