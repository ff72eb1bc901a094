"""The text that kube-controller-manager hashes for a pod template: its Go structs as go-spew prints them.

`dump` follows k8s.io/apimachinery/pkg/util/dump (ForHash): format `%#v` of github.com/davecgh/go-spew with sorted
map keys and without methods, addresses and capacities. It comes in pieces: `str` is a piece of the structs, one of a
few thousand that many templates share, and `bytes` is a value of this template.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from kplan import quantity
from kplan.controllers.hashes_structs import MISFITS, GoField, GoType, UnreadableError, go_fields, go_type

Out = list[str | bytes]
Write = Callable[[Any, Out], None]

# Seconds from year 1, where Go's time starts, to 1970.
_GO_EPOCH = 62135596800
_NO_TIME = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}"
# In the images of the control plane there is no /etc/localtime, so Go's local zone is an empty one called UTC.
_LOCAL_ZONE = (
    "(*time.Location){name:(string)UTC zone:([]time.zone)<nil> tx:([]time.zoneTrans)<nil> extend:(string) "
    "cacheStart:(int64)0 cacheEnd:(int64)0 cacheZone:(*time.zone)<nil>}"
)


def dump(template: dict[str, Any], minor: int) -> Out:
    """The dump of a stored v1.PodTemplateSpec in release 1.`minor`, in pieces.

    Raises UnreadableError for a value of the wrong type.
    """
    out: Out = ["(v1.PodTemplateSpec)"]
    _writer(go_type("v1.PodTemplateSpec"), minor)(template, out)
    return out


@lru_cache(maxsize=4096)
def _writer(type_: GoType, minor: int) -> Write:
    """What appends a value of a type, without the type, to a dump."""
    if type_.kind == "struct":
        return _struct_writer(go_fields(type_.text, minor), minor)
    if type_.elem is None:
        return _LEAVES[type_.kind]
    write = _writer(type_.elem, minor)
    if type_.kind == "pointer":
        return write
    return _map_writer(write) if type_.kind == "map" else _slice_writer(write)


def _zero(type_: GoType, minor: int) -> str:
    """The zero value of a type, as it comes back from storage."""
    if type_.elem is not None:
        return "<nil>"
    if type_.kind == "struct":
        out: Out = []
        _writer(type_, minor)({}, out)
        return "".join(map(str, out))
    return _ZEROS[type_.kind]


def _struct_writer(fields: tuple[GoField, ...], minor: int) -> Write:
    starts = [f"{' ' if i else '{'}{f.name}:({f.type.text})" for i, f in enumerate(fields)] + ["}"]
    absent = [start + _zero(f.type, minor) for start, f in zip(starts, fields, strict=False)]
    plan = [(i, f.json, f.type.kind in ("slice", "map"), _writer(f.type, minor)) for i, f in enumerate(fields)]

    @cache
    def up_to(first: int, stop: int) -> str:
        """The fields from `first` on, all absent, and the start of what comes at `stop`."""
        return "".join(absent[first:stop]) + starts[stop]

    def write(value: Any, out: Out) -> None:
        if not isinstance(value, dict):
            raise UnreadableError
        name, done = "", 0
        try:
            for i, name, nilable, write_field in plan:
                # An embedded struct without a JSON name has its fields in the same object.
                field = value.get(name) if name else value
                # Storage turns an empty list or map into none.
                if field is not None and (field or not nilable):
                    out.append(up_to(done, i))
                    write_field(field, out)
                    done = i + 1
        except UnreadableError as e:
            raise UnreadableError(name, e.path) from None
        except MISFITS:
            raise UnreadableError(name) from None
        out.append(up_to(done, len(plan)))

    return write


def _slice_writer(write: Write) -> Write:
    def write_slice(value: Any, out: Out) -> None:
        if not isinstance(value, list):
            raise TypeError
        separator = "["
        for item in value:
            out.append(separator)
            write(item, out)
            separator = " "
        out.append("]")

    return write_slice


def _map_writer(write: Write) -> Write:
    def write_map(value: Any, out: Out) -> None:
        if not isinstance(value, dict):
            raise TypeError
        separator = "map["
        for key in sorted(value):
            out.append(separator)
            _write_string(key, out)
            out.append(":")
            write(value[key], out)
            separator = " "
        out.append("]")

    return write_map


def _write_string(value: Any, out: Out) -> None:
    if not isinstance(value, str):
        raise TypeError
    out.append(value.encode("utf-8", "surrogatepass"))


def _write_bool(value: Any, out: Out) -> None:
    if not isinstance(value, bool):
        raise TypeError
    out.append("true" if value else "false")


def _write_int(value: Any, out: Out) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
        raise TypeError
    out.append(b"%d" % int(value))


def _write_int_or_string(value: Any, out: Out) -> None:
    if isinstance(value, str):
        out.append("{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string)")
        _write_string(value, out)
        out.append("}")
    else:
        out.append("{Type:(intstr.Type)0 IntVal:(int32)")
        _write_int(value, out)
        out.append(" StrVal:(string)}")


def _write_quantity(value: Any, out: Out) -> None:
    text = quantity.normalise(value)
    if text is None:
        raise ValueError
    out.append(_quantity(text))


@lru_cache(maxsize=8192)
def _quantity(text: str) -> str:
    q = quantity.as_go(text)
    dec = "<nil>" if q.unscaled is None else _dec(q.unscaled)
    return (
        f"{{i:(resource.int64Amount){{value:(int64){q.value} scale:(resource.Scale){q.scale}}} "
        f"d:(resource.infDecAmount){{Dec:(*inf.Dec){dec}}} s:(string){q.text} Format:(resource.Format){q.format}}}"
    )


def _dec(nanos: int) -> str:
    """A gopkg.in/inf.v0 number of nano-units: a big.Int of 64-bit words, least first."""
    words, rest = [], abs(nanos)
    while rest:
        words.append(str(rest & (1 << 64) - 1))
        rest >>= 64
    sign = "true" if nanos < 0 else "false"
    return f"{{unscaled:(big.Int){{neg:(bool){sign} abs:(big.nat)[{' '.join(words)}]}} scale:(inf.Scale)9}}"


def _write_time(value: Any, out: Out) -> None:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError
    ext = int(time.timestamp()) + _GO_EPOCH
    out.append(f"{{Time:(time.Time){{wall:(uint64)0 ext:(int64){ext} loc:{_LOCAL_ZONE}}}}}".encode())


def _write_fields(value: Any, out: Out) -> None:
    raw = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    out.append(f"{{Raw:([]uint8)[{' '.join(map(str, raw))}]}}".encode())


_LEAVES: dict[str, Write] = {
    "string": _write_string,
    "bool": _write_bool,
    "int": _write_int,
    "int-or-string": _write_int_or_string,
    "quantity": _write_quantity,
    "time": _write_time,
    "fields": _write_fields,
}
_ZEROS = {
    "string": "",
    "bool": "false",
    "int": "0",
    "int-or-string": "{Type:(intstr.Type)0 IntVal:(int32)0 StrVal:(string)}",
    "quantity": _quantity("0"),
    "time": _NO_TIME,
}
