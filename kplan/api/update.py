"""What the API server does with an object that takes the place of a stored one.

Follows k8s.io/apiserver/pkg/endpoints/handlers/update.go and pkg/registry/generic/registry/store.go: preconditions,
mutating admission, prepare for update, validation against the old object, warnings, validating admission. An object
that comes out as it was is not written again and keeps its resourceVersion.
"""

from __future__ import annotations

from typing import Any

from kplan.api import admission
from kplan.api.encode import forget_empty
from kplan.api.owners import without_repeated_owners
from kplan.api.pipeline import check, request_for
from kplan.api.request import Refused, Request, Server
from kplan.api.strategy_update import prepare_for_update
from kplan.schema import KindInfo

Value = dict[str, Any]

_MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def updated(new: Value, old: Value, info: KindInfo, server: Server, warnings: list[str]) -> Value:
    """The decoded object `new` as it is stored in place of `old`; `new` is changed in place, `warnings` grows.

    Raises Refused: 400 for another namespace, 409 for a uid or resourceVersion that is not that of `old`, and
    whatever validation and admission say.
    """
    old = (
        old
        if "apiVersion" in old and old["apiVersion"] == info.api_version
        else {**old, "apiVersion": info.api_version}
    )
    forget_empty(new, info)  # what is stored has none either
    request = request_for(new, info, server, old)
    preconditions(new, old, request)
    without_repeated_owners(new, warnings)
    new = admission.mutate(new, request)
    new = prepare_for_update(new, old, info, request)
    check(new, request, warnings)
    return new


def preconditions(new: Value, old: Value, request: Request) -> None:
    """Raises Refused, a 409, if `new` names another uid or resourceVersion than `old` has."""
    meta, before = new["metadata"], old["metadata"]
    uid, version = meta.get("uid"), meta.get("resourceVersion")
    if uid and before.get("uid") and uid != before["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {before['uid']}"
        raise _conflict(request, why)
    if version and before.get("resourceVersion") and version != before["resourceVersion"]:
        raise _conflict(request, _MODIFIED)


def _conflict(request: Request, why: str) -> Refused:
    return Refused(409, f'Operation cannot be fulfilled on {request.qualified_resource} "{request.name}": {why}')
