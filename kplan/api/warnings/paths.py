"""Warnings about files of one volume that lie on each other. Follows pkg/api/pod/warnings.go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kplan.hints import Any
from kplan.tuples import NamedTuple

Value = dict[str, Any]


class Place(NamedTuple):
    """A path inside a volume and, in a projected one, who puts it there."""

    path: str
    source: str

    def __str__(self) -> str:
        return f'"{self.path}" ({self.source})' if self.source else f'"{self.path}"'


def overlaps(volume: Value) -> Iterator[str]:
    """Overlapping paths of a ConfigMap, Secret, downward API or projected volume."""
    name = volume.get("name") or ""
    for field, described in (("configMap", "ConfigMap"), ("secret", "Secret"), ("downwardAPI", "DownwardAPI")):
        source = volume.get(field)
        if source is not None:
            own = source.get("secretName" if field == "secret" else "name") or ""
            title = described if field == "downwardAPI" else f'{described} "{own}"'
            for clash in _clashes(_items(source, "")):
                yield f'volume "{name}" ({title}): overlapping paths: {clash}'
    if volume.get("projected") is not None:
        yield from _projected(name, volume["projected"])


def _projected(name: str, projected: Value) -> Iterator[str]:
    sources = projected.get("sources") or []
    if any(not any(v is not None for v in s.values()) for s in sources):  # of a list without sources it says nothing
        yield f'volume "{name}" (Projected) has no sources provided'
    places = [place for source in sources for place in _places(source)]
    for clash in _clashes(places):
        yield f'volume "{name}" (Projected): overlapping paths: {clash}'


def _places(source: Value) -> list[Place]:
    for field, described in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if source.get(field) is not None:
            return _items(source[field], f'{described} "{source[field].get("name") or ""}"')
    if source.get("downwardAPI") is not None:
        return _items(source["downwardAPI"], "DownwardAPI")
    if source.get("serviceAccountToken") is not None:
        return [Place(source["serviceAccountToken"].get("path") or "", "ServiceAccountToken")]
    bundle = source.get("clusterTrustBundle")
    if bundle is not None:
        name = bundle.get("name") or bundle.get("signerName") or ""
        return [Place(bundle.get("path") or "", f'ClusterTrustBundle "{name}"')]
    return []


def _items(source: Value, described: str) -> list[Place]:
    return [Place(item.get("path") or "", described) for item in source.get("items") or ()]


def _clashes(places: Iterable[Place]) -> Iterator[str]:
    seen: list[Place] = []
    for place in places:
        own = place._replace(path=place.path.rstrip("/"))
        others = [p for p in seen if _on_each_other(p.path, own.path)]
        if others:
            yield f"{own} with {', '.join(map(str, others))}"
        seen.append(own)


def _on_each_other(a: str, b: str) -> bool:
    return f"{a}/".startswith(f"{b}/") or f"{b}/".startswith(f"{a}/")
