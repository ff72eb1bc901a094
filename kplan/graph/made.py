"""Objects that are in no file because something in a file makes them: claims of StatefulSets, Secrets of operators.

Names follow pkg/controller/statefulset (`<template>-<set>-<ordinal>`) and pkg/controller/volume/ephemeral
(`<pod>-<volume>`); who else makes what is the part `made` of schemas/facts/references.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kplan.graph.edge import FOUND, MISSING
from kplan.graph.pods import Ordinals, ordinals
from kplan.graph.rules import Found, GroupKind, Place, Rule, table, walk
from kplan.model import Key, Object
from kplan.tuples import NamedTuple
from kplan.workloads import get

Verdict = tuple[str, str]
CLAIM, POD = ("", "PersistentVolumeClaim"), ("", "Pod")


class Series(NamedTuple):
    """What a StatefulSet makes one of for each ordinal, and where it says so."""

    maker: Key
    ordinals: Ordinals
    path: tuple[str | int, ...]
    position: int


class Made:
    """What the objects of the input make, by name."""

    __slots__ = ("_anywhere", "_named", "_series")

    def __init__(self, objects: Sequence[Object], positions: Mapping[GroupKind, Sequence[int]]) -> None:
        self._named: dict[Key, Key] = {}
        self._anywhere: dict[tuple[str, str, str], Key] = {}
        self._series: dict[Key, Series] = {}
        made = table().made
        makers = [kind for kind in positions if kind[1] == "StatefulSet" or kind == POD or made.get(kind) is not None]
        for position in sorted(i for kind in makers for i in positions[kind]):
            obj = objects[position]
            tree = made.get((obj.ref.group, obj.ref.kind))
            if tree is not None:
                self._by_rule(obj, tree)
            if obj.ref.kind == "StatefulSet":
                self._by_statefulset(obj, position)
            elif (obj.ref.group, obj.ref.kind) == POD:
                self._by_pod(obj)

    def find(self, key: Key) -> Verdict | None:
        """The state of an object that something here makes, and a note that says what; None if nothing does."""
        maker = self._named.get(key) or self._anywhere.get((key.group, key.kind, key.name))
        if maker is not None:
            return FOUND, f"made by {maker.kind} {maker.name}"
        series = self.series(key)
        if series is None:
            return None
        first, size = series.ordinals
        if first <= int(key.name.rpartition("-")[2]) < first + size:
            return FOUND, f"made by StatefulSet {series.maker.name}"
        return MISSING, f"StatefulSet {series.maker.name} counts from {first} to {first + size - 1}"

    def series(self, key: Key) -> Series | None:
        """The StatefulSet whose claim or pod would be called so, whatever its number of replicas."""
        stem, dash, digits = key.name.rpartition("-")
        if not dash or not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
            return None
        return self._series.get(key._replace(name=stem))

    def _by_rule(self, obj: Object, tree: Place) -> None:
        found: list[Found] = []
        walk(tree, obj.value, (), found)
        for rule, value, _ in found:
            name = value if isinstance(value, str) else get(value, rule.names[0])
            if not isinstance(name, str) or not name or not _is_annotated(obj, rule):
                continue
            group, kind = rule.target.group, rule.target.kind
            if rule.everywhere:
                self._anywhere[group, kind, name] = obj.ref.key
            cluster = (group, kind) in table().cluster_scoped
            self._named[Key(group, kind, "" if cluster else obj.ref.namespace, name)] = obj.ref.key

    def _by_statefulset(self, obj: Object, position: int) -> None:
        numbers, ns, name = ordinals(obj), obj.ref.namespace, obj.ref.name
        self._series[Key(*POD, ns, name)] = Series(obj.ref.key, numbers, ("spec", "template"), position)
        for i, template in claim_templates(obj):
            path = ("spec", "volumeClaimTemplates", i)
            self._series[Key(*CLAIM, ns, f"{template}-{name}")] = Series(obj.ref.key, numbers, path, position)

    def _by_pod(self, obj: Object) -> None:
        volumes = obj.part("spec", "volumes")
        for volume in volumes if isinstance(volumes, list) else ():
            if isinstance(get(volume, "ephemeral"), dict):
                claim = Key(*CLAIM, obj.ref.namespace, f"{obj.ref.name}-{volume.get('name')}")
                self._named[claim] = obj.ref.key


def _is_annotated(obj: Object, rule: Rule) -> bool:
    if not rule.annotated:
        return True
    annotations = get(obj.value, "metadata", "annotations")
    return isinstance(annotations, dict) and any(str(a).startswith(rule.annotated) for a in annotations)


def claim_templates(obj: Object) -> Iterator[tuple[int, str]]:
    """The position and name of each claim template of a StatefulSet."""
    templates = obj.part("spec", "volumeClaimTemplates")
    for i, template in enumerate(templates if isinstance(templates, list) else ()):
        name = get(template, "metadata", "name")
        if isinstance(name, str):
            yield i, name
