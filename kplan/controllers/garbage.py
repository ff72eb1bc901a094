"""The garbage collector: objects whose owners are gone, and owners that wait for their dependents.

Follows pkg/controller/garbagecollector/garbagecollector.go: an owner reference is solid, dangling (no such uid) or
waiting (its owner is being deleted in the foreground). Without a solid one the object goes; with one the others are
dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kplan.api.customresources import catalog_of
from kplan.api.deletion import BACKGROUND, FOREGROUND, FOREGROUND_FINALIZER, ORPHAN, ORPHAN_FINALIZER
from kplan.controllers.claims import controllerless
from kplan.controllers.control import WARNING, Control
from kplan.controllers.manager import ANY, Controller
from kplan.controllers.metadata import with_owners, without_finalizer
from kplan.model import Key, split_api_version
from kplan.schema import KindInfo
from kplan.store import Write, ref_of

Value = dict[str, Any]


_UNREADABLE: Value = {"metadata": {}}  # an owner that is there, though nothing can be said of it


def reconcile(key: Key, control: Control) -> None:
    """Look at one object: as an owner that is being deleted, and as a dependent."""
    obj = control.get(key)
    news = control.memory.pop(control.current, False)
    if obj is None:
        return
    if news:
        _report_foreign_owners(obj, control)
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


def _report_foreign_owners(obj: Value, control: Control) -> None:
    """Tell of references to objects of another namespace: nothing there can be an owner."""
    namespace = obj["metadata"].get("namespace", "")
    lost = {r["uid"]: r for r in obj["metadata"].get("ownerReferences") or () if _owner(obj, r, control) is None}
    for key, found in control.store.items() if lost else ():
        ref = lost.get(found["metadata"].get("uid", ""))
        if ref is None or key.namespace in ("", namespace):
            continue
        who = f"{ref['apiVersion']}/{ref['kind']}, namespace: {namespace}, name: {ref['name']}, uid: {ref['uid']}"
        message = f'ownerRef [{who}] does not exist in namespace "{namespace}"'
        control.event(obj, WARNING, "OwnerRefInvalidNamespace", message)


def _orphan(owner: Value, control: Control) -> None:
    for dependent in control.store.dependents(owner["metadata"]["uid"]):
        refs = controllerless(dependent, owner)
        control.update(with_owners(dependent, refs))
    control.update(without_finalizer(owner, ORPHAN_FINALIZER))


def _delete_dependents_first(owner: Value, control: Control) -> None:
    """Dependents go first, down to the leaves; the owner is released when none of those that block is left."""
    uid = owner["metadata"]["uid"]
    for dependent in control.store.dependents(uid):
        current = control.get(ref_of(dependent).key)
        if current is not None:
            _judge(current, control)
    if not any(_blocks(d, uid) for d in control.store.dependents(uid)):
        control.update(without_finalizer(owner, FOREGROUND_FINALIZER))


def _blocks(dependent: Value, uid: str) -> bool:
    refs = dependent["metadata"].get("ownerReferences") or ()
    return any(r.get("uid") == uid and r.get("blockOwnerDeletion") for r in refs)


def _judge(obj: Value, control: Control) -> None:
    """Delete an object that no living owner wants, or drop references that lead nowhere."""
    refs = obj["metadata"].get("ownerReferences") or []
    if obj["metadata"].get("deletionTimestamp") or not refs:
        return
    if not all(_is_understood(obj, ref, control) for ref in refs):
        return
    owners = [(ref, _owner(obj, ref, control)) for ref in refs]
    waiting = [ref for ref, owner in owners if owner is not None and _waits(owner)]
    solid = [ref for ref, owner in owners if owner is not None and not _waits(owner)]
    if solid:
        if len(solid) != len(refs):
            control.update(with_owners(obj, solid))
        return
    dependents = control.store.dependents(obj["metadata"].get("uid", "")) if waiting else []
    if any(map(_waits, dependents)):  # a circle: it would block itself
        obj = control.update(with_owners(obj, [{**r, "blockOwnerDeletion": False} for r in refs]))
    control.delete(obj, FOREGROUND if dependents else _own_policy(obj))


def _is_understood(obj: Value, ref: Value, control: Control) -> bool:
    """Whether a reference may be followed: its kind is served, and a cluster-scoped object has no namespaced owner.

    Otherwise the collector cannot say that the owner is gone, and leaves the object alone.
    """
    info = _kind(ref, control)
    return info is not None and (bool(obj["metadata"].get("namespace")) or not info.namespaced)


def _kind(ref: Value, control: Control) -> KindInfo | None:
    found = catalog_of(control.version, control.store).kind(str(ref.get("apiVersion")), str(ref.get("kind")))
    return found if found is not None and found.served else None


def _own_policy(obj: Value) -> str:
    finalizers = obj["metadata"].get("finalizers") or ()
    if ORPHAN_FINALIZER in finalizers:
        return ORPHAN
    return FOREGROUND if FOREGROUND_FINALIZER in finalizers else BACKGROUND


def _owner(obj: Value, ref: Value, control: Control) -> Value | None:
    """The owner that a reference names: in the namespace of the object or cluster-scoped, and of the same uid."""
    info = _kind(ref, control)
    namespace = obj["metadata"].get("namespace", "") if info is None or info.namespaced else ""
    group, _ = split_api_version(str(ref.get("apiVersion", "")))
    key = Key(group, str(ref.get("kind")), namespace, str(ref.get("name")))
    found = control.get(key)
    if found is None and key in control.store.aside:
        return _UNREADABLE
    return found if found is not None and found["metadata"].get("uid") == ref.get("uid") else None


def _waits(owner: Value) -> bool:
    meta = owner["metadata"]
    return bool(meta.get("deletionTimestamp")) and FOREGROUND_FINALIZER in (meta.get("finalizers") or ())


def _affected(write: Write, control: Control) -> list[Key]:
    """An object that is new, deleting or has other owners; when one goes, its dependents.

    Owners that wait for it have to look again when it goes or blocks them no longer.
    """
    old, new = write.old, write.new
    found: list[Key] = []
    if new is None:
        assert old is not None
        found = [ref_of(d).key for d in control.store.dependents(old["metadata"].get("uid") or "")]
        return [*found, *_released(old, (), control)]
    before = old["metadata"] if old is not None else {}
    meta = new["metadata"]
    owners_changed = meta.get("ownerReferences") != before.get("ownerReferences")
    if meta.get("deletionTimestamp") and (not before.get("deletionTimestamp") or _held(before) != _held(meta)):
        found = [write.key]
    elif owners_changed and meta.get("ownerReferences"):
        found = [write.key]
        control.memory["garbagecollector", write.key] = True
    if old is not None and owners_changed:
        found += _released(old, meta.get("ownerReferences") or (), control)
    return found


def _released(old: Value, refs: Sequence[Value], control: Control) -> list[Key]:
    """The owners in the foreground of deletion that an object blocked, and with these references does no longer."""
    still = {r.get("uid") for r in refs if r.get("blockOwnerDeletion")}
    gone = [r for r in old["metadata"].get("ownerReferences") or () if r.get("uid") not in still]
    owners = (_owner(old, ref, control) for ref in gone)
    return [ref_of(o).key for o in owners if o is not None and _waits(o)]


def _held(meta: Value) -> tuple[str, ...]:
    return tuple(f for f in meta.get("finalizers") or () if f in (ORPHAN_FINALIZER, FOREGROUND_FINALIZER))


CONTROLLER = Controller("garbagecollector", {ANY: _affected}, reconcile)
