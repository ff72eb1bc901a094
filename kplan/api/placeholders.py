"""Placeholders for what is not known before an object is stored: `<uid Kind/name>` in an owner reference.

A manifest that names its owner cannot know the owner's uid; in a simulated cluster it says whose uid is meant.
"""

from __future__ import annotations

import re
from typing import Any

from kplan.api.request import Server

Value = dict[str, Any]

_UID = re.compile(r"<uid ([A-Za-z]+)/([^<>]+(?:<\d+>)?)>")


def with_uids(value: Value, server: Server) -> Value:
    """The object with the uids of stored objects in place of their placeholders; one that is not there stays."""
    meta = value.get("metadata")
    refs = meta.get("ownerReferences") if isinstance(meta, dict) else None
    if not isinstance(refs, list) or server.store is None or not any(_found(r) for r in refs):
        return value
    assert isinstance(meta, dict)
    namespace = meta.get("namespace") or server.namespace
    return {**value, "metadata": {**meta, "ownerReferences": [_filled(r, namespace, server) for r in refs]}}


def _found(ref: Any) -> re.Match[str] | None:
    uid = ref.get("uid") if isinstance(ref, dict) else None
    return _UID.fullmatch(uid) if isinstance(uid, str) else None


def _filled(ref: Any, namespace: Any, server: Server) -> Any:
    match = _found(ref)
    if match is None or server.store is None:
        return ref
    kind, name = match.groups()
    owner = server.store.find(kind, name, str(namespace)) or server.store.find(kind, name)
    return {**ref, "uid": owner["metadata"]["uid"]} if owner is not None and owner["metadata"].get("uid") else ref
