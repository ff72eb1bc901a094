"""Applying one object: by PUT, by `kubectl apply`, or by server-side apply.

Follows k8s.io/kubectl/pkg/cmd/apply (apply.go, patcher.go) and k8s.io/apiserver/pkg/endpoints/handlers (update.go,
patch.go). Each way creates what is missing. Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from kplan.api.encode import encoded, forget_empty
from kplan.api.lastapplied import CLIENT_SIDE_MANAGER, last_applied, with_last_applied
from kplan.api.listorder import fault
from kplan.api.merge import three_way
from kplan.api.pipeline import TOO_DEEP, created, decode, kind_of, read, shown_as_sent
from kplan.api.placeholders import with_uids
from kplan.api.request import Refused, Server, require
from kplan.api.stored import without_kind
from kplan.api.update import updated
from kplan.errors import KplanError
from kplan.model import Applied
from kplan.schema import KindInfo, catalog
from kplan.store import ref_of

Value = dict[str, Any]

CLIENT_SIDE, REPLACE, SERVER_SIDE = "csa", "replace", "ssa"
MANAGER = "kplan"


class Outcome(NamedTuple):
    """The answer, and the object to store, None if there is nothing to write.

    `gone` says that the object is to be removed instead: it was being deleted, and lost its last finalizer.
    """

    answer: Applied
    new: Value | None = None
    gone: bool = False


class _Sent(NamedTuple):
    """An object on its way to the server: what it is, what is stored under its name, what strict reading found, who
    sends it."""

    value: Value
    info: KindInfo | None
    stored: Value | None
    repeated: list[str]
    manager: str
    force: bool


def apply(doc: Value | str, server: Server, *, mode: str, manager: str = MANAGER, force: bool = False) -> Outcome:
    """What becomes of an object (or the text of one document) that is applied with `mode` csa, replace or ssa.

    `manager` is the field manager of ssa and replace, `force` lets ssa take fields from others. Raises KplanError for
    another mode.
    """
    way = _WAYS.get(mode)
    if way is None:
        raise KplanError(f"there is no way to apply called {mode!r}", hint=f"ways are {', '.join(_WAYS)}")
    warnings: list[str] = []
    info, value = None, None
    try:
        given, value, repeated = read(doc)
        if mode != REPLACE:  # kubectl reads the text itself and sends what it has read
            value, repeated = given, []
        if mode == SERVER_SIDE:
            value = _versioned(value, server)
        info = kind_of(value, server)
        value = with_uids(placed(value, info, server), server)
        stored = server.store.get(ref_of(value).key) if server.store is not None else None
        new = way(_Sent(value, info, stored, repeated, manager, force), server, warnings)
    except Refused as no:
        return Outcome(refusal(shown_as_sent(no, value, info), of_kubectl=mode == CLIENT_SIDE))
    except RecursionError:
        return Outcome(Applied(False, 400, TOO_DEEP))
    return accepted(new, stored, info, warnings)


def apply_or_create(value: Value, server: Server) -> Outcome:
    """What becomes of an object as it is read from a file: `kubectl apply`, or creation if it has no name yet."""
    meta = value.get("metadata")
    generated = isinstance(meta, dict) and meta.get("generateName") and not meta.get("name")
    return apply(value, server, mode=REPLACE if generated else CLIENT_SIDE)


def accepted(new: Value, stored: Value | None, info: KindInfo | None, warnings: list[str]) -> Outcome:
    """The answer for an object that takes the place of `stored`; one that is the same is not written."""
    if new is not stored:
        forget_empty(new, info)
    changed = stored is None or new != stored
    result = new if changed else stored
    assert result is not None
    answer = Applied(True, 201 if stored is None else 200, "", (), tuple(warnings), encoded(result, info))
    return Outcome(answer, result if changed else None, stored is not None and changed and _emptied(result, stored))


def _emptied(new: Value, old: Value) -> bool:
    """Whether an object that is being deleted has nothing left that keeps it (registry/generic/registry/store.go)."""
    if "deletionTimestamp" not in old["metadata"] or not _finalizers(old) or _finalizers(new):
        return False
    grace = old["metadata"].get("deletionGracePeriodSeconds", 30 if old.get("kind") == "Pod" else 0)
    return bool(grace == 0)


def _finalizers(obj: Value) -> list[Any]:
    own = (obj.get("spec") or {}).get("finalizers") if obj.get("kind") == "Namespace" else None
    return [*(obj["metadata"].get("finalizers") or ()), *(own or ())]


def refusal(no: Refused, *, of_kubectl: bool = False) -> Applied:
    """The answer for a refusal; kubectl has words of its own for invalid objects."""
    message = no.message
    if of_kubectl and no.causes and no.status == 422:
        kind, _, rest = message.partition(" ")
        name = rest.partition(" is invalid: ")[0]
        causes = [f"{c.field}: {c.message}" for c in no.causes]
        body = f": {causes[0]}" if len(causes) == 1 else "".join(f"\n* {c}" for c in causes)
        message = f"The {kind.partition('.')[0]} {name} is invalid{body}"
    return Applied(False, no.status, message, no.causes)


def placed(value: Value, info: KindInfo | None, server: Server) -> Value:
    """An object with a name, in the namespace in which it will be stored. Raises Refused."""
    meta = value.get("metadata")
    meta = dict(meta) if isinstance(meta, dict) else {}
    if not isinstance(meta.get("name") or "", str) or not isinstance(meta.get("namespace") or "", str):
        return value  # decoding will say so
    if info is not None and not info.namespaced:
        meta.pop("namespace", None)
    elif not meta.get("namespace"):
        meta["namespace"] = server.namespace
    return {**value, "metadata": meta}


def _answered(info: KindInfo | None, verb: str) -> None:
    if info is not None:
        require(verb, info.verbs)


def _replace(sent: _Sent, server: Server, warnings: list[str]) -> Value:
    return _stored(sent.value, sent, server, warnings)


def _client_side(sent: _Sent, server: Server, warnings: list[str]) -> Value:
    sent = sent._replace(manager=CLIENT_SIDE_MANAGER)
    modified = with_last_applied(named(sent.value))
    _answered(sent.info, "get")
    if sent.stored is None:
        return _stored(modified, sent, server, warnings)
    node = sent.info.node if sent.info is not None and not sent.info.custom else None
    why = fault(sent.stored, modified, node)
    if why:
        raise Refused(400, f"error: {why}")
    merged = three_way(last_applied(sent.stored), sent.stored, modified, node)
    return sent.stored if merged == sent.stored else _stored(merged, sent, server, warnings)


def named(value: Value) -> Value:
    """The object itself if it has a name, which applying needs. Raises Refused."""
    meta = value["metadata"] if isinstance(value.get("metadata"), dict) else {}
    if not meta.get("name"):
        why = "cannot use generate name with apply" if meta.get("generateName") else "resource name may not be empty"
        raise Refused(400, f"error: {why}")
    return value


def _stored(value: Value, sent: _Sent, server: Server, warnings: list[str]) -> Value:
    """The object as the server stores it, new or in place of what is there."""
    if sent.info is None:
        return without_kind(value, server.release)
    new = decode(value, sent.info, server, sent.repeated, warnings)
    if sent.stored is None:
        return created(new, sent.info, server, warnings)
    if not sent.stored["metadata"].get("managedFields"):
        return updated(new, sent.stored, sent.info, server, warnings)
    from kplan.api.serverside import Writing, update_tracked

    return update_tracked(new, Writing(sent.info, sent.stored, sent.manager), server, warnings)


def _server_side(sent: _Sent, server: Server, warnings: list[str]) -> Value:
    from kplan.api.serverside import Applying, server_side

    value = named(sent.value)
    _answered(sent.info, "patch")
    call = Applying(value, sent.info, sent.stored, sent.manager, sent.force)
    return server_side(call, server, warnings)


def _versioned(value: Value, server: Server) -> Value:
    """An object that names only its kind, with the apiVersion of the one built-in kind of that name."""
    kind = value.get("kind")
    if value.get("apiVersion") or not isinstance(kind, str):
        return value
    version = _only_version(server.release, kind)
    return {"apiVersion": version, **{k: v for k, v in value.items() if k != "apiVersion"}} if version else value


@cache
def _only_version(release: str, kind: str) -> str:
    """The preferred version of a kind that one API group has; "" for a kind of none or of several."""
    kinds = catalog(release)
    groups = {i.group for i in kinds.kinds() if i.served and i.kind == kind}
    info = kinds.find(f"{kind}.{groups.pop()}".rstrip(".")) if len(groups) == 1 else None
    return info.api_version if info is not None else ""


_WAYS: Mapping[str, Callable[[_Sent, Server, list[str]], Value]] = {
    CLIENT_SIDE: _client_side,
    REPLACE: _replace,
    SERVER_SIDE: _server_side,
}
