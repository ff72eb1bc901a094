"""The objects that were given, found by what they are called.

An object has the key that its file writes, and an identity, under which a server stores it: some kinds have moved to
another group, and some have no namespace whatever a file says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from kplan.batches import Batch
from kplan.graph.parts import parts
from kplan.graph.pods import Labels, pods
from kplan.graph.rules import GroupKind, table
from kplan.graph.selectors import Labelled
from kplan.model import Key, Object
from kplan.schema.definitions import read
from kplan.workloads import get, may_make_pods

CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
POD = ("", "Pod")
_PLACEHOLDERS = ("$", "{", "<")
Positions = Mapping[GroupKind, Sequence[int]]


class Given:
    """The objects of the input and their batches; `keys` and `identities` are theirs, `crds` those that define a kind,
    by that kind."""

    def __init__(self, objects: Sequence[Object], laid_out: Sequence[Batch]) -> None:
        self.given = objects
        self.batches = laid_out
        self.keys = [obj.ref.key for obj in objects]
        self.written = _positions(self.keys)  # by the group and kind that stands in the file
        crds = (objects[i] for i in self.written.get(CRD, ()))
        self.crds = {kind: crd for crd in crds if (kind := _defines(crd)) is not None}
        self._scopes: dict[GroupKind, bool | None] = {}
        self._pods: dict[int, Labels | None] = {}
        self._there: dict[GroupKind, Mapping[tuple[str, str], int]] = {}
        self._parts_there: dict[GroupKind, Mapping[tuple[str, str], frozenset[str] | None]] = {}
        self.identities = self._identities()
        self._stored = self.written if self.identities is self.keys else _positions(self.identities)

    def _identities(self) -> list[Key]:
        identities = self.keys
        for kind, positions in self.written.items():
            stored = self.stored(*kind)
            scope = self.is_cluster_scoped(*stored)
            if not scope and stored == kind:
                continue
            identities = self.keys.copy() if identities is self.keys else identities
            for i in positions:
                _, _, namespace, name = self.keys[i]
                identities[i] = Key(*stored, "" if scope else namespace, name)
        return identities

    def stored(self, group: str, kind: str) -> GroupKind:
        """The group and kind under which objects of a kind are stored."""
        return table().aliases.get((group, kind), (group, kind))

    def is_cluster_scoped(self, group: str, kind: str) -> bool | None:
        """Whether objects of a kind have no namespace; None for a kind that nothing is known of."""
        own = (group, kind)
        if own not in self._scopes:
            self._scopes[own] = self._is_cluster_scoped(group, kind)
        return self._scopes[own]

    def _is_cluster_scoped(self, group: str, kind: str) -> bool | None:
        if (group, kind) in table().cluster_scoped:
            return True
        crd = self.crds.get((group, kind))
        if crd is not None:
            return bool(get(crd.value, "spec", "scope") == "Cluster")
        return False if kind in read("facts/resources").get(group, ()) else None

    def bearers(self, key: Key) -> Sequence[Object]:
        """The objects with this very identity."""
        first = self._first.get(key)
        if first is None:
            return ()
        return self.several.get(key) or (first,)

    def anywhere(self, key: Key) -> Sequence[Object]:
        """The objects of this kind and name in all namespaces."""
        return self._anywhere.get((key.group, key.kind, key.name), ())

    def of_kind(self, group: str, kind: str, namespace: str = "") -> Sequence[Object]:
        """The objects of a kind in a namespace."""
        return self._of_kind.get((group, kind, namespace), ())

    def has_kind(self, group: str, kind: str, namespace: str) -> bool:
        """Whether there are objects of a kind in a namespace, or pods are made there."""
        return (group, kind, namespace) in self._of_kind

    def there(self, group: str, kind: str) -> Mapping[tuple[str, str], int]:
        """The positions of the objects of a stored kind that alone have their identity, by namespace and name."""
        if (group, kind) not in self._there:
            self._there[group, kind] = {
                (key.namespace, key.name): i
                for i in self._stored.get((group, kind), ())
                if self.keys[i].kind == kind and is_name((key := self.identities[i]).name) and key not in self.several
            }
        return self._there[group, kind]

    def parts_there(self, group: str, kind: str) -> Mapping[tuple[str, str], frozenset[str] | None]:
        """What `parts` says of the objects that are `there`."""
        if (group, kind) not in self._parts_there:
            found = {name: parts(self.given[i]) for name, i in self.there(group, kind).items()}
            self._parts_there[group, kind] = found
        return self._parts_there[group, kind]

    def pods(self, obj: Object) -> Labels | None:
        """The labels of the pods that one of the objects is or makes."""
        if id(obj) not in self._pods:
            self._pods[id(obj)] = pods(obj)
        return self._pods[id(obj)]

    def labelled(self, group: str, kind: str) -> Iterator[tuple[str, Labelled]]:
        """What selectors of a kind can match, each with its namespace: for pods also what makes them."""
        own = self._stored.get((group, kind), ()) if (group, kind) in table().selected else ()
        are_own, are_pods = frozenset(own), (group, kind) == POD
        for i in self._makers if are_pods else own:
            obj, namespace = self.given[i], self.identities[i].namespace
            if i in are_own:
                yield namespace, Labelled(self.keys[i], labels_of(obj))
            made = self.pods(obj) if are_pods else None
            if made is not None:
                yield namespace, Labelled(self.keys[i], made)

    @cached_property
    def several(self) -> Mapping[Key, list[Object]]:
        """The objects with one identity, for each that several have."""
        out: dict[Key, list[Object]] = {}
        if len(self._first) < len(self.given):
            for key, obj in zip(self.identities, self.given, strict=True):
                out.setdefault(key, []).append(obj)
        return {key: objects for key, objects in out.items() if len(objects) > 1}

    @cached_property
    def _first(self) -> Mapping[Key, Object]:
        return dict(zip(reversed(self.identities), reversed(self.given), strict=True))

    @cached_property
    def _anywhere(self) -> Mapping[tuple[str, str, str], list[Object]]:
        out: dict[tuple[str, str, str], list[Object]] = {}
        for (group, kind, _, name), obj in zip(self.identities, self.given, strict=True):
            out.setdefault((group, kind, name), []).append(obj)
        return out

    @cached_property
    def _of_kind(self) -> Mapping[tuple[str, str, str], list[Object]]:
        out: dict[tuple[str, str, str], list[Object]] = {}
        for key, obj in zip(self.identities, self.given, strict=True):
            out.setdefault(key[:3], []).append(obj)
        for i in self._makers:
            if self.pods(self.given[i]) is not None:
                out.setdefault((*POD, self.identities[i].namespace), [])
        return out

    @cached_property
    def _makers(self) -> Sequence[int]:
        """The positions of the objects that may be or make pods."""
        others = {i for batch in self.batches if not may_make_pods(batch.objects[0]) for i in batch.positions}
        return [i for i in range(len(self.given)) if i not in others]


def _positions(keys: Iterable[Key]) -> Positions:
    """The positions of keys by their kinds."""
    out: dict[GroupKind, list[int]] = {}
    for i, (group, kind, _, _) in enumerate(keys):
        out.setdefault((group, kind), []).append(i)
    return out


def is_name(text: str) -> bool:
    """Whether a text is a name already: it may be one that is only known when the manifest is filled in."""
    return bool(text) and not any(mark in text for mark in _PLACEHOLDERS)


def labels_of(obj: Object) -> Labels:
    """An object's own labels; there may be more where they cannot be read."""
    own = obj.part("metadata", "labels")
    readable = (obj.is_laid_out or obj.value) and (own is None or isinstance(own, dict))
    fixed = {k: v for k, v in own.items() if isinstance(v, str)} if isinstance(own, dict) else {}
    return Labels(fixed, more=not readable)


def _defines(obj: Object) -> GroupKind | None:
    """The kind that a CustomResourceDefinition defines; None where that cannot be read."""
    group, kind = get(obj.value, "spec", "group"), get(obj.value, "spec", "names", "kind")
    return (group, kind) if isinstance(group, str) and isinstance(kind, str) else None
