"""A PATCH of one stored object, its status or its scale: JSON merge patch, strategic merge patch, JSON patch.

Follows k8s.io/apiserver/pkg/endpoints/handlers/patch.go with the server's default field validation, Warn: a field that
the kind does not have is dropped, with a warning. Nothing is stored here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from kplan.api import jsonpatch, strategic
from kplan.api.apply import MANAGER, Outcome, accepted, refusal
from kplan.api.customresources import catalog_of
from kplan.api.decode import copied
from kplan.api.encode import encoded
from kplan.api.gotext import type_name
from kplan.api.pipeline import TOO_DEEP, request_for
from kplan.api.request import Refused, Server, invalid
from kplan.api.rereading import normal, reread, same_name
from kplan.api.scale import paths_of, scale_of, scaled
from kplan.api.serverside import Writing, is_tracked, managed, unchanged, update_tracked
from kplan.api.statusupdate import has_status, with_status
from kplan.api.stored import without_kind
from kplan.api.update import preconditions, updated
from kplan.api.validation.field import go_json, go_quote
from kplan.errors import KplanError
from kplan.model import Applied, Cause, Ref
from kplan.schema import KindInfo, Node, catalog

Value = dict[str, Any]

MERGE, STRATEGIC, JSON = "merge", "strategic", "json"

_NOT_THERE = "the server could not find the requested resource"
_INVALID = "the server rejected our request due to an error in our request"
_UNSUPPORTED = (
    "the body of the request was in an unknown format - accepted media types include: "
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
)


class _Call(NamedTuple):
    """A patch on its way: of which object, and what it says."""

    info: KindInfo | None
    stored: Value
    body: Any
    form: str
    manager: str


def patch(
    kind: str,
    name: str,
    body: Value | list[Any] | str,
    server: Server,
    *,
    form: str = MERGE,
    subresource: str | None = None,
    manager: str = MANAGER,
) -> Outcome:
    """What becomes of the object of this kind (or plural, or short name) and name when it is patched.

    `body` is the patch or its text, `form` merge, strategic or json, `subresource` None, status or scale. Raises
    KplanError for another form or subresource.
    """
    if form not in _FORMS:
        raise KplanError(f"there is no patch called {form!r}", hint=f"patches are {', '.join(_FORMS)}")
    way = _WAYS.get(subresource)
    if way is None:
        known = ", ".join(w for w in _WAYS if w)
        raise KplanError(f"the subresource {subresource!r} cannot be patched here", hint=f"those that can are {known}")
    warnings: list[str] = []
    try:
        info, stored = _find(kind, name, server)
        call = _Call(info, stored, _read(body), form, manager)
        return way(call, server, warnings)
    except Refused as no:
        return Outcome(refusal(no))
    except RecursionError:
        return Outcome(Applied(False, 400, TOO_DEEP))


def _find(kind: str, name: str, server: Server) -> tuple[KindInfo | None, Value]:
    """The kind (None: no definition of it is known), in the version in which the object is stored, and the object."""
    kinds, store = catalog_of(server.release, server.store), server.store
    info = kinds.find(kind)
    if info is None:
        found = store.find(kind, name, server.namespace) or store.find(kind, name) if store is not None else None
        if found is None:
            raise Refused(404, _NOT_THERE)
        return None, found
    namespace = server.namespace if info.namespaced else ""
    found = store.get(Ref(info.group, info.version, info.kind, namespace, name).key) if store is not None else None
    if found is None:
        raise Refused(404, f'{_resource(info)} "{name}" not found')
    own = kinds.kind(str(found.get("apiVersion")), info.kind)
    return own if own is not None and own.served else info, found


def _resource(info: KindInfo) -> str:
    return f"{info.plural}.{info.group}" if info.group else info.plural


def _read(body: Any) -> Any:
    if not isinstance(body, str):
        return body
    from kplan.yamlio import load_value

    try:
        return load_value(body, "patch")
    except KplanError as no:
        raise Refused(400, f"error decoding patch: {no}") from None


def _whole(call: _Call, server: Server, warnings: list[str]) -> Outcome:
    info = call.info
    sent = _patched(encoded(call.stored, info), call, info.node if info is not None else None)
    new = _decoded(sent, info, call, server, warnings)
    if info is None:
        return accepted(new, call.stored, None, warnings)
    old = normal(call.stored, info, server.minor)
    if is_tracked(old):
        new = update_tracked(new, Writing(info, old, call.manager), server, warnings)
    else:
        new = updated(new, old, info, server, warnings)
    return _outcome(new, old, call, warnings)


def _status(call: _Call, server: Server, warnings: list[str]) -> Outcome:
    """Only the status changes."""
    info, stored = call.info, call.stored
    if info is None or not has_status(info, server.store):
        raise Refused(404, _NOT_THERE)
    sent = _patched(encoded(stored, info), call, info.node)
    new, old = _decoded(sent, info, call, server, warnings), normal(stored, info, server.minor)
    preconditions(new, old, request_for(new, info, server, old))
    new = with_status(old, new.get("status"), old, info, server)
    return _outcome(_tracked(new, call, server, "status"), old, call, warnings)


def _scale(call: _Call, server: Server, warnings: list[str]) -> Outcome:
    """The scale is an object of its own, and the answer too. What changes is the object that has it."""
    info = call.info
    paths = paths_of(info, server) if info is not None else None
    kind = catalog(server.release).kind("autoscaling/v1", "Scale")
    if info is None or paths is None or kind is None:
        raise Refused(404, _NOT_THERE)
    old = normal(call.stored, info, server.minor)
    sent = _patched(scale_of(old, paths), call, kind.node)
    scale = _decoded(sent, kind, call, server, warnings)
    preconditions(scale, old, request_for(scale, info, server, old))
    replicas = (scale.get("spec") or {}).get("replicas") or 0
    if replicas < 0:
        why = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid("autoscaling", scale, [Cause("spec.replicas", "FieldValueInvalid", why)])
    new = updated(copied(scaled(old, replicas, paths)), old, info, server, warnings)
    outcome = _outcome(_tracked(new, call, server, "scale"), old, call, warnings)
    return outcome._replace(answer=replace(outcome.answer, object=scale_of(outcome.new or call.stored, paths)))


def _tracked(new: Value, call: _Call, server: Server, subresource: str) -> Value:
    if not is_tracked(call.stored):
        return new
    return managed(new, new, Writing(call.info, call.stored, call.manager, subresource), server)


def _outcome(new: Value, old: Value, call: _Call, warnings: list[str]) -> Outcome:
    """The answer; what is as it was when read is not written."""
    same = unchanged(new, old) and new["metadata"].get("managedFields") == old["metadata"].get("managedFields")
    return accepted(call.stored if same else new, call.stored, call.info, warnings)


def _patched(current: Value, call: _Call, node: Node | None) -> Value:
    """The current object, as the server writes it, after the patch. Raises Refused."""
    body, wanted = call.body, list if call.form == JSON else dict
    if not isinstance(body, wanted):
        what = "[]interface {}" if call.form == JSON else "map[string]interface {}"
        words = {list: "array", dict: "object", str: "string", bool: "bool"}
        why = f"json: cannot unmarshal {words.get(type(body), 'number')} into Go value of type {what}"
        raise Refused(400, why if call.form == STRATEGIC else f"error decoding patch: {why}")
    new = _FORMS[call.form](current, body, node if call.info is not None and not call.info.custom else None)
    if not isinstance(new, dict):
        raise _bad_result(new, f"expected an object, got {type_name(new)}")
    # A patch that takes them out says nothing: the call names them.
    return {**new, **{k: current[k] for k in ("apiVersion", "kind") if not new.get(k)}}


def _merge_patch(current: Value, body: Any, node: Node | None) -> Any:  # noqa: ARG001
    return jsonpatch.merge(current, body)


def _strategic_patch(current: Value, body: Any, node: Node | None) -> Any:
    if node is None:
        raise Refused(415, _UNSUPPORTED)
    return strategic.patched(current, body, node)


def _json_patch(current: Value, body: Any, node: Node | None) -> Any:  # noqa: ARG001
    try:
        return jsonpatch.apply(current, body)
    except jsonpatch.PatchError:  # the server keeps the reason to itself
        raise Refused(422, _INVALID) from None


def _decoded(sent: Value, info: KindInfo | None, call: _Call, server: Server, warnings: list[str]) -> Value:
    """The patched object read as the server does, of the same identity as before. Raises Refused."""
    expected = (info.api_version, info.kind) if info is not None else (call.stored["apiVersion"], call.stored["kind"])
    if (sent["apiVersion"], sent["kind"]) != expected:
        raise _bad_result(sent, f"unable to decode {sent['apiVersion']} {sent['kind']} into {' '.join(expected)}")
    if not isinstance(sent.get("metadata"), dict):
        raise _bad_result(sent, "there is no metadata")
    if info is None:
        new = without_kind(sent, server.release)
    else:
        new, error, unknown = reread(sent, info, server.minor)
        if error:
            raise _bad_result(sent, error)
        warnings += [f'unknown field "{path}"' for path in unknown]
    same_name(new["metadata"], call.stored["metadata"])
    return new


def _bad_result(value: Any, why: str) -> Refused:
    """The 422 of a patch whose result cannot be read; it shows that, without field managers and the data of Secrets."""
    shown = value
    if isinstance(value, dict):
        hidden = ("data", "stringData") if value.get("kind") == "Secret" else ()
        shown = {k: v for k, v in value.items() if k not in hidden}
        meta = shown.get("metadata")
        if isinstance(meta, dict):
            shown["metadata"] = {k: v for k, v in meta.items() if k not in ("managedFields", "annotations")}
    text = f"Invalid value: {go_quote(go_json(shown))}: {why}"
    return Refused(422, f' "" is invalid: patch: {text}', (Cause("patch", "FieldValueInvalid", text),))


_FORMS: Mapping[str, Callable[[Value, Any, Node | None], Any]] = {
    MERGE: _merge_patch,
    STRATEGIC: _strategic_patch,
    JSON: _json_patch,
}
_WAYS: Mapping[str | None, Callable[[_Call, Server, list[str]], Outcome]] = {
    None: _whole,
    "status": _status,
    "scale": _scale,
}
