"""Reading what is stored, and storing what the server has accepted.

Follows k8s.io/apiserver/pkg/registry/generic/registry/store.go (Get, and the resourceVersion of each write).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kplan.api.admission.namespaces import IMMORTAL
from kplan.api.admission.quota import charge
from kplan.api.apply import Outcome, placed
from kplan.api.customresources import catalog_of
from kplan.api.deletion import PROPAGATIONS
from kplan.api.deletion import deleted as after_deletion
from kplan.api.encode import encoded
from kplan.api.pipeline import kind_of, read
from kplan.api.request import Refused, Server
from kplan.errors import KplanError
from kplan.model import Applied, Key, Ref
from kplan.store import Store, ref_of

Value = dict[str, Any]


def get(document: Ref | Value | str, server: Server) -> Value | None:
    """The stored object with this Ref, or with the identity of this document, as the server writes it; or None.

    Raises KplanError for a text that is no document.
    """
    value = _identified(document)
    if server.store is None:
        return None
    try:
        info = kind_of(value, server)
        value = placed(value, info, server)
    except Refused:
        info = None
    try:
        key = ref_of(value).key
    except RecursionError:  # a name that is nested too deeply is that of nothing
        return None
    found = server.store.get(key)
    return encoded(found, info) if found is not None else server.store.aside.get(key)


def _identified(document: Ref | Value | str) -> Value:
    if isinstance(document, Ref):
        meta = {"name": document.name, "namespace": document.namespace}
        return {"apiVersion": document.api_version, "kind": document.kind, "metadata": meta}
    try:
        return read(document)[0]
    except Refused as no:
        raise KplanError(no.message) from no


def commit(outcome: Outcome, store: Store, now: str = "") -> Applied:
    """Store what there is to store under a new resourceVersion, or remove it; the answer, with that version.

    `now` is the time at which a new object came; without it objects have no time.
    """
    answer, new, gone = outcome
    if new is None:
        return answer
    if gone:
        store.remove(ref_of(new).key)
        return answer
    stamped = {"resourceVersion": str(store.revision + 1)}
    if now and answer.status == 201:
        stamped["creationTimestamp"] = now
    old = store.get(ref_of(new).key)
    store.put({**new, "metadata": {**new["metadata"], **stamped}})
    charge(new, old, store)
    shown = answer.object or {}
    return replace(answer, object={**shown, "metadata": {**shown["metadata"], **stamped}})


def deleted(kind: str, name: str, server: Server, now: float, propagation: str | None) -> Applied:
    """Delete a stored object; the server's answer. Raises KplanError for an unknown way of propagation."""
    if propagation is not None and propagation not in PROPAGATIONS:
        raise KplanError(f"there is no propagation {propagation!r}", hint=f"ways are {', '.join(PROPAGATIONS)}")
    assert server.store is not None
    info = catalog_of(server.release, server.store).find(kind)
    if info is None:
        return Applied(False, 404, f"the server doesn't have a resource type {kind!r}")
    if (info.group, info.kind) == ("", "Namespace") and name in IMMORTAL:
        return Applied(False, 403, f'namespaces "{name}" is forbidden: this namespace may not be deleted')
    key = Key(info.group, info.kind, server.namespace if info.namespaced else "", name)
    found = server.store.get(key)
    if found is None:
        resource = f"{info.plural}.{info.group}" if info.group else info.plural
        return Applied(False, 404, f'{resource} "{name}" not found')
    new = after_deletion(found, now, propagation)
    if new is None:
        server.store.remove(key)
        return Applied(True, 200, object=found)
    if new == found:
        return Applied(True, 200, object=found)
    stamped = {**new, "metadata": {**new["metadata"], "resourceVersion": str(server.store.revision + 1)}}
    server.store.put(stamped)
    return Applied(True, 200, object=stamped)
