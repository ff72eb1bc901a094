"""Objects by identity, with the indexes that the control plane asks for.

Values are plain JSON objects and are replaced, never edited in place: whoever holds one holds a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kplan.model import Key, Ref, split_api_version

Value = dict[str, Any]


def ref_of(value: Value, *, namespace: str | None = None) -> Ref:
    """The Ref of an object's own fields; `namespace` stands in where it names none."""
    group, version = split_api_version(str(value.get("apiVersion", "")))
    meta = value.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    name = meta.get("name") or meta.get("generateName") or ""
    ns = meta.get("namespace") or namespace or ""
    return Ref(group, version, str(value.get("kind", "")), str(ns), str(name))


class Store:
    """A set of objects. Iteration follows the order in which objects were first put."""

    __slots__ = ("_by_kind", "_changes", "_objects")

    def __init__(self, objects: Iterable[Value] = ()) -> None:
        self._objects: dict[Key, Value] = {}
        self._by_kind: dict[str, dict[Key, Value]] = {}
        self._changes: dict[str, int] = {}
        for o in objects:
            self.put(o)

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: Key) -> bool:
        return key in self._objects

    def put(self, value: Value) -> Key:
        """Store an object under its identity, replacing what was there."""
        key = ref_of(value).key
        self._objects[key] = value
        self._by_kind.setdefault(key.kind, {})[key] = value
        self._changes[key.kind] = self._changes.get(key.kind, 0) + 1
        return key

    def remove(self, key: Key) -> Value | None:
        """Take an object out; returns it, or None if there was none."""
        value = self._objects.pop(key, None)
        if value is not None:
            del self._by_kind[key.kind][key]
            self._changes[key.kind] += 1
        return value

    def get(self, key: Key) -> Value | None:
        """The object with this identity, or None."""
        return self._objects.get(key)

    def find(self, kind: str, name: str, namespace: str = "") -> Value | None:
        """The object of this kind and name in any group, or None; built-in kinds are meant."""
        for key, value in self._by_kind.get(kind, {}).items():
            if key.name == name and key.namespace == namespace:
                return value
        return None

    def all(self, kind: str | None = None, namespace: str | None = None) -> Iterator[Value]:
        """Objects of a kind (all kinds if None), in a namespace if one is given."""
        pool = self._objects if kind is None else self._by_kind.get(kind, {})
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
        return other
