"""Which kinds a Kubernetes release has, how they are called, and their schemas.

The kinds and schemas are the published OpenAPI of each release (schemas/kubernetes/, generated); plural names, scope,
short names and categories are what the Go types and their storage say (schemas/facts/resources.json). Which
group/versions a server answers without flags follows pkg/controlplane/instance.go (DefaultAPIResourceConfigSource).
CustomResourceDefinitions of the input join by `Catalog.with_crds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kplan import release
from kplan.model import split_api_version
from kplan.schema.definitions import Definitions, read
from kplan.schema.node import Node

__all__ = ["Catalog", "KindInfo", "Node", "catalog"]

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
# Beta group/versions younger than 1.24 that servers answer all the same (legacyBetaEnabledByDefaultResources).
_BETA_BUT_SERVED = {"flowcontrol.apiserver.k8s.io/v1beta3"}


@dataclass(frozen=True, slots=True)
class KindInfo:
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
    node: Node = field(repr=False, compare=False)
    served: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = VERBS
    custom: bool = False

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Catalog:
    """The kinds of one release, with the custom resources it was given. Never changed once made."""

    __slots__ = ("_builtin", "_custom", "_definitions", "minor", "version")

    def __init__(self, version: str) -> None:
        self.version = release.parse(version)
        self.minor = release.minor(self.version)
        self._definitions = Definitions(self.minor)
        self._builtin: dict[tuple[str, str], KindInfo | None] = {}
        self._custom: dict[tuple[str, str], KindInfo] = {}

    def kind(self, api_version: str, kind: str) -> KindInfo | None:
        """The kind of an object's `apiVersion` and `kind`; None if this release (and no CRD) has it."""
        key = (api_version, kind)
        found = self._custom.get(key)
        if found is not None:
            return found
        if key not in self._builtin:
            self._builtin[key] = self._read(api_version, kind)
        return self._builtin[key]

    def _read(self, api_version: str, kind: str) -> KindInfo | None:
        entry = read("kubernetes/index").get(api_version, {}).get(kind)
        if entry is None or not entry[1] <= self.minor <= entry[2]:
            return None
        group, version = split_api_version(api_version)
        facts = read("facts/resources").get(group, {}).get(kind)
        if facts is None:
            return KindInfo(group, version, kind, "", True, self._definitions.node(entry[0]), served=False, verbs=())
        return KindInfo(
            group,
            version,
            kind,
            facts["plural"],
            facts["namespaced"],
            self._definitions.node(entry[0]),
            served=_enabled(api_version),
            short_names=tuple(facts.get("short", ())),
            categories=tuple(facts.get("categories", ())),
            verbs=tuple(facts.get("verbs", VERBS)),
        )

    def kinds(self) -> Iterator[KindInfo]:
        """Every kind, built-in and custom, ordered by group, version and kind; served or not."""
        builtin = [(a, k) for a, kinds in read("kubernetes/index").items() for k in kinds]
        found = (self.kind(a, k) for a, k in {*builtin, *self._custom})
        yield from sorted((i for i in found if i), key=lambda i: (i.group, i.version, i.kind))

    def served(self, api_version: str) -> bool:
        """Whether a server of this release answers this group/version without special flags."""
        if any(a == api_version and i.served for (a, _), i in self._custom.items()):
            return True
        return any((i := self.kind(api_version, k)) and i.served for k in read("kubernetes/index").get(api_version, ()))

    def definition(self, name: str) -> Node:
        """A built-in definition by name, such as `meta.v1.ObjectMeta`."""
        return self._definitions.node(name)

    def with_crds(self, crd_objects: Iterable[dict[str, Any]]) -> Catalog:
        """This catalog and the kinds that these CustomResourceDefinitions (v1 or v1beta1) define.

        What is broken in a CRD is left out, never an error: it is validated as an object of its own.
        """
        from kplan.schema.crd import kinds_of

        other = Catalog.__new__(Catalog)
        other.version, other.minor = self.version, self.minor
        other._definitions, other._builtin = self._definitions, self._builtin
        other._custom = dict(self._custom)
        for crd in crd_objects:
            other._custom |= {(i.api_version, i.kind): i for i in kinds_of(crd, self._definitions)}
        return other

    def no_match(self, api_version: str, kind: str) -> str:
        """What kubectl says about a kind that the server does not have."""
        return f'no matches for kind "{kind}" in version "{api_version}"'

    def suggest(self, api_version: str, kind: str) -> str:
        """The kind that was probably meant, as `apps/v1 Deployment`; "" if nothing is near."""
        import difflib

        served = [i for i in self.kinds() if i.served]
        same = [i for i in served if i.kind == kind]
        if not same:
            near = difflib.get_close_matches(kind.lower(), {i.kind.lower() for i in served}, 1, 0.75)
            same = [i for i in served if near and i.kind.lower() == near[0]]
        if not same:
            return ""
        group, _ = split_api_version(api_version)
        best = max(
            same, key=lambda i: (i.group == group, difflib.SequenceMatcher(a=api_version, b=i.api_version).ratio())
        )
        return f"{best.api_version} {best.kind}"


def _enabled(api_version: str) -> bool:
    """Stable versions are on, alpha ones off, and so are beta ones since 1.24 (KEP-3136)."""
    version = api_version.rpartition("/")[2]
    return ("alpha" not in version and "beta" not in version) or api_version in _BETA_BUT_SERVED


@lru_cache(maxsize=16)
def catalog(version: str = release.DEFAULT) -> Catalog:
    """The catalog of a release ("1.36"), made once. Raises KplanError for a release that kplan does not know."""
    return Catalog(version)
