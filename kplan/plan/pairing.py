"""Which object of the desired side is which of the current side.

By group, kind, namespace and name. A kind that moved to another API group is the same object in storage (Deployment of
extensions and of apps); a manifest without a namespace is the one object of its kind and name that is left; an object
whose name ends in a content hash (kustomize's configMapGenerator) replaces the one with another hash.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kplan.model import Ref
from kplan.store import ref_of

Value = dict[str, Any]

# The group that stores a kind that older manifests ask for in another one.
_MOVED: Mapping[tuple[str, str], str] = {
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "Deployment"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("extensions", "PodSecurityPolicy"): "policy",
    ("", "Event"): "events.k8s.io",
}
# kustomize encodes a SHA-256 so that no vowels come out (sigs.k8s.io/kustomize/api/hasher): 10 of these letters.
_HASHED = re.compile(r"(.+)-[bcdfghkmt2456789]{10}\Z")


class Paired(NamedTuple):
    """An object on one side or on both; `renamed` when only a content hash in the name tells them apart."""

    before: Value | None
    after: Value | None
    renamed: bool = False

    @property
    def ref(self) -> Ref:
        """What the object is called: on the desired side, if it is there."""
        return ref_of(self.after or self.before or {})


def pair(before: Iterable[Value], after: Iterable[Value]) -> Iterator[Paired]:
    """Every object of both sides once, in the order of their names; each side holds an identity once."""
    old = {ref_of(v): v for v in before}
    new = {ref_of(v): v for v in after}
    found: list[Paired] = []
    for key, renamed in ((_identity, False), (_storage, False), (_anywhere, False), (_stem, True)):
        for a, b in _matched(old, new, key):
            found.append(Paired(old.pop(a), new.pop(b), renamed))
    found += [Paired(v, None) for v in old.values()]
    found += [Paired(None, v) for v in new.values()]
    yield from sorted(found, key=lambda p: _order(p.ref))


def _matched(
    old: Mapping[Ref, Value], new: Mapping[Ref, Value], key: Callable[[Ref], Hashable | None]
) -> list[tuple[Ref, Ref]]:
    """Pairs of references that share a key which no other object on either side has."""
    sides: tuple[dict[Hashable, list[Ref]], dict[Hashable, list[Ref]]] = (defaultdict(list), defaultdict(list))
    for side, refs in zip(sides, (old, new), strict=True):
        for ref in refs:
            k = key(ref)
            if k is not None:
                side[k].append(ref)
    return [
        (refs[0], sides[1][k][0])
        for k, refs in sides[0].items()
        if len(refs) == 1 and len(sides[1].get(k, ())) == 1 and _compatible(key, refs[0], sides[1][k][0])
    ]


def _compatible(key: Callable[[Ref], Hashable | None], a: Ref, b: Ref) -> bool:
    """Objects of two named namespaces are never one; only an unnamed namespace may be any."""
    return key is not _anywhere or a.namespace == b.namespace or not (a.namespace and b.namespace)


def _identity(ref: Ref) -> Hashable:
    return ref.key


def _storage(ref: Ref) -> Hashable:
    return ref.key._replace(group=_MOVED.get((ref.group, ref.kind), ref.group))


def _anywhere(ref: Ref) -> Hashable:
    return (_MOVED.get((ref.group, ref.kind), ref.group), ref.kind, ref.name)


def _stem(ref: Ref) -> Hashable | None:
    m = _HASHED.match(ref.name)
    return (ref.group, ref.kind, ref.namespace, m[1]) if m else None


def _order(ref: Ref) -> tuple[str, ...]:
    return (ref.namespace, ref.kind, ref.name, ref.group, ref.version)
