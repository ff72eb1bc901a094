"""The garbage collector: objects whose owners are gone, and owners that wait for their dependents.

Follows pkg/controller/garbagecollector/garbagecollector.go: an owner reference is solid, dangling (no such uid) or
waiting (its owner is being deleted in the foreground). Without a solid one the object goes; with one the others are
dropped.
"""

from __future__ import annotations

from typing import Any

from kplan.api.deletion import BACKGROUND, FOREGROUND, FOREGROUND_FINALIZER, ORPHAN, ORPHAN_FINALIZER
from kplan.controllers.claims import controllerless
from kplan.controllers.control import Control
from kplan.controllers.manager import ANY, Controller
from kplan.model import Key, split_api_version
from kplan.store import Write, ref_of

Value = dict[str, Any]


_UNREADABLE: Value = {"metadata": {}}  # an owner that is there, though nothing can be said of it


def reconcile(key: Key, control: Control) -> None:
    """Look at one object: as an owner that is being deleted, and as a dependent."""
    obj = control.get(key)
    if obj is None:
        return
    finalizers = obj["metadata"].get("finalizers") or ()
    if obj["metadata"].get("deletionTimestamp"):
        if ORPHAN_FINALIZER in finalizers:
            _orphan(obj, control)
        elif FOREGROUND_FINALIZER in finalizers:
            _delete_dependents_first(obj, control)
            return
    current = control.get(key)
    if current is not None and current["metadata"].get("ownerReferences"):
        _judge(current, control)


def _orphan(owner: Value, control: Control) -> None:
    for dependent in control.store.dependents(owner["metadata"]["uid"]):
        refs = controllerless(dependent, owner)
        control.update(_with_owners(dependent, refs))
    control.update(_without_finalizer(owner, ORPHAN_FINALIZER))


def _delete_dependents_first(owner: Value, control: Control) -> None:
    """Dependents that block go first, down to the leaves; the owner is released when none of them is left."""
    uid = owner["metadata"]["uid"]
    blocking = [d for d in control.store.dependents(uid) if _blocks(d, uid)]
    for dependent in blocking:
        _judge(dependent, control)
    if not any(_blocks(d, uid) for d in control.store.dependents(uid)):
        control.update(_without_finalizer(owner, FOREGROUND_FINALIZER))


def _blocks(dependent: Value, uid: str) -> bool:
    refs = dependent["metadata"].get("ownerReferences") or ()
    return any(r.get("uid") == uid and r.get("blockOwnerDeletion") for r in refs)


def _judge(obj: Value, control: Control) -> None:
    """Delete an object that no living owner wants, or drop references that lead nowhere."""
    if obj["metadata"].get("deletionTimestamp"):
        return
    refs = obj["metadata"]["ownerReferences"]
    owners = [(ref, _owner(obj, ref, control)) for ref in refs]
    waiting = [ref for ref, owner in owners if owner is not None and _waits(owner)]
    solid = [ref for ref, owner in owners if owner is not None and not _waits(owner)]
    if solid:
        if len(solid) != len(refs):
            control.update(_with_owners(obj, solid))
        return
    dependents = control.store.dependents(obj["metadata"]["uid"])
    if not waiting or not dependents:
        control.delete(obj, _own_policy(obj))
        return
    if any(map(_waits, dependents)):  # perhaps owners in a circle: this one no longer keeps the others
        obj = control.update(_with_owners(obj, [{**ref, "blockOwnerDeletion": False} for ref in refs]))
    control.delete(obj, FOREGROUND)


def _own_policy(obj: Value) -> str:
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN_FINALIZER in finalizers:
        return ORPHAN
    return FOREGROUND if FOREGROUND_FINALIZER in finalizers else BACKGROUND


def _owner(obj: Value, ref: Value, control: Control) -> Value | None:
    """The owner that a reference names: in the namespace of the object or cluster-scoped, and of the same uid."""
    group, _ = split_api_version(str(ref.get("apiVersion", "")))
    for namespace in dict.fromkeys((obj["metadata"].get("namespace", ""), "")):
        key = Key(group, str(ref.get("kind")), namespace, str(ref.get("name")))
        found = control.get(key)
        if found is not None and found["metadata"].get("uid") == ref.get("uid"):
            return found
        if found is None and key in control.store.aside:
            return _UNREADABLE
    return None


def _waits(owner: Value) -> bool:
    meta = owner["metadata"]
    return bool(meta.get("deletionTimestamp")) and FOREGROUND_FINALIZER in (meta.get("finalizers") or ())


def _with_owners(obj: Value, refs: list[Value]) -> Value:
    meta = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
    return {**obj, "metadata": {**meta, **({"ownerReferences": refs} if refs else {})}}


def _without_finalizer(obj: Value, finalizer: str) -> Value:
    kept = [f for f in obj["metadata"].get("finalizers") or () if f != finalizer]
    meta = {k: v for k, v in obj["metadata"].items() if k != "finalizers"}
    return {**obj, "metadata": {**meta, **({"finalizers": kept} if kept else {})}}


def _affected(write: Write, control: Control) -> list[Key]:
    """An object that is new, deleting or has other owners; when one goes, its dependents and its owners."""
    old, new = write.old, write.new
    if new is None:
        assert old is not None
        found = [ref_of(d).key for d in control.store.dependents(old["metadata"].get("uid") or "")]
        owners = (_owner(old, ref, control) for ref in old["metadata"].get("ownerReferences") or ())
        return [*found, *(ref_of(o).key for o in owners if o is not None and _waits(o))]
    before = old["metadata"] if old is not None else {}
    meta = new["metadata"]
    if meta.get("deletionTimestamp") and (not before.get("deletionTimestamp") or _held(before) != _held(meta)):
        return [write.key]
    if meta.get("ownerReferences") and meta.get("ownerReferences") != before.get("ownerReferences"):
        return [write.key]
    return []


def _held(meta: Value) -> tuple[str, ...]:
    return tuple(f for f in meta.get("finalizers") or () if f in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER))


CONTROLLER = Controller("garbagecollector", {ANY: _affected}, reconcile)
