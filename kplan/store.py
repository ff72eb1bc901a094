"""Objects by identity, with the indexes that the control plane asks for.

Values are plain JSON objects and are replaced, never edited in place: whoever holds one holds a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from kplan.hints import Any
from kplan.model import Key, Ref
from kplan.model import ref_of as ref_of
from kplan.schema.definitions import read as facts
from kplan.tuples import NamedTuple

Value = dict[str, Any]


class Odd(NamedTuple):
    """Something among the objects of a cluster that no server could have stored, and why.

    `ref` is None for what is no object, and `value` for what is nested too deeply.
    """

    ref: Ref | None
    why: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.ref if self.ref is not None else 'an item'}: {self.why}"


class Write(NamedTuple):
    """What happened to one object: `old` is None where it is new, `new` is None where it went."""

    key: Key
    old: Value | None
    new: Value | None


class Store:
    """A set of objects. Iteration follows the order in which objects were first put.

    `journal`, once it is a list, gets every change: whoever watches the store takes them out. `simulated` says that
    controllers run over it: what they keep up to date counts. `aside` is what is there too, but not for controllers:
    what no server could have stored.

    A custom kind that has the name of a built-in one, such as the Service of Knative, is never taken for it: it is
    found by its key, among all objects, and where its group is named.
    """

    __slots__ = (
        "_births",
        "_born",
        "_by_kind",
        "_by_label",
        "_by_name",
        "_changes",
        "_free",
        "_objects",
        "_owned",
        "aside",
        "journal",
        "simulated",
    )

    def __init__(self, objects: Iterable[Value] = ()) -> None:
        self._objects: dict[Key, Value] = {}
        self._by_kind: dict[str, dict[Key, Value]] = {}
        self._changes: dict[str, int] = {}
        self._born: dict[Key, int] = {}
        self._births = 0
        self._owned: dict[str, dict[Key, bool]] | None = None  # by uid of an owner; whether it is the controller
        self._free: dict[tuple[str, str], dict[Key, None]] = {}
        self._by_name: dict[tuple[str, str, str], Key] = {}
        self._by_label: dict[str, dict[tuple[str, str, str], dict[Key, None]]] = {}
        self.aside: dict[Key, Value] = {}
        self.journal: list[Write] | None = None
        self.simulated = False
        for o in objects:
            self.put(o)

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: Key) -> bool:
        return key in self._objects

    def put(self, value: Value) -> Key:
        """Store an object under its identity, replacing what was there."""
        key = ref_of(value).key
        old = self._objects.get(key)
        kind = _pool(key.group, key.kind)
        self._objects[key] = value
        self._by_kind.setdefault(kind, {})[key] = value
        self._changes[kind] = self._changes.get(kind, 0) + 1
        if old is None:
            self.aside.pop(key, None)
            self._births += 1
            self._born[key] = self._births
            if kind == key.kind:
                self._by_name.setdefault(key[1:], key)
        self._note(key, kind, old, value)
        return key

    def remove(self, key: Key) -> Value | None:
        """Take an object out; returns it, or None if there was none."""
        value = self._objects.pop(key, None)
        if value is not None:
            kind = _pool(key.group, key.kind)
            del self._by_kind[kind][key]
            del self._born[key]
            if self._by_name.get(key[1:]) == key:
                del self._by_name[key[1:]]
            self._changes[kind] += 1
            self._note(key, kind, value, None)
        return value

    def _note(self, key: Key, kind: str, old: Value | None, new: Value | None) -> None:
        if self.journal is not None:
            self.journal.append(Write(key, old, new))
        free = self._free.get((kind, key.namespace))
        if free is not None:
            if new is not None and not has_controller(new):
                free[key] = None
            else:
                free.pop(key, None)
        if self._owned is not None and not _shared("ownerReferences", old, new):
            after = owners_of(new)
            for uid in owners_of(old):
                if uid not in after:
                    self._owned[uid].pop(key, None)
            for uid, controls in after.items():
                self._owned.setdefault(uid, {})[key] = controls
        index = self._by_label.get(kind)
        if index is not None and not _shared("labels", old, new):
            had, has = labels_of(old), labels_of(new)
            if had != has or new is None or old is None:
                for item in had.items():
                    index[(key.namespace, *item)].pop(key, None)
                for item in has.items():
                    index.setdefault((key.namespace, *item), {})[key] = None

    def dependents(self, uid: str) -> list[Value]:
        """The objects that name this uid among their owners."""
        return [self._objects[key] for key in self._owners().get(uid, ())]

    def controlled(self, uid: str, kind: str) -> list[Value]:
        """The objects of a kind whose controller has this uid."""
        found = self._owners().get(uid, {})
        return [self._objects[key] for key, controls in found.items() if controls and key.kind == kind]

    def _owners(self) -> dict[str, dict[Key, bool]]:
        if self._owned is None:
            self._owned = {}
            for key, value in self._objects.items():
                for owner, controls in owners_of(value).items():
                    self._owned.setdefault(owner, {})[key] = controls
        return self._owned

    def uncontrolled(self, kind: str, namespace: str) -> list[Value]:
        """The objects of a kind in a namespace that no controller owns."""
        free = self._free.get((kind, namespace))
        if free is None:
            free = {ref_of(o).key: None for o in self.all(kind, namespace) if not has_controller(o)}
            self._free[kind, namespace] = free
        return [self._objects[key] for key in free]

    def labelled(self, kind: str, namespace: str, wanted: Mapping[str, str]) -> list[Value]:
        """The objects of a kind in a namespace that carry all of these labels, oldest first; all of them for none."""
        if not wanted:
            return list(self.all(kind, namespace))
        index = self._by_label.get(kind)
        if index is None:
            index = self._by_label[kind] = {}
            for key, value in self._by_kind.get(kind, {}).items():
                for item in labels_of(value).items():
                    index.setdefault((key.namespace, *item), {})[key] = None
        nothing: dict[Key, None] = {}
        pools = sorted((index.get((namespace, *item), nothing) for item in wanted.items()), key=len)
        found = [k for k in pools[0] if all(k in p for p in pools[1:])]
        return [self._objects[k] for k in sorted(found, key=self._born.__getitem__)]

    def born(self, key: Key) -> int:
        """A number that is larger for objects that came later; one that went and came back counts anew."""
        return self._born[key]

    def get(self, key: Key) -> Value | None:
        """The object with this identity, or None."""
        return self._objects.get(key)

    def items(self) -> list[tuple[Key, Value]]:
        """All objects by identity, in the order in which they came."""
        return list(self._objects.items())

    def find(self, kind: str, name: str, namespace: str = "") -> Value | None:
        """The object of this kind and name in any group, or None; built-in kinds are meant."""
        key = self._by_name.get((kind, namespace, name))
        return self._objects[key] if key is not None else None

    def all(self, kind: str | None = None, namespace: str | None = None, *, group: str = "") -> Iterator[Value]:
        """Objects of a kind (all kinds if None), in a namespace if one is given; `group` is that of a custom kind."""
        pool = self._objects if kind is None else self._by_kind.get(_pool(group, kind), {})
        for key, value in pool.items():
            if namespace is None or key.namespace == namespace:
                yield value

    def changes(self, kind: str) -> int:
        """A number that grows whenever an object of this kind changes: a cache key."""
        return self._changes.get(kind, 0)

    @property
    def revision(self) -> int:
        """A number that grows whenever any object changes."""
        return sum(self._changes.values())

    def copy(self) -> Store:
        """An independent store with the same (shared, never edited) values."""
        other = Store()
        other._objects = dict(self._objects)
        other._by_kind = {k: dict(v) for k, v in self._by_kind.items()}
        other._changes = dict(self._changes)
        other._born, other._births = dict(self._born), self._births
        other._by_name = dict(self._by_name)
        other.aside = dict(self.aside)
        return other


def is_native(group: str, kind: str) -> bool:
    """Whether a kind of this group is not a custom one that has the name of a built-in kind."""
    return "." not in group or group.endswith(".k8s.io") or kind not in builtin_kinds()


def _pool(group: str, kind: str) -> str:
    return kind if is_native(group, kind) else f"{kind}.{group}"


@cache
def builtin_kinds() -> frozenset[str]:
    """The names of all kinds of Kubernetes itself."""
    return frozenset(kind for kinds in facts("kubernetes/index").values() for kind in kinds)


def _shared(field: str, old: Value | None, new: Value | None) -> bool:
    """Whether both objects hold the very same part of their metadata, as they do when only a status changes."""
    before, after = (old or {}).get("metadata"), (new or {}).get("metadata")
    return isinstance(before, dict) and isinstance(after, dict) and before.get(field) is after.get(field)


def owners_of(value: Value | None) -> dict[str, bool]:
    """The uids in the owner references of an object, and whether each is that of its controller; none of None."""
    meta = value.get("metadata") if value is not None else None
    refs = meta.get("ownerReferences") if isinstance(meta, dict) else None
    return {r["uid"]: bool(r.get("controller")) for r in refs or () if isinstance(r, dict) and r.get("uid")}


def has_controller(value: Value) -> bool:
    """Whether one of the owner references is that of a controller."""
    return any(r.get("controller") for r in value["metadata"].get("ownerReferences") or ())


def labels_of(value: Value | None) -> dict[str, str]:
    """The labels of an object; none of None."""
    meta = value.get("metadata") if value is not None else None
    labels = meta.get("labels") if isinstance(meta, dict) else None
    return {k: v for k, v in labels.items() if isinstance(v, str)} if isinstance(labels, dict) else {}
