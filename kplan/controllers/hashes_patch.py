"""The patch that a ControllerRevision holds: the pod template as Go's encoding/json writes it.

Follows getPatch of pkg/controller/statefulset and pkg/controller/daemon: the typed object is encoded, read back as
plain values and encoded again, so keys are sorted and numbers have been float64 in between.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kplan import quantity
from kplan.controllers.hashes_dump import UnreadableError
from kplan.controllers.hashes_structs import GoField, GoType, go_fields, go_type

Encode = Callable[[Any], Any]

# No value: the field is left out.
_ABSENT = object()
_EXACT_FLOAT = 1 << 53
_ZEROS: dict[str, Any] = {"string": "", "bool": False, "int": 0, "int-or-string": 0, "quantity": "0"}


def patch_data(template: dict[str, Any], minor: int) -> dict[str, Any]:
    """The patch that replaces a StatefulSet's or DaemonSet's template by this one.

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
        return _LEAVES.get(type_.kind, _same)
    encode = _encoder(type_.elem, minor)
    if type_.kind == "slice":
        return lambda value: [encode(v) for v in value]
    if type_.kind == "map":
        return lambda value: {k: encode(v) for k, v in value.items()}
    return encode


def _struct_encoder(fields: tuple[GoField, ...], minor: int) -> Encode:
    plan = [(f.json, f.type.kind in ("slice", "map"), _zero(f, minor), _encoder(f.type, minor)) for f in fields]
    # A scalar by value that is zero is left out like one that is not there.
    scalars = frozenset(f.json for f in fields if f.type.kind in ("string", "bool", "int"))

    def encode(value: Any) -> dict[str, Any]:
        out: dict[str, Any] = {}
        name = ""
        try:
            for name, nilable, zero, encode_field in plan:
                if not name:
                    out |= encode_field(value)
                    continue
                field = value.get(name)
                empty = field is None or (not field and (nilable or name in scalars))
                encoded = zero() if empty else encode_field(field)
                if encoded is not _ABSENT:
                    out[name] = encoded
        except UnreadableError as e:
            raise UnreadableError(f"{name}.{e.path}" if name else e.path) from None
        except (AttributeError, TypeError, ValueError):
            raise UnreadableError(name) from None
        return out

    return encode


def _zero(field: GoField, minor: int) -> Callable[[], Any]:
    """What encoding/json writes for a field that is not set: omitempty leaves out all zeros but structs."""
    kind = field.type.kind
    if kind == "struct":
        encode = _encoder(field.type, minor)
        return lambda: encode({})
    if kind == "time":
        return lambda: None if minor < 34 else _ABSENT
    if kind in ("quantity", "int-or-string") or field.keep:
        return lambda: _ZEROS.get(kind)
    return lambda: _ABSENT


def _same(value: Any) -> Any:
    return value


def _quantity(value: Any) -> str:
    text = quantity.normalise(value)
    if text is None:
        raise ValueError
    return text


def _number(value: Any) -> Any:
    """A number after it has been a float64."""
    if isinstance(value, int) and -_EXACT_FLOAT <= value <= _EXACT_FLOAT:
        return value
    return int(Decimal(repr(float(value))))


_LEAVES: dict[str, Encode] = {"int": _number, "int-or-string": lambda v: v if isinstance(v, str) else _number(v)}
_LEAVES["quantity"] = _quantity
