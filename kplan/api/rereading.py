"""Reading an object once more that the server has put together itself: from its storage, or after a patch."""

from __future__ import annotations

from typing import Any

from kplan.api import customresources
from kplan.api.decode import Mismatch, Mode, converter
from kplan.api.decode_errors import explain
from kplan.api.defaults import decoded
from kplan.api.defaults.rules import finisher
from kplan.api.request import Refused
from kplan.schema import KindInfo

Value = dict[str, Any]


def reread(value: Value, info: KindInfo, minor: int) -> tuple[Value, str, tuple[str, ...]]:
    """An object decoded as the server does without strictness: (object, error, fields that it does not know)."""
    if info.custom:
        new, verdict = customresources.read(value, info)
        return new, verdict.error, verdict.unknown
    try:
        return decoded(value, info, minor), "", ()
    except Mismatch:
        verdict = explain(info.node, value)
    if verdict.error:
        return value, verdict.error, ()
    return converter(info.node, Mode("drop", finisher(minor)))(value), "", verdict.unknown


def normal(stored: Value, info: KindInfo | None, minor: int) -> Value:
    """A stored object as the server would read it from its storage."""
    if info is None:
        return stored
    read, error, _ = reread(stored, info, minor)
    return stored if error else read


def same_name(meta: Value, before: Value) -> None:
    """Raises Refused, a 400, if the metadata name another object than the one that was asked for."""
    name, namespace = meta.get("name") or "", meta.get("namespace") or ""
    if name != before.get("name"):
        raise Refused(400, f"the name of the object ({name}) does not match the name on the URL ({before.get('name')})")
    if namespace != (before.get("namespace") or ""):
        raise Refused(400, "the namespace of the provided object does not match the namespace sent on the request")
