"""Reading what is stored, and storing what the server has accepted.

Follows k8s.io/apiserver/pkg/registry/generic/registry/store.go (Get, and the resourceVersion of each write).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kplan.api.apply import Outcome, placed
from kplan.api.encode import encoded
from kplan.api.pipeline import kind_of, read
from kplan.api.request import Refused, Server
from kplan.errors import KplanError
from kplan.model import Applied, Ref
from kplan.store import Store, ref_of

Value = dict[str, Any]


def get(document: Ref | Value | str, server: Server) -> Value | None:
    """The stored object with this Ref, or with the identity of this document, as the server writes it; or None.

    Raises KplanError for a text that is no document.
    """
    value = _identified(document)
    try:
        info = kind_of(value, server)
        value = placed(value, info, server)
    except Refused:
        info = None
    found = server.store.get(ref_of(value).key) if server.store is not None else None
    return encoded(found, info) if found is not None else None


def _identified(document: Ref | Value | str) -> Value:
    if isinstance(document, Ref):
        meta = {"name": document.name, "namespace": document.namespace}
        return {"apiVersion": document.api_version, "kind": document.kind, "metadata": meta}
    try:
        return read(document)[0]
    except Refused as no:
        raise KplanError(no.message) from no


def commit(outcome: Outcome, store: Store) -> Applied:
    """Store what there is to store under a new resourceVersion, or remove it; the answer, with that version."""
    answer, new, gone = outcome
    if new is None:
        return answer
    if gone:
        store.remove(ref_of(new).key)
        return answer
    version = str(store.revision + 1)
    store.put({**new, "metadata": {**new["metadata"], "resourceVersion": version}})
    shown = answer.object or {}
    return replace(answer, object={**shown, "metadata": {**shown["metadata"], "resourceVersion": version}})
