"""What a simulation begins with: stored objects with all that a server would have set.

A dump may come without uids, times and namespaces, and a list of machines has none. Controllers rely on them, so they
are filled in once, in a way that depends on nothing but the objects: a uid is the one that dependents name, else it
follows from the identity.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from kplan.api.customresources import catalog_of
from kplan.api.defaults import kind_info
from kplan.model import Key, split_api_version
from kplan.store import Store, Write, ref_of

Value = dict[str, Any]

_DEFAULT_NAMESPACE = "default"


def complete(store: Store, now: str, version: str, odd: Iterable[Value] = ()) -> None:
    """Fill in what a server would have set, in place of what is there; `odd` objects are set aside.

    `now` is the time of creation of what has none. The journal keeps its entries, told of the completed objects.
    """
    set_aside(store, version, odd)
    journal, store.journal = store.journal, None
    is_namespaced = _namespaced(store, version)
    values = [value for _, value in store.items()]
    placed = {id(v): _named(v, is_namespaced) for v in values}
    if any(placed[id(v)] is not v for v in values):  # other keys: all are put anew, in the same order
        for value in values:
            store.remove(ref_of(value).key)
        for value in values:
            store.put(placed[id(value)])
    uids = _uids(store)
    for key, value in store.items():
        full = _full(value, key, now, uids)
        if full is not value:
            store.put(full)
    store.journal = [_told(w, is_namespaced, store) for w in journal] if journal is not None else []


def set_aside(store: Store, version: str, odd: Iterable[Value]) -> None:
    """Put what no server could have stored out of the sight of servers and controllers. The journal is not told."""
    journal, store.journal = store.journal, None
    is_namespaced = _namespaced(store, version)
    for value in odd:
        key = ref_of(value).key
        if store.get(key) is value:
            store.remove(key)
            where = key.namespace or (_DEFAULT_NAMESPACE if is_namespaced(value) else "")
            store.aside[key._replace(namespace=where)] = value
    store.journal = journal


def _namespaced(store: Store, version: str) -> Callable[[Value], bool]:
    """What tells whether objects of a kind belong to namespaces."""
    kinds = catalog_of(version, store)

    def is_namespaced(value: Value) -> bool:
        api_version, kind = str(value.get("apiVersion")), str(value.get("kind"))
        info = kinds.kind(api_version, kind) or kind_info(api_version, kind, version)
        return info is not None and info.namespaced

    return is_namespaced


def _named(value: Value, is_namespaced: Callable[[Value], bool]) -> Value:
    """The object with a name and, if its kind needs one, a namespace."""
    meta = value["metadata"]
    changed: Value = {}
    if not meta.get("name"):
        changed["name"] = f"{meta['generateName']}<1>"  # as names are made that a server draws
    if not meta.get("namespace") and is_namespaced(value):
        changed["namespace"] = _DEFAULT_NAMESPACE
    if not changed:
        return value
    return {**value, "metadata": {**meta, **changed}}


def _uids(store: Store) -> dict[Key, str]:
    """The uid of every object: its own, the one that references to it name, or one made of its identity."""
    said: dict[Key, set[str]] = {}
    for key, value in store.items():
        for ref in value["metadata"].get("ownerReferences") or ():
            if ref.get("uid"):
                for owner in _owners(ref, key):
                    said.setdefault(owner, set()).add(ref["uid"])
    taken = {value["metadata"].get("uid") for _, value in store.items()}
    found = {}
    for key, value in store.items():
        free = sorted(said.get(key, set()) - taken)
        own = value["metadata"].get("uid") or (free[0] if len(free) == 1 else "")
        found[key] = own or str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(key).encode(errors="replace").decode()))
        taken.add(found[key])
    return found


def _owners(ref: Value, dependent: Key) -> list[Key]:
    """Where the owner that a reference names may be: in the namespace of the dependent, or outside of all."""
    group, _ = split_api_version(str(ref.get("apiVersion") or ""))
    places = dict.fromkeys((dependent.namespace, ""))
    return [Key(group, str(ref.get("kind")), place, str(ref.get("name"))) for place in places]


def _full(value: Value, key: Key, now: str, uids: dict[Key, str]) -> Value:
    """The object with uid, time of creation and version, and with references that name uids."""
    meta = value["metadata"]
    changed: Value = {}
    if not meta.get("uid"):
        changed["uid"] = uids[key]
    if not meta.get("creationTimestamp"):
        changed["creationTimestamp"] = now
    if not meta.get("resourceVersion"):
        changed["resourceVersion"] = "1"
    refs = meta.get("ownerReferences") or []
    if any(not r.get("uid") for r in refs):
        changed["ownerReferences"] = [r if r.get("uid") else {**r, "uid": _uid(r, key, uids)} for r in refs]
    full = {**value, "metadata": {**meta, **changed}} if changed else value
    return _with_times(full, now) if key.kind == "Deployment" else full


def _with_times(deployment: Value, now: str) -> Value:
    """The times of conditions, from which a rollout's deadline is counted."""
    status = deployment.get("status") or {}
    known = status.get("conditions") or []
    times = {"lastUpdateTime": now, "lastTransitionTime": now}
    timed = [{**times, **{k: v for k, v in c.items() if v is not None}} for c in known]
    return deployment if timed == known else {**deployment, "status": {**status, "conditions": timed}}


def _uid(ref: Value, dependent: Key, uids: dict[Key, str]) -> str:
    return next((uids[owner] for owner in _owners(ref, dependent) if owner in uids), "")


def _told(write: Write, is_namespaced: Callable[[Value], bool], store: Store) -> Write:
    """A change from before, under the identity and with the uid that its object has now."""
    value = write.new if write.new is not None else write.old
    assert value is not None
    named = _named(value, is_namespaced)
    if named is value and value["metadata"].get("uid"):
        return write
    key = ref_of(named).key
    return Write(key, write.old, None if write.new is None else store.get(key) or named)
