"""What exists: the objects that were given, those they make, those of every cluster, and those declared external.

The world is open unless it is said to be closed: what is not here may be elsewhere, so its state is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kplan.batches import Batch
from kplan.errors import KplanError
from kplan.graph.edge import FOUND, MISSING, UNKNOWN, Selection
from kplan.graph.given import CRD as CRD
from kplan.graph.given import Given, labels_of
from kplan.graph.made import Made, Verdict
from kplan.graph.parts import parts
from kplan.graph.rules import GroupKind, group_kind, table
from kplan.graph.selectors import Selectable
from kplan.graph.writers import CHANGE, CREATE, Writers
from kplan.model import Key, Object
from kplan.schema.definitions import read
from kplan.tuples import NamedTuple
from kplan.workloads import get

API_SERVICE = ("apiregistration.k8s.io", "APIService")
ALWAYS_THERE = "exists in every cluster"
# Namespaces that a cluster fills by itself.
SYSTEM = ("kube-system", "kube-public", "kube-node-lease")


class Pattern(NamedTuple):
    """Objects declared to exist: `group` is None where the declaration names only the kind."""

    group: str | None
    kind: str
    namespace: str
    name: str

    def covers(self, key: Key) -> bool:
        """Whether this declaration speaks of an object; the parts may hold `*`."""
        return (
            (self.group is None or self.group == key.group)
            and _fits(key.kind, self.kind)
            and _fits(key.namespace, self.namespace)
            and _fits(key.name, self.name)
        )


def pattern(text: str) -> Pattern:
    """Read `Kind/name`, `Kind/namespace/name` or either with `Kind.group`; raises KplanError for anything else."""
    kind, *rest = text.split("/")
    if not kind or not all(rest) or len(rest) not in (1, 2):
        raise KplanError(f"{text!r} names no object", hint="write Kind/name or Kind/namespace/name; `*` stands for any")
    group, plain = group_kind(kind)
    return Pattern(group if "." in kind else None, plain, rest[0] if len(rest) == 2 else "*", rest[-1])


class Resolution(NamedTuple):
    """What a reference leads to: the target's key and state, a note, and the objects that bear its name."""

    key: Key
    state: str
    note: str
    objects: tuple[Object, ...] = ()


class World(Given):
    """The objects of the input, ready to be asked for."""

    def __init__(
        self, objects: Sequence[Object], laid_out: Sequence[Batch], *, closed: bool, externals: Iterable[str | Key]
    ) -> None:
        super().__init__(objects, laid_out)
        self.closed = closed
        self.made = Made(objects, self.written)
        self.selectable = Selectable(self.labelled)
        self._writers = Writers(objects)
        self._always = _by_kind(map(pattern, table().always))
        self._externals = _by_kind(Pattern(*e) if isinstance(e, Key) else pattern(e) for e in externals)
        self._resolved: dict[GroupKind, dict[tuple[str, str], Resolution]] = {}
        self._selected: dict[Selection, Verdict] = {}
        self._parts: dict[Key, frozenset[str] | None] = {}
        self._tell_namespaces()

    def _tell_namespaces(self) -> None:
        """Make the namespaces known: those of every cluster, those that are given and those that objects name."""
        for name in ("default", *SYSTEM):
            self.selectable.add_namespace(name, {})
        known: set[str] = set()
        for (group, kind, namespace, name), obj in zip(self.identities, self.given, strict=True):
            if kind == "Namespace" and not group:
                self.selectable.add_namespace(name, labels_of(obj).fixed if obj.is_laid_out or obj.value else None)
            elif namespace not in known and (namespace or not self.is_cluster_scoped(group, kind)):
                known.add(namespace)
                self.selectable.add_namespace(namespace, None)

    def is_aggregated(self, group: str) -> bool:
        """Whether an APIService of the input serves a group."""
        return any(get(o.value, "spec", "group") == group for o in self.of_kind(*API_SERVICE))

    def objects(self, key: Key) -> tuple[Object, ...]:
        """The objects with an identity; an object without a namespace goes to `default`."""
        other = {"": "default", "default": ""}.get(key.namespace)
        found = self.bearers(key)
        if other is not None:
            found = (*found, *self.bearers(key._replace(namespace=other)))
        return tuple(found)

    def resolve(self, group: str, kind: str, namespace: str, name: str) -> Resolution:
        """What is called so. A kind of unknown scope is looked for in the namespace first."""
        group, kind = self.stored(group, kind)
        scope = self.is_cluster_scoped(group, kind)
        namespace = "" if scope else namespace
        resolved = self._resolved.setdefault((group, kind), {})
        known = resolved.get((namespace, name))
        if known is None:
            key = Key(group, kind, namespace, name)
            found = self.objects(key) or (self.objects(key._replace(namespace="")) if scope is None else ())
            known = Resolution(found[0].ref.key, FOUND, "", found) if found else self._elsewhere(key)
            resolved[namespace, name] = known
        return known

    def _elsewhere(self, key: Key) -> Resolution:
        """What becomes of a name that no object bears in its namespace."""
        unplaced = tuple(o for o in self.anywhere(key) if not key.namespace or not o.ref.namespace)
        sure = self._sure(key)
        if sure is not None:
            return Resolution(key, *sure)
        if unplaced:
            return Resolution(unplaced[0].ref.key, UNKNOWN, "one of the two names no namespace", unplaced)
        return Resolution(key, *self.doubt((key.group, key.kind), (key.namespace,), key.name))

    def _sure(self, key: Key) -> Verdict | None:
        if any(p.covers(key) for p in self._always.get(key.kind, ())):
            return FOUND, ALWAYS_THERE
        if any(p.covers(key) for p in _of_kind(self._externals, key.kind)):
            return FOUND, "declared external"
        return self.made.find(key)

    def state_of(self, asked: Selection) -> Verdict:
        """Whether anything matches a selector. One that asks for everything is never in want."""
        verdict = self._selected.get(asked)
        if verdict is None:
            verdict = self._selected[asked] = self._select(asked)
        return verdict

    def _select(self, asked: Selection) -> Verdict:
        if not asked.requirements:
            return FOUND, ""
        possible = False
        for _, sure in self.selectable.find(asked):
            if sure:
                return FOUND, ""
            possible = True
        if possible:
            return UNKNOWN, "the labels or the namespace of some objects are not known"
        where = self.selectable.namespaces(asked) or ("",)
        declared = _of_kind(self._externals, asked.kind)
        if any(_fits(ns, p.namespace) for p in declared for ns in where):
            return UNKNOWN, "such objects are declared external"
        return self.doubt((asked.group, asked.kind), where)

    def doubt(self, kind: GroupKind, namespaces: tuple[str, ...], name: str = "") -> Verdict:
        """The state of what is not here: missing only in a closed world, where nobody else will make it."""
        if not self.closed:
            return UNKNOWN, ""
        for namespace in namespaces:
            if namespace in SYSTEM and not self.has_kind(*kind, namespace):
                return UNKNOWN, f"nothing is known of namespace {namespace}"
            writer = self.writer(*kind, namespace, name)
            if writer:
                return UNKNOWN, f"service account {writer} may make it"
        if kind in table().cluster_made and not self.has_kind(*kind, ""):
            return UNKNOWN, f"no {kind[1]} is known"
        return MISSING, ""

    def writer(self, group: str, kind: str, namespace: str, name: str = "") -> str:
        """A service account of the input that may make such an object, or ""."""
        if (group, kind) == ("", "Pod"):
            return self._writers.of_pods(namespace)
        return self._writers.of(group, self.plural(group, kind), namespace, CREATE, name)

    def editor(self, key: Key) -> str:
        """A service account of the input that may write into this object, or ""."""
        return self._writers.of(key.group, self.plural(key.group, key.kind), key.namespace, CHANGE, key.name)

    def plural(self, group: str, kind: str) -> str:
        """The resource name of a kind; the English plural where nothing tells it."""
        known = read("facts/resources").get(group, {}).get(kind)
        if known is not None:
            return str(known["plural"])
        crd = self.crds.get((group, kind))
        plural = get(crd.value, "spec", "names", "plural") if crd is not None else None
        if isinstance(plural, str):
            return plural
        return _plural(kind.lower())

    def parts_of(self, target: Resolution) -> frozenset[str] | None:
        """The names of the parts of a target that exists; None if they are not known.

        Several documents with one name (alternatives, overlays) count together.
        """
        if target.key not in self._parts:
            known = [parts(o) for o in target.objects]
            told = [p for p in known if p is not None]
            self._parts[target.key] = frozenset().union(*told) if told and len(told) == len(known) else None
        return self._parts[target.key]

    def part_state(self, target: Resolution, part: str) -> str | None:
        """The state of a part of a target that exists: `found`, `missing` or `unknown`; None if it cannot be told."""
        have = self.parts_of(target)
        if have is None or part in have:
            return None if have is None else FOUND
        # An empty ConfigMap or Secret in a file is often a place that something else fills.
        return UNKNOWN if self.editor(target.key) or (not have and not self.closed) else MISSING


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith("y") and word[-2:-1] not in "aeiou" else f"{word}s"


def _by_kind(patterns: Iterable[Pattern]) -> dict[str, list[Pattern]]:
    out: dict[str, list[Pattern]] = {}
    for p in patterns:
        out.setdefault(p.kind, []).append(p)
    return out


def _fits(text: str, glob: str) -> bool:
    from fnmatch import fnmatchcase  # few declare anything

    return fnmatchcase(text, glob)


def _of_kind(patterns: dict[str, list[Pattern]], kind: str) -> list[Pattern]:
    return [p for k in patterns if _fits(kind, k) for p in patterns[k]]
