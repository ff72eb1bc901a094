"""What is known about a kind: its names, its scope, its schema."""

from __future__ import annotations

from kplan.schema.node import Node
from kplan.tuples import NamedTuple

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class KindInfo(NamedTuple):
    """One kind of one group/version.

    `served` says whether a server without special flags has an endpoint for such objects. A kind that only a
    subresource takes (Eviction, Scale, TokenRequest) has no plural and is not served. `custom` marks a kind that a
    CustomResourceDefinition of the input made.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    node: Node
    served: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    custom: bool = False

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version
