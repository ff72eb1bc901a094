"""Which object of the desired side is which of the current side.

By group, kind, namespace and name. A kind that moved to another API group is the same object in storage (Deployment of
extensions and of apps); a manifest without a namespace is the one object of its kind and name that is left; an object
whose name ends in a content hash (kustomize's configMapGenerator) replaces the one with another hash.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping

from kplan.hints import Any
from kplan.model import Key, Ref
from kplan.patterns import lazy
from kplan.store import ref_of
from kplan.tuples import NamedTuple

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
_HASHED = lazy(r"(.+)-[bcdfghkmt2456789]{10}\Z")


class Side(NamedTuple):
    """An object on one side, and what it is called there."""

    ref: Ref
    value: Value


class Paired(NamedTuple):
    """An object on one side or on both; `renamed` when only a content hash in the name tells them apart."""

    before: Side | None
    after: Side | None
    renamed: bool = False

    @property
    def ref(self) -> Ref:
        """What the object is called: on the desired side, if it is there."""
        side = self.after or self.before
        assert side is not None
        return side.ref


def pair(before: Iterable[Value], after: Iterable[Value]) -> list[Paired]:
    """Every object of both sides once, in the order of their names; of one identity on a side the last counts."""
    old, new = _sides(before), _sides(after)
    found = [Paired(old.pop(key), new.pop(key)) for key in [k for k in new if k in old]]
    for key, renamed in ((stored_as, False), (_anywhere, False), (_stem, True)):
        found += [Paired(old.pop(a), new.pop(b), renamed) for a, b in _matched(old, new, key)]
    found += [Paired(side, None) for side in old.values()]
    found += [Paired(None, side) for side in new.values()]
    return sorted(found, key=lambda p: order(p.ref))


def _sides(values: Iterable[Value]) -> dict[Key, Side]:
    sides = (Side(ref_of(v), v) for v in values)
    return {side.ref.key: side for side in sides}


def _matched(
    old: Mapping[Key, Side], new: Mapping[Key, Side], trait: Callable[[Key], Hashable | None]
) -> list[tuple[Key, Key]]:
    """Pairs of objects that share a trait which no other object on either side has."""
    ours, theirs = _by_trait(old, trait), _by_trait(new, trait)
    return [
        (keys[0], theirs[t][0])
        for t, keys in ours.items()
        if len(keys) == 1 and len(theirs.get(t, ())) == 1 and _compatible(trait, keys[0], theirs[t][0])
    ]


def _by_trait(keys: Iterable[Key], trait: Callable[[Key], Hashable | None]) -> dict[Hashable, list[Key]]:
    found: dict[Hashable, list[Key]] = defaultdict(list)
    for key in keys:
        t = trait(key)
        if t is not None:
            found[t].append(key)
    return found


def _compatible(trait: Callable[[Key], Hashable | None], a: Key, b: Key) -> bool:
    """Objects of two named namespaces are never one; only an unnamed namespace may be any."""
    return trait is not _anywhere or a.namespace == b.namespace or not (a.namespace and b.namespace)


def stored_as(key: Key) -> Key:
    """The identity under which the server stores an object: that of the group that its kind moved to."""
    return key._replace(group=_MOVED.get((key.group, key.kind), key.group))


def _anywhere(key: Key) -> Hashable:
    return (_MOVED.get((key.group, key.kind), key.group), key.kind, key.name)


def _stem(key: Key) -> Hashable | None:
    m = _HASHED.match(key.name)
    return (key.group, key.kind, key.namespace, m[1]) if m else None


def order(ref: Ref) -> tuple[str, ...]:
    """By what the objects of a plan are sorted."""
    return (ref.namespace, ref.kind, ref.name, ref.group, ref.version)
