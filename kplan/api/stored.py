"""What is taken as stored: each object as a server holds it, or the reason why no server could.

A dump of a cluster may leave out what servers set, but not be of another shape: what a decoder refuses was never
stored. For custom resources that goes for their metadata, for nothing else is known of them.
"""

from __future__ import annotations

from kplan.api.decode import Mismatch, Mode, converter, copied
from kplan.api.decode_errors import explain
from kplan.api.defaults import decoded, kind_info
from kplan.api.request import Refused
from kplan.hints import Any
from kplan.model import split_api_version
from kplan.release import minor
from kplan.schema import catalog
from kplan.schema.node import Node
from kplan.store import builtin_kinds, is_native

Value = dict[str, Any]

# Without these fields there is nothing that a controller or a kubelet could do; all others have a zero value.
_NEEDED = {("v1", "Pod"): "containers", ("v1", "ReplicationController"): "template"}

TOO_DEEP = "it is nested too deeply"


def stored(value: Any, version: str) -> tuple[Value | None, str]:
    """A defaulted deep copy in normal form, and what is wrong with it, "" for nothing.

    What is wrong is copied unchanged; it is None if it is no object, or too deep to be copied.
    """
    if type(value) is not dict:
        return None, "it is no object"
    try:
        try:
            return _decoded(value, version)
        except Mismatch:
            return copied(value), _why(value, version)
    except RecursionError:
        return None, TOO_DEEP


def _decoded(value: Value, version: str) -> tuple[Value, str]:
    """The object as it is decoded. Raises Mismatch."""
    for field in ("apiVersion", "kind"):
        if type(value.get(field)) is not str or not value[field]:
            raise Mismatch
    info = kind_info(value["apiVersion"], value["kind"], version)
    if info is not None:
        out = decoded(value, info, minor(version), keep_unknown=True)
    elif _is_known_elsewhere(value):
        raise Mismatch
    else:
        out = with_metadata(value, version)
    meta = out.setdefault("metadata", {})
    if not meta.get("name") and not meta.get("generateName"):
        return out, "metadata.name: it has no name"
    field = _NEEDED.get((out["apiVersion"], out["kind"]), "")
    return out, f"spec.{field}: it has none" if field and not out["spec"].get(field) else ""


def undecodable(value: Value, version: str) -> bool:
    """Whether the server would refuse to read an object."""
    try:
        _decoded(value, version)
    except Mismatch:
        return True
    return False


def with_metadata(value: Value, version: str) -> Value:
    """A copy of an object of a kind that nothing is known of, with its metadata in normal form. Raises Mismatch."""
    meta = value.get("metadata")
    out: Value = copied(value)
    out["metadata"] = converter(_metadata(version), Mode("keep"))({} if meta is None else meta)
    return out


def without_kind(value: Value, version: str) -> Value:
    """`with_metadata` as the server does it. Raises Refused, a 400."""
    try:
        return with_metadata(value, version)
    except Mismatch:
        kind, (_, api) = value["kind"], split_api_version(value["apiVersion"])
        error = explain(_metadata(version), value.get("metadata")).error
        raise Refused(400, f'{kind} in version "{api}" cannot be handled as a {kind}: {error}') from None


def _why(value: Value, version: str) -> str:
    for field in ("apiVersion", "kind"):
        if type(value.get(field)) is not str or not value[field]:
            return f"{field}: it must be a text that is not empty"
    info = kind_info(value["apiVersion"], value["kind"], version)
    if info is None and _is_known_elsewhere(value):
        return catalog(version).no_match(value["apiVersion"], value["kind"])
    verdict = explain(info.node, value) if info is not None else explain(_metadata(version), value.get("metadata"))
    return verdict.error or "it cannot be decoded"


def _is_known_elsewhere(value: Value) -> bool:
    """Whether a kind that this release does not have is called like a built-in one, and is no custom kind."""
    group, _ = split_api_version(value["apiVersion"])
    return value["kind"] in builtin_kinds() and is_native(group, value["kind"])


def _metadata(version: str) -> Node:
    pod = catalog(version).kind("v1", "Pod")
    assert pod is not None
    assert pod.node.fields is not None
    return pod.node.fields["metadata"]
