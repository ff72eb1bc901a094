"""Which kinds a Kubernetes release has, how they are called, and their schemas.

The kinds and schemas are the published OpenAPI of each release (schemas/kubernetes/, generated); plural names, scope,
short names and categories are what the Go types and their storage say (schemas/facts/resources.json). Which
group/versions a server answers without flags follows pkg/controlplane/instance.go (DefaultAPIResourceConfigSource).
CustomResourceDefinitions of the input join by `Catalog.with_crds`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from kplan import release
from kplan.hints import Any
from kplan.model import split_api_version
from kplan.schema.definitions import Definitions, read
from kplan.schema.kinds import VERBS, KindInfo
from kplan.schema.node import Node

__all__ = ["Catalog", "KindInfo", "Node", "catalog"]

# Beta group/versions younger than 1.24 that servers answer all the same (legacyBetaEnabledByDefaultResources).
_BETA_BUT_SERVED = {"flowcontrol.apiserver.k8s.io/v1beta3"}


class Catalog:
    """The kinds of one release, with the custom resources it was given. Never changed once made."""

    __slots__ = ("_builtin", "_crd_versions", "_custom", "_definitions", "minor", "version")

    def __init__(self, version: str) -> None:
        self.version = release.parse(version)
        self.minor = release.minor(self.version)
        self._definitions = Definitions(self.minor)
        self._builtin: dict[tuple[str, str], KindInfo | None] = {}
        self._custom: dict[tuple[str, str], KindInfo] = {}
        self._crd_versions: dict[tuple[str, str], Mapping[str, Any]] = {}

    def kind(self, api_version: str, kind: str) -> KindInfo | None:
        """The kind of an object's `apiVersion` and `kind`; None if this release (and no CRD) has it."""
        key = (api_version, kind)
        if key not in self._builtin:
            self._builtin[key] = self._read(api_version, kind)
        return self._builtin[key] or self._custom.get(key)

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
        other._crd_versions = dict(self._crd_versions)
        for crd in crd_objects:
            for info, version in kinds_of(crd, self._definitions):
                other._custom[info.api_version, info.kind] = info
                other._crd_versions[info.api_version, info.kind] = version
        return other

    def crd_version(self, info: KindInfo) -> Mapping[str, Any]:
        """The entry of spec.versions that made a custom kind (subresources, deprecation); {} for a built-in one."""
        return self._crd_versions.get((info.api_version, info.kind), {}) if info.custom else {}

    def no_match(self, api_version: str, kind: str) -> str:
        """What kubectl says about a kind that the server does not have."""
        return f'no matches for kind "{kind}" in version "{api_version}"'

    def suggest(self, api_version: str, kind: str) -> str:
        """The kind that was probably meant, as `apps/v1 Deployment`; "" if nothing is near."""
        from kplan.schema.spelling import nearest

        served = [i for i in self.kinds() if i.served]
        name = kind if any(i.kind == kind for i in served) else nearest(kind, (i.kind for i in served))
        group, _ = split_api_version(api_version)
        same = sorted((i for i in served if i.kind == name), key=lambda i: (i.group != group, preference(i)))
        return f"{same[0].api_version} {name}" if same else ""

    def find(self, resource: str) -> KindInfo | None:
        """The served kind that kubectl means by `deploy`, `deployments`, `Deployment`, `deployments.apps`.

        A version may stand before the group: `deployments.v1.apps`. Where several groups fit, the core group and then
        the built-in kinds come first; of several versions, the most stable and then the newest.
        """
        name, _, rest = resource.lower().partition(".")
        fits = (
            i
            for i in self.kinds()
            if i.served
            and name in (i.plural, i.kind.lower(), *i.short_names)
            and rest in ("", i.group, f"{i.version}.{i.group}", i.version if not i.group else "")
        )
        return min(fits, key=lambda i: (i.custom, i.group != "", preference(i)), default=None)


def preference(info: KindInfo) -> tuple[int, int, int]:
    """A key by which stable versions come before beta and alpha, then newer before older (apimachinery/pkg/version)."""
    m = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", info.version, re.ASCII)
    stage = {None: 0, "beta": 1, "alpha": 2}[m[2]] if m else 3
    return stage, -int(m[1]) if m else 0, -int(m[3] or 0) if m else 0


def _enabled(api_version: str) -> bool:
    """Stable versions are on, alpha ones off, and so are beta ones since 1.24 (KEP-3136)."""
    version = api_version.rpartition("/")[2]
    return ("alpha" not in version and "beta" not in version) or api_version in _BETA_BUT_SERVED


@lru_cache(maxsize=16)
def catalog(version: str = release.DEFAULT) -> Catalog:
    """The catalog of a release ("1.36"), made once. Raises KplanError for a release that kplan does not know."""
    return Catalog(version)
