"""Pods of one template that are created one after the other: the API server judges the first, and the rest alike.

They differ in nothing but the names that it draws. As long as nothing else than pods and quotas changes in between,
defaults, validation and mutating admission come to the same; quotas and policies are asked for each.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kplan.api import admission, strategy
from kplan.api.pipeline import created, decode, request_for
from kplan.api.request import Server
from kplan.record import replace
from kplan.schema.catalog import KindInfo
from kplan.store import Store

Value = dict[str, Any]


class _First(NamedTuple):
    """What was asked for, the state of the world then, and what the server made of it."""

    obj: Value
    world: int
    new: Value


class Twins:
    """Creates objects, and remembers the last pod with a name that was drawn."""

    def __init__(self) -> None:
        self._first: _First | None = None

    def created(self, obj: Value, info: KindInfo, server: Server) -> Value:
        """A new object as it is stored. Raises Refused."""
        assert server.store is not None
        first, world = self._first, _world(server.store)
        if first is not None and first.world == world and first.obj == obj:
            return _again(first.new, info, server)
        new = created(decode(obj, info, server, [], []), info, server, [])
        if obj["kind"] == "Pod" and not obj["metadata"].get("name"):
            self._first = _First(obj, world, {**new, "metadata": {**new["metadata"]}})
        return new


def _world(store: Store) -> int:
    """A number that grows whenever anything changes that decides what becomes of a new pod, quotas aside."""
    return store.revision - store.changes("Pod") - store.changes("ResourceQuota")


def _again(first: Value, info: KindInfo, server: Server) -> Value:
    """The same pod under a name and a uid of its own."""
    drawn = {**first, "metadata": {k: v for k, v in first["metadata"].items() if k != "name"}}
    request = request_for(drawn, info, server)
    strategy.fill_system_fields(drawn, request)
    own = {k: drawn["metadata"][k] for k in ("name", "uid")}
    new = {**first, "metadata": {**first["metadata"], **own}}
    admission.validate(new, replace(request, name=own["name"]))
    return new
