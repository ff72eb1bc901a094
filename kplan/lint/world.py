"""All objects of a run, as cross-object checks ask for them; the graph is built when the first rule needs it.

Lint is careful with what it cannot see. The graph is asked as if the world were closed; in an open world a name that
leads nowhere counts only where other objects of that kind and namespace are in the input: it would be there, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

from kplan import release
from kplan.model import Key, Object

if TYPE_CHECKING:
    from kplan.graph import Edge, Graph


class World:
    """The objects of the input. `closed` says that what is not here does not exist; `externals` does all the same."""

    def __init__(
        self,
        objects: Iterable[Object],
        *,
        version: str = release.DEFAULT,
        closed: bool = False,
        externals: Iterable[str] = (),
    ) -> None:
        self.objects = tuple(objects)
        self.minor = release.minor(version)
        self.closed = closed
        self.externals = tuple(externals)

    @cached_property
    def graph(self) -> Graph:
        """The references and selectors between the objects."""
        from kplan.graph import build

        return build(self.objects, closed=True, externals=self.externals)

    @cached_property
    def by_kind(self) -> Mapping[str, list[Object]]:
        """Objects by kind, of any group."""
        out: dict[str, list[Object]] = {}
        for o in self.objects:
            out.setdefault(o.ref.kind, []).append(o)
        return out

    def edges(self, obj: Object) -> list[Edge]:
        """The edges that start in this very document."""
        return self._edges.get(id(obj), [])

    @cached_property
    def _edges(self) -> Mapping[int, list[Edge]]:
        out: dict[int, list[Edge]] = {}
        for edge in self.graph.edges:
            out.setdefault(id(self.graph.source(edge)), []).append(edge)
        return out

    def is_missing(self, edge: Edge) -> bool:
        """Whether what an edge leads to is missing, as far as the input lets one say so."""
        from kplan.graph import MISSING, Selection

        if edge.state != MISSING or edge.optional:
            return False
        target = edge.target
        if self.closed:
            return True
        if isinstance(target, Selection):
            return any((target.kind, ns) in self._spoken for ns in self._where(target.namespaces))
        if edge.key:
            return any(o.value.get("data") or o.ref.kind == "Service" for o in self._bearers(target))
        return any((target.kind, ns) in self._spoken for ns in self._where((target.namespace,)))

    def near(self, edge: Edge) -> str:
        """The name of the kind that was probably meant; "" if none is near."""
        target = edge.target
        if not isinstance(target, Key):
            return ""
        names = {o.ref.name for o in self.by_kind.get(target.kind, ()) if together(o.ref.namespace, target.namespace)}
        found = get_close_matches(target.name, sorted(names - {target.name}), n=1, cutoff=0.75)
        return found[0] if found else ""

    def targets(self, obj: Object, kind: str) -> list[Object]:
        """The objects that an object's edges of one kind lead to, by name or by labels."""
        keys: dict[Key, None] = {}
        for edge in self.edges(obj):
            if edge.kind == kind:
                keys |= dict.fromkeys([edge.target] if isinstance(edge.target, Key) else self.graph.matches(edge))
        return [self.graph.nodes[k] for k in keys if k in self.graph.nodes]

    def sources(self, obj: Object, kind: str) -> list[Object]:
        """The objects with an edge of one kind to this object, by name or by labels."""
        found = [self.graph.source(e) for e in self.graph.referrers(obj.ref.key) if e.kind == kind]
        return list({id(o): o for o in found}.values())

    def duplicates(self, obj: Object) -> list[Object]:
        """The first object of the input with the same identity, if that is another one."""
        same = self._twins.get(id(obj))
        return [same] if same is not None else []

    @cached_property
    def _twins(self) -> Mapping[int, Object]:
        return {id(o): group[0] for group in self.graph.duplicates.values() for o in group[1:]}

    @cached_property
    def _spoken(self) -> frozenset[tuple[str, str]]:
        from kplan.graph import pods

        made = {("Pod", o.ref.namespace) for o in self.objects if pods(o) is not None}
        return frozenset({(o.ref.kind, o.ref.namespace) for o in self.objects} | made)

    @staticmethod
    def _where(namespaces: Iterable[str]) -> set[str]:
        """The namespaces in which an object would stand: one without a namespace may be for any."""
        return {"", *namespaces}

    def _bearers(self, key: Key) -> list[Object]:
        return [o for o in self.by_kind.get(key.kind, ()) if o.ref.name == key.name]


def together(a: str, b: str) -> bool:
    """Whether two objects may be in one namespace: one that names none goes where it is applied."""
    return a == b or not a or not b
