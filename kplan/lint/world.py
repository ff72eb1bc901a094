"""All objects of a run, as cross-object checks ask for them; the graph is built when the first rule needs it.

Lint is careful with what it cannot see. The graph is asked as if the world were closed. In an open world a name that
leads nowhere counts only if the input speaks for a mistake: a near name is there, or objects of that kind lie in the
folder of the one that refers to them. What a kustomization may generate is never missing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from kplan import release
from kplan.batches import Batch, batches
from kplan.hints import TYPE_CHECKING, Any
from kplan.model import Key, Object

if TYPE_CHECKING:
    from kplan.graph import Edge, Graph, Selection


# References that are seldom apart from what they refer to: a missing target is a mistake even if nothing is near.
_SHIPPED_TOGETHER = frozenset({"service-name"})
_GENERATED = frozenset({"ConfigMap", "Secret"})
_NEAR = 0.84
# The kinds of edges by which pods keep away from others.
APART = ("spread", "anti-affinity")
# The kinds of edges that checks look at wherever they lead, and those of which they only want to know where.
ALWAYS = frozenset(("service-name",))
FOLLOWED = frozenset(("selector", "scale-target", "disruption"))


class World:
    """The objects of the input.

    `closed` says that what is not here does not exist; `externals` does all the same. `kustomized` are the folders
    with a kustomization.
    """

    def __init__(
        self,
        objects: Iterable[Object],
        *,
        version: str = release.DEFAULT,
        closed: bool = False,
        externals: Iterable[str] = (),
        kustomized: Iterable[str] = (),
    ) -> None:
        self.objects = tuple(objects)
        self.version = version
        self.minor = release.minor(version)
        self.closed = closed
        self.externals = tuple(externals)
        self.kustomized = frozenset(kustomized)
        self._asked: frozenset[str] | None = None
        self._by_source: dict[str, Mapping[int, tuple[Object, tuple[Key, ...]]]] = {}
        self._by_target: dict[str, dict[Key, list[Key]]] = {}
        self._answers: dict[tuple[Any, int], Any] = {}

    @cached_property
    def graph(self) -> Graph:
        """The references and selectors between the objects, as far as rules ask for them."""
        from kplan.graph import build

        return build(
            self.objects,
            closed=True,
            externals=self.externals,
            wanted=self._is_wanted,
            followed=FOLLOWED,
            laid_out=self.batches,
        )

    def ask(self, words: Iterable[str]) -> None:
        """From now on only those edges count that lead nowhere and are of these kinds, or to such targets; besides
        those that checks follow."""
        self._asked = frozenset(words)

    def _is_wanted(self, kind: str, target: str, state: str, own: bool) -> bool:
        if kind in APART:
            return not own
        if kind in FOLLOWED or kind in ALWAYS or self._asked is None:
            return True
        return state == "missing" and (kind in self._asked or target in self._asked)

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

    def missing(self, obj: Object) -> list[Edge]:
        """Those of its edges that lead nowhere in the input; whether that is a fault, `is_missing` says."""
        return self._missing.get(id(obj), [])

    def missing_words(self, words: frozenset[str]) -> frozenset[int]:
        """The ids of the objects with such an edge whose kind, or that of its target, is one of the words."""
        return frozenset(
            at for at, edges in self._missing.items() if any(e.kind in words or e.target.kind in words for e in edges)
        )

    def led_to(self, kind: str, *, least: int = 1) -> frozenset[int]:
        """The ids of the objects that edges of one kind lead to, of so many objects at least."""
        if least > 1:
            keys = {key for key, sources in self._sources(kind).items() if len(dict.fromkeys(sources)) >= least}
        else:  # many objects may lead to the same ones
            keys = set().union(*{id(found): found for _, found in self._ends(kind).values()}.values())
        return frozenset(id(obj) for key in keys for obj in self.bearers(key))

    def is_missing(self, edge: Edge) -> bool:
        """Whether what an edge leads to is missing, as far as the input lets one say so."""
        from kplan.graph import MISSING, Selection

        if edge.state != MISSING or edge.optional:
            return False
        if self.closed:
            return True
        source, target = self.graph.source(edge), edge.target
        if isinstance(target, Selection):
            return self._beside(source, target.kind) or self._nearly_selected(target)
        if edge.key:
            return any(o.value.get("data") or o.ref.kind == "Service" for o in self.bearers(target))
        if target.kind in _GENERATED and self.is_kustomized(source):
            return False
        return edge.kind in _SHIPPED_TOGETHER or self._beside(source, target.kind) or bool(self.near(edge))

    def is_kustomized(self, obj: Object) -> bool:
        """Whether a kustomization stands in the object's folder: it may complete the object, and generate others."""
        return bool(self.kustomized) and folder(obj) in self.kustomized

    def near(self, edge: Edge) -> str:
        """The name of the kind that was probably meant; "" if none is near."""
        target = edge.target
        if not isinstance(target, Key):
            return ""
        from difflib import get_close_matches

        names = {o.ref.name for o in self.by_kind.get(target.kind, ()) if together(o.ref.namespace, target.namespace)}
        found = get_close_matches(target.name, sorted(names - {target.name}), n=1, cutoff=_NEAR)
        return found[0] if found else ""

    def targets(self, obj: Object, kind: str) -> list[Object]:
        """The objects that an object's edges of one kind lead to, by name or by labels; each identity once."""
        _, keys = self._ends(kind).get(id(obj), (obj, ()))
        return [found for key in keys if (found := self.closest(key, obj))]

    def leading(self, kind: str) -> Iterator[tuple[Object, list[Object]]]:
        """The objects with edges of one kind, each with its `targets`."""
        return ((obj, self.targets(obj, kind)) for obj, _ in self._ends(kind).values())

    @cached_property
    def batches(self) -> list[Batch]:
        """The objects that have a layout, by layout."""
        return batches(self.objects)

    def once(self, ask: Callable[[Object], Any], obj: Object) -> Any:
        """The answer of a function about an object, which several rules want to know."""
        key = (ask, id(obj))
        if key not in self._answers:
            self._answers[key] = ask(obj)
        return self._answers[key]

    def sources(self, obj: Object, kind: str) -> list[Object]:
        """The objects with an edge of one kind to this object, by name or by labels; each identity once."""
        sources = self._sources(kind).get(obj.ref.key, ())
        return [found for k in dict.fromkeys(sources) if (found := self.closest(k, obj))]

    def closest(self, key: Key, to: Object) -> Object | None:
        """Of several documents with one identity that in the file or folder of another object, else the last."""
        bearers = self.bearers(key)
        if len(bearers) < 2:
            return bearers[0] if bearers else None
        same_file = [o for o in bearers if o.document and to.document and o.document.file == to.document.file]
        same_folder = [o for o in bearers if folder(o) == folder(to)]
        return next(iter((same_file or same_folder or bearers)[::-1]), None)

    def bearers(self, key: Key) -> list[Object]:
        """All documents with an identity."""
        several = self._several.get(key)
        if several is not None:
            return several
        only = self.graph.nodes.get(key)
        return [only] if only is not None else []

    def first(self, obj: Object) -> Object | None:
        """The first object of the input with the identity of this one, if that is another one."""
        return self.twins.get(id(obj))

    def apart(self, obj: Object) -> list[Edge]:
        """Those of its edges by which its pods keep away from others, but not from each other."""
        return self.apart_edges.get(id(obj), [])

    def _ends(self, kind: str) -> Mapping[int, tuple[Object, tuple[Key, ...]]]:
        """The objects with edges of one kind and what these lead to, by the id of the object."""
        if kind not in self._by_source:
            found = dict(self.graph.links.get(kind, {}))
            for edge in self.graph.edges:
                if edge.kind == kind:
                    keys = (edge.target,) if isinstance(edge.target, Key) else self.graph.matches(edge)
                    found[edge.position] = tuple(dict.fromkeys((*found.get(edge.position, ()), *keys)))
            objects = self.objects
            self._by_source[kind] = {id(objects[i]): (objects[i], keys) for i, keys in sorted(found.items())}
        return self._by_source[kind]

    def _sources(self, kind: str) -> Mapping[Key, list[Key]]:
        """What the edges of one kind lead to, and the objects that they start at. Not for all kinds at once: where
        everybody selects everybody, that is the square of the objects."""
        found = self._by_target.get(kind)
        if found is None:
            found = self._by_target[kind] = {}
            for obj, keys in self._ends(kind).values():
                for key in keys:
                    found.setdefault(key, []).append(obj.ref.key)
        return found

    @cached_property
    def _edges(self) -> Mapping[int, list[Edge]]:
        out: dict[int, list[Edge]] = {}
        for edge in self.graph.edges:
            out.setdefault(id(self.graph.source(edge)), []).append(edge)
        return out

    @cached_property
    def _missing(self) -> Mapping[int, list[Edge]]:
        from kplan.graph import MISSING

        out: dict[int, list[Edge]] = {}
        for edge in self.graph.edges:
            if edge.state == MISSING and not edge.optional:
                out.setdefault(id(self.graph.source(edge)), []).append(edge)
        return out

    @cached_property
    def apart_edges(self) -> Mapping[int, list[Edge]]:
        """The edges of `apart`, by the id of the object."""
        out: dict[int, list[Edge]] = {}
        for edge in self.graph.edges:
            if edge.kind in APART:
                out.setdefault(id(self.graph.source(edge)), []).append(edge)
        return out

    @cached_property
    def _several(self) -> Mapping[Key, list[Object]]:
        """The documents whose identity others have too."""
        out: dict[Key, list[Object]] = {}
        if len(self.graph.nodes) < len(self.objects):
            for obj in self.objects:
                out.setdefault(obj.ref.key, []).append(obj)
        return {key: objects for key, objects in out.items() if len(objects) > 1}

    @cached_property
    def twins(self) -> Mapping[int, Object]:
        """The first objects of `first`, by the id of the later one."""
        return {id(o): group[0] for group in self.graph.duplicates.values() for o in group[1:]}

    @cached_property
    def _in_folders(self) -> frozenset[tuple[str, str, str]]:
        """(folder, kind, namespace) of all there is; what makes pods counts as Pod."""
        return frozenset((folder(o), k, o.ref.namespace) for o in self.objects for k in (o.ref.kind, self._made(o)))

    @staticmethod
    def _made(obj: Object) -> str:
        from kplan.graph import pods

        return obj.ref.kind if pods(obj) is None else "Pod"

    def _beside(self, source: Object, kind: str) -> bool:
        """Whether objects of a kind lie in the folder of the source, for its namespace."""
        where, namespace = folder(source), source.ref.namespace
        if not namespace:
            return any(place[:2] == (where, kind) for place in self._in_folders)
        return not self._in_folders.isdisjoint({(where, kind, namespace), (where, kind, "")})

    def _nearly_selected(self, asked: Selection) -> bool:
        """Whether some pod has all the keys of a selector, with values that are equal or near."""
        from kplan.graph import pods

        wanted = {r.key: r.values[0] for r in asked.requirements if r.operator == "In" and len(r.values) == 1}
        if asked.kind != "Pod" or len(wanted) < len(asked.requirements):
            return False
        made = [labels.fixed for o in self.objects if (labels := pods(o)) and self._is_asked(asked, o)]
        return any(all(_is_near(v, labels.get(k)) for k, v in wanted.items()) for labels in made)

    @staticmethod
    def _is_asked(asked: Selection, obj: Object) -> bool:
        return any(together(obj.ref.namespace, namespace) for namespace in asked.namespaces)


def folder(obj: Object) -> str:
    """The folder of the file that an object comes from."""
    return posixpath.dirname(obj.document.file.replace("\\", "/")) if obj.document else ""


def together(a: str, b: str) -> bool:
    """Whether two objects may be in one namespace: one that names none goes where it is applied."""
    return a == b or not a or not b


def _is_near(wanted: str, have: str | None) -> bool:
    if have is None or have == wanted:
        return have is not None
    from difflib import get_close_matches

    return bool(get_close_matches(wanted, [have], cutoff=_NEAR))
