"""Versioned defaults of the built-in kinds, as every API server fills them in while it decodes.

Kubernetes defaults types, not kinds: wherever a Probe stands, a missing periodSeconds becomes 10. So do we: regular
defaults are data (schemas/facts/defaults.json: definition, field, value), the others functions by definition.
Follows pkg/apis/*/v*/defaults.go, the `+default` markers of k8s.io/api, and pkg/apis/*/v*/conversion.go.
"""

from __future__ import annotations

from functools import cache

from kplan.api.decode import Convert, Mismatch, Mode, converter, copied
from kplan.api.defaults.rules import finisher
from kplan.hints import TYPE_CHECKING, Any
from kplan.release import minor
from kplan.schema import KindInfo, catalog
from kplan.schema.lifecycle import lifecycle
from kplan.schema.node import Node

if TYPE_CHECKING:
    from typing import Literal

Value = dict[str, Any]

# Old versions whose shape or defaults are not those of the version that replaced them.
_OTHER_DEFAULTS = ("admissionregistration.k8s.io/", "apiextensions.k8s.io/", "autoscaling/v2beta1", "resource.k8s.io/")


def default(value: Value, version: str) -> Value:
    """A defaulted deep copy, in normal form, of an object of any built-in kind of this release.

    A removed version of a kind is defaulted like the one that replaced it. An object of another kind, or one that the
    server could not decode, is copied unchanged. Unknown fields stay.
    """
    info = kind_info(str(value.get("apiVersion")), str(value.get("kind")), version)
    out: Value = {}
    try:
        out = decoded(value, info, minor(version), keep_unknown=True) if info else copied(value)
    except Mismatch:
        out = copied(value)
    return out


def kind_info(api_version: str, kind: str, version: str) -> KindInfo | None:
    """The built-in kind, or the one that replaced it where this release has it no longer; None for any other."""
    kinds = catalog(version)
    life = lifecycle(api_version, kind)
    info = kinds.kind(api_version, kind)
    if info is None and life is not None and not api_version.startswith(_OTHER_DEFAULTS):
        info = kinds.kind(*life.replacement.split(" ")) if life.replacement else None
    return info


def decoded(value: Value, info: KindInfo, minor: int, *, keep_unknown: bool = False) -> Value:
    """The object as the server holds it after decoding and defaulting; raises Mismatch where it would refuse."""
    out: Value = _decoder(info.node, minor, "keep" if keep_unknown else "refuse")(value)
    return out


@cache
def _decoder(node: Node, minor: int, unknown: Literal["refuse", "keep"]) -> Convert:
    return converter(node, Mode(unknown, finisher(minor)))
