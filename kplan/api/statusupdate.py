"""The status of an object, which has an endpoint of its own: a write there changes nothing else.

Follows the status strategies in pkg/registry/*/*/strategy.go. What some of them let through besides (labels of a Pod or
Node) is put back here for all kinds. Of a built-in status only the form is checked.
"""

from __future__ import annotations

from typing import Any

from kplan.api import customresources
from kplan.api.pipeline import causes, request_for
from kplan.api.request import Server, invalid
from kplan.schema import KindInfo
from kplan.store import Store

Value = dict[str, Any]

# The kind whose status is a field as any other.
_WITHOUT = ("admissionregistration.k8s.io", "MutatingAdmissionPolicy")


def has_status(info: KindInfo, store: Store | None) -> bool:
    """Whether the kind has a status subresource."""
    if info.custom:
        return customresources.has_status(info, store)
    return "status" in (info.node.fields or {}) and (info.group, info.kind) != _WITHOUT


def with_status(obj: Value, status: Value | None, old: Value, info: KindInfo, server: Server) -> Value:
    """The object with this (decoded) status in place of its own, or without one. Raises Refused."""
    new = {k: v for k, v in obj.items() if k != "status"}
    if status is not None:
        new["status"] = status
    found = [c for c in causes(new, request_for(new, info, server, old)) if c.field.partition(".")[0] == "status"]
    if found:
        raise invalid(info.group, new, found)
    return new
