"""Objects that both sides have in the same words: neither read nor compared, but found when somebody asks for them.

An object whose manifest is the same on both sides does not change (kplan.plan.live, kplan.plan.actions), so the plan
need not know more of it than what it is called. Others may: who reads a ConfigMap that changes, who shares a namespace
with a workload that restarts. They ask by identity and text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain

from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Document, Key, Loaded
from kplan.plan.align import same
from kplan.plan.names import SLASH
from kplan.plan.noise import is_live
from kplan.plan.pairing import Paired, Side
from kplan.store import ref_of

if TYPE_CHECKING:
    from kplan.source.shared import Both, Shared

Value = dict[str, Any]

_CRD = "CustomResourceDefinition"


def _names(files: Iterable[Shared]) -> list[str]:
    return list(chain.from_iterable([f.holds for f in files]))


def _key(name: str) -> Key:
    return Key(*name.split(SLASH))


class Unchanged:
    """The objects that both sides have in the same words."""

    def __init__(self, files: Iterable[Shared] = (), documents: Iterable[Document] = (), version: str = "") -> None:
        self._files = tuple(files)
        self._documents = tuple(documents)
        self._version = version
        self._read: dict[int, tuple[Document, ...]] = {}
        self._count = len(self._documents) + len(_names(self._files))

    def __len__(self) -> int:
        return self._count

    def readers(self, keys: Iterable[Key], wanted: Callable[[Key], bool]) -> list[Paired]:
        """The objects that are wanted, are in a namespace with one of the keys, and may name it; as `pairs`."""
        names: dict[str, list[bytes]] = {}
        for key in keys:
            names.setdefault(key.namespace, []).append(key.name.encode())
        parts = [(f"{SLASH}{namespace}{SLASH}", found) for namespace, found in names.items()]

        def may(file: Shared) -> bool:
            holds = "\n".join(file.holds)
            wanted = [name for part, found in parts if part in holds for name in found]
            return bool(wanted) and _has(file.data(), wanted)

        return self.pairs(lambda key: key.namespace in names and wanted(key), may)

    def pairs(self, wanted: Callable[[Key], bool], may: Callable[[Shared], bool] = lambda _: True) -> list[Paired]:
        """The objects that are wanted, as both sides store them, of the files that may hold such."""
        return _paired([d.value for d in self._found(wanted, may)], self._version)

    def everything(self) -> tuple[list[Paired], list[Value]]:
        """All of the objects as both sides store them, and the manifests of both sides."""
        values = [d.value for d in self._found(lambda _: True, lambda _: True)]
        return _paired(values, self._version), values

    def _found(self, wanted: Callable[[Key], bool], may: Callable[[Shared], bool]) -> list[Document]:
        found = [d for d in self._documents if wanted(ref_of(d.value).key)]
        for i, file in enumerate(self._files):
            if not may(file):
                continue
            places = [n for n, name in enumerate(file.holds) if wanted(_key(name))]
            if places and i not in self._read:
                self._read[i] = file.read().documents
            found += [self._read[i][n] for n in places]
        return found


def _has(data: bytes, words: Sequence[bytes]) -> bool:
    """Whether one of the words may stand in a text; with a backslash, anything may."""
    return b"\\" in data or any(word in data for word in words)


def _paired(values: Sequence[Value], version: str) -> list[Paired]:
    """Both stored forms, which are one: an object that is applied as it is stays as it is, for what was stored once is
    stored like that again."""
    if not values:
        return []
    from kplan.cluster import Cluster

    sides = (Side(ref_of(value), value) for value in Cluster(values, version=version).objects())
    return [Paired(side, side) for side in sides]


def settled(both: Both) -> tuple[Loaded, Loaded, tuple[Shared, ...]]:
    """Both sides with what has to be looked at, and the shared files that need not be.

    A file is opened if an object of it is anywhere else as well: which of them counts is for others to say.
    """
    elsewhere = {SLASH.join(ref_of(d.value).key) for side in both[:2] for d in side.documents}
    names = _names(both.shared)
    if len(set(names)) < len(names):
        elsewhere |= {name for name, n in Counter(names).items() if n > 1}
    kept, opened = [], []
    for file in both.shared:
        if elsewhere.isdisjoint(file.holds):
            kept.append(file)
        else:
            opened.append(file.read_both())
    current, desired = both.current, both.desired
    if opened:
        current = _with(current, [o for o, _ in opened])
        desired = _with(desired, [n for _, n in opened])
    return current, desired, tuple(kept)


def _with(side: Loaded, files: Sequence[Loaded]) -> Loaded:
    return Loaded(
        (*side.documents, *(d for f in files for d in f.documents)), side.skipped, side.unreadable, side.files
    )


def split(
    current: Sequence[Document], desired: Sequence[Document]
) -> tuple[tuple[Document, ...], tuple[Document, ...], tuple[Document, ...]]:
    """The documents of both sides that have to be compared, and those of the desired side that are the same on both.

    Each identity is once on a side.
    """
    old = {ref_of(d.value).key: d for d in current}
    alike = {key: d for d in desired if (key := ref_of(d.value).key) in old and _alike(old[key], d)}
    return _without(current, alike), _without(desired, alike), tuple(alike.values())


def _without(documents: Sequence[Document], alike: Mapping[Key, Document]) -> tuple[Document, ...]:
    return tuple(d for d in documents if ref_of(d.value).key not in alike)


def _alike(old: Document, new: Document) -> bool:
    kind = new.value.get("kind")
    return kind != _CRD and not is_live(old.value) and old.text == new.text and same(old.value, new.value)
