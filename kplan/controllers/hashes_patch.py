"""The patch that a ControllerRevision holds: the pod template as Go's encoding/json writes it.

Follows getPatch of pkg/controller/statefulset and pkg/controller/daemon: the typed object is encoded, read back as
plain values and encoded again. So keys are sorted, and numbers have been float64 in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kplan import quantity
from kplan.controllers.hashes_structs import MISFITS, GoField, GoType, UnreadableError, go_fields, go_type

Encode = Callable[[Any], Any]

# No value: the field is left out.
_ABSENT = object()
_EXACT_FLOAT = 1 << 53
# The kinds whose empty value is the same as none. A pointer to one of them is not among these kinds.
_OMITTED = frozenset(("slice", "map", "string", "bool", "int"))
_ZEROS: dict[str, Any] = {"string": "", "bool": False, "int": 0, "int-or-string": 0, "quantity": "0"}


def patch_data(template: dict[str, Any], minor: int) -> dict[str, Any]:
    """The patch that replaces a StatefulSet's or DaemonSet's template by this stored v1.PodTemplateSpec.

    Raises UnreadableError for a value of the wrong type.
    """
    encoded = _encoder(go_type("v1.PodTemplateSpec"), minor)(template)
    return {"spec": {"template": {"$patch": "replace", **encoded}}}


def patch_text(template: dict[str, Any], minor: int) -> str:
    """`patch_data` as the text that the controller stores and hashes."""
    text = json.dumps(patch_data(template, minor), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    # Go escapes these everywhere; in JSON they can only stand inside of strings.
    for c in "<>&\u2028\u2029":
        text = text.replace(c, f"\\u{ord(c):04x}")
    return text if minor >= 30 else _without_short_escapes(text)


def _without_short_escapes(text: str) -> str:
    r"""`\b` and `\f` in their long form, as Go wrote them before 1.22, with which Kubernetes 1.30 was built."""
    parts = text.split("\\\\")
    return "\\\\".join(p.replace("\\b", "\\u0008").replace("\\f", "\\u000c") for p in parts)


@lru_cache(maxsize=4096)
def _encoder(type_: GoType, minor: int) -> Encode:
    """What turns a stored value, which is not none, into what encoding/json makes of the Go value."""
    if type_.kind == "struct":
        return _struct_encoder(go_fields(type_.text, minor), minor)
    if type_.elem is None:
        return _LEAVES[type_.kind]
    encode = _encoder(type_.elem, minor)
    if type_.kind == "pointer":
        return encode
    return _map_encoder(encode) if type_.kind == "map" else _slice_encoder(encode)


def _struct_encoder(fields: tuple[GoField, ...], minor: int) -> Encode:
    plan = [(f.json, f.type.kind in _OMITTED, _zero(f, minor), _encoder(f.type, minor)) for f in fields]

    def encode(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise UnreadableError
        out: dict[str, Any] = {}
        name = ""
        try:
            for name, omitted, zero, encode_field in plan:
                field = value.get(name) if name else value
                encoded = zero() if field is None or (omitted and not field) else encode_field(field)
                if not name:
                    out |= encoded
                elif encoded is not _ABSENT:
                    out[name] = encoded
        except UnreadableError as e:
            raise UnreadableError(name, e.path) from None
        except MISFITS:
            raise UnreadableError(name) from None
        return out

    return encode


def _zero(field: GoField, minor: int) -> Callable[[], Any]:
    """What encoding/json writes for a field that is not set: omitempty leaves out every zero but structs."""
    kind = field.type.kind
    if kind == "struct":
        encode = _encoder(field.type, minor)
        return lambda: encode({})
    if kind == "time":
        # metadata.creationTimestamp is omitzero since 1.34.
        return lambda: None if minor < 34 else _ABSENT
    if kind in ("quantity", "int-or-string") or field.keep:
        return lambda: _ZEROS.get(kind)
    return lambda: _ABSENT


def _slice_encoder(encode: Encode) -> Encode:
    def encode_slice(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise TypeError
        return [encode(v) for v in value]

    return encode_slice


def _map_encoder(encode: Encode) -> Encode:
    return lambda value: {_string(k): encode(v) for k, v in value.items()}


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _int(value: Any) -> int:
    """A number after it has been a float64, written without an exponent as long as it is below 1e21."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise TypeError
    whole = int(value)
    return whole if -_EXACT_FLOAT <= whole <= _EXACT_FLOAT else int(Decimal(repr(float(whole))))


def _int_or_string(value: Any) -> int | str:
    return value if isinstance(value, str) else _int(value)


def _quantity(value: Any) -> str:
    text = quantity.normalise(value)
    if text is None:
        raise ValueError
    return text


def _fields(value: Any) -> Any:
    json.dumps(value, sort_keys=True)  # what cannot be written is noticed here, where the field is known
    return value


_LEAVES: dict[str, Encode] = {
    "string": _string,
    "bool": _bool,
    "int": _int,
    "int-or-string": _int_or_string,
    "quantity": _quantity,
    "time": _string,
    "fields": _fields,
}
