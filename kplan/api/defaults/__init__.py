"""Versioned defaults of the built-in kinds, as every API server fills them in while it decodes.

Kubernetes defaults types, not kinds: wherever a Probe stands, a missing periodSeconds becomes 10. So do we: regular
defaults are data (schemas/facts/defaults.json: definition, field, value), the others functions by definition.
Follows pkg/apis/*/v*/defaults.go, the `+default` markers of k8s.io/api, and pkg/apis/*/v*/conversion.go.
"""

from __future__ import annotations

from typing import Any

from kplan.api.decode import Mismatch, Mode, converter, copied
from kplan.api.defaults.rules import finisher
from kplan.schema import KindInfo, catalog

Value = dict[str, Any]


def default(value: Value, version: str) -> Value:
    """A defaulted deep copy, in normal form, of an object of any built-in kind of this release.

    An object of another kind, or one that the server could not decode, is copied unchanged. Unknown fields stay.
    """
    kinds = catalog(version)
    info = kinds.kind(str(value.get("apiVersion")), str(value.get("kind")))
    if info is None or info.custom:
        return copied(value)  # type: ignore[no-any-return]
    try:
        return decoded(value, info, kinds.minor, keep_unknown=True)
    except Mismatch:
        return copied(value)  # type: ignore[no-any-return]


def decoded(value: Value, info: KindInfo, minor: int, *, keep_unknown: bool = False) -> Value:
    """The object as the server holds it after decoding and defaulting; raises Mismatch where it would refuse."""
    mode = Mode("keep" if keep_unknown else "refuse", finisher(minor))
    out: Value = converter(info.node, mode)(value)
    return out
