"""Placeholders for what nobody can know: uids in owner references, and parts of names.

A manifest that names its owner cannot know the owner's uid; in a simulated cluster `<uid Kind/name>` says whose uid is
meant. Objects that stand for several possible ones carry `<1>` or `<t1>` in their names, which no validation would
take: they are checked under a name of the same length in digits, and stored under their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kplan.api.request import Server

Value = dict[str, Any]

_UID = re.compile(r"<uid ([A-Za-z]+)/((?:[^<>]|<t?\d+>)+)>")
_OPEN = re.compile(r"<(?P<time>t?)(?P<number>\d+)>")
_MINUTES = 8  # digits of the minutes since 1970, from 1989 to 2160
_RANDOM = 5  # characters that generateName adds


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


def closed(obj: Value) -> tuple[Value, Callable[[Any], Any]]:
    """An object whose name the API server can judge, and the way back for whatever contains that name.

    The names of its owners, with which its own begins, are replaced too.
    """
    meta = obj["metadata"]
    name = meta.get("name") or meta.get("generateName") or ""
    pairs: list[tuple[str, str]] = []
    while part := _OPEN.search(name):
        width = _MINUTES if part["time"] else _RANDOM
        stand_in = name[: part.start()] + part["number"].zfill(width)
        pairs.append((name[: part.end()], stand_in))
        name = stand_in + name[part.end() :]
    back = [(new, old) for old, new in reversed(pairs)]
    closed_obj: Value = _replaced(obj, pairs)
    return closed_obj, lambda value: _replaced(value, back)


def _replaced(value: Any, pairs: list[tuple[str, str]]) -> Any:
    if not pairs:
        return value
    if isinstance(value, str):
        for old, new in pairs:
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {k: _replaced(v, pairs) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(v, pairs) for v in value]
    return value
