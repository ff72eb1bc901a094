"""The data of the object graph: edges, what a selector asks for, and steps of the apply order."""

from __future__ import annotations

from collections.abc import Callable

from kplan.hints import Final
from kplan.labels import Requirement
from kplan.model import Key, Path, format_path
from kplan.tuples import NamedTuple

FOUND: Final = "found"
MISSING: Final = "missing"
UNKNOWN: Final = "unknown"
STATES: Final = (FOUND, MISSING, UNKNOWN)


class Selection(NamedTuple):
    """What a selector asks for: objects of a kind (`Pod` stands for everything that makes pods) by their labels.

    It looks in `namespaces` and in those whose labels satisfy `namespace_selector`; None adds no namespace, () adds
    all. Kinds without namespace have `namespaces` ("",).
    """

    group: str
    kind: str
    requirements: tuple[Requirement, ...]
    namespaces: tuple[str, ...]
    namespace_selector: tuple[Requirement, ...] | None = None

    def __str__(self) -> str:
        labels = ",".join(map(str, self.requirements)) or "everything"
        if self.namespace_selector:
            return f"{self.kind} with {labels} in namespaces with {','.join(map(str, self.namespace_selector))}"
        where = " in any namespace" if self.namespace_selector == () else ""
        return f"{self.kind} with {labels}{where}"


# Which edges are made: those of this kind, to a target of this kind, in this state; and whether they are selectors that
# surely hold for the pods of their own object.
Wanted = Callable[[str, str, str, bool], bool]


class Edge(NamedTuple):
    """One object speaks of another, or of all that have certain labels.

    `path` is the place in the source that does so, `kind` the sort of relation (`env`, `volume`, `selector`, …).
    `state` is `found`, `missing` (it certainly is not there) or `unknown` (it may be there, outside of what was
    given). `optional` marks an edge that may dangle without harm. `key` names the part of the target that is meant: a
    key of a ConfigMap or Secret, a port of a Service, a version of a CRD. `note` says why, when that is not plain.
    `position` is that of the source in `Graph.objects`; `order` says whether the target has to be there first.
    """

    source: Key
    path: Path
    kind: str
    target: Key | Selection
    state: str
    optional: bool = False
    key: str = ""
    note: str = ""
    position: int = -1
    order: bool = True

    @property
    def selects(self) -> bool:
        """Whether this is a selector edge: its target is a Selection."""
        return isinstance(self.target, Selection)


class Need(NamedTuple):
    """A reason for an order: the other object comes first, because of what stands at this path."""

    key: Key
    path: Path
    kind: str

    def __str__(self) -> str:
        where = f"{self.key.namespace}/{self.key.name}" if self.key.namespace else self.key.name
        return f"after {self.key.kind} {where} ({format_path(self.path)})"


class Step(NamedTuple):
    """One object in the apply order; all steps of a wave can be done at once, after the waves before."""

    key: Key
    wave: int
    needs: tuple[Need, ...] = ()
